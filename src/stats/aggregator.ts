/** Adds up what is observed or read from a recording: per window and since the start. */

import { BoundedCounts } from "../lib/bounded-counts.ts";
import type { GrowthCause, GrowthKind, GrowthRecord, OverlapRecord } from "../records/records.ts";
import { CallSums } from "./call-sums.ts";
import { type LatencySum, LatencySums } from "./latency.ts";
import { RowTables } from "./row-tables.ts";
import { type Figures, type Span, StatRow } from "./stat-row.ts";
import type { TotalCounts, Totals } from "./totals.ts";
import { type Rate, type RateName, WindowRates } from "./window-rates.ts";
import type { WorkCount } from "./work-count.ts";

export interface AggregatorOptions {
	/**
	 * Most rows of call sites, types and processes since the start; what is beyond is added to one row named "(other)".
	 */
	maxRows?: number;
	/** Most rows of maps and of goroutines; those that have not grown for longest are forgotten. */
	maxRecentRows?: number;
	/** How many windows the rate history keeps. */
	historyLength?: number;
	/** Nominal length of a window. One shorter than half of it (the last one) gives no rate: the peak would be noise. */
	intervalNs?: number;
	/** Over how many windows the recent rates of rows are averaged. */
	recentWindows?: number;
	/** Keep the newest growth and the durations of each row, as the screen shows them. */
	details?: boolean;
}

/** A finished window. */
export interface WindowTotals extends Totals {
	interval_ns: number;
}

/** Everything that a view shows. */
export interface AggregateView {
	/** With what the open window holds so far. A value. */
	total: TotalCounts;
	/** The rows of all tables, which go on changing. */
	rows: RowTables;
	/** The last finished window; absent before the first one ends. */
	window?: WindowTotals;
	/** Over how long what is recent reaches. */
	recentNs: number;
	/** Highest growth rate of a window, per second. */
	peakRate: number;
	/** Growths per second of the last windows, oldest first. */
	history: number[];
	rates: Record<RateName, Rate>;
	/** The newest growth; absent before the first one. */
	latest?: GrowthRecord;
	latestOverlap?: OverlapRecord;
}

/** Kinds and causes of growths: a later version may know more of them than this one. */
const MAX_NAMES = 64;

/** What has no rows: of the open window, and of those that have ended. */
class Sums {
	readonly kinds = new BoundedCounts<GrowthKind>(MAX_NAMES);
	readonly causes = new BoundedCounts<GrowthCause>(MAX_NAMES);
	readonly calls = new CallSums();
	readonly latency = new LatencySums();
	overlaps = 0;

	merge(other: Sums): void {
		this.kinds.addAll(other.kinds);
		this.causes.addAll(other.causes);
		this.calls.merge(other.calls);
		this.latency.merge(other.latency);
		this.overlaps += other.overlaps;
	}
}

/**
 * Memory is bounded by the limits, whatever the observed program does. Feed it, then call `closeWindow` once per
 * interval.
 */
export class Aggregator {
	readonly #minWindowNs: number;
	readonly #rates: WindowRates;
	readonly #rows: RowTables;
	readonly #all = new StatRow();
	readonly #ended = new Sums();
	#open = new Sums();
	/** Something is in `#open`. */
	#isOpen = false;
	#window: WindowTotals | undefined;
	#latest: GrowthRecord | undefined;
	#latestOverlap: OverlapRecord | undefined;

	constructor(options: AggregatorOptions = {}) {
		const { maxRows = 4096, maxRecentRows = 8192, recentWindows = 10, details = false } = options;
		this.#minWindowNs = (options.intervalNs ?? 1e9) / 2;
		this.#rates = new WindowRates(options.historyLength ?? 300);
		this.#rows = new RowTables({ maxRows, maxRecentRows, recentWindows, details });
	}

	/** Counts one growth, and those that it stands for. */
	addGrowth(growth: GrowthRecord): void {
		this.#latest = growth;
		const { weight = 1 } = growth;
		this.#open.kinds.add(growth.kind, weight);
		this.#open.causes.add(growth.cause, weight);
		this.#count(growth.fn, this.#rows.addGrowth(growth));
	}

	/** Counts calls of the work tier. */
	addWork(count: WorkCount): void {
		if (count.calls > 0) this.#count(count.fn, this.#rows.addWork(count));
	}

	#count(fn: string, figures: Figures): void {
		this.#isOpen = true;
		this.#all.add(figures);
		this.#open.calls.addTo(fn, figures.growths + figures.work);
	}

	/** Counts durations. */
	addLatency(count: LatencySum): void {
		this.#isOpen = true;
		this.#open.latency.add(count);
	}

	/** Counts a growth that overlapped an iteration. */
	addOverlap(overlap: OverlapRecord): void {
		this.#latestOverlap = overlap;
		this.#isOpen = true;
		this.#open.overlaps++;
		this.#rows.addOverlap(overlap);
	}

	/** Ends the window, which lasted `intervalNs`, and begins the next one. */
	closeWindow(intervalNs: number): WindowTotals {
		const recent = intervalNs >= this.#minWindowNs;
		const counts = this.#counts("window", this.#open);
		const rows = this.#rows.closeWindow(intervalNs, recent);
		const window = { ...counts, calls: this.#open.calls.sums(), ...rows, interval_ns: intervalNs };
		this.#all.endWindow(false);
		this.#ended.merge(this.#open);
		this.#open = new Sums();
		this.#isOpen = false;
		if (recent) {
			this.#rates.push(window, intervalNs);
			this.#window = window;
		}
		return window;
	}

	#counts(span: Span, { kinds, causes, latency, overlaps }: Sums): TotalCounts {
		return {
			growths: this.#all.rounded("growths", span),
			work: this.#all.rounded("work", span),
			bytes: this.#all.rounded("bytes", span),
			growths_with_bytes: this.#all.rounded("withBytes", span),
			bytes_moved: this.#all.rounded("moved", span),
			growths_with_moved: this.#all.rounded("withMoved", span),
			kinds: kinds.record(),
			causes: causes.record(),
			latency: latency.rows(),
			overlaps,
		};
	}

	#totalSums(): Sums {
		if (!this.#isOpen) return this.#ended;
		const sums = new Sums();
		sums.merge(this.#ended);
		sums.merge(this.#open);
		return sums;
	}

	/** Sums since the start, with what the open window holds so far. */
	total(): Totals {
		const sums = this.#totalSums();
		return { ...this.#counts("total", sums), calls: sums.calls.sums(), ...this.#rows.total() };
	}

	/** Everything that a view shows. */
	view(): AggregateView {
		const rates = this.#rates.values();
		const view: AggregateView = {
			total: this.#counts("total", this.#totalSums()),
			rows: this.#rows,
			recentNs: this.#rows.recentNs,
			peakRate: rates.growths.peak,
			history: rates.growths.history,
			rates,
		};
		if (this.#window !== undefined) view.window = this.#window;
		if (this.#latest !== undefined) view.latest = this.#latest;
		if (this.#latestOverlap !== undefined) view.latestOverlap = this.#latestOverlap;
		return view;
	}
}
