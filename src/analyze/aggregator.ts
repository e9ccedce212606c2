import type { Frame, GrowthRecord, SiteRow } from "../model/records.ts";
import { callSite } from "./call-site.ts";
import { RateHistory } from "./rate-history.ts";
import { addToSiteRow, compareSiteRows, type Increment, newSiteRow, siteKey } from "./rows.ts";
import { type Tally, TallyBuilder } from "./tally.ts";

/** Calls of one work-tier function for one map type from one place, since the previous report of the same four. */
export interface WorkCount {
	pid: number;
	fn: string;
	map_type: string;
	/** Undefined when the stack could not be read. */
	site: Frame | undefined;
	calls: number;
}

export interface AggregatorOptions {
	/** Most rows of each table since the start; what is beyond is added to one row named "(other)". */
	maxRows?: number;
	/** How many windows the rate history keeps. */
	historyLength?: number;
	/** Nominal length of a window. One shorter than half of it (the last one) gives no rate: the peak would be noise. */
	intervalNs?: number;
	/** Over how many windows the recent rates of call sites are averaged. */
	recentWindows?: number;
}

/** A finished window. */
export interface WindowTally extends Tally {
	interval_ns: number;
}

/** Call sites over the last windows: `sites` holds sums over `interval_ns`. */
export interface RecentSites {
	interval_ns: number;
	sites: SiteRow[];
}

/** Everything that a view shows, as values. */
export interface AggregateView {
	total: Tally;
	/** The last finished window; absent before the first one ends. */
	window?: WindowTally;
	recent: RecentSites;
	/** Highest growth rate of a window, per second. */
	peakRate: number;
	/** Growths per second of the last windows, oldest first. */
	history: number[];
	/** The newest growth; absent before the first one. */
	latest?: GrowthRecord;
}

/**
 * Adds growths and work counts up, per window and since the start. Memory is bounded by the row limit, whatever the
 * observed program does. Feed it, then call `closeWindow` once per interval.
 */
export class Aggregator {
	readonly #maxRows: number;
	readonly #minWindowNs: number;
	readonly #recentWindows: number;
	readonly #history: RateHistory;
	readonly #total: TallyBuilder;
	readonly #recent: WindowTally[] = [];
	#current: TallyBuilder;
	#latest: GrowthRecord | undefined;

	constructor(options: AggregatorOptions = {}) {
		this.#maxRows = options.maxRows ?? 4096;
		this.#minWindowNs = (options.intervalNs ?? 1e9) / 2;
		this.#recentWindows = options.recentWindows ?? 10;
		this.#history = new RateHistory(options.historyLength ?? 300);
		this.#total = new TallyBuilder(this.#maxRows);
		this.#current = this.#newWindow();
	}

	/** Counts one growth. */
	addGrowth(growth: GrowthRecord): void {
		this.#latest = growth;
		const increment: Increment = {
			growths: 1,
			work: 0,
			bytes: growth.bytes ?? 0,
			capacity: growth.capacity_after,
		};
		if (growth.iterating !== undefined) increment.iterating = growth.iterating ? 1 : 0;
		for (const tally of [this.#total, this.#current]) {
			tally.addGrowth(growth.kind, growth.cause, growth.bytes !== undefined);
		}
		this.#add(growth.pid, growth.fn, growth.map_type, callSite(growth.stack), increment);
	}

	/** Counts calls of the work tier. */
	addWork(count: WorkCount): void {
		if (count.calls <= 0) return;
		const increment: Increment = { growths: 0, work: count.calls, bytes: 0, capacity: 0 };
		this.#add(count.pid, count.fn, count.map_type, count.site, increment);
	}

	/** Ends the window, which lasted `intervalNs`, and begins the next one. */
	closeWindow(intervalNs: number): WindowTally {
		const window: WindowTally = { ...this.#current.build(), interval_ns: intervalNs };
		this.#current = this.#newWindow();
		if (intervalNs >= this.#minWindowNs) {
			this.#history.push((window.growths * 1e9) / intervalNs);
			this.#recent.push(window);
			if (this.#recent.length > this.#recentWindows) this.#recent.shift();
		}
		return window;
	}

	/** Sums since the start, with what the current window holds so far. */
	total(): Tally {
		return this.#total.build();
	}

	/** Everything that a view shows. */
	view(): AggregateView {
		const view: AggregateView = {
			total: this.total(),
			recent: this.#recentSites(),
			peakRate: this.#history.peak,
			history: this.#history.values(),
		};
		const window = this.#recent.at(-1);
		if (window !== undefined) view.window = window;
		if (this.#latest !== undefined) view.latest = this.#latest;
		return view;
	}

	// The decision to fold is the total's, so that a row of a window is always a row of the total.
	#add(pid: number, fn: string, mapType: string, site: Frame | undefined, increment: Increment): void {
		const fold = !this.#total.accepts(siteKey(site, mapType));
		this.#total.add(pid, fn, mapType, site, increment, fold);
		this.#current.add(pid, fn, mapType, site, increment, fold);
	}

	#newWindow(): TallyBuilder {
		return new TallyBuilder(this.#maxRows);
	}

	#recentSites(): RecentSites {
		const rows = new Map<string, SiteRow>();
		let interval_ns = 0;
		for (const window of this.#recent) {
			interval_ns += window.interval_ns;
			for (const site of window.sites) {
				const key = siteKey(site, site.map_type);
				const row = rows.get(key) ?? newSiteRow(site, site.map_type);
				rows.set(key, row);
				addToSiteRow(row, { ...site, capacity: site.max_capacity });
			}
		}
		return { interval_ns, sites: Array.from(rows.values()).sort(compareSiteRows) };
	}
}
