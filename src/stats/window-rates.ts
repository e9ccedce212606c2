/** How fast maps grow, window after window: what is shown as now, peak and chart. */

import { amountOf, type Figure, isExact, isPrintable, scaleFigure } from "../records/figure.ts";
import { RateHistory } from "./rate-history.ts";
import { allocatedBytes, copiedBytes, timeInGrowth } from "./total-figures.ts";
import type { TotalCounts } from "./totals.ts";

/** time: nanoseconds of processor time in growths and growth work, of all goroutines together. */
export const RATES = ["growths", "work", "copied", "time"] as const;
export type RateName = (typeof RATES)[number];

export interface Rate {
	/** Per second, in the last window; undefined before the first one has ended, and when it was not measured. */
	now: Figure | undefined;
	/** The highest since the start, of those that can be given as a number; undefined when there was none. */
	peak: Figure | undefined;
	/** The last windows, oldest first; NaN where there is no number. */
	history: number[];
	/** Windows before them. */
	dropped: number;
}

/** Growth work that covers another time than the window cannot be added to what the window covers. */
const SAME_TIME = 0.1;

/** The sums that rates are made of. */
export type RatedCounts = Pick<
	TotalCounts,
	| ("growths" | "work" | "bytes" | "growths_with_bytes" | "bytes_moved")
	| ("growths_with_moved" | "time_ns" | "covers_ns")
>;

/** Per second: undefined what was not measured. */
export function ratesOf(window: RatedCounts, intervalNs: number): Record<RateName | "allocated", Figure | undefined> {
	const perSecond = (sum: Figure | undefined, ns: number): Figure | undefined =>
		sum === undefined || ns <= 0 ? undefined : scaleFigure(sum, 1e9 / ns);
	const workNs = workTimeOf(window, intervalNs);
	const apart = Math.abs(workNs - intervalNs) > SAME_TIME * intervalNs;
	return {
		growths: perSecond(window.growths, intervalNs),
		work: perSecond(window.work, workNs),
		allocated: perSecond(allocatedBytes(window), intervalNs),
		copied: perSecond(copiedBytes(window), intervalNs),
		time: apart ? undefined : perSecond(timeInGrowth(window), intervalNs),
	};
}

/** The time for which a window's growth work holds: of that which was sampled, the periods that ended in it. */
export function workTimeOf({ work, covers_ns }: Pick<TotalCounts, "work" | "covers_ns">, intervalNs: number): number {
	return work === undefined || isExact(work) ? intervalNs : (covers_ns ?? intervalNs);
}

class RateOverTime {
	readonly #history: RateHistory;
	#now: Figure | undefined;
	#peak: Figure | undefined;

	constructor(historyLength: number) {
		this.#history = new RateHistory(historyLength);
	}

	push(rate: Figure | undefined): void {
		this.#now = rate;
		const printable = rate !== undefined && isPrintable(rate);
		this.#history.push(printable ? amountOf(rate) : Number.NaN);
		if (printable && (this.#peak === undefined || amountOf(rate) > amountOf(this.#peak))) this.#peak = rate;
	}

	value(): Rate {
		const { dropped } = this.#history;
		return { now: this.#now, peak: this.#peak, history: this.#history.values(), dropped };
	}
}

/** Bounded memory: `historyLength` windows. */
export class WindowRates {
	readonly #rates: Record<RateName, RateOverTime>;

	constructor(historyLength: number) {
		const rate = () => new RateOverTime(historyLength);
		this.#rates = { growths: rate(), work: rate(), copied: rate(), time: rate() };
	}

	push(window: RatedCounts, intervalNs: number): void {
		const rates = ratesOf(window, intervalNs);
		for (const name of RATES) this.#rates[name].push(rates[name]);
	}

	values(): Record<RateName, Rate> {
		const { growths, work, copied, time } = this.#rates;
		return { growths: growths.value(), work: work.value(), copied: copied.value(), time: time.value() };
	}
}
