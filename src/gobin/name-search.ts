import { searchable } from "../elf/little-endian.ts";
import type { Pclntab } from "./pclntab-header.ts";

const CHUNK = 4 << 20;
/** Longer names cannot be looked up: chunks and windows overlap by this much. */
export const LONGEST_NAME = 1024;

interface Candidate {
	name: string;
	/** With the NUL that ends it. */
	bytes: Uint8Array;
}

/** Names to look for, compared in place: most other names are refused by their first four bytes. */
export class NameSet {
	readonly size: number;
	readonly #byHead = new Map<number, Candidate[]>();

	constructor(names: readonly string[]) {
		const unique = new Set(names);
		this.size = unique.size;
		for (const name of unique) {
			const bytes = Buffer.from(`${name}\0`);
			const key = head(bytes, 0);
			const same = this.#byHead.get(key);
			if (same === undefined) {
				this.#byHead.set(key, [{ name, bytes }]);
			} else {
				same.push({ name, bytes });
			}
		}
	}

	/** The name that starts there, if it is one of these. */
	match(bytes: Uint8Array, at: number): string | undefined {
		return this.#byHead.get(head(bytes, at))?.find((candidate) => startsWith(bytes, at, candidate.bytes))?.name;
	}
}

/** Whether the bytes from `at` on start with `wanted`; compares backwards, since Go names differ in their ends. */
export function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
	for (let index = wanted.length - 1; index >= 0; index--) {
		if (bytes[at + index] !== wanted[index]) {
			return false;
		}
	}
	return true;
}

/** The first bytes up to the NUL, at most four, as a number. */
function head(bytes: Uint8Array, at: number): number {
	let value = 0;
	for (let index = 0; index < 4; index++) {
		const byte = bytes[at + index];
		if (byte === undefined || byte === 0) {
			break;
		}
		value |= byte << (8 * index);
	}
	return value;
}

/**
 * The offsets in the name table at which one of the names stands; a name can have several (a function and its ABI wrapper).
 * For the formats whose names are one block (1.16+). Searches natively for the packages' prefixes, a chunk at a time.
 */
export function findNameOffsets(table: Pclntab, names: readonly string[]): Map<number, string> {
	const wanted = new NameSet(names);
	const prefixes = new Set(names.map((name) => `\0${packagePrefix(name)}`));
	const found = new Map<number, string>();
	const end = Math.max(table.names, table.units);
	for (let start = table.names; start < end; start += CHUNK) {
		const chunk = searchable(table.bytes.read(start, Math.min(CHUNK + LONGEST_NAME, end - start)));
		const check = (at: number): void => {
			const name = wanted.match(chunk, at);
			if (name !== undefined) {
				found.set(start + at - table.names, name);
			}
		};
		// The first name of the table has no NUL before it; later chunks start inside the one before.
		check(0);
		for (const prefix of prefixes) {
			const pattern = Buffer.from(prefix);
			for (let at = chunk.indexOf(pattern); at >= 0; at = chunk.indexOf(pattern, at + 1)) {
				check(at + 1);
			}
		}
	}
	return found;
}

/** "internal/runtime/maps." of "internal/runtime/maps.(*table).rehash"; empty for names without a package. */
function packagePrefix(name: string): string {
	const dot = name.indexOf(".", name.lastIndexOf("/", Math.max(0, name.search(/[([]/))) + 1);
	return name.slice(0, dot + 1);
}
