import type { ElfFile } from "../../elf/elf-file.ts";
import { u8, u32, u64 } from "../../elf/little-endian.ts";
import { TableBytes } from "./table-bytes.ts";

/** Byte offsets in the linker's per-function record `_func` (runtime/runtime2.go; before 1.21 in the same file). */
export interface FuncRecordLayout {
	bytes: number;
	name: number;
	pcsp: number;
	pcfile: number;
	pcln: number;
	npcdata: number;
	/** Absent in the 1.2 format, whose file numbers are global. */
	cuOffset?: number;
	funcId: number;
	nfuncdata: number;
}

/** How an inline tree entry is laid out (runtime/symtab.go inlinedCall; 1.20+: runtime/symtabinl.go). */
export interface InlineEntryLayout {
	bytes: number;
	name: number;
	parentPc: number;
	/** Bytes without a meaning: zeros. */
	padding: { start: number; end: number };
	/** Call site inside the entry, up to 1.19; absent from 1.20 on: it is the position of parentPc. */
	callSite?: { file: number; line: number };
}

/** What differs between the four formats of the Go function table. */
export interface PclntabFormat {
	/** First Go release with the format. */
	since: "1.2" | "1.16" | "1.18" | "1.20";
	/** Function entries: 32-bit offsets from the text start, or addresses. */
	relativeEntries: boolean;
	record: FuncRecordLayout;
	/** Index of the inline tree among the funcdata (internal/abi/symtab.go FUNCDATA_InlTree; 1.15: runtime/symtab.go). */
	inlineTreeIndex: number;
	inlineEntry: InlineEntryLayout;
}

const inlineEntry20: InlineEntryLayout = {
	bytes: 20,
	name: 12,
	parentPc: 16,
	padding: { start: 3, end: 4 },
	callSite: { file: 4, line: 8 },
};
const inlineEntry16: InlineEntryLayout = { bytes: 16, name: 4, parentPc: 8, padding: { start: 1, end: 4 } };

/** By magic number (debug/gosym/pclntab.go; runtime/symtab.go, moduledataverify1). */
const FORMATS = new Map<number, PclntabFormat>([
	[
		0xfffffffb,
		{
			since: "1.2",
			relativeEntries: false,
			record: { bytes: 40, name: 8, pcsp: 20, pcfile: 24, pcln: 28, npcdata: 32, funcId: 36, nfuncdata: 39 },
			inlineTreeIndex: 4,
			inlineEntry: inlineEntry20,
		},
	],
	[
		0xfffffffa,
		{
			since: "1.16",
			relativeEntries: false,
			record: {
				bytes: 44,
				name: 8,
				pcsp: 20,
				pcfile: 24,
				pcln: 28,
				npcdata: 32,
				cuOffset: 36,
				funcId: 40,
				nfuncdata: 43,
			},
			inlineTreeIndex: 3,
			inlineEntry: inlineEntry20,
		},
	],
	[
		0xfffffff0,
		{
			since: "1.18",
			relativeEntries: true,
			record: {
				bytes: 40,
				name: 4,
				pcsp: 16,
				pcfile: 20,
				pcln: 24,
				npcdata: 28,
				cuOffset: 32,
				funcId: 36,
				nfuncdata: 39,
			},
			inlineTreeIndex: 3,
			inlineEntry: inlineEntry20,
		},
	],
	[
		0xfffffff1,
		{
			since: "1.20",
			relativeEntries: true,
			record: {
				bytes: 44,
				name: 4,
				pcsp: 16,
				pcfile: 20,
				pcln: 24,
				npcdata: 28,
				cuOffset: 32,
				funcId: 40,
				nfuncdata: 43,
			},
			inlineTreeIndex: 3,
			inlineEntry: inlineEntry16,
		},
	],
]);

/** The bytes behind the magic number, the same in all formats but for the low byte: 0, 0, instruction alignment, pointer size. */
export const MAGIC_LOW_BYTES: ReadonlySet<number> = new Set(Array.from(FORMATS.keys(), (magic) => magic & 0xff));

/** Instruction alignment, the fourth byte behind the magic number (cmd/internal/sys MinLC). */
export const QUANTUM = { amd64: 1, arm64: 4 } as const;

/** Far above what fits into the 2 GiB of text that the Go linker can address: bounds the memory for their addresses. */
const MAX_FUNCTIONS = 1 << 23;

/** A Go function table: where it is and where its parts are, as offsets from its start. */
export interface Pclntab {
	address: number;
	format: PclntabFormat;
	quantum: number;
	functionCount: number;
	bytes: TableBytes;
	/** Offsets of: names; compilation units' file lists; file names; pc-value tables; function records (base of their offsets). */
	names: number;
	units: number;
	files: number;
	pcTables: number;
	records: number;
	/** Offset of the array of (entry, record offset) pairs, one more than functions. */
	functab: number;
}

/**
 * Reads the header at the address, or undefined when no function table is there. `size` is the known size in bytes, else the
 * rest of the segment is taken.
 */
export function readPclntab(elf: ElfFile, address: number, size?: number): Pclntab | undefined {
	const available = Math.min(size ?? Number.MAX_SAFE_INTEGER, elf.bytesFrom(address));
	const offset = elf.fileOffset(address);
	if (available < 72 || offset === undefined) {
		return undefined;
	}
	const header = elf.bytesAt(address, 72);
	const format = FORMATS.get(u32(header, 0));
	const quantum = QUANTUM[elf.arch];
	const shape = header[4] === 0 && header[5] === 0 && header[6] === quantum && u8(header, 7) === 8;
	const functionCount = u64(header, 8);
	if (
		format === undefined ||
		!shape ||
		functionCount === 0 ||
		functionCount > MAX_FUNCTIONS ||
		functionCount * 8 > available
	) {
		return undefined;
	}
	const bytes = new TableBytes(elf.source, offset, available);
	const common = { address, format, quantum, functionCount, bytes };
	const table = format.since === "1.2" ? parts12(common) : partsOfHeader(common, header);
	const parts = table && [table.names, table.units, table.files, table.pcTables, table.records, table.functab];
	return parts?.every((part) => part < available) && functabFits(table as Pclntab) ? table : undefined;
}

type Common = Pick<Pclntab, "address" | "format" | "quantum" | "functionCount" | "bytes">;

/** 1.2 format: all offsets count from the table's start; the file list's offset stands behind the functab. */
function parts12(common: Common): Pclntab | undefined {
	const functab = 16;
	const fileOffsetAt = functab + common.functionCount * 16 + 8;
	if (fileOffsetAt + 4 > common.bytes.size) {
		return undefined;
	}
	const files = u32(common.bytes.read(fileOffsetAt, 4), 0);
	return { ...common, names: 0, units: 0, files, pcTables: 0, records: 0, functab };
}

/** 1.16: nfunc, nfiles, then five offsets; 1.18 has the text start before the offsets. */
function partsOfHeader(common: Common, header: Uint8Array): Pclntab {
	const first = common.format.relativeEntries ? 32 : 24;
	const records = u64(header, first + 32);
	return {
		...common,
		names: u64(header, first),
		units: u64(header, first + 8),
		files: u64(header, first + 16),
		pcTables: u64(header, first + 24),
		records,
		functab: records,
	};
}

function functabFits(table: Pclntab): boolean {
	const bytes = table.format.relativeEntries ? table.functionCount * 8 + 4 : table.functionCount * 16 + 8;
	return table.functab + bytes <= table.bytes.size;
}
