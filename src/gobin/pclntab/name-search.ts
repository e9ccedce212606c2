import { chunks } from "../../elf/byte-scan.ts";
import { GomapgrowError } from "../../errors/error.ts";
import type { Pclntab } from "./header.ts";

/** Longer names cannot be looked up: chunks overlap by this much. */
const LONGEST_NAME = 1024;
/** Places that are looked at; the runtime has less than 10,000 names. */
const MAX_HITS = 1 << 20;

/**
 * Name offsets at which one of the names stands; a name can have several (a function and its ABI wrapper). Searches natively, in one pass
 * over the names: for what the wanted ones begin with, and for those themselves only near such. Throws E-BIN-MALFORMED. `names`
 * are the tool's own, not taken from a file.
 */
export function findNameOffsets(table: Pclntab, names: readonly string[]): Map<number, string> {
	const found = new Map<number, string>();
	const groups = Map.groupBy(new Set(names), packagePrefix);
	const hits = new HitLimit([...groups.keys()]);
	eachChunk(table, (chunk) => {
		for (const [prefix, members] of groups) {
			if (!chunk.has(prefix)) {
				continue;
			}
			for (const name of members) {
				chunk.each(`${name}\0`, (offset) => {
					hits.count();
					found.set(offset, name);
				});
			}
		}
	});
	return found;
}

/**
 * Name offsets at which a name with one of the prefixes may stand, found in one pass. Throws E-BIN-MALFORMED when there are more than
 * `limit`.
 */
export function findPrefixOffsets(table: Pclntab, prefixes: readonly string[], limit: number): Set<number> {
	const found = new Set<number>();
	const hits = new HitLimit(prefixes);
	eachChunk(table, (chunk) => {
		for (const prefix of prefixes) {
			chunk.each(prefix, (offset) => {
				hits.count();
				found.add(offset);
				if (found.size > limit) {
					throw new GomapgrowError("E-BIN-MALFORMED", {
						wanted: `at most ${limit} functions whose names start with ${prefixes.join(" or ")}`,
						found: "more",
					});
				}
			});
		}
	});
	return found;
}

/** Bounds the work for a table that repeats what is looked for. */
class HitLimit {
	#left = MAX_HITS;
	readonly #prefixes: readonly string[];

	constructor(prefixes: readonly string[]) {
		this.#prefixes = prefixes;
	}

	/** Throws E-BIN-MALFORMED when there were too many. */
	count(): void {
		if (this.#left-- === 0) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: "the names of functions",
				found: `more than ${MAX_HITS} that start with ${this.#prefixes.join(" or ")}`,
			});
		}
	}
}

/** A part of the names. */
interface NameChunk {
	/** Whether the text stands where a name may begin. */
	has(text: string): boolean;
	/** Calls back with the name offset of each such place. */
	each(text: string, visit: (offset: number) => void): void;
}

/**
 * Goes over the names in parts. Since 1.16 the names are one block, each behind the NUL of the one before; in the 1.2 format they stand
 * between the records, so any place of the table may be one.
 */
function eachChunk(table: Pclntab, visit: (chunk: NameChunk) => void): void {
	const block = table.format.since !== "1.2";
	const { source, base, size } = table.bytes;
	const start = base + table.names;
	const end = block ? base + Math.max(table.names, table.units) : base + size;
	const lead = block ? "\0" : "";
	for (const { bytes, start: from, own } of chunks(source, start, end - start, LONGEST_NAME)) {
		const offset = from - start;
		// The first name of a block has no NUL before it.
		const isFirst = (text: string): boolean =>
			block && offset === 0 && bytes.toString("latin1", 0, text.length) === text;
		visit({
			has: (text) => isFirst(text) || bytes.includes(lead + text),
			each: (text, found) => {
				if (isFirst(text)) {
					found(0);
				}
				const pattern = Buffer.from(lead + text);
				for (let at = bytes.indexOf(pattern); at >= 0 && at < own; at = bytes.indexOf(pattern, at + 1)) {
					found(offset + at + lead.length);
				}
			},
		});
	}
}

/** "internal/runtime/maps." of "internal/runtime/maps.(*table).rehash"; all of a name without a package. */
function packagePrefix(name: string): string {
	const dot = name.indexOf(".", name.lastIndexOf("/", Math.max(0, name.search(/[([]/))) + 1);
	return dot < 0 ? name : name.slice(0, dot + 1);
}
