import type { ElfFile } from "../elf/elf-file.ts";
import { searchable } from "../elf/little-endian.ts";
import { SHT_NOBITS } from "../elf/sections.ts";
import { GomapgrowError } from "../errors/error.ts";
import { MAGIC_LOW_BYTES, type Pclntab, QUANTUM, readPclntab } from "./pclntab-header.ts";

/** Internally linked programs; position-independent ones up to 1.25 have the longer name (cmd/link/internal/ld/data.go). */
const SECTION_NAMES = [".gopclntab", ".data.rel.ro.gopclntab"];
const SYMBOL = "runtime.pclntab";
const SCAN_CHUNK = 4 << 20;

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
	const dataFirst = [...elf.loads].sort((a, b) => Number(a.executable) - Number(b.executable));
	for (const segment of dataFirst) {
		for (let base = 0; base < segment.filesz; base += SCAN_CHUNK) {
			const length = Math.min(SCAN_CHUNK + 8, segment.filesz - base);
			const chunk = searchable(elf.source.read(segment.offset + base, length));
			for (let at = chunk.indexOf(pattern); at >= 0; at = chunk.indexOf(pattern, at + 1)) {
				const address = segment.vaddr + base + at - 1;
				if (at === 0 || address % 8 !== 0 || !MAGIC_LOW_BYTES.has(chunk[at - 1] as number)) {
					continue;
				}
				const table = readPclntab(elf, address);
				if (table !== undefined) {
					return table;
				}
			}
		}
	}
	return undefined;
}
