/** Which words of objects are pointers, as the garbage collector knows it (runtime/mbitmap.go). */
import type { ReadBatch } from "./read-batch.ts";
import { ARENA_BYTES, type PointerBits } from "./span-layout.ts";
import type { Spans } from "./spans.ts";

/** runtime.spanInlineMarkBits: 64 bytes of scans, 64 of marks (Green Tea, 1.25+). */
const INLINE_MARKS = 128;
const MAX_INLINE = 512;

/** Bytes at the end of a span of such objects that are inline mark bits; the marks are their second half. */
export function inlineMarkBytes(elemSize: number): number {
	return elemSize >= 16 && elemSize <= MAX_INLINE ? INLINE_MARKS : 0;
}

/** Whether the runtime has inline mark bits: then spans of small objects that have pointers hold fewer of them. */
export function hasInlineMarks(spans: Spans): boolean {
	if (spans.pointerBits !== "span-bits") return false;
	for (let span = 0; span < spans.count; span++) {
		const [size, bytes] = [spans.elemSize[span] as number, spans.bytes[span] as number];
		if (spans.noscan[span] !== 0 || inlineMarkBytes(size) === 0 || spans.sizeClass[span] === 0) continue;
		const [without, withMarks] = [bytes - bytes / 64, bytes - bytes / 64 - INLINE_MARKS].map((room) =>
			Math.floor(room / size),
		);
		if (without !== withMarks) return spans.elems[span] === withMarks;
	}
	return false;
}

/**
 * Where the bits of some memory of the heap are, when they are in the arena; undefined when they are in the span.
 * Uses the batch.
 */
export function arenaBits(
	spans: Spans,
	batch: ReadBatch,
	address: number,
	length: number,
): { address: number; length: number } | undefined {
	if (spans.pointerBits === "span-bits") return undefined;
	const arena = spans.arenaAt(batch, address);
	if (arena === undefined) return { address: 0, length: 8 };
	const wordsPerByte = spans.pointerBits === "nibbles" ? 4 : 8;
	const at = Math.floor((address % ARENA_BYTES) / 8 / wordsPerByte);
	return { address: arena + at, length: Math.ceil(length / 8 / wordsPerByte / 8) * 8 };
}

/**
 * The pointer bits of at most 32 words, the first word's bit lowest; `at` is where the bits of word 0 are, `first`
 * the first word.
 */
export function pointerBits(bytes: Uint8Array, at: number, first: number, words: number, kind: PointerBits): number {
	let bits = 0;
	if (kind === "nibbles") {
		for (let i = 0; i < words; i++) {
			const word = first + i;
			if (((bytes[at + (word >>> 2)] as number) >>> (word & 3)) & 1) bits |= 1 << i;
		}
	} else {
		for (let i = 0; i < words; i++) {
			const word = first + i;
			if (((bytes[at + (word >>> 3)] as number) >>> (word & 7)) & 1) bits |= 1 << i;
		}
	}
	return bits >>> 0;
}
