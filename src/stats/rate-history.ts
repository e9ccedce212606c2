/** The growth rates of the last windows, oldest first, and the highest ever seen. Bounded memory. */
export class RateHistory {
	readonly #capacity: number;
	readonly #rates: number[] = [];
	#next = 0;
	#peak = 0;
	#dropped = 0;

	/** `capacity`: how many windows are kept. */
	constructor(capacity: number) {
		this.#capacity = capacity;
	}

	/** Adds the rate of a window, per second. */
	push(rate: number): void {
		if (rate > this.#peak) this.#peak = rate;
		if (this.#rates.length < this.#capacity) {
			this.#rates.push(rate);
			return;
		}
		this.#dropped++;
		this.#rates[this.#next] = rate;
		this.#next = (this.#next + 1) % this.#capacity;
	}

	/** Growths per second of the kept windows, oldest first. */
	values(): number[] {
		return [...this.#rates.slice(this.#next), ...this.#rates.slice(0, this.#next)];
	}

	/** Windows before the oldest one that is kept. */
	get dropped(): number {
		return this.#dropped;
	}

	/** The highest rate since the start, also of windows no longer kept. */
	get peak(): number {
		return this.#peak;
	}
}
