import { occurrences } from "../../elf/byte-scan.ts";
import type { ElfFile } from "../../elf/elf-file.ts";
import { hex, u8, u32 } from "../../elf/little-endian.ts";
import { SHT_NOBITS } from "../../elf/sections.ts";
import { GomapgrowError } from "../../errors/error.ts";
import { MAGIC_LOW_BYTES, type Pclntab, QUANTUM, readPclntab } from "./header.ts";

/**
 * Internally linked programs; position-independent ones up to 1.25 have the longer name
 * (cmd/link/internal/ld/data.go).
 */
export const PCLNTAB_SECTIONS: readonly string[] = [".gopclntab", ".data.rel.ro.gopclntab"];
const SYMBOL = "runtime.pclntab";
/** Headers that are tried; more than one is rare. */
const MAX_CANDIDATES = 1024;
/** Magic number, two zeros, instruction alignment, pointer size. */
const HEAD_BYTES = 8;

/**
 * Places of function tables, likeliest first: by section, by symbol, and by a scan of the loaded segments for its
 * header (cgo programs up to 1.25 that are position-independent and stripped have it inside .data.rel.ro; others
 * have no section headers). The scan also finds the tables of other Go programs that this one carries as data.
 */
export function* pclntabCandidates(elf: ElfFile): Generator<Pclntab> {
	const seen = new Set<number>();
	for (const table of [...ofSections(elf), ofSymbol(elf)]) {
		if (table !== undefined && !seen.has(table.address)) {
			seen.add(table.address);
			yield table;
		}
	}
	for (const table of scan(elf)) {
		if (!seen.has(table.address)) {
			yield table;
		}
	}
}

function* ofSections(elf: ElfFile): Generator<Pclntab | undefined> {
	for (const name of PCLNTAB_SECTIONS) {
		const section = elf.section(name);
		if (section !== undefined && section.type !== SHT_NOBITS) {
			yield readPclntab(elf, section.addr, section.size);
		}
	}
}

function ofSymbol(elf: ElfFile): Pclntab | undefined {
	const symbol = elf.symbol(SYMBOL);
	return symbol && readPclntab(elf, symbol.value);
}

/** Why there is none. */
export function noPclntab(elf: ElfFile): GomapgrowError {
	const magic = foreignMagic(elf);
	return new GomapgrowError("E-BIN-MALFORMED", {
		wanted: "a Go function table (pclntab)",
		found:
			magic === undefined
				? "none: neither a section, nor a symbol, nor its header in the loaded segments"
				: `one with the magic number ${hex(magic)}, which no Go release has, as obfuscators write it`,
	});
}

/** The magic number of a section that otherwise begins as function tables do. */
function foreignMagic(elf: ElfFile): number | undefined {
	for (const name of PCLNTAB_SECTIONS) {
		const section = elf.section(name);
		if (section === undefined || section.type === SHT_NOBITS || elf.bytesFrom(section.addr) < HEAD_BYTES) {
			continue;
		}
		const head = elf.bytesAt(section.addr, HEAD_BYTES);
		if (head[4] === 0 && head[5] === 0 && head[6] === QUANTUM[elf.arch] && head[7] === 8) {
			return u32(head, 0);
		}
	}
	return undefined;
}

/** The headers in the data segments, then those in the executable ones. */
function* scan(elf: ElfFile): Generator<Pclntab> {
	// The bytes behind the magic number's low byte.
	const pattern = Buffer.from([0xff, 0xff, 0xff, 0, 0, QUANTUM[elf.arch], 8]);
	let left = MAX_CANDIDATES;
	const dataFirst = [...elf.loads].sort((a, b) => Number(a.executable) - Number(b.executable));
	for (const segment of dataFirst) {
		for (const found of occurrences(elf.source, segment.offset, segment.filesz, pattern)) {
			const at = found - 1;
			const address = segment.vaddr + (at - segment.offset);
			if (at < segment.offset || address % 8 !== 0 || !MAGIC_LOW_BYTES.has(u8(elf.source.read(at, 1), 0))) {
				continue;
			}
			const table = readPclntab(elf, address);
			if (table !== undefined) {
				yield table;
			}
			if (--left === 0) {
				return;
			}
		}
	}
}
