import type { ByteSource } from "./byte-source.ts";
import { searchable, u16, u32, u64 } from "./little-endian.ts";
import { rawSectionBytes } from "./section-data.ts";
import type { Section } from "./sections.ts";

const SYM_BYTES = 24;
const SHN_UNDEF = 0;
/** A name can be the tail of other strings, so it can have several offsets; more than this is not worth the time. */
const MAX_OFFSETS_PER_NAME = 64;

export interface ElfSymbol {
	name: string;
	/** Virtual address. */
	value: number;
	/** Bytes; 0 when unknown. */
	size: number;
	/** STT_* (2 is a function, 1 an object). */
	type: number;
	/** STB_* (0 local, 1 global). */
	binding: number;
	sectionIndex: number;
}

/**
 * Defined symbols with one of the names, of any binding: the Go linker makes most of its symbols local. Decodes nothing but
 * the matches: finds the names in the string table, then the symbols that point there. Names without a symbol are absent;
 * of several symbols with one name the first is returned.
 */
export function findSymbols(
	source: ByteSource,
	symbols: Section,
	strings: Section,
	names: readonly string[],
): Map<string, ElfSymbol> {
	const nameOfOffset = new Map<number, string>();
	const stringBytes = searchable(rawSectionBytes(source, strings));
	for (const name of names) {
		const pattern = Buffer.from(`${name}\0`);
		let at = stringBytes.indexOf(pattern);
		for (let found = 0; at >= 0 && found < MAX_OFFSETS_PER_NAME; found++) {
			nameOfOffset.set(at, name);
			at = stringBytes.indexOf(pattern, at + 1);
		}
	}
	const result = new Map<string, ElfSymbol>();
	const table = rawSectionBytes(source, symbols);
	const wanted = new Set(nameOfOffset.values()).size;
	for (let at = 0; at + SYM_BYTES <= table.length && result.size < wanted; at += SYM_BYTES) {
		const name = nameOfOffset.get(u32(table, at));
		if (name === undefined || result.has(name) || u16(table, at + 6) === SHN_UNDEF) {
			continue;
		}
		const info = table[at + 4] as number;
		result.set(name, {
			name,
			value: u64(table, at + 8),
			size: u64(table, at + 16),
			type: info & 15,
			binding: info >> 4,
			sectionIndex: u16(table, at + 6),
		});
	}
	return result;
}
