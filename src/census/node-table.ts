/** Values of known type on the way from a root to the maps, in columns. */

const CHUNK = 1 << 16;

/** What a node is: a value, or a structure of the runtime on the way to one. */
export const NODE = { value: 0, mapHeader: 1, directory: 2, table: 3, channel: 4 } as const;

export class NodeTable {
	#count = 0;
	#limit: number;
	readonly #addresses: Float64Array[] = [];
	/** Number of the type, times 8, plus what the node is. */
	readonly #types: Int32Array[] = [];
	readonly #counts: Uint32Array[] = [];
	readonly #parents: Int32Array[] = [];
	readonly #offsets: Uint32Array[] = [];
	readonly #strengths: Uint8Array[] = [];
	/** Open addressing: number of the node + 1. */
	#slots = new Int32Array(1 << 14);

	constructor(limit: number) {
		this.#limit = limit;
	}

	get count(): number {
		return this.#count;
	}

	get isFull(): boolean {
		return this.#count >= this.#limit;
	}

	address(node: number): number {
		return this.#addresses[node >>> 16]?.[node & 0xffff] as number;
	}

	type(node: number): number {
		return (this.#types[node >>> 16]?.[node & 0xffff] as number) >>> 3;
	}

	kind(node: number): number {
		return (this.#types[node >>> 16]?.[node & 0xffff] as number) & 7;
	}

	/** How many values of the type lie there side by side. */
	values(node: number): number {
		return this.#counts[node >>> 16]?.[node & 0xffff] as number;
	}

	/** The node that led here, or a root (negative). */
	parent(node: number): number {
		return this.#parents[node >>> 16]?.[node & 0xffff] as number;
	}

	/** Where in the parent. */
	offset(node: number): number {
		return this.#offsets[node >>> 16]?.[node & 0xffff] as number;
	}

	/** How strong the beginning of its chain is: one of HOW. */
	strength(node: number): number {
		return this.#strengths[node >>> 16]?.[node & 0xffff] as number;
	}

	/** False when it is known already, or there are too many. */
	add(
		address: number,
		type: number,
		kind: number,
		values: number,
		parent: number,
		offset: number,
		strength: number,
	): boolean {
		if (this.isFull) return false;
		const word = type * 8 + kind;
		const mask = this.#slots.length - 1;
		let slot = hash(address, word) & mask;
		for (let node = this.#slots[slot] as number; node !== 0; node = this.#slots[slot] as number) {
			const at = node - 1;
			if (this.address(at) === address && this.#types[at >>> 16]?.[at & 0xffff] === word) return false;
			slot = (slot + 1) & mask;
		}
		const node = this.#count++;
		if (node % CHUNK === 0) this.#addChunk();
		const [chunk, at] = [node >>> 16, node & 0xffff];
		(this.#addresses[chunk] as Float64Array)[at] = address;
		(this.#types[chunk] as Int32Array)[at] = word;
		(this.#counts[chunk] as Uint32Array)[at] = values;
		(this.#parents[chunk] as Int32Array)[at] = parent;
		(this.#offsets[chunk] as Uint32Array)[at] = offset;
		(this.#strengths[chunk] as Uint8Array)[at] = strength;
		this.#slots[slot] = node + 1;
		if (this.#count * 2 > this.#slots.length) this.#rehash();
		return true;
	}

	/** Forgets all; no more can be added. */
	clear(): void {
		this.#limit = 0;
		this.#addresses.length = 0;
		this.#counts.length = 0;
		this.#slots = new Int32Array(1);
		this.#types.length = 0;
		this.#parents.length = 0;
		this.#offsets.length = 0;
		this.#strengths.length = 0;
	}

	#addChunk(): void {
		this.#addresses.push(new Float64Array(CHUNK));
		this.#types.push(new Int32Array(CHUNK));
		this.#counts.push(new Uint32Array(CHUNK));
		this.#parents.push(new Int32Array(CHUNK));
		this.#offsets.push(new Uint32Array(CHUNK));
		this.#strengths.push(new Uint8Array(CHUNK));
	}

	#rehash(): void {
		const slots = new Int32Array(this.#slots.length * 2);
		const mask = slots.length - 1;
		for (let node = 0; node < this.#count; node++) {
			const word = this.#types[node >>> 16]?.[node & 0xffff] as number;
			let slot = hash(this.address(node), word) & mask;
			while (slots[slot] !== 0) slot = (slot + 1) & mask;
			slots[slot] = node + 1;
		}
		this.#slots = slots;
	}
}

function hash(address: number, word: number): number {
	const low = (address / 8) | 0;
	const mixed = Math.imul(low ^ Math.imul(word, 0x85ebca6b), 0x9e3779b1);
	return (mixed ^ (mixed >>> 15)) >>> 1;
}
