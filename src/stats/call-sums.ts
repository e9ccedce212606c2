import { mapFunction, repeatsWork } from "../gomap/functions.ts";
import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { addFigures, type Figure, inProportion, isExact } from "../records/figure.ts";
import type { Calls } from "../records/records.ts";

/** Far more than there are probed functions: a bound for recordings that somebody else wrote. */
const MAX_FUNCTIONS = 4096;

/** What the calls of growth functions, or those of growth work, say of a sum of theirs that has no interval of its own: as in older recordings. */
export function withInterval(sum: Figure | undefined, calls: Calls, tier: "growth" | "work"): Figure | undefined {
	if (typeof sum !== "number") return sum;
	const counted = Object.entries(calls)
		.filter(([fn]) => mapFunction(fn)?.tier === tier && !repeatsWork(fn))
		.map(([, count]) => count);
	return counted.every(isExact) ? sum : inProportion(sum, addFigures(counted));
}

/** Adds numbers of calls of several recordings, or of windows, up: exact ones stay exact. */
export class CallSums {
	readonly #sums = new FoldingTable<string, { calls: Figure }>(MAX_FUNCTIONS, OTHER, () => ({ calls: 0 }));

	add(calls: Calls): void {
		for (const [fn, count] of Object.entries(calls)) this.addTo(fn, count);
	}

	addTo(fn: string, count: Figure): void {
		const sum = this.#sums.getOrAdd(fn, () => ({ calls: 0 }));
		sum.calls = addFigures([sum.calls, count]);
	}

	merge(other: CallSums): void {
		for (const [fn, { calls }] of other.#sums.entries()) this.addTo(fn, calls);
	}

	/** In whole numbers where they are exact. */
	sums(): Calls {
		return Object.fromEntries(
			this.#sums.entries().map(([fn, { calls }]) => [fn, isExact(calls) ? Math.round(calls) : calls]),
		);
	}
}
