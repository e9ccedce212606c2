/** Names of global variables by address, from the symbol table. */
import type { ElfFile } from "../elf/elf-file.ts";
import { u16, u32, u64 } from "../elf/little-endian.ts";
import { SHT_NOBITS } from "../elf/sections.ts";
import { SYM_BYTES } from "../elf/symbols.ts";
import { sanitize } from "../lib/sanitize.ts";

const STT_OBJECT = 1;
const PIECE = SYM_BYTES * 43_690;
const MAX_NAME = 1024;

/** The names of those addresses (without the load bias) that are in a variable: "main.table", "main.array+8". */
export function globalNames(elf: ElfFile, addresses: readonly number[]): Map<number, string> {
	const names = new Map<number, string>();
	const table = elf.section(".symtab");
	const strings = table === undefined ? undefined : elf.sections[table.link];
	if (table === undefined || strings === undefined || table.type === SHT_NOBITS || addresses.length === 0) return names;
	const wanted = Float64Array.from(addresses).sort();
	const size = Math.floor(table.size / SYM_BYTES) * SYM_BYTES;
	const found = new Map<number, { start: number; nameOffset: number }>();
	for (let from = 0; from < size; from += PIECE) {
		const bytes = elf.source.read(table.offset + from, Math.min(PIECE, size - from));
		for (let at = 0; at + SYM_BYTES <= bytes.length; at += SYM_BYTES) {
			if (((bytes[at + 4] as number) & 15) !== STT_OBJECT || u16(bytes, at + 6) === 0) continue;
			const start = u64(bytes, at + 8);
			const length = u64(bytes, at + 16);
			if (length === 0) continue;
			for (let i = lowerBound(wanted, start); i < wanted.length && (wanted[i] as number) < start + length; i++) {
				found.set(wanted[i] as number, { start, nameOffset: u32(bytes, at) });
			}
		}
	}
	for (const [address, { start, nameOffset }] of found) {
		const name = nameIn(elf, strings, nameOffset);
		if (name !== "") names.set(address, address === start ? name : `${name}+${address - start}`);
	}
	return names;
}

function nameIn(elf: ElfFile, strings: { offset: number; size: number }, at: number): string {
	const length = Math.min(MAX_NAME, strings.size - at);
	if (length <= 0) return "";
	const bytes = elf.source.read(strings.offset + at, length);
	const end = bytes.indexOf(0);
	return sanitize(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)));
}

/** Number of the first value that is not below. */
function lowerBound(values: Float64Array, value: number): number {
	let low = 0;
	let high = values.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((values[middle] as number) < value) low = middle + 1;
		else high = middle;
	}
	return low;
}
