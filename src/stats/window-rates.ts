/** How fast maps grow, window after window: what is shown as now, peak and chart. */
import { toldGrowingNs } from "./latency.ts";
import { RateHistory } from "./rate-history.ts";
import type { TotalCounts } from "./totals.ts";

/** growing: time spent growing per time, of all goroutines together, so it can be above 1. */
export const RATES = ["growths", "work", "moved", "growing"] as const;
export type RateName = (typeof RATES)[number];

export interface Rate {
	/** Per second, in the last window; undefined before the first one has ended, and when it did not tell. */
	now: number | undefined;
	/** The highest since the start. */
	peak: number;
	/** The last windows, oldest first. */
	history: number[];
	/** Windows before them. */
	dropped: number;
}

/** Of a window: undefined what it does not tell. */
function perWindow(window: TotalCounts): Record<RateName, number | undefined> {
	const growing = toldGrowingNs(window);
	return {
		growths: window.growths,
		work: window.work,
		moved: window.bytes_moved,
		growing: growing === undefined ? undefined : growing / 1e9,
	};
}

/** Bounded memory: `historyLength` windows. */
export class WindowRates {
	readonly #histories: Record<RateName, RateHistory>;
	#now: Partial<Record<RateName, number | undefined>> = {};

	constructor(historyLength: number) {
		const history = () => new RateHistory(historyLength);
		this.#histories = { growths: history(), work: history(), moved: history(), growing: history() };
	}

	push(window: TotalCounts, intervalNs: number): void {
		const sums = perWindow(window);
		for (const name of RATES) {
			const sum = sums[name];
			const rate = sum === undefined ? undefined : (sum * 1e9) / intervalNs;
			this.#now[name] = rate;
			if (rate !== undefined) this.#histories[name].push(rate);
		}
	}

	values(): Record<RateName, Rate> {
		const rate = (name: RateName): Rate => {
			const history = this.#histories[name];
			return { now: this.#now[name], peak: history.peak, history: history.values(), dropped: history.dropped };
		};
		return { growths: rate("growths"), work: rate("work"), moved: rate("moved"), growing: rate("growing") };
	}
}
