/** What is known of the growths of each row of a table beyond its sums: the newest one, durations, and what was recent. */

import { callSite } from "../gomap/call-site.ts";
import { RecentRows } from "../lib/lru-table.ts";
import type { GoroutineRow, GrowthRecord, MapRow, OverlapRecord } from "../records/records.ts";
import { Durations } from "./durations.ts";
import {
	addToGoroutineRow,
	addToMapRow,
	compareGoroutineRows,
	compareMapRows,
	newGoroutineRow,
	newMapRow,
	roundedGoroutineRow,
} from "./map-and-goroutine-rows.ts";
import { frameSiteKey } from "./rows.ts";

/** What a row of a table stands for. */
export type RowKind = "site" | "type" | "map" | "goroutine" | "process";

export interface RowDetail {
	growths: number;
	/** Bytes of the entries that these growths copy; of those that told it. */
	moved: number;
	/** Growths that told how much they move. */
	withMoved: number;
	/** Growths that overlapped an iteration. */
	overlaps: number;
	durations: Durations;
	newest: GrowthRecord;
	/** Of a map: its chain. Of a goroutine: what is known of it. */
	map: MapRow | undefined;
	goroutine: GoroutineRow | undefined;
	/** In the last windows that have ended (`recentNs`). */
	recentGrowths: number;
	recentMoved: number;
	/** What the present window has added. */
	open: Addition | undefined;
}

/** What one window has added to a row. */
interface Addition {
	detail: RowDetail;
	growths: number;
	moved: number;
}

interface ClosedWindow {
	intervalNs: number;
	additions: readonly Addition[];
}

export interface RowDetailsOptions {
	/** Rows of each kind that are remembered; the one that has not grown for longest is forgotten. */
	maxRows?: number;
	/** Over how many windows what is recent reaches. */
	recentWindows?: number;
}

function emptyDetail(newest: GrowthRecord): RowDetail {
	return {
		growths: 0,
		moved: 0,
		withMoved: 0,
		overlaps: 0,
		durations: new Durations(),
		newest,
		map: undefined,
		goroutine: undefined,
		recentGrowths: 0,
		recentMoved: 0,
		open: undefined,
	};
}

/** A copy that later growths do not change. */
export function copyDetail(detail: RowDetail): RowDetail {
	return { ...detail, durations: detail.durations.copy() };
}

function addRecent(additions: readonly Addition[], sign: 1 | -1): void {
	for (const { detail, growths, moved } of additions) {
		detail.recentGrowths += sign * growths;
		detail.recentMoved += sign * moved;
	}
}

export function mapKey({ pid, map, map_type }: { pid: number; map: string; map_type: string }): string {
	return `${pid}:${map}:${map_type}`;
}

export function goroutineKey({ pid, goid }: { pid: number; goid: number }): string {
	return `${pid}:${goid}`;
}

/** Bounded memory, whatever the observed program does. Feed it, then call `closeWindow` once per interval. */
export class RowDetails {
	readonly #recentWindows: number;
	readonly #details: Record<RowKind, RecentRows<RowDetail>>;
	/** What the present window has added so far. */
	#open: Addition[] = [];
	readonly #closed: ClosedWindow[] = [];

	constructor(options: RowDetailsOptions = {}) {
		const max = options.maxRows ?? 8192;
		this.#recentWindows = options.recentWindows ?? 10;
		const rows = () => new RecentRows<RowDetail>(max);
		this.#details = { site: rows(), type: rows(), map: rows(), goroutine: rows(), process: rows() };
	}

	add(growth: GrowthRecord): void {
		const { pid, map_type, goid, nth } = growth;
		this.#addTo("site", frameSiteKey(callSite(growth.stack), map_type), growth);
		this.#addTo("type", map_type, growth);
		this.#addTo("process", `${pid}`, growth);
		const key = mapKey(growth);
		// The same seed, another map: its chain begins anew.
		if (nth === 1) this.#details.map.set(key, emptyDetail(growth));
		const map = this.#addTo("map", key, growth);
		map.map ??= newMapRow(growth);
		addToMapRow(map.map, growth);
		if (goid === undefined) return;
		const goroutine = this.#addTo("goroutine", goroutineKey({ pid, goid }), growth);
		goroutine.goroutine ??= newGoroutineRow(pid, goid);
		addToGoroutineRow(goroutine.goroutine, growth);
	}

	#addTo(kind: RowKind, key: string, growth: GrowthRecord): RowDetail {
		const detail = this.#details[kind].touch(key, () => emptyDetail(growth));
		const { weight = 1 } = growth;
		const moved = weight * (growth.bytes_moved ?? 0);
		detail.newest = growth;
		detail.growths += weight;
		detail.moved += moved;
		if (growth.bytes_moved !== undefined) detail.withMoved++;
		if (growth.duration_ns !== undefined) detail.durations.add(growth.duration_ns);
		if (detail.open === undefined) {
			detail.open = { detail, growths: 0, moved: 0 };
			this.#open.push(detail.open);
		}
		detail.open.growths += weight;
		detail.open.moved += moved;
		return detail;
	}

	/** Counts an iteration that went on after a growth. */
	addOverlap({ pid, map, map_type, growth }: OverlapRecord): void {
		const rows: [RowKind, string][] = [
			["site", frameSiteKey(callSite(growth.stack), map_type)],
			["type", map_type],
			["map", mapKey({ pid, map, map_type })],
			["process", `${pid}`],
		];
		if (growth.goid !== undefined) rows.push(["goroutine", goroutineKey({ pid, goid: growth.goid })]);
		for (const [kind, key] of rows) {
			const detail = this.#details[kind].get(key);
			if (detail !== undefined) detail.overlaps++;
		}
	}

	/** Ends a window, which lasted `intervalNs`: what the oldest one had added is no longer recent. */
	closeWindow(intervalNs: number): void {
		const additions = this.#open;
		this.#open = [];
		for (const { detail } of additions) detail.open = undefined;
		this.#closed.push({ intervalNs, additions });
		addRecent(additions, 1);
		if (this.#closed.length > this.#recentWindows) addRecent(this.#closed.shift()?.additions ?? [], -1);
	}

	/** Over how long what is recent reaches. */
	get recentNs(): number {
		return this.#closed.reduce((sum, { intervalNs }) => sum + intervalNs, 0);
	}

	/** `key`: of a site `siteKey`, of a type its name, of a map `mapKey`, of a goroutine `goroutineKey`, of a process its PID. */
	get(kind: RowKind, key: string): RowDetail | undefined {
		return this.#details[kind].get(key);
	}

	/** All maps that are remembered, the longest chains first, then the largest maps. */
	maps(): MapRow[] {
		const rows = this.#details.map.values().flatMap(({ map }) => (map === undefined ? [] : [map]));
		return rows.sort(compareMapRows);
	}

	/** All goroutines that are remembered, those with most growths first. */
	goroutines(): GoroutineRow[] {
		const rows = this.#details.goroutine
			.values()
			.flatMap(({ goroutine }) => (goroutine === undefined ? [] : [roundedGoroutineRow(goroutine)]));
		return rows.sort(compareGoroutineRows);
	}
}
