import { GomapgrowError } from "../errors/error.ts";
import { chunks } from "./byte-scan.ts";
import type { ByteSource } from "./byte-source.ts";

/** Elf64_Rela: offset, info, addend. */
export const RELA_BYTES = 24;
const RELA_WORDS = RELA_BYTES / 4;
const STEP = RELA_BYTES * 43_690;
const TWO_32 = 4294967296;
const R_X86_64_RELATIVE = 8;
const R_AARCH64_RELATIVE = 1027;
/** Chains stay below a few dozen in real tables; a table made to collide is refused instead of taking quadratic time. */
const MAX_CHAIN = 4096;
/** Entries that are kept in memory, 32 to 48 bytes each; the largest Go programs have some millions. */
const MAX_INDEXED = 1 << 23;

/** Entries of a table that are kept for look-ups by address. */
interface Index {
	addresses: Float64Array;
	addends: Float64Array;
	/** Open-addressing hash from address to entry + 1. */
	slots: Uint32Array;
}

/**
 * The RELATIVE relocations of a position-independent executable: which word of the image becomes load bias + addend. GNU ld
 * and the Go linker also store the addend in the word itself; lld does not, so the table has to be asked. GNU ld sorts the table,
 * the Go linker does not: a structure is looked up in a pass, and only single words (`addend`) make an index of it.
 */
export class RelativeRelocations {
	readonly #source: ByteSource;
	readonly #offset: number;
	readonly #count: number;
	readonly #relativeType: number;
	#index: Index | undefined;

	/** The table is .rela.dyn as in the file, `size` bytes from `offset` on; a rest smaller than an entry is ignored. */
	constructor(source: ByteSource, offset: number, size: number, arch: "amd64" | "arm64") {
		this.#source = source;
		this.#offset = offset;
		this.#count = Math.floor(size / RELA_BYTES);
		this.#relativeType = arch === "amd64" ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE;
	}

	/** The address (without the load bias) that the word at `vaddr` will hold, or undefined when it is not relocated. */
	addend(vaddr: number): number | undefined {
		if (this.#count === 0) {
			return undefined;
		}
		this.#index ??= this.#makeIndex();
		const { addresses, addends, slots } = this.#index;
		const mask = slots.length - 1;
		for (let slot = hash(vaddr) & mask; ; slot = (slot + 1) & mask) {
			const entry = slots[slot] as number;
			if (entry === 0) {
				return undefined;
			}
			if (addresses[entry - 1] === vaddr) {
				return addends[entry - 1];
			}
		}
	}

	/** Replaces those of the words that are relocated: `words[n]` is the one at `vaddr` + n * `stride`. One pass over the table. */
	applyTo(words: Float64Array, vaddr: number, stride: number): void {
		const end = vaddr + words.length * stride;
		this.#each((address, addend) => {
			if (address >= vaddr && address < end && (address - vaddr) % stride === 0) {
				words[(address - vaddr) / stride] = addend;
			}
		});
	}

	/** The addresses of the words that will hold `target`, at most `limit`. */
	wordsPointingTo(target: number, limit: number): number[] {
		const found: number[] = [];
		this.#each((address, addend) => {
			if (addend === target && found.length < limit) {
				found.push(address);
			}
		});
		return found;
	}

	#each(visit: (address: number, addend: number) => void): void {
		for (const { bytes } of chunks(this.#source, this.#offset, this.#count * RELA_BYTES, 0, STEP)) {
			const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
			for (let at = 0; at < words.length; at += RELA_WORDS) {
				if (words[at + 2] === this.#relativeType) {
					visit(
						(words[at] as number) + (words[at + 1] as number) * TWO_32,
						(words[at + 4] as number) + (words[at + 5] as number) * TWO_32,
					);
				}
			}
		}
	}

	#makeIndex(): Index {
		if (this.#count > MAX_INDEXED) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: `at most ${MAX_INDEXED} relocations`,
				found: String(this.#count),
			});
		}
		let size = 16;
		while (size < this.#count * 2) {
			size *= 2;
		}
		const addresses = new Float64Array(this.#count);
		const addends = new Float64Array(this.#count);
		const slots = new Uint32Array(size);
		let count = 0;
		this.#each((address, addend) => {
			let slot = hash(address) & (size - 1);
			let entry = slots[slot] as number;
			for (let chain = 0; entry !== 0 && addresses[entry - 1] !== address; chain++) {
				if (chain === MAX_CHAIN) {
					throw new GomapgrowError("E-BIN-MALFORMED", {
						wanted: "a table of relative relocations",
						found: `more than ${MAX_CHAIN} entries with colliding addresses`,
					});
				}
				slot = (slot + 1) & (size - 1);
				entry = slots[slot] as number;
			}
			// The last entry for a word wins, as in the dynamic linker, which applies them in order.
			if (entry === 0) {
				entry = ++count;
				slots[slot] = entry;
				addresses[entry - 1] = address;
			}
			addends[entry - 1] = addend;
		});
		return { addresses, addends, slots };
	}
}

/** Words are 8-byte aligned and dense, so the low bits above the alignment spread well; the multiplication breaks up strides. */
function hash(vaddr: number): number {
	return Math.imul(Math.floor(vaddr / 8) | 0, 0x9e3779b1) >>> 4;
}
