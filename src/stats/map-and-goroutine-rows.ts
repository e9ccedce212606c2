/** Growths by single maps and by goroutines. */

import { callSite } from "../gomap/call-site.ts";
import { RecentRows } from "../lib/lru-table.ts";
import { topOf } from "../lib/top-k.ts";
import type { GoroutineRow, GrowthRecord, MapRow } from "../records/records.ts";

/** The longest chains first, then the largest maps. */
export function compareMapRows(a: MapRow, b: MapRow): number {
	return b.growths - a.growths || b.slots_last - a.slots_last || (a.map < b.map ? -1 : Number(a.map > b.map));
}

/** Most growths first. */
export function compareGoroutineRows(a: GoroutineRow, b: GoroutineRow): number {
	return b.growths - a.growths || b.bytes - a.bytes || a.goid - b.goid;
}

/** The chain of growths of each map. */
export class MapRows {
	readonly #rows: RecentRows<MapRow>;

	constructor(max: number) {
		this.#rows = new RecentRows(max);
	}

	add(growth: GrowthRecord): void {
		const key = `${growth.pid}:${growth.map}:${growth.map_type}`;
		let row = this.#rows.touch(key, () => newMapRow(growth));
		// The same seed, another map: the chain begins anew.
		if (growth.nth === 1 && row.growths > 0) {
			row = newMapRow(growth);
			this.#rows.set(key, row);
		}
		addToMapRow(row, growth);
	}

	/** The longest chains first, then the largest maps. */
	top(limit: number): MapRow[] {
		return topOf(this.#rows.values(), limit, compareMapRows).map((row) => ({ ...row }));
	}
}

/** Adds a growth to the chain of its map: this one alone, also when it stands for others, since those may be of any map. */
export function addToMapRow(row: MapRow, growth: GrowthRecord): void {
	row.growths = Math.max(row.growths + 1, growth.nth);
	// Of one table the map gets as many slots more; of a whole map growths before this one may not have become records.
	if (growth.impl === "classic") row.slots_last = growth.capacity_after;
	else row.slots_last += growth.capacity_after - growth.capacity_before;
	row.count = growth.count;
	row.bytes += growth.bytes ?? 0;
	const { fn = "", file, line } = callSite(growth.stack) ?? {};
	row.fn = fn;
	delete row.file;
	delete row.line;
	if (file !== undefined) row.file = file;
	if (line !== undefined) row.line = line;
}

/** The chain of a map before this growth. */
export function newMapRow(growth: GrowthRecord): MapRow {
	// Tables may stand in several entries of the directory, so this is the most it can have been.
	const slots = growth.capacity_before * (growth.directory_length ?? 1);
	const { pid, map_type, map } = growth;
	return { pid, map_type, map, growths: 0, slots_first: slots, slots_last: slots, count: 0, bytes: 0, fn: "" };
}

export function newGoroutineRow(pid: number, goid: number): GoroutineRow {
	return { pid, goid, growths: 0, bytes: 0, duration_ns: 0 };
}

/** Adds a growth, and those that it stands for, to the row of the goroutine that made it. */
export function addToGoroutineRow(row: GoroutineRow, growth: GrowthRecord): void {
	const { bytes = 0, duration_ns = 0, weight = 1, created_by, start_fn } = growth;
	row.growths += weight;
	row.bytes += weight * bytes;
	row.duration_ns += weight * duration_ns;
	if (created_by !== undefined) row.created_by = created_by;
	if (start_fn !== undefined) row.start_fn = start_fn;
}

/** A copy in whole numbers: estimates are rounded only at the end. */
export function roundedGoroutineRow(row: GoroutineRow): GoroutineRow {
	const { growths, bytes, duration_ns } = row;
	return {
		...row,
		...{ growths: Math.round(growths), bytes: Math.round(bytes), duration_ns: Math.round(duration_ns) },
	};
}

/** Growths of each goroutine; those whose goroutine could not be read are in none. */
export class GoroutineRows {
	readonly #rows: RecentRows<GoroutineRow>;

	constructor(max: number) {
		this.#rows = new RecentRows(max);
	}

	add(growth: GrowthRecord): void {
		const { pid, goid } = growth;
		if (goid === undefined) return;
		const row = this.#rows.touch(`${pid}:${goid}`, () => newGoroutineRow(pid, goid));
		addToGoroutineRow(row, growth);
	}

	/** Most growths first. */
	top(limit: number): GoroutineRow[] {
		return topOf(this.#rows.values(), limit, compareGoroutineRows).map(roundedGoroutineRow);
	}
}
