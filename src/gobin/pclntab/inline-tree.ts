import type { ElfFile } from "../../elf/elf-file.ts";
import { i32, u32 } from "../../elf/little-endian.ts";
import type { FuncRecord, FunctionTable, Position } from "./function-table.ts";
import type { Pclntab } from "./header.ts";
import { type Stretches, stretchAt } from "./line-ranges.ts";

const NO_FUNCDATA = 0xffffffff;
/** The compiler's inlining is far shallower; bounds the walk in a malformed tree. */
const MAX_INLINE_DEPTH = 128;
/** Functions, evenly spread, whose trees are compared with the program; one in three or so has one. */
const MAX_SAMPLES = 1000;

/** A function call in the source that an address belongs to. */
export interface Frame extends Position {
	/** Full Go name. */
	fn: string;
	/** Present for a function that was inlined into the one of the next frame. */
	inlined?: true;
}

/**
 * The frames of a stretch of the function, innermost first; the last is the function itself (runtime/symtabinl.go,
 * inlineUnwinder; before 1.20 runtime/symtab.go, expandFinalStack). Where inlined calls cannot be named, only the
 * function is, without a position: that would be another function's. Throws E-BIN-MALFORMED.
 */
export function framesOf(
	elf: ElfFile,
	functions: FunctionTable,
	table: Pclntab,
	gofunc: number | undefined,
	record: FuncRecord,
	stretches: Stretches,
	stretch: number,
): Frame[] {
	const frames: Frame[] = [];
	const positionOf = (at: number): Position => {
		return functions.positionOf(record, stretches.values[3 * at] as number, stretches.values[3 * at + 1] as number);
	};
	const inlineIndex = (at: number): number => stretches.values[3 * at + 2] as number;
	let position = positionOf(stretch);
	let index = inlineIndex(stretch);
	const tree = index < 0 ? undefined : inlineTreeAddress(elf, table, gofunc, record);
	if (index >= 0 && tree === undefined) {
		return [{ fn: functions.nameAt(record.nameOffset) }];
	}
	const { bytes, name, parentPc, callSite } = table.format.inlineEntry;
	while (tree !== undefined && index >= 0 && frames.length < MAX_INLINE_DEPTH) {
		const entry = elf.bytesAt(tree + index * bytes, bytes);
		frames.push({ fn: functions.nameAt(i32(entry, name)), ...position, inlined: true });
		const parent = i32(entry, parentPc);
		// Outside the function nothing is known.
		const at = parent >= 0 && parent < record.end - record.entry ? stretchAt(stretches, parent) : undefined;
		if (callSite !== undefined) {
			position = functions.positionOf(record, i32(entry, callSite.file), i32(entry, callSite.line));
		} else {
			position = at === undefined ? {} : positionOf(at);
		}
		index = at === undefined ? -1 : inlineIndex(at);
	}
	frames.push({ fn: functions.nameAt(record.nameOffset), ...position });
	return frames;
}

/**
 * Address of the function's inline tree: its funcdata stand behind its pcdata, as 8-byte aligned pointers up to
 * 1.17, as offsets from moduledata.gofunc since 1.18 (runtime/symtab.go, funcdata).
 */
export function inlineTreeAddress(
	elf: ElfFile,
	table: Pclntab,
	gofunc: number | undefined,
	record: FuncRecord,
): number | undefined {
	const { record: layout, relativeEntries, inlineTreeIndex } = table.format;
	if (inlineTreeIndex >= record.nfuncdata) {
		return undefined;
	}
	const start = record.address + layout.bytes + 4 * record.npcdata;
	if (relativeEntries) {
		const offset = u32(elf.bytesAt(start + 4 * inlineTreeIndex, 4), 0);
		return offset === NO_FUNCDATA || gofunc === undefined ? undefined : gofunc + offset;
	}
	const address = elf.pointerAt(Math.ceil(start / 8) * 8 + 8 * inlineTreeIndex);
	return address === 0 ? undefined : address;
}

/**
 * Whether `gofunc`, which may come from another release's layout of the module data, is that of this program:
 * inline trees, looked at all over the program, begin with calls of functions that have names, and from inside of
 * their function. Undefined when it has no such tree.
 */
export function inlineTreesFit(
	elf: ElfFile,
	functions: FunctionTable,
	table: Pclntab,
	gofunc: number,
): boolean | undefined {
	const step = Math.max(1, Math.floor(functions.count / MAX_SAMPLES));
	let fitting = 0;
	for (let index = 0; index < functions.count; index += step) {
		const record = functions.record(index);
		const tree = inlineTreeAddress(elf, table, gofunc, record);
		if (tree === undefined) {
			continue;
		}
		const { bytes, name, parentPc } = table.format.inlineEntry;
		if (elf.bytesFrom(tree) < bytes) {
			return false;
		}
		const entry = elf.bytesAt(tree, bytes);
		const parent = i32(entry, parentPc);
		if (!functions.isName(i32(entry, name)) || parent < 0 || parent >= record.end - record.entry) {
			return false;
		}
		fitting++;
	}
	return fitting > 0 ? true : undefined;
}
