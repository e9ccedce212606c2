/** A map that forgets the entry that was not used for longest when it is full. */
export class LruCache<K, V> {
	readonly #entries = new Map<K, V>();
	readonly #capacity: number;
	#newest: K | undefined;

	constructor(capacity: number) {
		this.#capacity = capacity;
	}

	get size(): number {
		return this.#entries.size;
	}

	get(key: K): V | undefined {
		const value = this.#entries.get(key);
		if (value !== undefined && key !== this.#newest) {
			this.#newest = key;
			// Maps iterate in insertion order: inserting again makes it the newest.
			this.#entries.delete(key);
			this.#entries.set(key, value);
		}
		return value;
	}

	set(key: K, value: V): void {
		this.#newest = key;
		this.#entries.delete(key);
		this.#entries.set(key, value);
		if (this.#entries.size > this.#capacity) {
			for (const oldest of this.#entries.keys()) {
				this.#entries.delete(oldest);
				break;
			}
		}
	}
}
