import { chunks } from "../elf/byte-scan.ts";
import { GomapgrowError } from "../errors/error.ts";
import type { Pclntab } from "./pclntab-header.ts";

/** Longer names cannot be looked up: chunks overlap by this much. */
const LONGEST_NAME = 1024;
/** More patterns than this take longer than looking at every name. */
const MAX_PATTERNS = 16;
/** Places that are looked at; the runtime has less than 10,000 names. */
const MAX_HITS = 1 << 20;

interface Candidate {
	name: string;
	/** With the NUL that ends it. */
	bytes: Uint8Array;
}

/** Names to look for, compared in place: most other names are refused by their first four bytes. */
class NameSet {
	readonly #byHead = new Map<number, Candidate[]>();

	constructor(names: readonly string[]) {
		for (const name of new Set(names)) {
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
function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
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
 * Name offsets at which one of the names stands; a name can have several (a function and its ABI wrapper). Searches natively for what the
 * names begin with, in one pass over the names. Throws E-BIN-MALFORMED. `names` are the tool's own, not taken from a file.
 */
export function findNameOffsets(table: Pclntab, names: readonly string[]): Map<number, string> {
	const wanted = new NameSet(names);
	const prefixes = new Set(names.map(packagePrefix));
	const found = new Map<number, string>();
	eachOffset(table, [...prefixes], (offset, bytes, at) => {
		const name = wanted.match(bytes, at);
		if (name !== undefined) {
			found.set(offset, name);
		}
	});
	return found;
}

/** Name offsets at which a name with the prefix may stand. Throws E-BIN-MALFORMED when there are more than `limit`. */
export function findPrefixOffsets(table: Pclntab, prefix: string, limit: number): Set<number> {
	const found = new Set<number>();
	eachOffset(table, [prefix], (offset) => {
		found.add(offset);
		if (found.size > limit) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: `at most ${limit} functions whose names start with ${prefix}`,
				found: "more",
			});
		}
	});
	return found;
}

/**
 * Calls back for each place in the names where one of the prefixes stands. Since 1.16 the names are one block; in the 1.2 format they
 * stand between the records, so anything of the table may be one.
 */
function eachOffset(
	table: Pclntab,
	prefixes: readonly string[],
	visit: (offset: number, bytes: Uint8Array, at: number) => void,
): void {
	const block = table.format.since !== "1.2";
	const { source, base, size } = table.bytes;
	const start = base + table.names;
	const end = block ? base + Math.max(table.names, table.units) : base + size;
	const lead = block ? "\0" : "";
	const every = block && prefixes.length > MAX_PATTERNS;
	const patterns = every ? [Buffer.from(lead)] : prefixes.map((prefix) => Buffer.from(lead + prefix));
	let left = MAX_HITS;
	for (const chunk of chunks(source, start, end - start, LONGEST_NAME)) {
		const offset = chunk.start - start;
		// The first name of a block has no NUL before it.
		if (offset === 0 && block && prefixes.some((prefix) => startsWith(chunk.bytes, 0, Buffer.from(prefix)))) {
			visit(0, chunk.bytes, 0);
		}
		for (const pattern of patterns) {
			for (
				let at = chunk.bytes.indexOf(pattern);
				at >= 0 && at < chunk.own;
				at = chunk.bytes.indexOf(pattern, at + 1)
			) {
				if (left-- === 0) {
					throw new GomapgrowError("E-BIN-MALFORMED", {
						wanted: "the names of functions",
						found: `more than ${MAX_HITS} that start with ${prefixes.slice(0, MAX_PATTERNS).join(" or ")}`,
					});
				}
				visit(offset + at + lead.length, chunk.bytes, at + lead.length);
			}
		}
	}
}

/** "internal/runtime/maps." of "internal/runtime/maps.(*table).rehash"; all of a name without a package. */
function packagePrefix(name: string): string {
	const dot = name.indexOf(".", name.lastIndexOf("/", Math.max(0, name.search(/[([]/))) + 1);
	return dot < 0 ? name : name.slice(0, dot + 1);
}
