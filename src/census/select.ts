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
/** Maps from one call of onProgress to the next. */
const STEP = 1 << 16;

/** What a column of a map says. */
export function columnOf(census: Census, row: number, sort: SortKey): number {
	const { table } = census;
	if (sort === "bytes" || sort === "entries") return table.word(sort, row);
	return sort === "slots" ? table.word("groups", row) * 8 : census.wasteOf(row);
}

export interface Listed {
	rows: Uint32Array;
	totals: Totals;
	/** The row that wastes most. */
	worst: number | undefined;
}

/** All rows that are maps, as far as is known, and what they add up to. */
export function listed(census: Census): Listed {
	const { table, typings } = census;
	const rows = new Uint32Array(table.count);
	const totals: Totals = { maps: 0, bytes: 0, entries: 0, slots: 0, waste: 0 };
	let [worst, most]: [number | undefined, number] = [undefined, 0];
	for (let row = 0; row < table.count; row++) {
		if (row % STEP === 0) census.onProgress();
		if (typings.of(table, row) === undefined) continue;
		rows[totals.maps] = row;
		const waste = addTo(totals, census, row);
		if (waste > most) [worst, most] = [row, waste];
	}
	return { rows: rows.subarray(0, totals.maps), totals, worst };
}

/** Returns what the map wastes. */
function addTo(totals: Totals, census: Census, row: number): number {
	const { table } = census;
	const waste = census.wasteOf(row);
	totals.maps++;
	totals.bytes += table.word("bytes", row);
	totals.entries += table.word("entries", row);
	totals.slots += table.word("groups", row) * 8;
	totals.waste += waste;
	return waste;
}

/** Those of the rows that are wanted. */
export function wantedRows(
	census: Census,
	rows: Uint32Array,
	{ minBytes, type }: Omit<Selection, "sort">,
): Uint32Array {
	if (minBytes <= 0 && type === undefined) return rows;
	const { table, typings } = census;
	return rows.filter(
		(row) =>
			table.word("bytes", row) >= minBytes && (type === undefined || type.test(typings.of(table, row)?.text ?? "")),
	);
}

/** Those of the rows that are wanted, largest first. */
export function select(census: Census, rows: Uint32Array, selection: Selection): Uint32Array {
	return sortDown(wantedRows(census, rows, selection), (row) => columnOf(census, row, selection.sort));
}

/** The first `limit` of what `select` gives, without sorting the others. */
export function selectTop(
	census: Census,
	rows: Uint32Array,
	selection: Selection,
	limit: number,
): { top: Uint32Array; total: number } {
	const { table, typings } = census;
	const { sort, minBytes, type } = selection;
	let best: { row: number; key: number }[] = [];
	let least = Number.NEGATIVE_INFINITY;
	let total = 0;
	const cut = (): void => {
		best = best.sort((a, b) => b.key - a.key || a.row - b.row).slice(0, limit);
		if (best.length === limit) least = best.at(-1)?.key ?? least;
	};
	for (let i = 0; i < rows.length; i++) {
		const row = rows[i] as number;
		if (table.word("bytes", row) < minBytes) continue;
		if (type !== undefined && !type.test(typings.of(table, row)?.text ?? "")) continue;
		total++;
		const key = columnOf(census, row, sort);
		if (key <= least) continue;
		best.push({ row, key });
		if (best.length >= 2 * limit + 64) cut();
	}
	cut();
	return { top: Uint32Array.from(best, ({ row }) => row), total };
}

/** Two million rows are sorted as numbers that hold key and row: with a comparator it takes ten times as long. */
export function sortDown(rows: Uint32Array, keyOf: (row: number) => number): Uint32Array {
	const keys = new Float64Array(rows.length);
	let small = rows.length < INDEX_RANGE;
	for (let i = 0; i < rows.length; i++) {
		const key = Math.round(keyOf(rows[i] as number));
		keys[i] = key;
		small &&= key < MAX_KEY && key >= 0;
	}
	const sorted = new Uint32Array(rows.length);
	if (!small) {
		for (let i = 0; i < sorted.length; i++) sorted[i] = i;
		sorted.sort((a, b) => (keys[b] as number) - (keys[a] as number) || a - b);
		for (let i = 0; i < sorted.length; i++) sorted[i] = rows[sorted[i] as number] as number;
		return sorted;
	}
	for (let i = 0; i < keys.length; i++) keys[i] = (keys[i] as number) * INDEX_RANGE + (INDEX_RANGE - 1 - i);
	keys.sort();
	for (let i = 0; i < keys.length; i++) {
		const key = keys[keys.length - 1 - i] as number;
		sorted[i] = rows[INDEX_RANGE - 1 - (key % INDEX_RANGE)] as number;
	}
	return sorted;
}

/** Sums of the rows by type, or by type and holder, largest first. */
export function groupBy(census: Census, rows: Uint32Array, by: "type" | "holder", sort: SortKey): Group[] {
	const groups = new Map<string, Group>();
	const known = new Map<number, Group>();
	for (let i = 0; i < rows.length; i++) {
		if (i % STEP === 0) census.onProgress();
		const row = rows[i] as number;
		const typing = census.typings.of(census.table, row);
		if (typing === undefined) continue;
		const holder = by === "holder" ? census.holders.of(row) : -1;
		// Typings of different certainty have the same text.
		const number = typing.number * 2 ** 24 + holder + 1;
		const key = known.has(number) ? "" : `${holder} ${typing.text}`;
		let group = known.get(number) ?? groups.get(key);
		if (group === undefined) {
			group = { typing, maps: 0, bytes: 0, entries: 0, slots: 0, waste: 0 };
			if (by === "holder") group.holder = holder;
			groups.set(key, group);
		}
		known.set(number, group);
		addTo(group, census, row);
	}
	return [...groups.values()].sort((a, b) => b[sort] - a[sort] || b.bytes - a.bytes);
}
