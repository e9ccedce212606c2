/**
 * A map that forgets what was not asked for lately, by weight: entries that are asked for move from the old generation to the young one,
 * and when the young one has half the weight, the old one is dropped. Hits of young entries change nothing, so they are cheap.
 */
export class GenerationCache<V> {
	#young = new Map<number, V>();
	#old = new Map<number, V>();
	#weight = 0;
	readonly #half: number;
	readonly #weigh: (value: V) => number;

	/** `capacity`: weight of all entries together, at most; one that is heavier than half of it is not kept. */
	constructor(capacity: number, weigh: (value: V) => number) {
		this.#half = capacity / 2;
		this.#weigh = weigh;
	}

	get(key: number): V | undefined {
		const young = this.#young.get(key);
		if (young !== undefined) {
			return young;
		}
		const old = this.#old.get(key);
		if (old !== undefined) {
			this.set(key, old);
		}
		return old;
	}

	/** The key is not in the cache, or has this very value. */
	set(key: number, value: V): void {
		const weight = this.#weigh(value);
		if (weight > this.#half) {
			return;
		}
		this.#makeRoom(weight);
		this.#old.delete(key);
		this.#young.set(key, value);
	}

	/** To be called right after `get` or `set` of an entry that has become heavier by so much. */
	grow(weight: number): void {
		this.#makeRoom(weight);
	}

	#makeRoom(weight: number): void {
		if (this.#weight + weight > this.#half) {
			this.#old = this.#young;
			this.#young = new Map();
			this.#weight = 0;
		}
		this.#weight += weight;
	}
}
