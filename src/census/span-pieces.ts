/**
 * Pieces of a batch by span: reading a page costs as much as reading a few words of it, and what is asked for at one
 * time mostly lies side by side.
 */
import type { ReadBatch } from "./read-batch.ts";
import type { Spans } from "./spans.ts";

/** Spans up to here are read whole. */
const MAX_WHOLE = 16_384;
/** Whole spans of one batch, in bytes; beyond it only what is asked for is read. */
const MAX_BYTES = 6 << 20;

export class SpanPieces {
	readonly #spans: Spans;
	readonly #batch: ReadBatch;
	readonly #pieces: Int32Array;
	/** The batch in which a span's piece is. */
	readonly #batches: Int32Array;
	#current = 0;

	constructor(spans: Spans, batch: ReadBatch) {
		this.#spans = spans;
		this.#batch = batch;
		this.#pieces = new Int32Array(spans.base.length);
		this.#batches = new Int32Array(spans.base.length);
	}

	/** Clears the batch. */
	clear(): void {
		this.#batch.clear();
		this.#current++;
	}

	/**
	 * Adds what has to be read of a span for `length` bytes at an address, a multiple of 8. Returns a place for
	 * `offset`: the piece, and where in it.
	 */
	add(span: number, address: number, length: number): Place {
		const whole = this.#spans.bytes[span] as number;
		if (whole > MAX_WHOLE || length > whole) return this.addAlone(address, length);
		const base = this.#spans.base[span] as number;
		if (this.#batches[span] !== this.#current) {
			if (this.#batch.length + whole > MAX_BYTES) return this.addAlone(address, length);
			this.#batches[span] = this.#current;
			this.#pieces[span] = this.#batch.add(base, whole);
		}
		return (this.#pieces[span] as number) * MAX_WHOLE + (address - base);
	}

	/** A piece of its own. */
	addAlone(address: number, length: number): Place {
		return this.#batch.add(address, length) * MAX_WHOLE;
	}

	/** Where in the batch the bytes of a place are; -1 when they could not be read. */
	offset(place: Place): number {
		const skip = place % MAX_WHOLE;
		const piece = (place - skip) / MAX_WHOLE;
		return this.#batch.isComplete(piece) ? this.#batch.offset(piece) + skip : -1;
	}
}

/** Number of a piece, and where in it, in one number: there are millions of them. */
export type Place = number;
