import { occurrences } from "../../elf/byte-scan.ts";
import type { ElfFile } from "../../elf/elf-file.ts";
import { hex } from "../../elf/little-endian.ts";
import { SHT_NOBITS } from "../../elf/sections.ts";
import { GomapgrowError } from "../../errors/error.ts";
import type { ModuleDataLayout } from "../layouts/struct-layouts.ts";
import type { Pclntab } from "../pclntab/header.ts";

/** Enough words that point at the function table by chance before the search is given up. */
const MAX_CANDIDATES = 16;
/** The structure has some 600 bytes. */
const MAX_BYTES = 16384;

/** What the tool needs of runtime.moduledata; addresses are without the load bias. */
export interface ModuleData {
	address: number;
	/** runtime.text: the base of function entries. It is not the address of .text in cgo programs. */
	text: number;
	etext: number;
	/** Go code is [minpc, maxpc). */
	minpc: number;
	maxpc: number;
	/** Type descriptors are [types, etypes). */
	types: number;
	etypes: number;
	/** Base of funcdata offsets (1.18+). */
	gofunc?: number;
}

/**
 * Finds and reads the module data of the program: in .go.module (1.26+), by scanning .noptrdata (up to 1.25) for its first
 * word, which points at the function table, by symbol, or by scanning all writable segments. Throws E-BIN-MALFORMED.
 */
export function locateModuleData(elf: ElfFile, pclntab: Pclntab, layout: ModuleDataLayout): ModuleData {
	for (const address of moduleDataCandidates(elf, pclntab.address)) {
		const found = readModuleData(elf, pclntab, layout, address);
		if (found !== undefined) {
			return found;
		}
	}
	throw noModuleData(pclntab.address);
}

/** `pclntab`: address of the function table. */
export function noModuleData(pclntab: number): GomapgrowError {
	return new GomapgrowError("E-BIN-MALFORMED", {
		wanted: "the module data of the Go runtime",
		found: `no consistent one that points at the function table at ${hex(pclntab)}`,
	});
}

/** Addresses of words that point at the function table, likeliest first; lazily, since the later ones cost a search. */
export function* moduleDataCandidates(elf: ElfFile, pclntab: number): Generator<number> {
	const own = elf.section(".go.module");
	if (own !== undefined) {
		yield own.addr;
	}
	const noptrdata = elf.section(".noptrdata");
	if (noptrdata !== undefined && noptrdata.type !== SHT_NOBITS) {
		yield* scan(elf, noptrdata.addr, noptrdata.offset, noptrdata.size, pclntab);
	}
	const symbol = elf.symbol("runtime.firstmoduledata");
	if (symbol !== undefined) {
		yield symbol.value;
	}
	for (const segment of elf.loads) {
		if (segment.writable) {
			yield* scan(elf, segment.vaddr, segment.offset, segment.filesz, pclntab);
		}
	}
	// Linkers need not store addends in the words themselves.
	yield* elf.relocations?.wordsPointingTo(pclntab, MAX_CANDIDATES) ?? [];
}

/** Addresses of aligned words in the range that hold `target`. */
function* scan(elf: ElfFile, vaddr: number, offset: number, size: number, target: number): Generator<number> {
	const pattern = Buffer.alloc(8);
	pattern.writeUInt32LE(target % 4294967296, 0);
	pattern.writeUInt32LE(Math.floor(target / 4294967296), 4);
	let left = MAX_CANDIDATES;
	for (const at of occurrences(elf.source, offset, size, pattern)) {
		const address = vaddr + (at - offset);
		if (address % 8 !== 0) {
			continue;
		}
		if (left-- === 0) {
			return;
		}
		yield address;
	}
}

/** Undefined unless all that is read agrees with the function table and the segments. */
export function readModuleData(
	elf: ElfFile,
	pclntab: Pclntab,
	layout: ModuleDataLayout,
	address: number,
): ModuleData | undefined {
	// The layout may come from the file's own DWARF.
	if (layout.bytes > MAX_BYTES || elf.bytesFrom(address) < layout.bytes) {
		return undefined;
	}
	const words = elf.pointersAt(address, Math.floor(layout.bytes / 8));
	const word = (offset: number): number => words[offset / 8] ?? Number.NaN;
	const data: ModuleData = {
		address,
		text: word(layout.text),
		etext: word(layout.etext),
		minpc: word(layout.minpc),
		maxpc: word(layout.maxpc),
		types: word(layout.types),
		etypes: word(layout.etypes),
	};
	if (layout.gofunc !== undefined) {
		data.gofunc = word(layout.gofunc);
	}
	const consistent =
		word(0) === pclntab.address &&
		word(layout.ftab) === pclntab.address + pclntab.functab &&
		word(layout.ftab + 8) === pclntab.functionCount + 1 &&
		data.text <= data.minpc &&
		data.minpc < data.maxpc &&
		data.text < data.etext &&
		elf.isExecutable(data.minpc) &&
		data.types <= data.etypes &&
		elf.loadAt(data.types) !== undefined;
	return consistent ? data : undefined;
}
