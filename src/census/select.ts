/** Which maps are shown, in which order, and what they add up to by type and holder. */
import type { Census } from "./census.ts";
import type { MapTyping } from "./typing.ts";

export type SortKey = "bytes" | "entries" | "slots" | "waste";

export interface Selection {
	sort: SortKey;
	/** Bytes. */
	minBytes: number;
	/** Types that are shown; all without. */
	type: RegExp | undefined;
}

export interface Totals {
	maps: number;
	bytes: number;
	entries: number;
	slots: number;
	/** Bytes that rebuilding them would give back. */
	waste: number;
}

export interface Group extends Totals {
	typing: MapTyping;
	/** Number of the holder; absent when groups are by type alone. */
	holder?: number;
}

/** Composite keys: 2^31 bytes and 2^22 rows fit into a double. */
const INDEX_RANGE = 2 ** 22;
const MAX_KEY = 2 ** 31;

/** What a column of a map says. */
export function columnOf(census: Census, row: number, sort: SortKey): number {
	const { table } = census;
	if (sort === "bytes" || sort === "entries") return table.float(sort, row);
	return sort === "slots" ? table.word("groups", row) * 8 : census.wasteOf(row);
}

/** All rows that are maps, as far as is known, and what they add up to. */
export function listed(census: Census): { rows: Uint32Array; totals: Totals } {
	const { table, typings } = census;
	const rows = new Uint32Array(table.count);
	const totals: Totals = { maps: 0, bytes: 0, entries: 0, slots: 0, waste: 0 };
	for (let row = 0; row < table.count; row++) {
		if (typings.of(table, row) === undefined) continue;
		rows[totals.maps] = row;
		addTo(totals, census, row);
	}
	return { rows: rows.subarray(0, totals.maps), totals };
}

function addTo(totals: Totals, census: Census, row: number): void {
	const { table } = census;
	totals.maps++;
	totals.bytes += table.float("bytes", row);
	totals.entries += table.float("entries", row);
	totals.slots += table.word("groups", row) * 8;
	totals.waste += census.wasteOf(row);
}

/** Those of the rows that are wanted, largest first. */
export function select(census: Census, rows: Uint32Array, { sort, minBytes, type }: Selection): Uint32Array {
	const { table, typings } = census;
	const wanted = rows.filter((row) => {
		if (table.float("bytes", row) < minBytes) return false;
		return type === undefined || type.test(typings.of(table, row)?.text ?? "");
	});
	return sortDown(wanted, (row) => columnOf(census, row, sort));
}

/** Two million rows are sorted as numbers that hold key and row: with a comparator it takes ten times as long. */
export function sortDown(rows: Uint32Array, keyOf: (row: number) => number): Uint32Array {
	const keys = Float64Array.from(rows, keyOf);
	const small = rows.length < INDEX_RANGE && keys.every((key) => key < MAX_KEY && key >= 0);
	if (!small) {
		const order = Uint32Array.from(keys.keys()).sort((a, b) => (keys[b] as number) - (keys[a] as number) || a - b);
		return order.map((index) => rows[index] as number);
	}
	for (let i = 0; i < keys.length; i++) keys[i] = Math.round(keys[i] as number) * INDEX_RANGE + (INDEX_RANGE - 1 - i);
	keys.sort();
	const sorted = new Uint32Array(rows.length);
	for (let i = 0; i < keys.length; i++) {
		const key = keys[keys.length - 1 - i] as number;
		sorted[i] = rows[INDEX_RANGE - 1 - (key % INDEX_RANGE)] as number;
	}
	return sorted;
}

/** Sums of the rows by type, or by type and holder, largest first. */
export function groupBy(census: Census, rows: Uint32Array, by: "type" | "holder", sort: SortKey): Group[] {
	const groups = new Map<string, Group>();
	for (const row of rows) {
		const typing = census.typings.of(census.table, row);
		if (typing === undefined) continue;
		const holder = by === "holder" ? census.holders.of(row) : -1;
		const key = `${holder} ${typing.text}`;
		let group = groups.get(key);
		if (group === undefined) {
			group = { typing, maps: 0, bytes: 0, entries: 0, slots: 0, waste: 0 };
			if (by === "holder") group.holder = holder;
			groups.set(key, group);
		}
		addTo(group, census, row);
	}
	return [...groups.values()].sort((a, b) => b[sort] - a[sort] || b.bytes - a.bytes);
}
