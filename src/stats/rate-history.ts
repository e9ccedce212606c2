/** The rates of the last windows, oldest first. Bounded memory. */
export class RateHistory {
	readonly #capacity: number;
	readonly #rates: number[] = [];
	#next = 0;
	#dropped = 0;

	/** `capacity`: how many windows are kept. */
	constructor(capacity: number) {
		this.#capacity = capacity;
	}

	/** Adds the rate of a window, per second; NaN when it was not measured. */
	push(rate: number): void {
		if (this.#rates.length < this.#capacity) {
			this.#rates.push(rate);
			return;
		}
		this.#dropped++;
		this.#rates[this.#next] = rate;
		this.#next = (this.#next + 1) % this.#capacity;
	}

	/** Rates of the kept windows, oldest first. */
	values(): number[] {
		return [...this.#rates.slice(this.#next), ...this.#rates.slice(0, this.#next)];
	}

	/** Windows before the oldest one that is kept. */
	get dropped(): number {
		return this.#dropped;
	}
}
