/** The maps that were found, in columns: two million of them take 130 MB, not a gigabyte of objects. */

const CHUNK = 1 << 16;

const TWO_32 = 4294967296;
const FLOATS = ["address"] as const;
/** Those that do not fit are kept beside them. */
const WORDS = ["entries", "bytes", "groups", "tombstones", "offset"] as const;
const NUMBERS = ["type", "set", "holder"] as const;
type FloatColumn = (typeof FLOATS)[number];
type WordColumn = (typeof WORDS)[number];
type NumberColumn = (typeof NUMBERS)[number];

export const FLAG = {
	/** The type of its buckets or groups is in a header. */
	header: 1,
	/** It has no memory but its header: a map only if a holder says so. */
	empty: 2,
	growing: 4,
	changing: 8,
	referenced: 16,
	/** Its header is on a stack. */
	onStack: 32,
	/** Holders of different types. */
	conflict: 64,
} as const;

/** By what the type of a map is known, the strongest first; 0: by nothing but its shape. */
export const HOW = { global: 1, header: 2, interface: 3, stackInterface: 4 } as const;

/** A map as the search found it. */
export interface FoundMap {
	address: number;
	entries: number;
	/** Buckets or groups of eight slots. */
	groups: number;
	bytes: number;
	tombstones: number;
	/** Types that fit, as Shapes numbers them. */
	set: number;
	flags: number;
	/** Buckets of the old array that are done, of all. */
	growing?: Growing;
}

export interface Growing {
	evacuated: number;
	of: number;
	/** Time of the first reading that had the same number. */
	since?: string;
}

export class MapTable {
	#count = 0;
	readonly #floats: Record<FloatColumn, Float64Array[]> = { address: [] };
	/** Chunks of zeros are not there. */
	readonly #words: Record<WordColumn, (Uint32Array | undefined)[]> = {
		entries: [],
		bytes: [],
		groups: [],
		tombstones: [],
		offset: [],
	};
	readonly #large: Record<WordColumn, Map<number, number>> = {
		entries: new Map(),
		bytes: new Map(),
		groups: new Map(),
		tombstones: new Map(),
		offset: new Map(),
	};
	readonly #numbers: Record<NumberColumn, Int32Array[]> = { type: [], set: [], holder: [] };
	readonly #flags: Uint8Array[] = [];
	readonly #strengths: Uint8Array[] = [];
	readonly growing = new Map<number, Growing>();

	get count(): number {
		return this.#count;
	}

	add(map: FoundMap): number {
		const row = this.#count++;
		if (row % CHUNK === 0) {
			for (const name of FLOATS) this.#floats[name].push(new Float64Array(CHUNK));
			for (const name of WORDS) this.#words[name].push(undefined);
			for (const name of NUMBERS) this.#numbers[name].push(new Int32Array(CHUNK));
			this.#flags.push(new Uint8Array(CHUNK));
			this.#strengths.push(new Uint8Array(CHUNK));
		}
		this.setFloat("address", row, map.address);
		this.setWord("entries", row, map.entries);
		this.setWord("bytes", row, map.bytes);
		this.setWord("groups", row, map.groups);
		this.setWord("tombstones", row, map.tombstones);
		this.setNumber("type", row, -1);
		this.setNumber("set", row, map.set);
		this.setNumber("holder", row, -1);
		this.setFlags(row, map.flags);
		if (map.growing !== undefined) this.growing.set(row, map.growing);
		return row;
	}

	float(name: FloatColumn, row: number): number {
		return this.#floats[name][row >>> 16]?.[row & 0xffff] as number;
	}

	word(name: WordColumn, row: number): number {
		const value = this.#words[name][row >>> 16]?.[row & 0xffff] ?? 0;
		return value === TWO_32 - 1 ? (this.#large[name].get(row) ?? value) : value;
	}

	number(name: NumberColumn, row: number): number {
		return this.#numbers[name][row >>> 16]?.[row & 0xffff] as number;
	}

	flags(row: number): number {
		return this.#flags[row >>> 16]?.[row & 0xffff] as number;
	}

	has(row: number, flag: number): boolean {
		return (this.flags(row) & flag) !== 0;
	}

	setFloat(name: FloatColumn, row: number, value: number): void {
		(this.#floats[name][row >>> 16] as Float64Array)[row & 0xffff] = value;
	}

	setWord(name: WordColumn, row: number, value: number): void {
		let chunk = this.#words[name][row >>> 16];
		if (chunk === undefined) {
			if (value === 0) return;
			chunk = new Uint32Array(CHUNK);
			this.#words[name][row >>> 16] = chunk;
		}
		chunk[row & 0xffff] = Math.min(value, TWO_32 - 1);
		if (value >= TWO_32 - 1) this.#large[name].set(row, value);
	}

	setNumber(name: NumberColumn, row: number, value: number): void {
		(this.#numbers[name][row >>> 16] as Int32Array)[row & 0xffff] = value;
	}

	setFlags(row: number, flags: number): void {
		(this.#flags[row >>> 16] as Uint8Array)[row & 0xffff] = flags;
	}

	/** The offsets in the holders are not needed any more. */
	dropOffsets(): void {
		this.#words.offset.fill(undefined);
		this.#large.offset.clear();
	}

	/** How its type was found: see HOW. */
	strength(row: number): number {
		return this.#strengths[row >>> 16]?.[row & 0xffff] as number;
	}

	setStrength(row: number, strength: number): void {
		(this.#strengths[row >>> 16] as Uint8Array)[row & 0xffff] = strength;
	}

	addFlags(row: number, flags: number): void {
		this.setFlags(row, this.flags(row) | flags);
	}
}
