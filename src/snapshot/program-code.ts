/** The code of a running program: its executable's tables, asked with run-time addresses, and remembered. */
import type { GoBinary, MapImpl } from "../gobin/go-binary.ts";
import type { Frame } from "../gobin/pclntab/inline-tree.ts";
import type { MapType } from "../gobin/types/run-time-types.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { CodePoint, StackCode } from "./unwind.ts";

/** Goroutines stand at few places: more than these are not remembered. */
const MAX_REMEMBERED = 65536;

export class ProgramCode implements StackCode {
	readonly binary: GoBinary;
	/** Run-time address minus address in the file. */
	readonly bias: number;
	readonly #points = new Map<number, CodePoint | undefined>();
	readonly #exactPoints = new Map<number, CodePoint | undefined>();
	readonly #functions = new Map<number, string | undefined>();
	readonly #types = new Map<number, MapType | undefined>();

	constructor(binary: GoBinary, bias: number) {
		this.binary = binary;
		this.bias = bias;
	}

	get mapImpl(): MapImpl | undefined {
		return this.binary.mapImpl;
	}

	pointAt(pc: number, exact: boolean): CodePoint | undefined {
		return remembered(exact ? this.#exactPoints : this.#points, pc, () => this.#findPoint(pc, exact));
	}

	/** Source frames of an address inside an instruction, innermost first; empty where nothing has a name. */
	framesAt(pc: number): readonly Frame[] {
		return this.binary.symbolize(pc - this.bias);
	}

	/** The function that has its first instruction there, safe to print; undefined outside the program's code. */
	functionAt(entry: number): string | undefined {
		return remembered(this.#functions, entry, () => {
			const fn = this.framesAt(entry).at(-1)?.fn;
			return fn === undefined ? undefined : sanitize(fn);
		});
	}

	/**
	 * The innermost function, inlined ones included, that the address inside an instruction belongs to; safe to print.
	 */
	functionOf(pc: number): string | undefined {
		const fn = this.framesAt(pc).at(0)?.fn;
		return fn === undefined ? undefined : sanitize(fn);
	}

	#findPoint(pc: number, exact: boolean): CodePoint | undefined {
		const inFile = pc - this.bias;
		const entry = this.binary.functionAt(inFile)?.entry;
		if (entry === undefined) return undefined;
		// A goroutine that has not run yet stands at its function's entry.
		const at = exact || inFile === entry ? inFile : inFile - 1;
		const fn = this.binary.symbolize(at).at(-1)?.fn;
		return fn === undefined ? undefined : { at: at + this.bias, frameSize: this.binary.frameSizeAt(inFile), fn };
	}

	/** The map type whose descriptor is there; undefined when there is none in the executable. */
	mapTypeAt(address: number): MapType | undefined {
		return remembered(this.#types, address, () => this.binary.mapTypeAt(address - this.bias));
	}

	/** Run-time range of the type descriptors. */
	get types(): { start: number; end: number } {
		const { types, etypes } = this.binary.moduleData;
		return { start: types + this.bias, end: etypes + this.bias };
	}
}

function remembered<Value>(cache: Map<number, Value>, key: number, find: () => Value): Value {
	if (cache.has(key)) return cache.get(key) as Value;
	const value = find();
	if (cache.size < MAX_REMEMBERED) cache.set(key, value);
	return value;
}
