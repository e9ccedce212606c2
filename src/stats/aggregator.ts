import { callSite } from "../gomap/call-site.ts";
import type { Frame, GrowthRecord, OverlapRecord, SiteRow } from "../records/records.ts";
import type { LatencyCount } from "./latency.ts";
import { addToSiteRow, compareSiteRows, frameSiteKey, type Increment, newSiteRow, siteKey } from "./rows.ts";
import { type Tally, TallyBuilder, type TargetCount } from "./tally.ts";
import { type Rate, type RateName, WindowRates } from "./window-rates.ts";

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

/** A window with the keys of its sites, which are dear to spell. */
interface RecentWindow {
	window: WindowTally;
	sites: readonly [key: string, row: SiteRow][];
}

/** The last windows: sums over `interval_ns`. */
export interface Recent {
	interval_ns: number;
	sites: SiteRow[];
	targets: TargetCount[];
}

/** Everything that a view shows, as values. */
export interface AggregateView {
	total: Tally;
	/** The last finished window; absent before the first one ends. */
	window?: WindowTally;
	recent: Recent;
	/** Highest growth rate of a window, per second. */
	peakRate: number;
	/** Growths per second of the last windows, oldest first. */
	history: number[];
	rates: Record<RateName, Rate>;
	/** The newest growth; absent before the first one. */
	latest?: GrowthRecord;
	latestOverlap?: OverlapRecord;
}

/**
 * Adds growths and work counts up, per window and since the start. Memory is bounded by the row limit, whatever the
 * observed program does. Feed it, then call `closeWindow` once per interval.
 */
export class Aggregator {
	readonly #maxRows: number;
	readonly #minWindowNs: number;
	readonly #recentWindows: number;
	readonly #rates: WindowRates;
	readonly #total: TallyBuilder;
	readonly #recent: RecentWindow[] = [];
	#current: TallyBuilder;
	#latest: GrowthRecord | undefined;
	#latestOverlap: OverlapRecord | undefined;

	constructor(options: AggregatorOptions = {}) {
		this.#maxRows = options.maxRows ?? 4096;
		this.#minWindowNs = (options.intervalNs ?? 1e9) / 2;
		this.#recentWindows = options.recentWindows ?? 10;
		this.#rates = new WindowRates(options.historyLength ?? 300);
		this.#total = new TallyBuilder(this.#maxRows);
		this.#current = this.#newWindow();
	}

	/** Counts one growth, and those that it stands for. */
	addGrowth(growth: GrowthRecord): void {
		this.#latest = growth;
		const { weight = 1 } = growth;
		const increment: Increment = {
			growths: weight,
			work: 0,
			bytes: weight * (growth.bytes ?? 0),
			capacity: growth.capacity_after,
			duration_ns: weight * (growth.duration_ns ?? 0),
		};
		if (growth.iterating !== undefined) increment.iterating = growth.iterating ? weight : 0;
		for (const tally of [this.#total, this.#current]) {
			tally.addGrowth(growth);
		}
		this.#add(growth.pid, growth.fn, growth.map_type, callSite(growth.stack), increment);
	}

	/** Counts calls of the work tier. */
	addWork(count: WorkCount): void {
		if (count.calls <= 0) return;
		const increment: Increment = { growths: 0, work: count.calls, bytes: 0, capacity: 0, duration_ns: 0 };
		this.#add(count.pid, count.fn, count.map_type, count.site, increment);
	}

	/** Counts durations. */
	addLatency(count: LatencyCount): void {
		for (const tally of [this.#total, this.#current]) tally.addLatency(count);
	}

	/** Counts a growth that overlapped an iteration. */
	addOverlap(overlap: OverlapRecord): void {
		this.#latestOverlap = overlap;
		for (const tally of [this.#total, this.#current]) tally.addOverlap();
	}

	/** Ends the window, which lasted `intervalNs`, and begins the next one. */
	closeWindow(intervalNs: number): WindowTally {
		const window: WindowTally = { ...this.#current.build(), interval_ns: intervalNs };
		this.#current = this.#newWindow();
		if (intervalNs >= this.#minWindowNs) {
			this.#rates.push(window, intervalNs);
			const sites = window.sites.map((row): [string, SiteRow] => [siteKey(row, row.map_type), row]);
			this.#recent.push({ window, sites });
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
		const rates = this.#rates.values();
		const view: AggregateView = {
			total: this.total(),
			recent: this.#sumRecent(),
			peakRate: rates.growths.peak,
			history: rates.growths.history,
			rates,
		};
		const window = this.#recent.at(-1)?.window;
		if (window !== undefined) view.window = window;
		if (this.#latest !== undefined) view.latest = this.#latest;
		if (this.#latestOverlap !== undefined) view.latestOverlap = this.#latestOverlap;
		return view;
	}

	// The decision to fold is the total's, so that a row of a window is always a row of the total.
	#add(pid: number, fn: string, mapType: string, site: Frame | undefined, increment: Increment): void {
		const key = frameSiteKey(site, mapType);
		const where = { mapType, site, key, fold: !this.#total.accepts(key) };
		this.#total.add(pid, fn, where, increment);
		this.#current.add(pid, fn, where, increment);
	}

	#newWindow(): TallyBuilder {
		return new TallyBuilder(this.#maxRows);
	}

	#sumRecent(): Recent {
		const rows = new Map<string, SiteRow>();
		const targets = new Map<number, TargetCount>();
		let interval_ns = 0;
		for (const { window, sites } of this.#recent) {
			interval_ns += window.interval_ns;
			for (const [key, site] of sites) {
				const row = rows.get(key) ?? newSiteRow(site, site.map_type);
				rows.set(key, row);
				addToSiteRow(row, { ...site, capacity: site.max_capacity });
			}
			for (const { pid, growths, work } of window.targets) {
				const before = targets.get(pid);
				targets.set(pid, { pid, growths: growths + (before?.growths ?? 0), work: work + (before?.work ?? 0) });
			}
		}
		const sites = Array.from(rows.values()).sort(compareSiteRows);
		return { interval_ns, sites, targets: [...targets.values()] };
	}
}
