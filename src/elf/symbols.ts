import { chunks } from "./byte-scan.ts";
import type { ByteSource } from "./byte-source.ts";
import { u16, u32, u64 } from "./little-endian.ts";
import { type Section, SHT_NOBITS } from "./sections.ts";

/** Elf64_Sym. */
export const SYM_BYTES = 24;
const STEP = SYM_BYTES * 43_690;
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
 * the matches: finds the names in the string table, then the symbols that point there, both in one pass and in little memory. Names
 * without a symbol are absent; of several symbols with one name the first is returned. Throws E-BIN-TRUNCATED.
 */
export function findSymbols(
	source: ByteSource,
	symbols: Section,
	strings: Section,
	names: readonly string[],
): Map<string, ElfSymbol> {
	const nameOfOffset = findNames(source, strings, names);
	const result = new Map<string, ElfSymbol>();
	const wanted = new Set(nameOfOffset.values()).size;
	const size = symbols.type === SHT_NOBITS ? 0 : Math.floor(symbols.size / SYM_BYTES) * SYM_BYTES;
	for (const { bytes } of chunks(source, symbols.offset, wanted === 0 ? 0 : size, 0, STEP)) {
		for (let at = 0; at < bytes.length && result.size < wanted; at += SYM_BYTES) {
			const name = nameOfOffset.get(u32(bytes, at));
			if (name === undefined || result.has(name) || u16(bytes, at + 6) === SHN_UNDEF) {
				continue;
			}
			const info = bytes[at + 4] as number;
			result.set(name, {
				name,
				value: u64(bytes, at + 8),
				size: u64(bytes, at + 16),
				type: info & 15,
				binding: info >> 4,
				sectionIndex: u16(bytes, at + 6),
			});
		}
		if (result.size === wanted) {
			break;
		}
	}
	return result;
}

/** Offsets in the string table at which the names end a string: offset -> name. */
function findNames(source: ByteSource, strings: Section, names: readonly string[]): Map<number, string> {
	const found = new Map<number, string>();
	const patterns = [...new Set(names)].map((name) => ({
		name,
		bytes: Buffer.from(`${name}\0`),
		left: MAX_OFFSETS_PER_NAME,
	}));
	const longest = patterns.reduce((most, { bytes }) => Math.max(most, bytes.length), 1);
	const size = strings.type === SHT_NOBITS ? 0 : strings.size;
	for (const { bytes, start, own } of chunks(source, strings.offset, size, longest - 1)) {
		for (const pattern of patterns) {
			for (
				let at = bytes.indexOf(pattern.bytes);
				at >= 0 && at < own && pattern.left > 0;
				at = bytes.indexOf(pattern.bytes, at + 1)
			) {
				found.set(start - strings.offset + at, pattern.name);
				pattern.left--;
			}
		}
	}
	return found;
}
