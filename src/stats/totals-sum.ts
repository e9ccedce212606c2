/** Totals of several recordings, or of the windows of one, added up. Bounded, whatever they say. */

import { BoundedCounts } from "../lib/bounded-counts.ts";
import { topOf } from "../lib/top-k.ts";
import type { GoroutineRow, GrowthCause, GrowthKind, MapRow } from "../records/records.ts";
import { CallSums } from "./call-sums.ts";
import { LatencySums } from "./latency.ts";
import { type AbsentFigures, FigureSum, SiteSums, TypeSums } from "./row-sums.ts";
import { compareGoroutineRows, compareMapRows } from "./rows.ts";
import type { Totals } from "./totals.ts";

/** Rows of single maps and goroutines are those of the recordings, side by side; only so many are kept. */
const MAX_ROWS = 1000;
const MAX_KINDS = 64;
const FIGURES = ["growths", "work", "bytes"] as const;
const COUNTS = ["growths_with_bytes", "bytes_moved", "growths_with_moved"] as const;

export class TotalsSum {
	readonly #absent: AbsentFigures;
	readonly #figures = { growths: new FigureSum(), work: new FigureSum(), bytes: new FigureSum() };
	readonly #counts = { growths_with_bytes: 0, bytes_moved: 0, growths_with_moved: 0 };
	readonly #kinds = new BoundedCounts<GrowthKind>(MAX_KINDS);
	readonly #causes = new BoundedCounts<GrowthCause>(MAX_KINDS);
	readonly #calls = new CallSums();
	readonly #latency = new LatencySums();
	readonly #types = new TypeSums();
	readonly #sites = new SiteSums();
	#maps: MapRow[] = [];
	#goroutines: GoroutineRow[] = [];
	#overlaps: number | undefined;
	/** Undefined as soon as one part does not know it. */
	#timeNs: number | undefined = 0;
	#parts = 0;

	constructor(absent: AbsentFigures = "missing") {
		this.#absent = absent;
	}

	add(totals: Totals): void {
		this.#parts++;
		for (const name of FIGURES) this.#figures[name].add(totals[name]);
		for (const name of COUNTS) this.#counts[name] += totals[name];
		this.#kinds.addRecord(totals.kinds);
		this.#causes.addRecord(totals.causes);
		this.#calls.add(totals.calls);
		this.#latency.addAll(totals.latency);
		for (const row of totals.types) this.#types.add(row);
		for (const row of totals.sites) this.#sites.add(row);
		this.#maps = topOf([...this.#maps, ...totals.maps], MAX_ROWS, compareMapRows);
		this.#goroutines = topOf([...this.#goroutines, ...totals.goroutines], MAX_ROWS, compareGoroutineRows);
		if (totals.overlaps !== undefined) this.#overlaps = (this.#overlaps ?? 0) + totals.overlaps;
		this.#timeNs =
			this.#timeNs === undefined || totals.time_ns === undefined ? undefined : this.#timeNs + totals.time_ns;
	}

	result(): Totals {
		const absent = this.#absent;
		const totals: Totals = {
			...this.#counts,
			kinds: this.#kinds.record(),
			causes: this.#causes.record(),
			calls: this.#calls.sums(),
			types: this.#types.rows(absent),
			sites: this.#sites.rows(absent),
			latency: this.#latency.rows(),
			maps: this.#maps,
			goroutines: this.#goroutines,
			...(this.#overlaps === undefined ? {} : { overlaps: this.#overlaps }),
			...(this.#timeNs === undefined || this.#parts === 0 ? {} : { time_ns: this.#timeNs }),
			targets: [],
			folded: this.#sites.folded(absent),
		};
		for (const name of FIGURES) {
			const figure = this.#figures[name].read(absent);
			if (figure !== undefined) totals[name] = figure;
		}
		return totals;
	}
}
