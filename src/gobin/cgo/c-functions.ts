import { chunks } from "../../elf/byte-scan.ts";
import type { ByteSource } from "../../elf/byte-source.ts";
import type { ElfFile } from "../../elf/elf-file.ts";
import { text, u8, u16, u32, u64 } from "../../elf/little-endian.ts";
import { SHT_NOBITS } from "../../elf/sections.ts";
import { SYM_BYTES } from "../../elf/symbols.ts";

const STEP = SYM_BYTES * 43_690;
const SHN_UNDEF = 0;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
/** Far more than any C library has; bounds the memory for a made-up table. */
const MAX_FUNCTIONS = 1 << 20;
/** C++ names can be long; longer ones are cut. */
const MAX_NAME_BYTES = 4096;

/** Functions outside Go code (C of cgo programs, the C library in static ones) by the symbol table. */
export class CFunctions {
	readonly #source: ByteSource;
	/** The string table's range of the file. */
	readonly #strings: { offset: number; size: number };
	/** Ascending. */
	readonly #starts: Float64Array;
	readonly #ends: Float64Array;
	/** Offsets in the string table. */
	readonly #names: Uint32Array;

	/** Reads .symtab, or .dynsym in a stripped program; leaves out what lies in [minpc, maxpc), which is Go's. */
	constructor(elf: ElfFile, minpc: number, maxpc: number) {
		const table = elf.section(".symtab") ?? elf.section(".dynsym");
		const strings = table && elf.sections[table.link];
		this.#source = elf.source;
		this.#strings = strings === undefined || strings.type === SHT_NOBITS ? { offset: 0, size: 0 } : strings;
		const starts: number[] = [];
		const ends: number[] = [];
		const names: number[] = [];
		const size = table === undefined || table.type === SHT_NOBITS ? 0 : table.size - (table.size % SYM_BYTES);
		for (const { bytes } of chunks(elf.source, table?.offset ?? 0, size, 0, STEP)) {
			for (let at = 0; at < bytes.length && starts.length < MAX_FUNCTIONS; at += SYM_BYTES) {
				const type = u8(bytes, at + 4) & 15;
				const start = u64(bytes, at + 8);
				const length = u64(bytes, at + 16);
				const isFunction = (type === STT_FUNC || type === STT_GNU_IFUNC) && u16(bytes, at + 6) !== SHN_UNDEF;
				if (isFunction && length > 0 && !(start >= minpc && start < maxpc)) {
					starts.push(start);
					ends.push(start + length);
					names.push(u32(bytes, at));
				}
			}
		}
		const order = Uint32Array.from(starts.keys()).sort((a, b) => (starts[a] as number) - (starts[b] as number));
		this.#starts = Float64Array.from(order, (index) => starts[index] as number);
		this.#ends = Float64Array.from(order, (index) => ends[index] as number);
		this.#names = Uint32Array.from(order, (index) => names[index] as number);
	}

	/** The name of the function that covers the address. */
	nameAt(vaddr: number): string | undefined {
		let low = 0;
		let high = this.#starts.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#starts[middle] as number) <= vaddr) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		if (low === 0 || !(vaddr < (this.#ends[low - 1] as number))) {
			return undefined;
		}
		// Aliases follow each other; the first is the one that readelf and nm list first.
		while (low > 1 && this.#starts[low - 2] === this.#starts[low - 1] && vaddr < (this.#ends[low - 2] as number)) {
			low--;
		}
		const at = this.#names[low - 1] as number;
		const left = this.#strings.size - at;
		if (left <= 0) {
			return undefined;
		}
		const name = this.#source.read(this.#strings.offset + at, Math.min(left, MAX_NAME_BYTES));
		const length = name.indexOf(0);
		return length === 0 ? undefined : text(length < 0 ? name : name.subarray(0, length));
	}
}
