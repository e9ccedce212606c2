import type { ElfFile } from "../../elf/elf-file.ts";
import { GomapgrowError } from "../../errors/error.ts";
import { BoundedTable } from "../../lib/bounded-table.ts";
import type { FunctionTable } from "./function-table.ts";
import type { Pclntab } from "./header.ts";
import { type Frame, framesOf } from "./inline-tree.ts";
import { cutIntoStretches, type Stretches, stretchAt } from "./line-ranges.ts";

/**
 * Bytes that are remembered, about: of a function, of each of its stretches, of the frames of one that was asked for.
 * About a thousand functions: who asks for the same addresses again and again remembers their frames, too.
 */
const CAPACITY = 1 << 20;
const FUNCTION_BYTES = 500;
const STRETCH_BYTES = 16;
const FRAMES_BYTES = 200;

interface KnownFunction {
	entry: number;
	stretches: Stretches;
	/** By stretch: what was asked for so far. */
	frames: (readonly Frame[] | undefined)[];
}

/** One stretch, of which nothing is known. */
const NO_POSITIONS: Stretches = { starts: Uint32Array.of(0), values: Int32Array.of(-1, 0, -1) };

/** Frames by address. Remembers them by stretch, so that of a hot function no address is decoded twice. */
export class Symbolizer {
	readonly #elf: ElfFile;
	readonly #functions: FunctionTable;
	readonly #table: Pclntab;
	readonly #gofunc: number | undefined;
	readonly #known = new BoundedTable<number, KnownFunction>(CAPACITY, { weigh: weightOf });

	/** `gofunc` is from the module data. */
	constructor(elf: ElfFile, functions: FunctionTable, table: Pclntab, gofunc: number | undefined) {
		this.#elf = elf;
		this.#functions = functions;
		this.#table = table;
		this.#gofunc = gofunc;
	}

	/**
	 * The frames of an address, innermost first; undefined outside Go code. Equal frames are one array: do not change it. Of a function
	 * whose tables are damaged nothing but the name is known, or not even that: then there is no frame.
	 */
	framesAt(vaddr: number): readonly Frame[] | undefined {
		const index = this.#functions.indexAt(vaddr);
		if (index === undefined) {
			return undefined;
		}
		let known = this.#known.get(index);
		if (known === undefined) {
			known = this.#read(index);
			this.#known.set(index, known);
		}
		const { entry, stretches, frames } = known;
		const stretch = stretchAt(stretches, vaddr - entry);
		const remembered = frames[stretch];
		if (remembered !== undefined) {
			return remembered;
		}
		const made = this.#frames(index, stretches, stretch);
		frames[stretch] = made;
		this.#known.grow(index, FRAMES_BYTES);
		return made;
	}

	#read(index: number): KnownFunction {
		const read = (): KnownFunction => {
			const record = this.#functions.record(index);
			return { entry: record.entry, stretches: cutIntoStretches(this.#functions, record), frames: [] };
		};
		return unlessDamaged(read, () => ({ entry: 0, stretches: NO_POSITIONS, frames: [this.#nameOnly(index)] }));
	}

	#frames(index: number, stretches: Stretches, stretch: number): readonly Frame[] {
		const read = (): Frame[] => {
			const record = this.#functions.record(index);
			return framesOf(this.#elf, this.#functions, this.#table, this.#gofunc, record, stretches, stretch);
		};
		return unlessDamaged(read, () => this.#nameOnly(index));
	}

	#nameOnly(index: number): readonly Frame[] {
		return unlessDamaged<readonly Frame[]>(
			() => [{ fn: this.#functions.nameAt(this.#functions.record(index).nameOffset) }],
			() => [],
		);
	}
}

function unlessDamaged<T>(read: () => T, otherwise: () => T): T {
	try {
		return read();
	} catch (error) {
		if (error instanceof GomapgrowError && (error.code === "E-BIN-MALFORMED" || error.code === "E-BIN-TRUNCATED")) {
			return otherwise();
		}
		throw error;
	}
}

function weightOf({ stretches, frames }: KnownFunction): number {
	const asked = frames.reduce((count) => count + 1, 0);
	return FUNCTION_BYTES + stretches.starts.length * STRETCH_BYTES + asked * FRAMES_BYTES;
}
