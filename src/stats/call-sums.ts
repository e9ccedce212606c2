import type { CallEstimate, Calls } from "../records/records.ts";

/** Adds numbers of calls up: exact ones stay exact; the bounds of estimates are added, which is wider than they are together. */
export class CallSums {
	readonly #sums = new Map<string, number | CallEstimate>();

	add(calls: Calls): void {
		for (const [fn, count] of Object.entries(calls)) {
			const sum = this.#sums.get(fn);
			this.#sums.set(fn, sum === undefined ? count : added(sum, count));
		}
	}

	sums(): Calls {
		return Object.fromEntries(this.#sums);
	}
}

function added(a: number | CallEstimate, b: number | CallEstimate): number | CallEstimate {
	if (typeof a === "number" && typeof b === "number") return a + b;
	const [first, second] = [estimate(a), estimate(b)];
	return {
		estimate: first.estimate + second.estimate,
		low: first.low + second.low,
		high: first.high + second.high,
	};
}

function estimate(count: number | CallEstimate): CallEstimate {
	return typeof count === "number" ? { estimate: count, low: count, high: count } : count;
}
