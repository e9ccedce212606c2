/** Spans in pieces that are read at once, and which of their objects are allocated. */
import { inlineMarkBytes } from "./pointer-bits.ts";
import type { ReadBatch } from "./read-batch.ts";
import type { Spans } from "./spans.ts";

const PIECE_SPANS = 512;
const PIECE_BYTES = 4 << 20;
/** Of one object or area at once. */
export const MAX_CHUNK = 4 << 20;

/** Spans that have pointers, in pieces that are read at once. */
export function* spanPieces(spans: Spans, wanted: (span: number) => boolean): Generator<number[]> {
	let piece: number[] = [];
	let bytes = 0;
	for (let span = 0; span < spans.count; span++) {
		if (spans.noscan[span] !== 0 || !wanted(span)) continue;
		const own = Math.min(MAX_CHUNK, spans.bytes[span] as number);
		if (piece.length > 0 && (piece.length >= PIECE_SPANS || bytes + own > PIECE_BYTES)) {
			yield piece;
			[piece, bytes] = [[], 0];
		}
		piece.push(span);
		bytes += own;
	}
	if (piece.length > 0) yield piece;
}

export interface LiveBits {
	alloc: number;
	mark: number;
}

export function addLiveBits(spans: Spans, batch: ReadBatch, span: number, inlineMarks: boolean): LiveBits {
	const length = Math.ceil((spans.elems[span] as number) / 64) * 8;
	const marks = inlineMarks ? inlineMarkBytes(spans.elemSize[span] as number) : 0;
	const end = (spans.base[span] as number) + (spans.bytes[span] as number);
	return {
		alloc: batch.add(spans.allocBits[span] as number, length),
		mark: batch.add(marks > 0 ? end - marks / 2 : (spans.markBits[span] as number), length),
	};
}

/** Calls for each object that is allocated, or, in a span that is not swept yet, was marked. */
export function forLive(
	spans: Spans,
	batch: ReadBatch,
	span: number,
	alloc: number,
	mark: number,
	visit: (object: number) => void,
): void {
	const unswept = spans.isUnswept(span, spans.heapSweepgen);
	const bits = unswept ? mark : alloc;
	if (!batch.isComplete(bits)) return;
	const at = batch.offset(bits);
	const [elems, free] = [spans.elems[span] as number, spans.freeIndex[span] as number];
	for (let object = 0; object < elems; object++) {
		const set = ((batch.bytes[at + (object >>> 3)] as number) >>> (object & 7)) & 1;
		if (set !== 0 || (!unswept && object < free)) visit(object);
	}
}
