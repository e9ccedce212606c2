/**
 * A table whose keys and values are numbers, all in one array: for ten thousands of rows that are looked up all the
 * time, where an object and a text for each would be most of the memory and of the collector's work.
 */

const FIRST_ROWS = 64;

/** Adds a number to a hash (constants of murmur3). Whole numbers below 2^53 are told apart by all their bits. */
function mix(hash: number, value: number): number {
	const low = Math.imul(hash ^ (value >>> 0), 0xcc9e2d51);
	const both = Math.imul((low ^ (low >>> 15)) + Math.floor(value / 2 ** 32), 0x1b873593);
	return both ^ (both >>> 13);
}

/** It grows as rows are added; its owner keeps it bounded. */
export class NumberTable {
	/** Of the row that is looked for: set it before `find` and `findOrAdd`. Whole numbers. */
	readonly key: Float64Array;
	readonly #rowLength: number;
	#rows: Float64Array;
	#count = 0;
	/** At a row's hash or behind it: its number, from 1 on. A power of two, at most half of which is taken. */
	#slots = new Int32Array(2 * FIRST_ROWS);

	/** How many numbers a key and a row's values are. */
	constructor(keyLength: number, valueLength: number) {
		this.key = new Float64Array(keyLength);
		this.#rowLength = keyLength + valueLength;
		this.#rows = new Float64Array(FIRST_ROWS * this.#rowLength);
	}

	/** How many rows there are. */
	get size(): number {
		return this.#count;
	}

	/** Row after row: the key, then the values. Another array after a row was added or removed. */
	get numbers(): Float64Array {
		return this.#rows;
	}

	#slotOf(numbers: Float64Array, at: number): number {
		let hash = 0;
		for (let i = 0; i < this.key.length; i++) hash = mix(hash, numbers[at + i] ?? 0);
		return hash & (this.#slots.length - 1);
	}

	/** Where in `numbers` the values of `key` are; undefined when there is no such row. */
	find(): number | undefined {
		const { key } = this;
		const rows = this.#rows;
		const last = this.#slots.length - 1;
		for (let slot = this.#slotOf(key, 0); ; slot = (slot + 1) & last) {
			const number = this.#slots[slot] ?? 0;
			if (number === 0) return undefined;
			const at = (number - 1) * this.#rowLength;
			let i = 0;
			while (i < key.length && rows[at + i] === key[i]) i++;
			if (i === key.length) return at + i;
		}
	}

	/** The same; a new row has zeros. */
	findOrAdd(): number {
		const known = this.find();
		if (known !== undefined) return known;
		if (2 * (this.#count + 1) > this.#slots.length) this.#resize(2 * this.#slots.length);
		const at = this.#count * this.#rowLength;
		this.#rows.set(this.key, at);
		this.#index(this.#count++);
		return at + this.key.length;
	}

	/** Lets the row be found. */
	#index(row: number): void {
		const last = this.#slots.length - 1;
		let slot = this.#slotOf(this.#rows, row * this.#rowLength);
		while (this.#slots[slot] !== 0) slot = (slot + 1) & last;
		this.#slots[slot] = row + 1;
	}

	#resize(slots: number): void {
		const rows = new Float64Array((slots / 2) * this.#rowLength);
		rows.set(this.#rows.subarray(0, this.#count * this.#rowLength));
		this.#rows = rows;
		this.#slots = new Int32Array(slots);
		for (let row = 0; row < this.#count; row++) this.#index(row);
	}

	/** Removes all rows but those that are `wanted`; it gets where in `numbers` the row begins. */
	keep(wanted: (at: number) => boolean): void {
		const rows = this.#rows;
		const length = this.#rowLength;
		let kept = 0;
		for (let row = 0; row < this.#count; row++) {
			const at = row * length;
			if (!wanted(at)) continue;
			rows.copyWithin(kept * length, at, at + length);
			kept++;
		}
		this.#count = kept;
		rows.fill(0, kept * length);
		let slots = this.#slots.length;
		while (slots > 2 * FIRST_ROWS && 8 * kept <= slots) slots /= 2;
		this.#resize(slots);
	}
}
