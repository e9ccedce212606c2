/** Copies of functions that the compiler has put into others instead of a call, as inline trees tell them. */
import { chunks } from "../../elf/byte-scan.ts";
import type { ElfFile } from "../../elf/elf-file.ts";
import { i32 } from "../../elf/little-endian.ts";
import type { ModuleData } from "../types/module-data.ts";
import type { FuncRecord, FunctionTable, GoFunction } from "./function-table.ts";
import type { InlineEntryLayout, Pclntab } from "./header.ts";
import { inlineTreeAddress } from "./inline-tree.ts";
import { INLINE_TREE_INDEX } from "./line-ranges.ts";
import { findPrefixOffsets } from "./name-search.ts";
import type { PcRuns } from "./pc-value.ts";

/** The compiler's inlining is far shallower, and its trees far smaller. */
const MAX_DEPTH = 128;
const MAX_ENTRIES = 1 << 16;
const MAX_OUTER = 100_000;

/** Code [start, end), as offsets from the entry of the function that it is in. */
export interface CodeRange {
	start: number;
	end: number;
}

export interface InlinedCopy {
	/** Full name of the function that was inlined. */
	fn: string;
	/** The function whose code has the copy. */
	outer: GoFunction;
	/** How many calls deep: 1 when the outer function itself called it in the source. */
	depth: number;
	/** Code of the function's own body. */
	own: readonly CodeRange[];
	/** That, and the code of what has been inlined into it. */
	all: readonly CodeRange[];
}

/**
 * The copies of the functions with these names in functions whose names begin with one of the prefixes. Copies of
 * which no instruction is left are none. Throws E-BIN-MALFORMED.
 */
export function findInlinedCopies(
	elf: ElfFile,
	functions: FunctionTable,
	table: Pclntab,
	{ gofunc, types, etypes }: Pick<ModuleData, "gofunc" | "types" | "etypes">,
	names: readonly string[],
	outerPrefixes: readonly string[],
): InlinedCopy[] {
	const wanted = functions.nameOffsets(names);
	const behind = [table.address, types, etypes];
	if (
		wanted.size === 0 ||
		(table.format.relativeEntries && !isInAnyTree(elf, table, gofunc, behind, [...wanted.keys()]))
	) {
		return [];
	}
	const outer = findPrefixOffsets(table, outerPrefixes, MAX_OUTER);
	const copies: InlinedCopy[] = [];
	for (const record of functions.recordsNamedAt(outer)) {
		const offset = functions.pcdataTable(record, INLINE_TREE_INDEX);
		const tree = offset === 0 ? undefined : inlineTreeAddress(elf, table, gofunc, record);
		if (tree !== undefined) {
			const runs = functions.runs(offset, record.end - record.entry);
			copies.push(...copiesIn(elf, functions, table, record, runs, tree, wanted));
		}
	}
	return copies;
}

/**
 * Whether one of the names is in an inline tree: from 1.18 on all trees are in the linker's go:func.*, which is small
 * beside the names and records of a program's functions. `behind`: what may follow it.
 */
function isInAnyTree(
	elf: ElfFile,
	{ format: { inlineEntry } }: Pclntab,
	gofunc: number | undefined,
	behind: readonly number[],
	nameOffsets: readonly number[],
): boolean {
	const offset = gofunc === undefined ? undefined : elf.fileOffset(gofunc);
	if (gofunc === undefined || offset === undefined) {
		return false;
	}
	const size = Math.min(elf.bytesFrom(gofunc), ...behind.flatMap((at) => (at > gofunc ? [at - gofunc] : [])));
	const patterns = nameOffsets.map((nameOffset) => {
		const pattern = Buffer.alloc(4);
		pattern.writeInt32LE(nameOffset);
		return pattern;
	});
	for (const { bytes, own } of chunks(elf.source, offset, size, inlineEntry.bytes)) {
		for (const pattern of patterns) {
			for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) {
				const start = at - inlineEntry.name;
				if (start >= 0 && start < own && mayBeEntry(bytes.subarray(start), inlineEntry)) {
					return true;
				}
			}
		}
	}
	return false;
}

/** The linker writes zeros into the entry's padding (cmd/link/internal/ld/pcln.go, makeInlSyms). */
function mayBeEntry(raw: Uint8Array, { bytes, padding, parentPc }: InlineEntryLayout): boolean {
	return (
		raw.length >= bytes &&
		raw.subarray(padding.start, padding.end).every((byte) => byte === 0) &&
		i32(raw, parentPc) >= 0
	);
}

function copiesIn(
	elf: ElfFile,
	functions: FunctionTable,
	table: Pclntab,
	record: FuncRecord,
	runs: PcRuns,
	tree: number,
	wanted: ReadonlyMap<number, string>,
): InlinedCopy[] {
	const entries = 1 + runs.values.reduce((highest, value) => Math.max(highest, value), -1);
	const { bytes, name, parentPc } = table.format.inlineEntry;
	if (entries === 0 || entries > MAX_ENTRIES || elf.bytesFrom(tree) < entries * bytes) {
		return [];
	}
	const raw = elf.bytesAt(tree, entries * bytes);
	const nameOf = (index: number): string | undefined => wanted.get(i32(raw, index * bytes + name));
	if (!Array.from({ length: entries }, (_, index) => index).some((index) => nameOf(index) !== undefined)) {
		return [];
	}
	const parentOf = (index: number): number => indexAt(runs, i32(raw, index * bytes + parentPc));
	const outer = { name: functions.nameAt(record.nameOffset), entry: record.entry, end: record.end };
	const found = new Map<number, { own: CodeRange[]; all: CodeRange[] }>();
	const size = record.end - record.entry;
	let start = 0;
	for (const [at, value] of runs.values.entries()) {
		const end = Math.min(runs.ends[at] ?? size, size);
		for (const index of ancestors(value, parentOf)) {
			if (nameOf(index) === undefined) {
				continue;
			}
			const ranges = found.get(index) ?? { own: [], all: [] };
			found.set(index, ranges);
			append(ranges.all, start, end);
			if (index === value) {
				append(ranges.own, start, end);
			}
		}
		start = end;
	}
	return [...found].map(([index, ranges]) => ({
		fn: nameOf(index) as string,
		outer,
		depth: ancestors(index, parentOf).length,
		...ranges,
	}));
}

/** An entry of the tree and those that it is inlined into, from the inside out; none for -1. */
function ancestors(index: number, parentOf: (index: number) => number): number[] {
	const chain: number[] = [];
	for (let at = index; at >= 0 && chain.length < MAX_DEPTH; at = parentOf(at)) {
		chain.push(at);
	}
	return chain;
}

function append(ranges: CodeRange[], start: number, end: number): void {
	const last = ranges.at(-1);
	if (last?.end === start) {
		last.end = end;
	} else {
		ranges.push({ start, end });
	}
}

/** The entry that the instruction at the offset belongs to; -1 for the function itself. */
function indexAt({ ends, values }: PcRuns, offset: number): number {
	const at = offset < 0 ? -1 : ends.findIndex((end) => offset < end);
	return values[at] ?? -1;
}
