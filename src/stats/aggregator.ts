/** Adds up what is observed or read from a recording: per window and since the start. */

import type { KnownMap, MapState } from "../gomap/map-state.ts";
import { BoundedCounts } from "../lib/bounded-counts.ts";
import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { amountOf, type Figure } from "../records/figure.ts";
import type { Calls, GrowthCause, GrowthKind, GrowthRecord, OverlapRecord } from "../records/records.ts";
import { type CallCount, figuresOfCalls, seenCalls } from "./call-count.ts";
import { type LatencySum, LatencySums } from "./latency.ts";
import { FunctionStats, measuredFigures, type ReadSpan } from "./named-rows.ts";
import { RowTables } from "./row-tables.ts";
import { Sampling, type Stream } from "./sampling.ts";
import { StatRow } from "./stat-row.ts";
import type { TotalCounts, Totals } from "./totals.ts";
import { type Rate, type RateName, WindowRates } from "./window-rates.ts";

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
	/** How processes were measured; absent: in full. */
	sampling?: Sampling;
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
	/** Highest growth rate of a window, per second; absent before one was measured. */
	peakRate?: number;
	/** Growths per second of the last windows, oldest first; NaN for one that was not measured. */
	history: number[];
	rates: Record<RateName, Rate>;
	/** The newest growth; absent before the first one. */
	latest?: GrowthRecord;
	latestOverlap?: OverlapRecord;
}

/** Kinds and causes of growths: a later version may know more of them than this one. */
const MAX_NAMES = 64;
/** Far more than there are probed functions. */
const MAX_FUNCTIONS = 1024;

/** What has no rows: of the open window, and of those that have ended. */
class Sums {
	readonly kinds = new BoundedCounts<GrowthKind>(MAX_NAMES);
	readonly causes = new BoundedCounts<GrowthCause>(MAX_NAMES);
	readonly latency = new LatencySums();
	overlaps = 0;

	merge(other: Sums): void {
		this.kinds.addAll(other.kinds);
		this.causes.addAll(other.causes);
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
	readonly #sampling: Sampling;
	readonly #all = new StatRow();
	/** Calls by function, of all processes. */
	readonly #functions = new FoldingTable<string, FunctionStats>(MAX_FUNCTIONS, OTHER, () => new FunctionStats());
	readonly #ended = new Sums();
	#open = new Sums();
	/** Something is in `#open`. */
	#isOpen = false;
	#coversNs = 0;
	#window: WindowTotals | undefined;
	#latest: GrowthRecord | undefined;
	#latestOverlap: OverlapRecord | undefined;

	constructor(options: AggregatorOptions = {}) {
		const { maxRows = 4096, maxRecentRows = 4096, recentWindows = 10, details = false } = options;
		const { sampling = new Sampling() } = options;
		this.#sampling = sampling;
		this.#minWindowNs = (options.intervalNs ?? 1e9) / 2;
		this.#rates = new WindowRates(options.historyLength ?? 300);
		this.#rows = new RowTables({ maxRows, maxRecentRows, recentWindows, details, sampling });
	}

	/** A growth that was recorded: details of single maps and goroutines. It is counted by `addCalls`. */
	addGrowth(growth: GrowthRecord): void {
		this.#latest = growth;
		this.#rows.addGrowth(growth);
	}

	/** The process has this function, whether or not it is called. */
	addFunction(fn: string, stream: Stream, pid: number): FunctionStats {
		const row = this.#functions.getOrAdd(fn, () => new FunctionStats(stream));
		row.addProcess(pid);
		return row;
	}

	/** Counts calls of growth functions and of growth work. */
	addCalls(count: CallCount): void {
		const { fn, growth, calls, window, pid, stream } = count;
		const hasRows = stream !== "iteration" && stream !== "make";
		const figures = hasRows ? this.#rows.addCalls(count) : figuresOfCalls(count);
		const rows: StatRow[] = [this.addFunction(fn, stream, pid)];
		if (hasRows) rows.push(this.#all);
		this.#isOpen = true;
		const weight = window?.weight ?? 1;
		if (growth !== undefined) {
			this.#open.kinds.add(growth.kind, weight * calls);
			this.#open.causes.add(growth.cause, weight * calls);
		}
		const start = this.#sampling.firstWindow(pid, stream);
		for (const row of rows) {
			row.add(figures);
			if (window !== undefined) row.addSampled({ pid, stream, window, start }, seenCalls(count));
		}
	}

	/** So much of growth work that was sampled is covered by what was added since the report window began. */
	addCovered(ns: number): void {
		this.#coversNs += ns;
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

	/**
	 * Looks again at maps of the open window, `limit` at most: what they are now is in its rows. `all`: at others, too,
	 * for the rows of the whole observation.
	 */
	readMaps(limit: number, read: (maps: readonly KnownMap[]) => readonly (MapState | undefined)[], all = false): void {
		const maps = this.#rows.mapsToRead(limit, all);
		const states = read(maps.flatMap(({ known }) => known ?? []));
		maps.forEach((map, index) => {
			map.state = states[index];
		});
		this.#rows.seeMaps(maps);
	}

	/** Ends the window, which lasted `intervalNs`, and begins the next one. */
	closeWindow(intervalNs: number): WindowTotals {
		const recent = intervalNs >= this.#minWindowNs;
		const counts = this.#counts("window", this.#open);
		const calls = this.#calls("window");
		const covers = this.#coversNs === 0 ? {} : { covers_ns: this.#coversNs };
		const rows = this.#rows.closeWindow(intervalNs, recent);
		const window = { ...counts, ...covers, calls, ...rows, interval_ns: intervalNs };
		this.#all.endWindow(false);
		for (const row of this.#functions.values()) row.endWindow(false);
		this.#sampling.nextWindow();
		this.#coversNs = 0;
		this.#ended.merge(this.#open);
		this.#open = new Sums();
		this.#isOpen = false;
		if (recent) {
			this.#rates.push(window, intervalNs);
			this.#window = window;
		}
		return window;
	}

	#counts(span: ReadSpan, { kinds, causes, latency, overlaps }: Sums): TotalCounts {
		const all = this.#all;
		const time = all.figure("withTime", span) > 0 ? { time_ns: all.rounded("time", span) } : {};
		return {
			...measuredFigures(all, span, this.#sampling, { whole: true }),
			growths_with_bytes: all.rounded("withBytes", span),
			bytes_moved: all.rounded("moved", span),
			growths_with_moved: all.rounded("withMoved", span),
			...time,
			kinds: kinds.record(),
			causes: causes.record(),
			latency: latency.rows(),
			overlaps,
		};
	}

	/** Of functions that were measured. */
	#calls(span: ReadSpan): Calls {
		return Object.fromEntries(
			this.#functions.entries().flatMap(([fn, row]): [string, Figure][] => {
				const figure = row.calls(span, this.#sampling);
				return figure === undefined ? [] : [[fn, figure]];
			}),
		);
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
		return { ...this.#counts("total", sums), calls: this.#calls("total"), ...this.#rows.total() };
	}

	/** Everything that a view shows. */
	view(): AggregateView {
		const rates = this.#rates.values();
		const view: AggregateView = {
			total: this.#counts("total", this.#totalSums()),
			rows: this.#rows,
			recentNs: this.#rows.recentNs,
			history: rates.growths.history,
			rates,
		};
		if (rates.growths.peak !== undefined) view.peakRate = amountOf(rates.growths.peak);
		if (this.#window !== undefined) view.window = this.#window;
		if (this.#latest !== undefined) view.latest = this.#latest;
		if (this.#latestOverlap !== undefined) view.latestOverlap = this.#latestOverlap;
		return view;
	}
}
