/** Passes over parts of a file that may be large, in bounded memory. */
import type { ByteSource } from "./byte-source.ts";

const CHUNK = 1 << 17;

export interface Chunk {
	/** Valid until the next chunk is asked for. */
	bytes: Buffer;
	/** File offset of the first byte. */
	start: number;
	/** How many of the bytes are in no later chunk: what starts behind them is met again there. */
	own: number;
}

/**
 * The range a chunk of `step` bytes at a time; each also has the first `overlap` bytes of the next. Throws E-BIN-TRUNCATED when the range
 * is not wholly inside the file.
 */
export function* chunks(
	source: ByteSource,
	offset: number,
	size: number,
	overlap: number,
	step: number = CHUNK,
): Generator<Chunk> {
	// Never a part of a shared pool: it is 8-byte aligned.
	const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(size, step + overlap)));
	for (let done = 0; done < size; done += step) {
		const bytes = buffer.subarray(0, Math.min(buffer.length, size - done));
		source.readInto(offset + done, bytes);
		yield { bytes, start: offset + done, own: Math.min(step, size - done) };
	}
}

/** File offsets at which the pattern stands in the range, in ascending order. Throws E-BIN-TRUNCATED. */
export function* occurrences(source: ByteSource, offset: number, size: number, pattern: Buffer): Generator<number> {
	for (const { bytes, start, own } of chunks(source, offset, size, pattern.length - 1)) {
		for (let at = bytes.indexOf(pattern); at >= 0 && at < own; at = bytes.indexOf(pattern, at + 1)) {
			yield start + at;
		}
	}
}
