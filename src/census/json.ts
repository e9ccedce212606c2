/** A census as JSON, one map a line, so that two million of them are never in memory as text. */
import type { Census } from "./census.ts";
import { FLAG } from "./map-table.ts";
import type { CensusHead, HolderRecord, MapGroupRecord, MapRecord } from "./record.ts";
import type { Group } from "./select.ts";

/** UTF-16 units that are written at once. */
const PIECE = 1 << 16;

export function mapRecordOf(census: Census, row: number): MapRecord | undefined {
	const { table, holders, typings } = census;
	const typing = typings.of(table, row);
	if (typing === undefined) return undefined;
	const { type, certainty, candidates, key, elem } = typing;
	const tombstones = table.word("tombstones", row);
	const growing = table.growing.get(row);
	const holder = holders.get(holders.of(row));
	return {
		address: `0x${table.float("address", row).toString(16)}`,
		...(type === undefined ? {} : { type }),
		certainty,
		...(candidates === undefined ? {} : { candidates: [...candidates.names] }),
		...(key === undefined ? {} : { key }),
		...(elem === undefined ? {} : { elem }),
		entries: table.float("entries", row),
		slots: table.word("groups", row) * 8,
		bytes: table.float("bytes", row),
		...(tombstones === 0 ? {} : census.impl === "swiss" ? { tombstones } : { overflow_buckets: tombstones }),
		...(growing === undefined ? {} : { growing }),
		...(table.has(row, FLAG.changing) ? { changing: true as const } : {}),
		...(census.referencesKnown ? { referenced: table.has(row, FLAG.referenced) } : {}),
		...(holder === undefined ? {} : { holder: holder as HolderRecord }),
	};
}

export function groupRecordOf(census: Census, { typing, holder, maps, entries, slots, bytes }: Group): MapGroupRecord {
	const found = holder === undefined ? undefined : census.holders.get(holder);
	return { type: typing.text, ...(found === undefined ? {} : { holder: found }), maps, entries, slots, bytes };
}

/** Gives the whole object to `write` in pieces; stops when it returns false. */
export function writeJson<T>(
	head: CensusHead,
	name: "maps" | "groups",
	items: Iterable<T>,
	recordOf: (item: T) => object | undefined,
	write: (text: string) => boolean,
	lines: boolean,
): boolean {
	const gap = lines ? "\n" : "";
	let pending = `${JSON.stringify(head).slice(0, -1)},"${name}":[`;
	let first = true;
	for (const item of items) {
		const record = recordOf(item);
		if (record === undefined) continue;
		pending += `${first ? "" : ","}${gap}${JSON.stringify(record)}`;
		first = false;
		if (pending.length >= PIECE) {
			if (!write(pending)) return false;
			pending = "";
		}
	}
	return write(`${pending}${gap}]}\n`);
}
