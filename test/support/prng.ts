/** A small deterministic generator (mulberry32): the same seed gives the same numbers everywhere. */
export class Prng {
	#state: number;

	constructor(seed: number, stream = 0) {
		this.#state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
		// Neighbouring seeds start far apart.
		this.u32();
		this.#state ^= Math.imul(stream, 0xc2b2ae35);
		this.u32();
	}

	u32(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return (mixed ^ (mixed >>> 14)) >>> 0;
	}

	/** A whole number from 0 to `bound` - 1; 0 for a bound below 1. */
	below(bound: number): number {
		return bound < 1 ? 0 : Math.floor((this.u32() / 4294967296) * bound);
	}

	/** From 1 to `most`, small numbers far more often. */
	few(most: number): number {
		return 1 + Math.floor(most ** (this.u32() / 4294967296) - 0.999);
	}

	chance(share: number): boolean {
		return this.u32() < share * 4294967296;
	}

	pick<T>(choices: readonly T[]): T {
		if (choices.length === 0) throw new Error("nothing to pick from");
		return choices[this.below(choices.length)] as T;
	}

	bytes(length: number): Uint8Array {
		return Uint8Array.from({ length }, () => this.u32() & 255);
	}
}
