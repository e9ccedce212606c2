/** The five tables of rows. Each growth is added to its rows once; windows, records and screen read them. */

import { callSite } from "../gomap/call-site.ts";
import { BoundedTable, FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { topOf } from "../lib/top-k.ts";
import type { Frame, GoroutineRow, GrowthRecord, MapRow, OverlapRecord, SiteRow, TypeRow } from "../records/records.ts";
import { type CallCount, figuresOfCalls, seenCalls } from "./call-count.ts";
import {
	GoroutineStats,
	MapStats,
	measuredFigures,
	ProcessStats,
	type ReadSpan,
	SiteStats,
	TypeStats,
} from "./named-rows.ts";
import {
	compareGoroutineRows,
	compareMapRows,
	compareSiteRows,
	compareTypeRows,
	OTHER_SITE_KEY,
	siteKey,
	typeKey,
} from "./rows.ts";
import type { Sampling } from "./sampling.ts";
import { type Figures, figuresOfGrowth, type RecentFigures, type StatRow } from "./stat-row.ts";
import type { Folded, TargetCount } from "./totals.ts";

export interface RowTablesOptions {
	/** Call sites, types and processes; what is beyond is in one row each. */
	maxRows: number;
	/** Maps and goroutines; the one that has not grown for longest is forgotten. */
	maxRecentRows: number;
	/** Over how many windows what is recent reaches. */
	recentWindows: number;
	/** Keep the newest growth and the durations of each row: for the screen. */
	details: boolean;
	sampling: Sampling;
}

/** Rows of maps and goroutines that records have. */
const TOP_ROWS = 100;

export interface WindowRows {
	types: TypeRow[];
	sites: SiteRow[];
	maps: MapRow[];
	goroutines: GoroutineRow[];
	targets: TargetCount[];
	folded: Folded;
}

interface Addition {
	row: StatRow;
	figures: RecentFigures;
}

interface RecentWindow {
	intervalNs: number;
	additions: readonly Addition[];
}

/** Rows with additions in the open window. */
class OpenRows<Row extends StatRow> {
	#rows: Row[] = [];
	#limit: number;

	/** `max`: rows of the table; there can be more that have left it since the window began. */
	constructor(max: number) {
		this.#limit = 2 * max + 2;
	}

	add(row: Row, figures: Figures): boolean {
		const first = row.add(figures);
		if (!first) return false;
		this.#rows.push(row);
		if (this.#rows.length > this.#limit) this.#rows = this.rows();
		return true;
	}

	rows(): Row[] {
		return this.#rows.filter((row) => !row.gone);
	}

	take(): Row[] {
		const rows = this.rows();
		this.#rows = [];
		return rows;
	}
}

function mapKey({ pid, map, map_type }: { pid: number; map: string; map_type: string }): string {
	return `${pid}:${map}:${map_type}`;
}

/** Bounded memory, whatever the observed program does or a recording says. */
export class RowTables {
	readonly #options: RowTablesOptions;
	readonly #sites: FoldingTable<string, SiteStats>;
	readonly #types: FoldingTable<string, TypeStats>;
	readonly #processes: BoundedTable<number, ProcessStats>;
	readonly #otherProcesses = new ProcessStats(0);
	readonly #maps: BoundedTable<string, MapStats>;
	readonly #goroutines: BoundedTable<string, GoroutineStats>;
	readonly #open: {
		sites: OpenRows<SiteStats>;
		types: OpenRows<TypeStats>;
		processes: OpenRows<ProcessStats>;
		maps: OpenRows<MapStats>;
		goroutines: OpenRows<GoroutineStats>;
	};
	#recent: RecentWindow[] = [];
	/** Rows that have left since the recent windows were rid of such. */
	#left = 0;

	constructor(options: RowTablesOptions) {
		const { maxRows, maxRecentRows } = options;
		this.#options = options;
		const leave = (row: StatRow): void => this.#leave(row);
		this.#sites = new FoldingTable(
			maxRows,
			OTHER_SITE_KEY,
			() => new SiteStats(OTHER_SITE_KEY, undefined, { fn: OTHER }, OTHER),
		);
		this.#types = new FoldingTable(maxRows, OTHER, () => new TypeStats(undefined, OTHER));
		this.#processes = new BoundedTable(maxRows, {
			onEvict: (row) => {
				this.#otherProcesses.absorb(row);
				leave(row);
			},
		});
		this.#maps = new BoundedTable<string, MapStats>(maxRecentRows, { onEvict: leave });
		this.#goroutines = new BoundedTable<string, GoroutineStats>(maxRecentRows, { onEvict: leave });
		this.#open = {
			sites: new OpenRows(maxRows),
			types: new OpenRows(maxRows),
			processes: new OpenRows(maxRows),
			maps: new OpenRows(maxRecentRows),
			goroutines: new OpenRows(maxRecentRows),
		};
	}

	/** Windows remember what they have added: to rows that have left, too. */
	#leave(row: StatRow): void {
		row.leave();
		this.#left++;
	}

	/** A growth that was recorded: its map and its goroutine, and details of all rows that it belongs to. */
	addGrowth(growth: GrowthRecord): void {
		const { pid, map_type, goid } = growth;
		const figures = figuresOfGrowth(growth);
		const site = callSite(growth.stack);
		this.#addToMap(growth, site, figures);
		if (this.#options.details) {
			// Their calls are counted later: a row that has none by then is not shown.
			for (const row of this.#namedRows(pid, site, map_type)) row.addDetails(growth);
		}
		if (goid === undefined) return;
		const key = `${pid}:${goid}`;
		const goroutine = this.#goroutines.getOrAdd(key, () => new GoroutineStats(key, pid, goid));
		this.#open.goroutines.add(goroutine, figures);
		goroutine.addOrigin(growth);
		this.#detail([goroutine], growth);
	}

	#addToMap(growth: GrowthRecord, site: Frame | undefined, figures: Figures): void {
		const key = mapKey(growth);
		let map = this.#maps.get(key);
		// The same seed, another map: the chain begins anew.
		if (map === undefined || growth.nth === 1) {
			if (map !== undefined) this.#leave(map);
			map = new MapStats(key, growth);
			this.#maps.set(key, map);
		}
		const first = this.#open.maps.add(map, figures);
		map.addToChain(growth, site, first);
		this.#detail([map], growth);
	}

	/** Returns what was added to each of their rows. */
	addCalls(count: CallCount): Figures {
		const { pid, map_type, site, stream, window } = count;
		const figures = figuresOfCalls(count);
		const [siteRow, type, process] = this.#namedRows(pid, site, map_type);
		this.#open.sites.add(siteRow, figures);
		this.#open.types.add(type, figures);
		this.#open.processes.add(process, figures);
		if (window === undefined) return figures;
		const start = this.#options.sampling.firstWindow(pid, stream);
		const seen = seenCalls(count);
		for (const row of [siteRow, type, process]) row.addSampled({ pid, stream, window, start }, seen);
		return figures;
	}

	#namedRows(pid: number, site: Frame | undefined, mapType: string): [SiteStats, TypeStats, ProcessStats] {
		const key = siteKey(site, mapType, pid);
		return [
			this.#sites.getOrAdd(key, () => new SiteStats(key, pid, site, mapType)),
			this.#types.getOrAdd(typeKey(mapType, pid), () => new TypeStats(pid, mapType)),
			this.#processes.getOrAdd(pid, () => new ProcessStats(pid)),
		];
	}

	#detail(rows: readonly StatRow[], growth: GrowthRecord): void {
		if (!this.#options.details) return;
		for (const row of rows) row.addDetails(growth);
	}

	/** Counts an iteration that went on after a growth. */
	addOverlap({ pid, map, map_type, growth }: OverlapRecord): void {
		const rows: (StatRow | undefined)[] = [
			this.#sites.get(siteKey(callSite(growth.stack), map_type, pid)),
			this.#types.get(typeKey(map_type, pid)),
			this.#processes.peek(pid),
			this.#maps.peek(mapKey({ pid, map, map_type })),
			growth.goid === undefined ? undefined : this.#goroutines.peek(`${pid}:${growth.goid}`),
		];
		for (const row of rows) if (row !== undefined) row.overlaps++;
	}

	/**
	 * Maps to look at again: of those that have grown in the open window, and of others the largest, `limit` at most.
	 * `all`: of others also where only those rows are shown that have grown in the window.
	 */
	mapsToRead(limit: number, all: boolean): MapStats[] {
		const readable = (map: MapStats): boolean => map.known !== undefined;
		const bySlots = (a: MapStats, b: MapStats): number => b.chain.slots_last - a.chain.slots_last;
		const grown = this.#open.maps.rows().filter(readable).sort(bySlots).slice(0, limit);
		if (!(this.#options.details || all) || grown.length === limit) return grown;
		const own = new Set(grown);
		const others = this.#maps.values().filter((map) => readable(map) && !own.has(map));
		return [...grown, ...others.sort(bySlots).slice(0, limit - grown.length)];
	}

	/** Maps have been looked at, in the window that is about to end: their rows say how large they are. */
	seeMaps(maps: readonly MapStats[]): void {
		for (const map of new Set([...this.#open.maps.rows(), ...maps])) {
			const { pid, map_type } = map.chain;
			this.#types.get(typeKey(map_type, pid))?.raiseSlots(map.slotsAtLeast);
			const site = this.#sites.get(siteKey(siteOf(map.chain), map_type, pid));
			site?.raiseSlots(map.slotsAtLeast);
			site?.seeMap(map);
		}
	}

	/** Ends a window and returns its rows. `recent`: it is long enough for rates. */
	closeWindow(intervalNs: number, recent: boolean): WindowRows {
		const open = this.#open;
		const ended = {
			types: open.types.take(),
			sites: open.sites.take(),
			maps: open.maps.take(),
			goroutines: open.goroutines.take(),
			processes: open.processes.take(),
		};
		const rows = this.#rowsOf(ended, "window");
		const all: StatRow[] = Object.values(ended).flat();
		// Rates of rows are for the screen.
		const kept = recent && this.#options.details;
		const additions = all.flatMap((row): Addition[] => {
			const figures = row.endWindow(kept);
			return figures === undefined ? [] : [{ row, figures }];
		});
		// What a process that has left the table did in this window.
		this.#otherProcesses.endWindow(false);
		if (this.#left > this.#options.maxRecentRows / 4) this.#dropLeft();
		if (!kept) return rows;
		this.#recent.push({ intervalNs, additions });
		if (this.#recent.length <= this.#options.recentWindows) return rows;
		for (const { row, figures } of this.#recent.shift()?.additions ?? []) row.endRecent(figures);
		return rows;
	}

	#dropLeft(): void {
		this.#left = 0;
		this.#recent = this.#recent.map(({ intervalNs, additions }) => ({
			intervalNs,
			additions: additions.filter(({ row }) => !row.gone),
		}));
	}

	/** Since the start, with what the open window holds so far. */
	total(): WindowRows {
		const counted = (row: StatRow): boolean => hasCalls(row, "total");
		const named = {
			types: this.#types.values().filter(counted),
			sites: this.#sites.values().filter(counted),
			processes: this.#processes.values().filter(counted),
		};
		const others = { maps: this.#maps.values(), goroutines: this.#goroutines.values() };
		return this.#rowsOf({ ...named, ...others }, "total");
	}

	#rowsOf(
		{
			types,
			sites,
			maps,
			goroutines,
			processes,
		}: {
			types: readonly TypeStats[];
			sites: readonly SiteStats[];
			maps: readonly MapStats[];
			goroutines: readonly GoroutineStats[];
			processes: readonly ProcessStats[];
		},
		span: ReadSpan,
	): WindowRows {
		const { sampling } = this.#options;
		const others = this.#otherProcesses.row(span, sampling);
		const targets = processes.map((row) => row.row(span, sampling)).sort((a, b) => a.pid - b.pid);
		const folded = this.#sites.other;
		return {
			types: types.map((row) => row.row(span, sampling)).sort(compareTypeRows),
			sites: sites.map((row) => row.row(span, sampling)).sort(compareSiteRows),
			maps: topOf(
				maps.map((row) => row.row(span)),
				TOP_ROWS,
				compareMapRows,
			),
			goroutines: topOf(
				goroutines.map((row) => row.row(span)),
				TOP_ROWS,
				compareGoroutineRows,
			),
			targets: hasCalls(this.#otherProcesses, span) ? [others, ...targets] : targets,
			folded: folded === undefined ? {} : foldedFigures(folded, span, sampling),
		};
	}

	/** How processes are measured: what the figures of rows are read with. */
	get sampling(): Sampling {
		return this.#options.sampling;
	}

	/** Over how long what is recent reaches. */
	get recentNs(): number {
		return this.#recent.reduce((sum, { intervalNs }) => sum + intervalNs, 0);
	}

	/** The rows themselves, which later growths change, in no particular order. */
	get sites(): SiteStats[] {
		return this.#sites.values();
	}

	get types(): TypeStats[] {
		return this.#types.values();
	}

	get maps(): MapStats[] {
		return this.#maps.values();
	}

	get goroutines(): GoroutineStats[] {
		return this.#goroutines.values();
	}

	/** Undefined when nothing was counted of it, or it has left the table. */
	process(pid: number): ProcessStats | undefined {
		return this.#processes.peek(pid);
	}
}

function siteOf({ fn, file, line }: Readonly<MapRow>): Frame | undefined {
	if (fn === "") return undefined;
	return { fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}

function hasCalls(row: StatRow, span: ReadSpan): boolean {
	return row.figure("growths", span) + row.figure("work", span) > 0;
}

function foldedFigures(row: StatRow, span: ReadSpan, sampling: Sampling): Folded {
	const { growths, work } = measuredFigures(row, span, sampling, {});
	return { ...(growths === undefined ? {} : { growths }), ...(work === undefined ? {} : { work }) };
}
