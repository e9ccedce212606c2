/**
 * What the object that holds buckets or groups says about their type: its size, its header, or which of its words
 * are pointers.
 */

import { MAX_WITHOUT_HEADER } from "../gomap/size-classes.ts";
import { arenaBits, inlineMarkBytes, pointerBits } from "./pointer-bits.ts";
import type { ReadBatch } from "./read-batch.ts";
import { NONE, type Shapes } from "./shapes.ts";
import { ARENA_BYTES } from "./span-layout.ts";
import type { Place, SpanPieces } from "./span-pieces.ts";
import type { Spans } from "./spans.ts";

const MAX_SMALL = 32768;

interface Entry {
	set: number;
	bytes: number;
	/** Type in the header of the object's span; 0 without. */
	largeType: number;
	header: Place | undefined;
	bits: Place | undefined;
	/** First word of the object, counted from where the piece of bits begins. */
	firstWord: number;
}

export interface EvidenceResult {
	/** Types that are left. */
	set: number;
	/** A header says so. */
	exact: boolean;
	/** Of the object. */
	bytes: number;
}

export class GroupEvidence {
	readonly #spans: Spans;
	readonly #shapes: Shapes;
	readonly #batch: ReadBatch;
	readonly #pieces: SpanPieces;
	readonly #inlineMarks: boolean;
	#entries: Entry[] = [];

	constructor(spans: Spans, shapes: Shapes, batch: ReadBatch, pieces: SpanPieces, inlineMarks: boolean) {
		this.#spans = spans;
		this.#shapes = shapes;
		this.#batch = batch;
		this.#pieces = pieces;
		this.#inlineMarks = inlineMarks;
	}

	clear(): void {
		this.#entries = [];
	}

	/** Finds out where the bits of that memory are, before the batch is filled. */
	prepare(address: number): void {
		if (this.#spans.pointerBits !== "span-bits" && this.#spans.at(address) >= 0) {
			this.#spans.arenaAt(this.#batch, address);
		}
	}

	/**
	 * Adds what has to be read of the object at `address` that holds 2^log2 buckets or groups. Returns a number for
	 * `result`, -1 when no type has such an array.
	 */
	add(address: number, log2: number, classic: boolean): number {
		const spans = this.#spans;
		const span = spans.at(address);
		if (span < 0) return -1;
		const start = spans.objectAt(span, address);
		if (start === 0) return -1;
		const [size, noscan] = [spans.elemSize[span] as number, spans.noscan[span] !== 0];
		const isLarge = spans.sizeClass[span] === 0 || size > MAX_SMALL;
		const hasHeader = spans.classes.headers && !noscan && size > MAX_WITHOUT_HEADER;
		if (address - start !== (hasHeader && !isLarge ? 8 : 0)) return -1;
		const set = this.#shapes.bySize(size, noscan, log2, classic);
		if (set === NONE) return -1;
		const entry: Entry = {
			set,
			bytes: size,
			largeType: 0,
			header: undefined,
			bits: undefined,
			firstWord: 0,
		};
		if (hasHeader && isLarge) entry.largeType = spans.largeType[span] as number;
		else if (hasHeader) entry.header = this.#pieces.add(span, start, 8);
		else if (!noscan) this.#addBits(entry, span, address);
		return this.#entries.push(entry) - 1;
	}

	#addBits(entry: Entry, span: number, address: number): void {
		const spans = this.#spans;
		const length = Math.min(entry.bytes, this.#shapes.wordsOf(entry.set) * 8);
		const [base, bytes] = [spans.base[span] as number, spans.bytes[span] as number];
		if (spans.pointerBits === "span-bits") {
			const marks = this.#inlineMarks ? inlineMarkBytes(spans.elemSize[span] as number) : 0;
			this.#addPiece(entry, span, base + bytes - bytes / 64 - marks, (address - base) / 8, length / 8, 8);
			return;
		}
		// `prepare` has looked the arena up: nothing is read here.
		const bits = arenaBits(spans, this.#batch, address, length);
		const perByte = spans.pointerBits === "nibbles" ? 4 : 8;
		if (bits === undefined || bits.address === 0) return;
		const word = (address % ARENA_BYTES) / 8;
		this.#addPiece(entry, -1, bits.address - Math.floor(word / perByte), word, length / 8, perByte);
	}

	/**
	 * The aligned words that hold the bits of `words` words from `first` on. `span`: that holds the bits, -1 for those
	 * of an arena.
	 */
	#addPiece(entry: Entry, span: number, start: number, first: number, words: number, perByte: number): void {
		const from = Math.floor((start + Math.floor(first / perByte)) / 8) * 8;
		const to = start + Math.ceil((first + words) / perByte);
		entry.bits = span < 0 ? this.#pieces.addAlone(from, to - from) : this.#pieces.add(span, from, to - from);
		entry.firstWord = first - (from - start) * perByte;
	}

	/** Valid after the batch was read, until it is cleared. */
	result(number: number): EvidenceResult {
		const entry = this.#entries[number];
		if (entry === undefined) return { set: NONE, exact: false, bytes: 0 };
		const { set, bytes, largeType, header, bits, firstWord } = entry;
		const batch = this.#batch;
		if (largeType !== 0) return { set: this.#shapes.withHeader(set, largeType), exact: true, bytes };
		if (header !== undefined) {
			const at = this.#pieces.offset(header);
			return { set: this.#shapes.withHeader(set, at < 0 ? 0 : batch.word(at)), exact: true, bytes };
		}
		if (bits === undefined) return { set, exact: false, bytes };
		const at = this.#pieces.offset(bits);
		if (at < 0) return { set: NONE, exact: false, bytes };
		const kind = this.#spans.pointerBits;
		const words = Math.min(this.#shapes.wordsOf(set), Math.floor(bytes / 8));
		const low = pointerBits(batch.bytes, at, firstWord, Math.min(32, words), kind);
		const high = words > 32 ? pointerBits(batch.bytes, at, firstWord + 32, words - 32, kind) : 0;
		return { set: this.#shapes.withPointers(set, low, high), exact: false, bytes };
	}
}
