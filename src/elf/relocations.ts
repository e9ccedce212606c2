import { GomapgrowError } from "../errors/error.ts";
import { u32, u64 } from "./little-endian.ts";

/** Elf64_Rela: offset, info, addend. */
export const RELA_BYTES = 24;
const R_X86_64_RELATIVE = 8;
const R_AARCH64_RELATIVE = 1027;
/** Chains stay below a few dozen in real tables; a table made to collide is refused instead of taking quadratic time. */
const MAX_CHAIN = 4096;

/**
 * The RELATIVE relocations of a position-independent executable: which word of the image becomes load bias + addend. GNU ld
 * and the Go linker also store the addend in the word itself; lld does not, so the table has to be asked.
 */
export class RelativeRelocations {
	readonly #table: Uint8Array;
	readonly #relativeType: number;
	/** Open-addressing hash from address to table index + 1; made by the first lookup. One number per entry, no objects. */
	#slots: Uint32Array | undefined;

	/** The table is .rela.dyn as in the file; a rest smaller than an entry is ignored. */
	constructor(table: Uint8Array, arch: "amd64" | "arm64") {
		this.#table = table;
		this.#relativeType = arch === "amd64" ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE;
	}

	get #count(): number {
		return Math.floor(this.#table.length / RELA_BYTES);
	}

	/** The address (without the load bias) that the word at `vaddr` will hold, or undefined when it is not relocated. */
	addend(vaddr: number): number | undefined {
		if (this.#count === 0) {
			return undefined;
		}
		this.#slots ??= this.#index();
		const mask = this.#slots.length - 1;
		for (let slot = hash(vaddr) & mask; ; slot = (slot + 1) & mask) {
			const entry = this.#slots[slot] as number;
			if (entry === 0) {
				return undefined;
			}
			const at = (entry - 1) * RELA_BYTES;
			if (u64(this.#table, at) === vaddr) {
				return u64(this.#table, at + 16);
			}
		}
	}

	/** The addresses of the words that will hold `target`, at most `limit`. */
	wordsPointingTo(target: number, limit: number): number[] {
		const found: number[] = [];
		const low = target % 4294967296;
		for (let at = 0; at + RELA_BYTES <= this.#table.length && found.length < limit; at += RELA_BYTES) {
			if (u32(this.#table, at + 16) === low && this.#isRelative(at) && u64(this.#table, at + 16) === target) {
				found.push(u64(this.#table, at));
			}
		}
		return found;
	}

	#isRelative(at: number): boolean {
		return u32(this.#table, at + 8) === this.#relativeType;
	}

	#isFreeOrSame(entry: number, vaddr: number): boolean {
		return entry === 0 || u64(this.#table, (entry - 1) * RELA_BYTES) === vaddr;
	}

	#index(): Uint32Array {
		const count = this.#count;
		let size = 16;
		while (size < count * 2) {
			size *= 2;
		}
		const slots = new Uint32Array(size);
		for (let index = 0; index < count; index++) {
			const at = index * RELA_BYTES;
			if (!this.#isRelative(at)) {
				continue;
			}
			const vaddr = u64(this.#table, at);
			let slot = hash(vaddr) & (size - 1);
			// The last entry for a word wins, as in the dynamic linker, which applies them in order.
			for (let chain = 0; !this.#isFreeOrSame(slots[slot] as number, vaddr); chain++) {
				if (chain === MAX_CHAIN) {
					throw new GomapgrowError("E-BIN-MALFORMED", {
						wanted: "a table of relative relocations",
						found: `more than ${MAX_CHAIN} entries with colliding addresses`,
					});
				}
				slot = (slot + 1) & (size - 1);
			}
			slots[slot] = index + 1;
		}
		return slots;
	}
}

/** Words are 8-byte aligned and dense, so the low bits above the alignment spread well; the multiplication breaks up strides. */
function hash(vaddr: number): number {
	return Math.imul(Math.floor(vaddr / 8) | 0, 0x9e3779b1) >>> 4;
}
