import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import type { CallEstimate, Calls } from "../records/records.ts";

/** Far more than there are probed functions: a bound for recordings that somebody else wrote. */
const MAX_FUNCTIONS = 4096;

/** Adds numbers of calls up: exact ones stay exact; the bounds of estimates are added, which is wider than they are together. */
export class CallSums {
	readonly #sums = new FoldingTable<string, { calls: number | CallEstimate }>(MAX_FUNCTIONS, OTHER, () => ({
		calls: 0,
	}));

	add(calls: Calls): void {
		for (const [fn, count] of Object.entries(calls)) this.addTo(fn, count);
	}

	addTo(fn: string, count: number | CallEstimate): void {
		const sum = this.#sums.getOrAdd(fn, () => ({ calls: 0 }));
		sum.calls = added(sum.calls, count);
	}

	merge(other: CallSums): void {
		for (const [fn, { calls }] of other.#sums.entries()) this.addTo(fn, calls);
	}

	/** In whole numbers where they are exact. */
	sums(): Calls {
		return Object.fromEntries(
			this.#sums.entries().map(([fn, { calls }]) => [fn, typeof calls === "number" ? Math.round(calls) : calls]),
		);
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
