/**
 * Reads many small pieces of another process in one go, into one buffer that is used again: no object for each
 * piece.
 */

const TWO_32 = 4294967296;
/** Most bytes of one batch. */
const MAX_BYTES = 64 << 20;

/** What a census reads: the memory of a process, or in a test that of a pretended one. */
export interface BatchReader {
	/**
	 * `ranges` has four words for each of `count` pieces: address (low, high), length, 0. Their bytes are put into
	 * `out` one behind the other; complete[n] is 1 when all of piece n is mapped. Throws E-TARGET-GONE,
	 * E-TARGET-DENIED, E-IO.
	 */
	readBatch(ranges: Uint32Array, count: number, out: Uint8Array, complete: Uint8Array): void;
}

/** What reading cost so far. */
export interface ReadCosts {
	bytes: number;
	batches: number;
	pieces: number;
}

export class ReadBatch {
	readonly memory: BatchReader;
	readonly costs: ReadCosts;
	#ranges = new Uint32Array(4096);
	#offsets = new Uint32Array(1024);
	#complete = new Uint8Array(1024);
	#count = 0;
	#length = 0;
	bytes = new Uint8Array(1 << 16);
	/** The same bytes as 32-bit words: pieces begin at multiples of 8. */
	words = new Uint32Array(this.bytes.buffer);
	/** And as signed ones, with which comparisons are faster. */
	integers = new Int32Array(this.bytes.buffer);

	constructor(memory: BatchReader, costs: ReadCosts) {
		this.memory = memory;
		this.costs = costs;
	}

	get count(): number {
		return this.#count;
	}

	get length(): number {
		return this.#length;
	}

	/** Adds a piece; its address and its length (rounded up to it) are multiples of 8. Returns its number. */
	add(address: number, length: number): number {
		const number = this.#count++;
		if (number * 4 >= this.#ranges.length) this.#grow();
		const rounded = Math.ceil(length / 8) * 8;
		this.#ranges[number * 4] = address % TWO_32;
		this.#ranges[number * 4 + 1] = address / TWO_32;
		this.#ranges[number * 4 + 2] = rounded;
		this.#offsets[number] = this.#length;
		this.#length += rounded;
		return number;
	}

	/** Whether there is room for a piece of that length. */
	fits(length: number): boolean {
		return this.#length + length <= MAX_BYTES;
	}

	/** Reads all pieces. */
	read(): void {
		if (this.#count === 0) return;
		if (this.#length > this.bytes.length) {
			this.bytes = new Uint8Array(2 ** Math.ceil(Math.log2(this.#length)));
			this.words = new Uint32Array(this.bytes.buffer);
			this.integers = new Int32Array(this.bytes.buffer);
		}
		this.costs.bytes += this.#length;
		this.costs.pieces += this.#count;
		this.costs.batches++;
		this.memory.readBatch(this.#ranges, this.#count, this.bytes.subarray(0, this.#length), this.#complete);
	}

	/** Where the bytes of a piece begin. */
	offset(number: number): number {
		return this.#offsets[number] as number;
	}

	isComplete(number: number): boolean {
		return this.#complete[number] === 1;
	}

	/** The 64-bit word at a byte offset of the buffer, a multiple of 4; above 2^53 it is not exact. */
	word(offset: number): number {
		const at = offset >>> 2;
		return (this.words[at] as number) + (this.words[at + 1] as number) * TWO_32;
	}

	clear(): void {
		this.#count = 0;
		this.#length = 0;
	}

	#grow(): void {
		const size = this.#offsets.length * 2;
		const [ranges, offsets] = [new Uint32Array(size * 4), new Uint32Array(size)];
		ranges.set(this.#ranges);
		offsets.set(this.#offsets);
		this.#ranges = ranges;
		this.#offsets = offsets;
		this.#complete = new Uint8Array(size);
	}
}
