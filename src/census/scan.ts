/** A census: all maps in the heap of a running Go program, read from outside while it runs. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoBinary, MapImpl } from "../gobin/go-binary.ts";
import { type SizeClasses, sizeClassesOf } from "../gomap/size-classes.ts";
import { Examiner, type MapLayouts } from "./examine.ts";
import { findMaps, type Search } from "./find-maps.ts";
import type { HeaderShape } from "./header-objects.ts";
import { MapTable } from "./map-table.ts";
import { hasInlineMarks } from "./pointer-bits.ts";
import { type BatchReader, ReadBatch } from "./read-batch.ts";
import { locateHeap, type RuntimeHeap } from "./runtime-heap.ts";
import { Shapes } from "./shapes.ts";
import { type SpanLayout, spanLayout } from "./span-layout.ts";
import { type HeapAddresses, Spans } from "./spans.ts";
import { TypeTable } from "./type-table.ts";

/** What is found out of the program once, for all readings. */
export interface Program {
	binary: GoBinary;
	/** Run-time address minus address in the file. */
	bias: number;
	impl: MapImpl;
	layouts: MapLayouts;
	heap: HeapAddresses;
	spanLayout: SpanLayout;
	classes: SizeClasses;
	types: TypeTable;
	shapes: Shapes;
}

export interface Reading {
	spans: Spans;
	table: MapTable;
	search: Search;
	inlineMarks: boolean;
	batch: ReadBatch;
	examiner: Examiner;
}

/**
 * Reads the type descriptors and finds the heap. Throws E-BIN-ARCH, E-BIN-NO-MAPS, E-BIN-GO-NEW (layouts that are
 * not known), E-BIN-MALFORMED, E-TARGET-GONE, E-TARGET-DENIED.
 */
export function openProgram(memory: BatchReader, binary: GoBinary, bias: number): Program {
	const { minor } = binary.version;
	const impl = binary.mapImpl;
	if (impl === undefined) {
		throw new GomapgrowError("E-BIN-NO-MAPS", { wanted: "a program with maps", found: "one without map code" });
	}
	const heap = locateHeap(binary);
	if (heap === undefined) throw noHeap(binary);
	const layout = spanLayout(minor, heap.spanBytes);
	const layouts = mapLayouts(binary, impl);
	if (layout === undefined || layouts === undefined) {
		throw new GomapgrowError("E-BIN-GO-NEW", {
			wanted: "to know how the runtime of the program describes its heap and its maps",
			found: `${binary.version.raw}, whose spans have ${heap.spanBytes ?? "an unknown number of"} bytes`,
		});
	}
	const { types, etypes } = binary.moduleData;
	const batch = new ReadBatch(memory, { bytes: 0, batches: 0, pieces: 0 });
	const table = new TypeTable(batch, { start: types + bias, end: etypes + bias, minor });
	table.read();
	const classes = sizeClassesOf(minor);
	const shapes = new Shapes(table, impl, classes, minor);
	return {
		...{ binary, bias, impl, layouts, classes, shapes },
		heap: atRunTime(heap, bias, binary),
		spanLayout: layout,
		types: table,
	};
}

function noHeap(binary: GoBinary): GomapgrowError {
	if (binary.arch !== "amd64") {
		return new GomapgrowError("E-BIN-ARCH", {
			wanted: "an amd64 executable",
			found: `${binary.arch}: the code by which the heap is found is decoded for amd64 only`,
		});
	}
	return new GomapgrowError("E-BIN-MALFORMED", {
		wanted: "the heap of the Go runtime (runtime.mheap_)",
		found: "other code than expected in runtime.mallocinit, gcSweep and recordspan",
	});
}

function atRunTime(heap: RuntimeHeap, bias: number, binary: GoBinary): HeapAddresses {
	const { mheap, sweepgen, allspans, spanBytes } = heap;
	return {
		...{ mheap: mheap + bias, sweepgen: sweepgen + bias, allspans: allspans + bias, spanBytes },
		...{ arch: binary.arch, minor: binary.version.minor },
	};
}

function mapLayouts({ layouts }: GoBinary, impl: MapImpl): MapLayouts | undefined {
	const { hmap, swissMap, swissTable } = layouts;
	if (impl === "classic") return hmap === undefined ? undefined : { impl, hmap };
	return swissMap === undefined || swissTable === undefined ? undefined : { impl, map: swissMap, table: swissTable };
}

/** Size and pointers of the objects that hold headers. */
export function headerShape(layouts: MapLayouts, classes: SizeClasses): HeaderShape {
	const { impl } = layouts;
	const bytes = impl === "classic" ? layouts.hmap.bytes : layouts.map.bytes;
	const pointers =
		impl === "classic" ? [layouts.hmap.buckets, layouts.hmap.oldbuckets, layouts.hmap.extra] : [layouts.map.dirPtr];
	return {
		bytes,
		elemSize: classes.objectSize(bytes, false),
		pointers: pointers.reduce((bits, offset) => bits | (1 << (offset / 8)), 0),
	};
}

/** Finds all maps whose headers are in the heap. `onProgress` is called now and then, and may throw. */
export function readMaps(memory: BatchReader, program: Program, onProgress: () => void): Reading {
	const batch = new ReadBatch(memory, { bytes: 0, batches: 0, pieces: 0 });
	const spans = new Spans(program.heap, program.spanLayout, program.classes);
	spans.read(batch);
	const inlineMarks = hasInlineMarks(spans);
	const { layouts, classes, shapes, heap } = program;
	const examiner = new Examiner(spans, shapes, layouts, heap.minor, batch, inlineMarks);
	const table = new MapTable();
	const shape = headerShape(layouts, classes);
	const search = findMaps(spans, examiner, batch, shape, inlineMarks, table, onProgress);
	return { spans, table, search, inlineMarks, batch, examiner };
}

/**
 * How often the collector has begun to sweep, times two: it changes when a collection has marked all that is alive.
 */
export function readSweepgen(memory: BatchReader, { heap }: Program): number {
	const batch = new ReadBatch(memory, { bytes: 0, batches: 0, pieces: 0 });
	batch.add(Math.floor(heap.sweepgen / 8) * 8, 8);
	batch.read();
	if (!batch.isComplete(0)) {
		throw new GomapgrowError("E-BIN-MALFORMED", { wanted: "runtime.mheap_.sweepgen", found: "nothing mapped there" });
	}
	return batch.words[(heap.sweepgen % 8) >>> 2] as number;
}
