import type { ElfFile } from "../elf/elf-file.ts";
import { i32, u32 } from "../elf/little-endian.ts";
import type { FuncRecord, FunctionTable, Position } from "./function-table.ts";
import type { Pclntab } from "./pclntab-header.ts";

/** internal/abi/symtab.go PCDATA_InlTreeIndex, 2 since 1.12. */
const PCDATA_INL_TREE_INDEX = 2;
const NO_FUNCDATA = 0xffffffff;
/** The compiler's inlining is far shallower; bounds the walk in a malformed tree. */
const MAX_INLINE_DEPTH = 128;

/** A function call in the source that an address belongs to. */
export interface Frame extends Position {
	/** Full Go name. */
	fn: string;
	/** Present for a function that was inlined into the one of the next frame. */
	inlined?: true;
}

/**
 * The frames of an address in the function, innermost first; the last is the function itself (runtime/symtabinl.go,
 * inlineUnwinder; before 1.20 runtime/symtab.go, expandFinalStack).
 */
export function framesAt(
	elf: ElfFile,
	functions: FunctionTable,
	table: Pclntab,
	gofunc: number | undefined,
	record: FuncRecord,
	vaddr: number,
): Frame[] {
	const frames: Frame[] = [];
	let pc = vaddr;
	let position = functions.position(record, pc);
	let index = functions.pcdata(record, PCDATA_INL_TREE_INDEX, pc);
	const tree = index < 0 ? undefined : inlineTreeAddress(elf, table, gofunc, record);
	const { bytes, name, parentPc, callSite } = table.format.inlineEntry;
	while (tree !== undefined && index >= 0 && frames.length < MAX_INLINE_DEPTH) {
		const entry = elf.bytesAt(tree + index * bytes, bytes);
		frames.push({ fn: functions.nameAt(i32(entry, name)), ...position, inlined: true });
		pc = record.entry + i32(entry, parentPc);
		if (callSite === undefined) {
			position = functions.position(record, pc);
		} else {
			position = { line: i32(entry, callSite.line) };
			const file = functions.fileName(record, i32(entry, callSite.file));
			if (file !== undefined) {
				position.file = file;
			}
		}
		index = functions.pcdata(record, PCDATA_INL_TREE_INDEX, pc);
	}
	frames.push({ fn: functions.nameAt(record.nameOffset), ...position });
	return frames;
}

/**
 * Address of the function's inline tree: its funcdata stand behind its pcdata, as 8-byte aligned pointers up to 1.17, as offsets
 * from moduledata.gofunc since 1.18 (runtime/symtab.go, funcdata).
 */
function inlineTreeAddress(
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
