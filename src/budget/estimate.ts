/**
 * The estimator: a sum of what was measured in full and what was seen in windows. Each period was cut into n equal slots, one of which was the window, chosen with equal
 * probability, so n times what was seen in it is an unbiased estimate of the period, whatever the program does. Sums of such integers add up: rows to totals.
 *
 * The interval is the one of Fay and Feuer (1997) for weighted sums of rare events, a gamma distribution with the variance of the sum, whose upper end has one more
 * event of the largest kind in it: windows that see 50 ms of bursts each second are such events, and a t-interval covers 36 to 84 % of them. With many equal windows
 * it is the t-interval. The variance comes from the differences between neighbouring windows, which leaves slow changes out.
 */
import type { Figure } from "../records/figure.ts";
import { gammaQuantile, normalUpper, studentUpper } from "./quantiles.ts";
import type { Window } from "./window-weight.ts";

/** Each end of the interval is missed with this probability. */
const TAIL = 0.025;
/** A figure with hits in fewer windows has no upper end, nor has one whose largest window holds more than this part of it. */
const LEAST_HIT_WINDOWS = 10;
const LARGEST_PART = 1 / 3;
/** Degrees of freedom of the variance, times the sum of fourth powers over the squared sum of squares. */
const DEGREES = 2;
/**
 * Hits of many sizes: "top" are those more than half as large as the largest. From so many of them on, still larger ones would have been seen; with fewer, this many
 * of twice the size may have been missed (the 97.5 % bound for events of which none was seen).
 */
const ENOUGH_TOP_HITS = 30;
const UNSEEN_HITS = 3.7;
/** All hits have about the same size where top hits make up this part of the sum. */
const ONE_SIZE = 0.9;
/** Few top hits with so large a part of the squares: each octave of sizes adds as much as the one below, and there is no telling where that ends. */
const LEAST_TOP_HITS = 12;
const HEAVY_TOP_PART = 0.4;
/** Where so much of a sum comes from windows that were slowed too much, it has no upper end. */
const SLOWED_PART = 0.01;
/** Of all periods, so many must have been measured for an upper end. */
const LEAST_MEASURED = 0.5;

/** What the owner of the windows knows when a sum is read. */
export interface WindowsSoFar {
	/** Windows that are over: the index that the next one will have. */
	windows: number;
	/** Periods without a window, because probes were not attached in time or the window was voided, since the sum began. */
	missed?: number;
}

interface Spread {
	sum: number;
	variance: number;
	degrees: number;
	largestStep: number;
}

/** A sum over windows, in constant memory. Amounts are counts, bytes or nanoseconds, never negative. */
export class WindowedSum {
	readonly #start: number;
	#exact = 0;
	/** What was seen in windows, with weight 1. */
	#seen = 0;
	/** The last window that saw something; more of it may come. */
	#last: number;
	#lastValue = 0;
	/** The windows before it: weighted sum, the largest one, and how many saw something. */
	#sum = 0;
	#largest = 0;
	#hits = 0;
	/** Value of the window right before `#last`. */
	#before = 0;
	/** Differences between neighbours before `#last`: sums of their squares and fourth powers, and the largest. */
	#squares = 0;
	#fourths = 0;
	#largestStep = 0;
	/** Variance of the sum if units came by chance. */
	#poisson = 0;
	/** The largest hit; hits more than half as large, their sum, and the sums of squares of those and of all. */
	#largestHit = 0;
	#topHits = 0;
	#topSum = 0;
	#topSquares = 0;
	#hitSquares = 0;
	/** Sums over what was seen times how far the weight may be too high or too low, and what was slowed too much. */
	#tooHigh = 0;
	#tooLow = 0;
	#slowed = 0;

	/** `start`: index of the first window that may add to it. */
	constructor(start = 0) {
		this.#start = start;
		this.#last = start - 1;
	}

	/** Adds what was measured in full. */
	exact(amount: number): void {
		this.#exact += amount;
	}

	/**
	 * Adds what was seen in a window. Windows come in order; several amounts of the same window add up. `each`: what a single hit adds, as far as it is known: amounts
	 * of different sizes are added one size class after the other.
	 */
	window({ index, n, weight, low, high }: Window, amount: number, each = 1): void {
		if (amount === 0) return;
		if (index < Math.max(this.#last, this.#start)) throw new RangeError(`window ${index} after window ${this.#last}`);
		if (index !== this.#last) this.#moveTo(index);
		this.#lastValue += weight * amount;
		this.#seen += amount;
		this.#poisson += weight * (n - 1) * amount * each;
		this.#addHits(each, amount / each);
		this.#tooHigh += (weight - low) * amount;
		this.#tooLow += ((high ?? weight) - weight) * amount;
		if (high === undefined) this.#slowed += weight * amount;
	}

	#addHits(size: number, hits: number): void {
		const square = size ** 2 * hits;
		this.#hitSquares += square;
		if (size >= 2 * this.#largestHit) {
			this.#topHits = 0;
			this.#topSum = 0;
			this.#topSquares = 0;
		}
		this.#largestHit = Math.max(this.#largestHit, size);
		if (2 * size <= this.#largestHit) return;
		this.#topHits += hits;
		this.#topSum += size * hits;
		this.#topSquares += square;
	}

	/** Top hits among hits of other sizes, so few that larger ones may have been missed. */
	#fewTopHits(most: number): boolean {
		return this.#topHits < most && this.#topSum < ONE_SIZE * this.#seen;
	}

	/** Larger hits than were seen may make up any part of the sum. */
	#endless(): boolean {
		return this.#fewTopHits(LEAST_TOP_HITS) && this.#topSquares > HEAVY_TOP_PART * this.#hitSquares;
	}

	/** What larger hits than were seen may add, by the mean weight. */
	#unseen(sum: number): number {
		return this.#fewTopHits(ENOUGH_TOP_HITS) ? (UNSEEN_HITS * 2 * this.#largestHit * sum) / this.#seen : 0;
	}

	/** What was measured in full and what was seen in windows, without weight. */
	get seen(): number {
		return this.#exact + this.#seen;
	}

	/** What was measured in full and the weighted windows. */
	get estimate(): number {
		return this.#exact + this.#sum + this.#lastValue;
	}

	/** The window so far is complete; those between it and `index` saw nothing. */
	#moveTo(index: number): void {
		if (this.#last >= this.#start) {
			const value = this.#lastValue;
			if (this.#last > this.#start) this.#step(value - this.#before);
			this.#sum += value;
			this.#largest = Math.max(this.#largest, value);
			this.#hits++;
			const adjacent = index === this.#last + 1;
			if (!adjacent) this.#step(value);
			this.#before = adjacent ? value : 0;
			this.#lastValue = 0;
		}
		this.#last = index;
	}

	#step(difference: number): void {
		const square = difference ** 2;
		this.#squares += square;
		this.#fourths += square ** 2;
		this.#largestStep = Math.max(this.#largestStep, Math.abs(difference));
	}

	/** The sum with its interval. */
	read({ windows, missed = 0 }: WindowsSoFar): Figure {
		const periods = windows - this.#start;
		if (periods <= 0 && missed === 0 && this.#seen === 0) return this.#exact;
		const sum = this.#sum + this.#lastValue;
		const spread = this.#spread(sum, windows);
		const low = this.#lower(spread);
		const largest = Math.max(this.#largest, this.#lastValue);
		const unbounded =
			this.#hits + (this.#lastValue > 0 ? 1 : 0) < LEAST_HIT_WINDOWS ||
			largest > LARGEST_PART * sum ||
			this.#endless() ||
			this.#slowed > SLOWED_PART * this.estimate ||
			periods < LEAST_MEASURED * (periods + missed);
		// What was seen: it adds up over rows, and is true whatever was not seen.
		if (unbounded) return { at_least: this.#exact + this.#seen };
		const high = this.#upper(spread, Math.min(largest, spread.largestStep), missed / periods);
		return { estimate: this.estimate, low: Math.min(low, this.estimate), high: Math.ceil(high) };
	}

	/** The weighted sum of the windows, its variance, and with how many degrees of freedom that is known. */
	#spread(sum: number, windows: number): Spread {
		const periods = windows - this.#start;
		const value = this.#lastValue;
		const step = this.#last > this.#start ? value - this.#before : 0;
		const trailing = this.#last >= this.#start && this.#last < windows - 1 ? value : 0;
		const squares = this.#squares + step ** 2 + trailing ** 2;
		const fourths = this.#fourths + step ** 4 + trailing ** 4;
		const variance = periods < 2 ? 0 : (squares * periods) / (2 * (periods - 1));
		return {
			sum,
			variance: Math.max(variance, this.#poisson),
			degrees: fourths === 0 ? 0 : (DEGREES * squares ** 2) / fourths,
			largestStep: Math.max(this.#largestStep, Math.abs(step), trailing),
		};
	}

	#lower({ sum, variance, degrees }: Spread): number {
		const z = normalUpper(TAIL);
		const wide = variance * (studentUpper(TAIL, degrees) / z) ** 2;
		const windowed = gammaQuantile(sum, wide, -z) - this.#tooHigh;
		return Math.floor(this.#exact + Math.max(this.#seen, windowed));
	}

	/** `event`: the largest of the events that the sum is made of; `missed`: periods that were missed, for each that was measured. */
	#upper({ sum, variance, degrees }: Spread, event: number, missed: number): number {
		const z = normalUpper(TAIL);
		// Missed periods are taken to have held as much as the others, with the same variance.
		const times = 1 + missed;
		const wide = variance * (studentUpper(TAIL, degrees) / z) ** 2 * times ** 2;
		const windowed = gammaQuantile(sum * times + event, wide + event ** 2, z);
		return this.#exact + windowed + (this.#unseen(sum) + this.#tooLow) * times;
	}
}
