import { occurrences } from "../../elf/byte-scan.ts";
import type { ElfFile } from "../../elf/elf-file.ts";
import { u8 } from "../../elf/little-endian.ts";
import { SHT_NOBITS } from "../../elf/sections.ts";
import { GomapgrowError } from "../../errors/error.ts";
import { MAGIC_LOW_BYTES, type Pclntab, QUANTUM, readPclntab } from "./header.ts";

/** Internally linked programs; position-independent ones up to 1.25 have the longer name (cmd/link/internal/ld/data.go). */
const SECTION_NAMES = [".gopclntab", ".data.rel.ro.gopclntab"];
const SYMBOL = "runtime.pclntab";
/** Headers that are tried; more than one is rare. */
const MAX_CANDIDATES = 1024;

/**
 * Finds the Go function table by section, by symbol, or by a scan of the loaded segments for its header (cgo programs up to
 * 1.25 that are position-independent and stripped have it inside .data.rel.ro). Throws E-BIN-MALFORMED when there is none.
 */
export function locatePclntab(elf: ElfFile): Pclntab {
	for (const name of SECTION_NAMES) {
		const section = elf.section(name);
		if (section !== undefined && section.type !== SHT_NOBITS) {
			const table = readPclntab(elf, section.addr, section.size);
			if (table !== undefined) {
				return table;
			}
		}
	}
	const symbol = elf.symbol(SYMBOL);
	const table = (symbol && readPclntab(elf, symbol.value)) ?? scan(elf);
	if (table === undefined) {
		throw new GomapgrowError("E-BIN-MALFORMED", {
			wanted: "a Go function table (pclntab)",
			found: "none: neither a section, nor a symbol, nor its header in the loaded segments",
		});
	}
	return table;
}

/** The first header in the data segments, else in the executable ones, whose first function also is where functions are. */
function scan(elf: ElfFile): Pclntab | undefined {
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
				return table;
			}
			if (--left === 0) {
				return undefined;
			}
		}
	}
	return undefined;
}
