/** A process that exists only in a test: memory made of pieces, with real code of a real program. */
import { type GoBinary, openGoBinary } from "../../../src/gobin/go-binary.ts";
import type { GLayout } from "../../../src/gobin/layouts/struct-layouts.ts";
import type { MemoryRange, MemoryReader } from "../../../src/snapshot/memory-reader.ts";
import { fileSource, goBuild } from "../../support/go-binaries.ts";

export class PretendedMemory implements MemoryReader {
	readonly #pieces = new Map<number, Uint8Array>();
	/** Called before each read, with its number. */
	beforeRead: (number: number) => void = () => {};
	reads = 0;

	/** Puts bytes there; a later piece may not overlap. */
	put(address: number, bytes: Uint8Array): Uint8Array {
		this.#pieces.set(address, bytes);
		return bytes;
	}

	/** Puts 64-bit words there. */
	words(address: number, ...values: number[]): Uint8Array {
		const bytes = new Uint8Array(values.length * 8);
		for (const [index, value] of values.entries()) setWord(bytes, index * 8, value);
		return this.put(address, bytes);
	}

	read(ranges: readonly MemoryRange[]): (Uint8Array | undefined)[] {
		this.beforeRead(++this.reads);
		return ranges.map(({ address, length }) => {
			if (length === 0) return new Uint8Array(0);
			for (const [start, bytes] of this.#pieces) {
				if (address >= start && address + length <= start + bytes.length) {
					return bytes.slice(address - start, address - start + length);
				}
			}
			return undefined;
		});
	}
}

export function setWord(bytes: Uint8Array, at: number, value: number): void {
	new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, BigInt(value), true);
}

export const BINARY: GoBinary = openGoBinary(
	fileSource(goBuild({ version: "1.27", program: "chains", ldflags: "-s -w" })),
);

/** As a position-independent program would have it. */
export const BIAS = 0x1000000;

export const LAYOUT = BINARY.layouts.g as GLayout;

/** A return address in the middle of a function, and the size of its frame there. */
export function placeIn(name: string): { pc: number; frameSize: number } {
	const fn = BINARY.functionsByName([name]).get(name);
	if (fn === undefined) throw new Error(`no function ${name}`);
	// Behind the prologue.
	const pc = fn.entry + Math.floor((fn.end - fn.entry) / 2);
	const frameSize = BINARY.frameSizeAt(pc);
	if (frameSize === undefined) throw new Error(`no frame size in ${name}`);
	return { pc: pc + BIAS, frameSize };
}

export function entryOf(name: string): number {
	return (BINARY.functionsByName([name]).get(name)?.entry ?? Number.NaN) + BIAS;
}

export interface PretendedGoroutine {
	goid: number;
	status: number;
	/** Functions, innermost first; goexit is added. */
	functions: string[];
	waitReason?: number;
	runs?: number;
	startFn?: string;
}

/** Runs out of one goroutine after the other, with a stack of 8 KiB each. */
export class PretendedProcess {
	readonly memory = new PretendedMemory();
	/** The bytes of each runtime.g, and of each stack. */
	readonly goroutines: { address: number; bytes: Uint8Array; stack: Uint8Array; sp: number }[] = [];
	/** The variable runtime.allgs. */
	readonly slice: Uint8Array;
	readonly #list: Uint8Array;

	constructor(capacity = 16) {
		this.slice = this.memory.words((BINARY.allgs ?? 0) + BIAS, 0xc000400000, 0, capacity);
		this.#list = this.memory.put(0xc000400000, new Uint8Array(capacity * 8));
	}

	add(spec: PretendedGoroutine): { address: number; bytes: Uint8Array; stack: Uint8Array; sp: number } {
		const index = this.goroutines.length;
		const address = 0xc000100000 + index * 0x1000;
		const [lo, hi] = [0xc000200000 + index * 0x2000, 0xc000202000 + index * 0x2000];
		const stack = this.memory.put(lo, new Uint8Array(hi - lo));
		const bytes = this.memory.put(address, new Uint8Array(512));
		const places = [...spec.functions.map(placeIn), { pc: entryOf("runtime.goexit") + 1, frameSize: 0 }];
		// The outermost return address is the last word but one, as the runtime makes a stack.
		const size = places.slice(0, -1).reduce((sum, { frameSize }) => sum + frameSize + 8, 0);
		let at = hi - 16 - size;
		const sp = at;
		places.slice(0, -1).forEach(({ frameSize }, number) => {
			at += frameSize;
			setWord(stack, at - lo, places[number + 1]?.pc ?? 0);
			at += 8;
		});
		setWord(bytes, LAYOUT.stackLo, lo);
		setWord(bytes, LAYOUT.stackHi, hi);
		setWord(bytes, LAYOUT.schedSp, sp);
		setWord(bytes, LAYOUT.schedPc, places[0]?.pc ?? 0);
		setWord(bytes, LAYOUT.goid, spec.goid);
		setWord(bytes, LAYOUT.startpc, entryOf(spec.startFn ?? spec.functions.at(-1) ?? ""));
		setWord(bytes, LAYOUT.gopc, placeIn("main.main").pc);
		bytes[LAYOUT.atomicstatus] = spec.status;
		bytes[LAYOUT.waitreason] = spec.waitReason ?? 0;
		if (LAYOUT.trackingSeq !== undefined) bytes[LAYOUT.trackingSeq] = spec.runs ?? 0;
		const goroutine = { address, bytes, stack, sp };
		this.goroutines.push(goroutine);
		setWord(this.#list, index * 8, address);
		setWord(this.slice, 8, this.goroutines.length);
		return goroutine;
	}
}
