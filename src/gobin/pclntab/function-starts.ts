const MAX_BUCKETS = 1 << 16;

/**
 * The addresses of all functions, for searches: as Go's own findfunctab, a coarse table says between which functions an address lies. A
 * search through all of them would wait for memory a dozen times.
 */
export class FunctionStarts {
	readonly #starts: Float64Array;
	readonly #first: number;
	/** Bytes of code for each bucket. */
	readonly #width: number;
	/** By bucket: the function that covers its first byte. One more than buckets. */
	readonly #buckets: Uint32Array;

	/** `starts` has the end of the last function behind it; in a damaged file they are in no order. */
	constructor(starts: Float64Array) {
		this.#starts = starts;
		const count = starts.length - 1;
		const first = starts[0] ?? 0;
		this.#first = first;
		const buckets = Math.min(MAX_BUCKETS, Math.max(1, count));
		this.#width = Math.max(1, ((starts[count] ?? 0) - first) / buckets);
		this.#buckets = new Uint32Array(buckets + 1).fill(Math.max(0, count - 1));
		let bucket = 0;
		for (let index = 1; index <= count; index++) {
			const start = starts[index] as number;
			while (bucket <= buckets && first + bucket * this.#width < start) {
				this.#buckets[bucket++] = index - 1;
			}
		}
	}

	/** The start of a function by its number; of the number behind the last one the end of that. */
	at(index: number): number | undefined {
		return this.#starts[index];
	}

	/** The number of the function that covers the address, which has to lie between the first start and the last end. */
	indexOf(vaddr: number): number {
		const starts = this.#starts;
		const bucket = Math.floor((vaddr - this.#first) / this.#width);
		let low = this.#buckets[bucket] ?? 0;
		let high = (this.#buckets[bucket + 1] ?? starts.length) + 1;
		// Rounding, and starts in no order.
		if (!((starts[low] as number) <= vaddr && vaddr < (starts[high] ?? Number.NaN))) {
			low = 0;
			high = starts.length - 1;
		}
		while (high - low > 1) {
			const middle = (low + high) >>> 1;
			if ((starts[middle] as number) <= vaddr) {
				low = middle;
			} else {
				high = middle;
			}
		}
		return low;
	}
}
