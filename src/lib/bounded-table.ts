/**
 * Tables with a bound, for keys that come from observed programs, executables and recordings. One forgets what has not
 * been used for longest, the other sums up in one entry what it has no room for.
 */

/** Name of the entry that holds everything beyond the bound of a table. */
export const OTHER = "(other)";

interface Entry<V> {
	value: V;
	weight: number;
	/** When it was used last: a number that only grows. */
	used: number;
}

export interface BoundedTableOptions<K, V> {
	/** Weight of an entry when it is set; absent: 1. */
	weigh?: (value: V) => number;
	/** Gets what is forgotten for lack of room. */
	onEvict?: (value: V, key: K) => void;
}

/** This part of the entries is forgotten at once: the oldest ones are not searched for every new entry. */
const EVICTED_SHARE = 0.2;

/**
 * A map of at most `capacity` weight (1 per entry unless weighed) that forgets the entries which have not been used for
 * longest.
 */
export class BoundedTable<K, V> {
	readonly #entries = new Map<K, Entry<V>>();
	readonly #capacity: number;
	readonly #weigh: ((value: V) => number) | undefined;
	readonly #onEvict: ((value: V, key: K) => void) | undefined;
	#clock = 0;
	#weight = 0;

	constructor(capacity: number, options: BoundedTableOptions<K, V> = {}) {
		this.#capacity = capacity;
		this.#weigh = options.weigh;
		this.#onEvict = options.onEvict;
	}

	get size(): number {
		return this.#entries.size;
	}

	/** Using an entry makes it the newest. */
	get(key: K): V | undefined {
		const entry = this.#entries.get(key);
		if (entry === undefined) return undefined;
		entry.used = ++this.#clock;
		return entry.value;
	}

	/** The same without using it. */
	peek(key: K): V | undefined {
		return this.#entries.get(key)?.value;
	}

	/** Puts a value in the place of the key's, as the newest. One that is heavier than the table is not kept. */
	set(key: K, value: V): void {
		const weight = this.#weigh?.(value) ?? 1;
		this.delete(key);
		if (weight > this.#capacity) return;
		this.#entries.set(key, { value, weight, used: ++this.#clock });
		this.#weight += weight;
		this.#makeRoom();
	}

	getOrAdd(key: K, make: () => V): V {
		const known = this.get(key);
		if (known !== undefined) return known;
		const made = make();
		this.set(key, made);
		return made;
	}

	/** The entry has become heavier by so much. */
	grow(key: K, weight: number): void {
		const entry = this.#entries.get(key);
		if (entry === undefined) return;
		entry.weight += weight;
		this.#weight += weight;
		this.#makeRoom();
	}

	delete(key: K): boolean {
		this.#weight -= this.#entries.get(key)?.weight ?? 0;
		return this.#entries.delete(key);
	}

	values(): V[] {
		return Array.from(this.#entries.values(), ({ value }) => value);
	}

	#makeRoom(): void {
		while (this.#weight > this.#capacity) this.#evictOldest();
	}

	#evictOldest(): void {
		const times = new Float64Array(this.#entries.size);
		let at = 0;
		for (const { used } of this.#entries.values()) times[at++] = used;
		times.sort();
		const last = times[Math.floor((times.length - 1) * EVICTED_SHARE)] ?? 0;
		for (const [key, { used, value }] of this.#entries) {
			if (used > last) continue;
			this.delete(key);
			this.#onEvict?.(value, key);
		}
	}
}

/** A map of at most `max` entries. Keys that come when it is full have one entry together; none is ever forgotten. */
export class FoldingTable<K, V> {
	readonly #entries = new Map<K, V>();
	readonly #max: number;
	readonly #otherKey: K;
	readonly #makeOther: () => V;
	#other: V | undefined;

	/** `otherKey` names the entry of all the rest, also where it comes as a key. */
	constructor(max: number, otherKey: K, makeOther: () => V) {
		this.#max = max;
		this.#otherKey = otherKey;
		this.#makeOther = makeOther;
	}

	/** Entries of their own. */
	get size(): number {
		return this.#entries.size;
	}

	/** The entry of all the rest; undefined as long as nothing is in it. */
	get other(): V | undefined {
		return this.#other;
	}

	/** Whether the key has an entry of its own, or still can get one. */
	accepts(key: K): boolean {
		return key !== this.#otherKey && (this.#entries.has(key) || this.#entries.size < this.#max);
	}

	get(key: K): V | undefined {
		return key === this.#otherKey ? this.#other : this.#entries.get(key);
	}

	/** The key's entry, or that of all the rest. */
	getOrAdd(key: K, make: () => V): V {
		const known = this.#entries.get(key);
		if (known !== undefined) return known;
		if (!this.accepts(key)) {
			this.#other ??= this.#makeOther();
			return this.#other;
		}
		const made = make();
		this.#entries.set(key, made);
		return made;
	}

	/** Each key with its value; the entry of all the rest last. */
	entries(): [K, V][] {
		const entries = [...this.#entries];
		if (this.#other !== undefined) entries.push([this.#otherKey, this.#other]);
		return entries;
	}

	values(): V[] {
		const values = [...this.#entries.values()];
		if (this.#other !== undefined) values.push(this.#other);
		return values;
	}
}
