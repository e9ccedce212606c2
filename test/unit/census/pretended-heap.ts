/**
 * A Go heap that exists only in a test, for a real program of Go 1.27: spans with objects, and the program's own
 * type descriptors.
 */

import type { BatchReader } from "../../../src/census/read-batch.ts";
import { locateHeap } from "../../../src/census/runtime-heap.ts";
import { type GoBinary, openGoBinary } from "../../../src/gobin/go-binary.ts";
import { SizeClasses } from "../../../src/gomap/size-classes.ts";
import { fileSource, goBuild } from "../../support/go-binaries.ts";

export const BINARY: GoBinary = openGoBinary(
	fileSource(goBuild({ version: "1.27", program: "mapcensus", ldflags: "-s -w" })),
);

const HEAP = 0x2f0000000000;
const MSPANS = 0x7f1000000000;
const PAGE = 8192;
const MSPAN = 160;

interface PretendedSpan {
	base: number;
	bytes: Uint8Array;
	elemSize: number;
	elems: number;
	used: number;
	noscan: boolean;
}

const CLASSES = new SizeClasses(27);
const sizeClassOf = (bytes: number): number =>
	1 + Array.from({ length: CLASSES.count }, (_, index) => CLASSES.sizeOf(index + 1)).indexOf(bytes);

export class PretendedHeap implements BatchReader {
	readonly #pieces: { start: number; bytes: Uint8Array }[] = [];
	readonly #spans: PretendedSpan[] = [];
	readonly #mspans = new Uint8Array(64 * 256);
	readonly #list = new Uint8Array(64 * 8);
	readonly #mheap = new Uint8Array(4096);
	readonly #mheapStart: number;
	/** Called before each batch, with its number. */
	beforeRead: (number: number) => void = () => {};
	reads = 0;

	constructor() {
		const heap = locateHeap(BINARY);
		if (heap === undefined) throw new Error("no heap in the program's code");
		this.#mheapStart = heap.sweepgen - 8;
		this.#put(this.#mheapStart, this.#mheap);
		this.#put(MSPANS, this.#mspans);
		this.#put(MSPANS + 0x100000, this.#list);
		// Allocation bits: nothing was ever swept, what is allocated is below freeindex.
		this.#put(MSPANS + 0x200000, new Uint8Array(4096));
		set(this.#mheap, heap.allspans - this.#mheapStart, MSPANS + 0x100000);
		set(this.#mheap, heap.allspans - this.#mheapStart + 16, 64);
		set(this.#mheap, 8, 4);
		const { types, etypes } = BINARY.moduleData;
		this.#put(types, BINARY.bytesAt(types, etypes - types));
	}

	#put(start: number, bytes: Uint8Array): void {
		this.#pieces.push({ start, bytes });
	}

	/** All bytes that can be read, for tests that damage them. */
	get pieces(): readonly Uint8Array[] {
		return this.#pieces.map(({ bytes }) => bytes);
	}

	/**
	 * An object in a span of that size class. `pointers`: which of its words are pointers; undefined: none of the
	 * span.
	 */
	allocate(elemSize: number, words: readonly (number | bigint)[], pointers?: readonly number[]): number {
		const noscan = pointers === undefined;
		const span =
			this.#spans.find((each) => each.elemSize === elemSize && each.noscan === noscan && each.used < each.elems) ??
			this.#addSpan(elemSize, noscan);
		const index = span.used++;
		const at = index * elemSize;
		for (const [word, value] of words.entries()) set(span.bytes, at + word * 8, value);
		const bits = PAGE - PAGE / 64 - 128;
		for (const word of pointers ?? []) {
			const bit = at / 8 + word;
			span.bytes[bits + (bit >>> 3)] = (span.bytes[bits + (bit >>> 3)] ?? 0) | (1 << (bit & 7));
		}
		this.#writeSpan(span);
		return span.base + at;
	}

	/** Changes a word of an object. */
	write(address: number, value: number | bigint): void {
		const piece = this.#pieces.find(({ start, bytes }) => address >= start && address + 8 <= start + bytes.length);
		if (piece === undefined) throw new Error("no such address");
		set(piece.bytes, address - piece.start, value);
	}

	#addSpan(elemSize: number, noscan: boolean): PretendedSpan {
		const room = noscan ? PAGE : PAGE - PAGE / 64 - 128;
		const base = HEAP + this.#spans.length * PAGE;
		const elems = Math.floor(room / elemSize);
		const span = { base, bytes: new Uint8Array(PAGE), elemSize, elems, used: 0, noscan };
		this.#spans.push(span);
		this.#put(base, span.bytes);
		const heap = locateHeap(BINARY);
		if (heap !== undefined) set(this.#mheap, heap.allspans - this.#mheapStart + 8, this.#spans.length);
		return span;
	}

	/** runtime.mspan of Go 1.22 and newer. */
	#writeSpan(span: PretendedSpan): void {
		const index = this.#spans.indexOf(span);
		const at = index * 256;
		set(this.#list, index * 8, MSPANS + at);
		const mspan = this.#mspans.subarray(at, at + MSPAN);
		const view = new DataView(mspan.buffer, mspan.byteOffset, MSPAN);
		set(mspan, 24, span.base);
		set(mspan, 32, 1);
		view.setUint16(48, span.used, true);
		view.setUint16(50, span.elems, true);
		set(mspan, 64, MSPANS + 0x200000);
		set(mspan, 72, MSPANS + 0x200000);
		view.setUint32(88, 4, true);
		view.setUint8(98, sizeClassOf(span.elemSize) * 2 + Number(span.noscan));
		view.setUint8(99, 1);
		set(mspan, 104, span.elemSize);
	}

	readBatch(ranges: Uint32Array, count: number, out: Uint8Array, complete: Uint8Array): void {
		this.beforeRead(++this.reads);
		let to = 0;
		for (let i = 0; i < count; i++) {
			const address = (ranges[i * 4] ?? 0) + (ranges[i * 4 + 1] ?? 0) * 2 ** 32;
			const length = ranges[i * 4 + 2] ?? 0;
			const piece = this.#pieces.find(
				({ start, bytes }) => address >= start && address + length <= start + bytes.length,
			);
			complete[i] = Number(piece !== undefined);
			if (piece !== undefined) out.set(piece.bytes.subarray(address - piece.start, address - piece.start + length), to);
			to += length;
		}
	}
}

function set(bytes: Uint8Array, at: number, value: number | bigint): void {
	new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, BigInt(value), true);
}

/** Control bytes of a group with so many entries. */
export function control(entries: number): bigint {
	let value = 0n;
	for (let slot = 0; slot < 8; slot++) value |= BigInt(slot < entries ? slot + 1 : 0x80) << BigInt(slot * 8);
	return value;
}
