/** Durations in powers of two of nanoseconds, as a histogram in seconds. */
import type { HistogramPoint, Labels } from "./family.ts";

/** 256 ns to 1.07 s; what is longer has no bucket of its own. */
const LOWEST = 8;
const HIGHEST = 30;
const NS = 1e9;

export class DurationHistogram {
	readonly #counts = new Float64Array(HIGHEST - LOWEST + 2);
	#sumNs = 0;
	#count = 0;

	/** `weight`: how many calls it stands for. */
	add(ns: number, weight: number): void {
		// The first bucket whose bound is not below the duration.
		const power = ns <= 2 ** LOWEST ? LOWEST : Math.ceil(Math.log2(ns));
		const at = Math.min(power - LOWEST, this.#counts.length - 1);
		this.#counts[at] = (this.#counts[at] ?? 0) + weight;
		this.#sumNs += ns * weight;
		this.#count += weight;
	}

	/** Undefined as long as nothing was added. */
	point(labels: Labels): HistogramPoint | undefined {
		if (this.#count === 0) return undefined;
		let below = 0;
		const buckets = Array.from({ length: HIGHEST - LOWEST + 1 }, (_, index) => {
			below += this.#counts[index] ?? 0;
			return { le: Number((2 ** (LOWEST + index) / NS).toPrecision(12)), count: below };
		});
		return { labels, buckets, sum: this.#sumNs / NS, count: this.#count };
	}
}
