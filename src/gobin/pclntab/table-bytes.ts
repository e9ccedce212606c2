import type { ByteSource } from "../../elf/byte-source.ts";
import { text } from "../../elf/little-endian.ts";
import { GomapgrowError } from "../../errors/error.ts";

/** Long enough for the names of deeply nested generic functions. */
const MAX_STRING_BYTES = 65536;

/** A range of a file, addressed from its start; every read is checked against its end. */
export class TableBytes {
	readonly source: ByteSource;
	/** File offset of the start. */
	readonly base: number;
	readonly size: number;

	constructor(source: ByteSource, base: number, size: number) {
		this.source = source;
		this.base = base;
		this.size = size;
	}

	/** Throws E-BIN-MALFORMED when the range is not wholly inside. */
	read(offset: number, length: number): Uint8Array {
		this.#check(offset, length);
		return this.source.read(this.base + offset, length);
	}

	/** Fills `target` with the bytes from the offset on. Throws E-BIN-MALFORMED when they are not wholly inside. */
	readInto(offset: number, target: Uint8Array): void {
		this.#check(offset, target.length);
		this.source.readInto(this.base + offset, target);
	}

	#check(offset: number, length: number): void {
		if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
			throw new GomapgrowError("E-BIN-MALFORMED", {
				wanted: `${length} bytes at offset ${offset} of the Go function table`,
				found: `a table of ${this.size} bytes`,
			});
		}
	}

	/** At most `length` bytes from the offset on; fewer at the end, none behind it. */
	readUpTo(offset: number, length: number): Uint8Array {
		return this.read(offset, Math.max(0, Math.min(length, this.size - offset)));
	}

	/** The NUL-terminated string at the offset. Throws E-BIN-MALFORMED when it is longer than 64 KiB or has no end. */
	string(offset: number): string {
		for (let length = 256; length <= MAX_STRING_BYTES; length *= 4) {
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
