/** One census with types and holders: what the command maps prints. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoBinary, MapImpl } from "../gobin/go-binary.ts";
import { filledBytes } from "../gomap/sizing.ts";
import type { GoroutineState } from "../snapshot/goroutine-state.ts";
import { type GlobalMap, globalMapsFromCode } from "./globals-from-code.ts";
import { listGoroutines, stackInUse } from "./goroutine-stacks.ts";
import { HolderNaming } from "./holder-names.ts";
import { Holders } from "./holders.ts";
import { FLAG, HOW, type MapTable } from "./map-table.ts";
import type { BatchReader, ReadBatch, ReadCosts } from "./read-batch.ts";
import { References } from "./references.ts";
import { type Program, readMaps } from "./scan.ts";
import { findStackMaps } from "./stack-maps.ts";
import { TypeGraph } from "./type-graph.ts";
import { KIND } from "./type-table.ts";
import { Typings } from "./typing.ts";
import { type Area, ROOT, Walk } from "./walk.ts";

/** What is found out once for all readings of a process. */
export interface Preparation {
	program: Program;
	graph: TypeGraph;
	/** Global variables that are maps or lead to some; addresses at run time. */
	globals: readonly GlobalMap[];
}

export interface Census {
	impl: MapImpl;
	table: MapTable;
	typings: Typings;
	holders: Holders;
	heapBytes: number;
	costs: ReadCosts;
	/** What could not be found out, for people. */
	limits: string[];
	/** Whether it is known which maps nobody refers to. */
	referencesKnown: boolean;
	/** To be called now and then while all maps are gone through. */
	onProgress(): void;
	/**
	 * Bytes that a map would give back if it were made anew for its entries; 0 when its type is not known well enough.
	 */
	wasteOf(row: number): number;
}

export function prepare(program: Program): Preparation {
	const { types, impl } = program;
	const graph = new TypeGraph(types, impl === "classic");
	return { program, graph, globals: globalsOf(program, graph) };
}

/** By debug information, and by code: each knows some that the other does not. */
function globalsOf({ binary, bias, shapes }: Program, graph: TypeGraph): GlobalMap[] {
	const found = new Map<number, GlobalMap>();
	const mapTypes = new Set(shapes.all.map(({ type }) => type.address));
	for (const global of globalMapsFromCode(binary, (address) => mapTypes.has(address + bias))) {
		found.set(global.address + bias, { ...global, address: global.address + bias, type: global.type + bias });
	}
	for (const { address, type } of describedGlobals(binary)) {
		if (graph.types[graph.numberOf(type + bias)]?.leadsToMaps !== true) continue;
		found.set(address + bias, { address: address + bias, type: type + bias, fn: found.get(address + bias)?.fn });
	}
	return [...found.values()];
}

/** Damaged debug information is none: the census does without. */
function describedGlobals(binary: GoBinary): readonly { address: number; type: number }[] {
	try {
		return binary.globalVariables;
	} catch (error) {
		if (error instanceof GomapgrowError && error.code.startsWith("E-BIN-")) return [];
		throw error;
	}
}

/** Reads all maps, their types and their holders. `onProgress` is called now and then, and may throw. */
export function takeCensus(memory: BatchReader, preparation: Preparation, onProgress: () => void): Census {
	const { program, graph, globals } = preparation;
	const { binary, bias, layouts, shapes, types } = program;
	const { spans, table, search, inlineMarks, batch, examiner } = readMaps(memory, program, onProgress);
	const goroutines = listGoroutines(batch, binary, bias);
	const areas = [...staticAreas(binary, bias), ...stackAreas(goroutines ?? [])];
	const context = { spans, index: search.index, table, shapes, graph, layouts, examiner, batch, areas, onProgress };
	const walk = new Walk(context);
	followGlobals(walk, batch, graph, globals);
	const typeRange = { start: binary.moduleData.types + bias, end: binary.moduleData.etypes + bias };
	const references = new References(context, walk, typeRange, inlineMarks);
	references.findTypedObjects();
	references.scanAll();
	findStackMaps(context);
	const typings = new Typings(types, shapes, graph);
	followTypedMaps(walk, table, typings);
	const limits = limitsOf(program, goroutines, walk, search.scan.unstable);
	const naming = new HolderNaming(program, memory, globals, goroutines ?? []);
	naming.prepare(table, walk, areas);
	const holders = new Holders(table, typings, walk, graph, types, areas, naming);
	holders.settle(onProgress);
	return {
		impl: program.impl,
		table,
		typings,
		onProgress,
		wasteOf: (row) => wasteOf(program, table, row),
		holders,
		heapBytes: spans.heapBytes,
		costs: batch.costs,
		limits,
		referencesKnown: goroutines !== undefined,
	};
}

/** The segments that the program can write: they hold its global variables. */
function staticAreas({ elf }: GoBinary, bias: number): Area[] {
	return elf.loads
		.filter(({ writable }) => writable)
		.map(({ vaddr, memsz }) => ({ start: Math.ceil((vaddr + bias) / 8) * 8, end: vaddr + bias + memsz }));
}

function stackAreas(goroutines: readonly GoroutineState[]): Area[] {
	return goroutines.map((goroutine) => ({ ...stackInUse(goroutine), goid: goroutine.goid }));
}

function followGlobals(walk: Walk, batch: ReadBatch, graph: TypeGraph, globals: readonly GlobalMap[]): void {
	batch.clear();
	for (const { address } of globals) batch.add(address, 8);
	batch.read();
	globals.forEach(({ address, type }, number) => {
		const root = ROOT.global - number;
		const value = batch.isComplete(number) ? batch.word(batch.offset(number)) : 0;
		const known = graph.numberOf(type);
		if (graph.types[known]?.descriptor.kind !== KIND.map) walk.push(address, known, 1, root, 0);
		else if (value !== 0) walk.foundMap(value, known, root, 0, HOW.global);
	});
	walk.drain();
}

/** Maps without a holder of known type whose buckets or groups say what they are. */
function followTypedMaps(walk: Walk, table: MapTable, typings: Typings): void {
	for (let row = 0; row < table.count; row++) {
		if (table.strength(row) !== 0 || !table.has(row, FLAG.header)) continue;
		const type = typings.headerType(table, row);
		if (type >= 0) walk.adopt(row, type);
	}
	walk.drain();
}

function wasteOf({ shapes, classes, layouts, heap }: Program, table: MapTable, row: number): number {
	const shape = shapes.all[shapes.members(table.number("set", row))[0] ?? -1];
	// Of a map without memory all types are possible.
	if (shape === undefined || table.has(row, FLAG.empty)) return 0;
	const header = layouts.impl === "classic" ? layouts.hmap.bytes : layouts.map.bytes;
	const storage = { bytes: shape.groupBytes, pointers: !shape.noscan };
	const release = { impl: shapes.impl, minor: heap.minor };
	// What it would take if it were made anew, with make(map[K]V, n), for the entries that it has.
	const rebuilt = classes.objectSize(header, false) + filledBytes(release, table.word("entries", row), storage);
	return Math.max(0, table.word("bytes", row) - rebuilt);
}

function limitsOf(
	program: Program,
	goroutines: readonly unknown[] | undefined,
	walk: Walk,
	unstable: number,
): string[] {
	const { minor } = program.binary.version;
	return [
		...(minor >= 24 && program.impl === "swiss"
			? ["sync.Map is no Go map from Go 1.24 on, and is not in the list"]
			: []),
		...(minor < 22 ? ["before Go 1.22 objects do not carry their type: fewer types of maps are certain"] : []),
		...(goroutines === undefined
			? ["stacks were not read: maps that only goroutines hold look as if nobody refers to them"]
			: []),
		...(unstable > 0 ? [`${unstable} spans changed whenever they were read: maps in them may be missing`] : []),
		...(walk.nodes.isFull ? ["there are too many values to follow all: some maps lack their holder"] : []),
		"keys and elements above 128 bytes, which are objects of their own, are not in the bytes",
	];
}
