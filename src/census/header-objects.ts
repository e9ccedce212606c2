/**
 * The allocated objects that have the size and the pointers of a map header, span by span. A piece of spans is read
 * between two looks at the collector's generation, each span's own fields after its memory; what changed meanwhile
 * is read again.
 */

import { arenaBits, inlineMarkBytes, pointerBits } from "./pointer-bits.ts";
import type { ReadBatch } from "./read-batch.ts";
import type { Spans } from "./spans.ts";

const MAX_PIECE_SPANS = 128;
const MAX_PIECE_BYTES = 2 << 20;
const ROUNDS = 8;

/** What to look for. */
export interface HeaderShape {
	/** Bytes of the header itself. */
	bytes: number;
	/** Of the objects that hold one. */
	elemSize: number;
	/** Which of its words are pointers. */
	pointers: number;
}

/** Called for each object: where its bytes are in the batch. The batch is not to be used. */
export type VisitHeader = (address: number, at: number, span: number, index: number) => void;

export interface HeaderScan {
	/** Spans that never held still. */
	unstable: number;
}

/** Numbers of the spans that can hold headers. */
export function headerSpans(spans: Spans, shape: HeaderShape): number[] {
	const found: number[] = [];
	for (let span = 0; span < spans.count; span++) {
		if (spans.elemSize[span] === shape.elemSize && spans.noscan[span] === 0) found.push(span);
	}
	return found;
}

/** Goes through the spans in pieces; `afterPiece` may use the batch. */
export function scanHeaders(
	spans: Spans,
	batch: ReadBatch,
	list: readonly number[],
	shape: HeaderShape,
	inlineMarks: boolean,
	visit: VisitHeader,
	afterPiece: () => void,
): HeaderScan {
	const scan: HeaderScan = { unstable: 0 };
	for (let from = 0; from < list.length; ) {
		const piece: number[] = [];
		for (let bytes = 0; from < list.length && piece.length < MAX_PIECE_SPANS && bytes < MAX_PIECE_BYTES; from++) {
			const span = list[from] as number;
			piece.push(span);
			bytes += spans.bytes[span] as number;
		}
		readPiece(spans, batch, piece, shape, inlineMarks, visit, afterPiece, scan);
	}
	return scan;
}

function readPiece(
	spans: Spans,
	batch: ReadBatch,
	piece: readonly number[],
	shape: HeaderShape,
	inlineMarks: boolean,
	visit: VisitHeader,
	afterPiece: () => void,
	scan: HeaderScan,
): void {
	let left = piece;
	for (let round = 0; left.length > 0; round++) {
		const again: number[] = [];
		const bits = left.map((span) => arenaBits(spans, batch, spans.base[span] as number, spans.bytes[span] as number));
		batch.clear();
		const before = spans.addSweepgen(batch);
		const pieces = left.map((span, index) => addSpan(spans, batch, span, bits[index], inlineMarks));
		const after = spans.addSweepgen(batch);
		batch.read();
		const generation = spans.sweepgenIn(batch, before);
		const collected = generation !== spans.sweepgenIn(batch, after);
		left.forEach((span, index) => {
			const { mspan, alloc } = pieces[index] as SpanPieces;
			const state = batch.isComplete(mspan) ? spans.update(batch, batch.offset(mspan), span) : "gone";
			if (state === "gone") return;
			if ((state === "changed" || collected) && round < ROUNDS) {
				again.push(span);
				return;
			}
			if (state === "changed" || collected) scan.unstable++;
			if (batch.isComplete(alloc)) {
				visitSpan(spans, batch, span, pieces[index] as SpanPieces, shape, generation, visit);
			}
		});
		left = again;
	}
	afterPiece();
}

interface SpanPieces {
	alloc: number;
	mark: number;
	memory: number;
	mspan: number;
	/** Pointer bits: a piece of their own, or undefined: at the end of the memory. */
	bits: number | undefined;
	inlineMarks: number;
}

function addSpan(
	spans: Spans,
	batch: ReadBatch,
	span: number,
	bits: { address: number; length: number } | undefined,
	inlineMarks: boolean,
): SpanPieces {
	const length = Math.ceil((spans.elems[span] as number) / 64) * 8;
	const [base, bytes] = [spans.base[span] as number, spans.bytes[span] as number];
	const marks = inlineMarks ? inlineMarkBytes(spans.elemSize[span] as number) : 0;
	return {
		alloc: batch.add(spans.allocBits[span] as number, length),
		mark: marks > 0 ? batch.add(base + bytes - marks / 2, length) : batch.add(spans.markBits[span] as number, length),
		memory: batch.add(base, bytes),
		mspan: batch.add(spans.address[span] as number, spans.layout.bytes),
		bits: bits === undefined ? undefined : batch.add(bits.address, bits.length),
		inlineMarks: marks,
	};
}

function visitSpan(
	spans: Spans,
	batch: ReadBatch,
	span: number,
	{ alloc, mark, memory, bits, inlineMarks }: SpanPieces,
	shape: HeaderShape,
	generation: number,
	visit: VisitHeader,
): void {
	const unswept = spans.isUnswept(span, generation);
	if (!batch.isComplete(memory) || (unswept && !batch.isComplete(mark))) return;
	if (bits !== undefined && !batch.isComplete(bits)) return;
	const [elems, free] = [spans.elems[span] as number, spans.freeIndex[span] as number];
	const [base, size, bytes] = [spans.base[span] as number, shape.elemSize, spans.bytes[span] as number];
	const live = batch.offset(unswept ? mark : alloc);
	const start = batch.offset(memory);
	const bitsAt = bits === undefined ? start + bytes - bytes / 64 - inlineMarks : batch.offset(bits);
	const words = shape.bytes / 8;
	for (let index = 0; index < elems; index++) {
		const marked = ((batch.bytes[live + (index >>> 3)] as number) >>> (index & 7)) & 1;
		if (marked === 0 && (unswept || index >= free)) continue;
		const found = pointerBits(batch.bytes, bitsAt, (index * size) / 8, words, spans.pointerBits);
		if (found !== shape.pointers) continue;
		visit(base + index * size, start + index * size, span, index);
	}
}
