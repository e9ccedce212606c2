import type { LatencyRow } from "../records/records.ts";

/** Bucket 0 is below 64 ns; n is from 2^(n+5) to below 2^(n+6) ns: those of the kernel's histograms. */
const FIRST_LOG2 = 6;
const BUCKETS = 28;

function bucketOf(ns: number): number {
	if (!(ns >= 1)) return 0;
	return Math.min(BUCKETS - 1, Math.max(0, Math.floor(Math.log2(ns)) - FIRST_LOG2 + 1));
}

/** Single durations added up in powers of two. The last bucket takes all that is longer. */
export class Durations {
	#buckets: number[] = [];
	#count = 0;
	#sum = 0;
	#max = 0;

	add(ns: number): void {
		const bucket = bucketOf(ns);
		while (this.#buckets.length <= bucket) this.#buckets.push(0);
		this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
		this.#count++;
		this.#sum += ns;
		this.#max = Math.max(this.#max, ns);
	}

	get count(): number {
		return this.#count;
	}

	get sumNs(): number {
		return this.#sum;
	}

	get maxNs(): number {
		return this.#max;
	}

	copy(): Durations {
		const copy = new Durations();
		copy.#buckets = [...this.#buckets];
		copy.#count = this.#count;
		copy.#sum = this.#sum;
		copy.#max = this.#max;
		return copy;
	}

	/** As a row of the kernel's histograms, so that both are shown and summed up alike. */
	row(fn: string, map_type: string): LatencyRow {
		const buckets = this.#buckets.flatMap((count, index) =>
			count > 0 ? [{ from_ns: index === 0 ? 0 : 2 ** (index + FIRST_LOG2 - 1), count }] : [],
		);
		return { fn, map_type, count: this.#count, sum_ns: this.#sum, max_ns: this.#max, buckets };
	}
}
