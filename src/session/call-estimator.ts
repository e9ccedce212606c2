/** Estimates the calls of the time in which a tier was not probed, with their 95 % interval. */

/** Two-sided 95 % quantiles of Student's t distribution by degrees of freedom, from 1 on; beyond, the normal distribution's. */
const T95 = [
	...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
	...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
];
const NORMAL95 = 1.96;

export interface Missing {
	/** Calls that were not counted, and half of the width of their 95 % interval. */
	calls: number;
	halfWidth: number;
	/** Sum of the squares of the unprobed times, in seconds: the square of the half width grows with it. */
	squaredOff: number;
}

/** One function: the rates of its calls in the windows so far. */
interface Rates {
	n: number;
	mean: number;
	/** Sum of squares of differences from the mean (Welford). */
	squares: number;
	/** Of this period's window. */
	now: number;
	/** Calls in the unprobed time of the periods that are over. */
	missing: number;
}

/**
 * Time is divided into periods with one window each, at a random moment, so that a window's rate is an unbiased estimate of its period's. The spread is that of one
 * window's rate around the mean of all, so it includes what really changes from period to period: the interval is rather too wide than too narrow.
 */
export class CallEstimator {
	readonly #rates = new Map<string, Rates>();
	/** Sum of the squares of the unprobed times of the periods that are over, in seconds. */
	#squaredOff = 0;
	/** Unprobed time of this period, and of those before it that had no window. */
	#open = 0;
	#hasWindow = false;

	/** The tier was not probed for so long. */
	off(seconds: number): void {
		this.#open += seconds;
	}

	/** This period's window has ended: calls per function in it, and its length. */
	window(calls: ReadonlyMap<string, number>, seconds: number): void {
		if (seconds <= 0) return;
		this.#hasWindow = true;
		for (const [fn, count] of calls) {
			const rates = this.#rates.get(fn) ?? { n: 0, mean: 0, squares: 0, now: 0, missing: 0 };
			this.#rates.set(fn, rates);
			const rate = count / seconds;
			rates.n++;
			rates.now = rate;
			const delta = rate - rates.mean;
			rates.mean += delta / rates.n;
			rates.squares += delta * (rate - rates.mean);
		}
	}

	/** The period is over; one without a window is left to the next one. */
	endPeriod(): void {
		if (!this.#hasWindow) return;
		for (const rates of this.#rates.values()) rates.missing += rates.now * this.#open;
		this.#squaredOff += this.#open * this.#open;
		this.#open = 0;
		this.#hasWindow = false;
	}

	/**
	 * What was not counted in the periods that are over: it never becomes less. `final`: the time since then, too, by this period's window or the mean
	 * of all.
	 */
	missing(final: boolean): Map<string, Missing> {
		const open = final ? this.#open : 0;
		const result = new Map<string, Missing>();
		for (const [fn, { n, mean, squares, now, missing }] of this.#rates) {
			const calls = missing + (this.#hasWindow ? now : mean) * open;
			// One window tells nothing about the spread: take all of the rate for it.
			const deviation = n > 1 ? Math.sqrt(squares / (n - 1)) : mean;
			const t = n > 1 ? (T95[n - 2] ?? NORMAL95) : NORMAL95;
			const squaredOff = this.#squaredOff + open * open;
			result.set(fn, { calls, halfWidth: t * deviation * Math.sqrt(squaredOff), squaredOff });
		}
		return result;
	}
}
