import type { ByteSource } from "../elf/byte-source.ts";
import { text } from "../elf/little-endian.ts";
import { GomapgrowError } from "../errors/error.ts";

/** Long enough for the names of deeply nested generic functions. */
const MAX_STRING_BYTES = 65536;
const WINDOW_BYTES = 1 << 20;

/** A range of a file, addressed from its start; every read is checked against its end. */
export class TableBytes {
	readonly #source: ByteSource;
	readonly #base: number;
	readonly size: number;

	constructor(source: ByteSource, base: number, size: number) {
		this.#source = source;
		this.#base = base;
		this.size = size;
	}

	/** Throws E-BIN-MALFORMED when the range is not wholly inside. */
	read(offset: number, length: number): Uint8Array {
		if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: `${length} bytes at offset ${offset} of the Go function table`,
				found: `a table of ${this.size} bytes`,
			});
		}
		return this.#source.read(this.#base + offset, length);
	}

	/** At most `length` bytes from the offset on; fewer at the end, none behind it. */
	readUpTo(offset: number, length: number): Uint8Array {
		return this.read(offset, Math.max(0, Math.min(length, this.size - offset)));
	}

	/** A window for a pass over the table. */
	slidingWindow(): SlidingWindow {
		return new SlidingWindow(this);
	}

	/** The NUL-terminated string at the offset. Throws E-BIN-MALFORMED when it is longer than 64 KiB or has no end. */
	string(offset: number): string {
		for (let length = 256; length <= MAX_STRING_BYTES; length *= 16) {
			const bytes = this.readUpTo(offset, length);
			const end = bytes.indexOf(0);
			if (end >= 0) {
				return text(bytes.subarray(0, end));
			}
			if (bytes.length < length) {
				break;
			}
		}
		throw new GomapgrowError("E-BIN-MALFORMED", {
			wanted: "a NUL-terminated name in the Go function table",
			found: `none at offset ${offset}`,
		});
	}
}

/** Reads a MiB at a time and keeps only the last ones: bounded memory for a pass over a table of any size. */
export class SlidingWindow {
	readonly #table: TableBytes;
	#start = 0;
	/** The bytes that the last `seek` made available. */
	bytes: Uint8Array = new Uint8Array(0);

	constructor(table: TableBytes) {
		this.#table = table;
	}

	/** Makes `length` bytes (or those up to the table's end) from the offset on available; returns the index of the first. */
	seek(offset: number, length: number): number {
		const index = offset - this.#start;
		if (index >= 0 && index + Math.min(length, this.#table.size - offset) <= this.bytes.length) {
			return index;
		}
		this.bytes = this.#table.readUpTo(offset, Math.max(length, WINDOW_BYTES));
		this.#start = offset;
		return 0;
	}
}
