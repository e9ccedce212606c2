import type { ByteSource } from "../../src/elf/byte-source.ts";
import { GomapgrowError } from "../../src/errors/error.ts";

/** Bytes that replace others of a file. */
export interface Patch {
	at: number;
	bytes: Uint8Array;
}

/** A damaged copy of a file: later patches lie over earlier ones, and the file ends at `size`. */
export interface Variant {
	patches: Patch[];
	size: number;
}

/** A file with patches over it, without copying it; counts what readers ask for. */
export class PatchedSource implements ByteSource {
	readonly size: number;
	/** Sum of the lengths asked for. */
	asked = 0;
	/** Requests that no reader should ever make, whatever the file says: not whole or negative numbers. */
	readonly absurd: string[] = [];
	readonly #base: Uint8Array;
	readonly #patches: readonly Patch[];

	constructor(base: Uint8Array, variant: Variant) {
		this.#base = base;
		this.#patches = variant.patches;
		this.size = Math.min(variant.size, base.length);
	}

	read(offset: number, length: number): Uint8Array {
		if (!(Number.isInteger(offset) && offset >= 0 && Number.isInteger(length) && length >= 0)) {
			this.absurd.push(`read(${offset}, ${length})`);
		}
		if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
			throw new GomapgrowError("E-BIN-TRUNCATED", {
				wanted: `${length} bytes at file offset ${offset}`,
				found: `a file of ${this.size} bytes`,
			});
		}
		this.asked += length;
		const view = this.#base.subarray(offset, offset + length);
		let copy: Uint8Array | undefined;
		for (const { at, bytes } of this.#patches) {
			if (at < offset + length && at + bytes.length > offset) {
				copy ??= view.slice();
				const from = Math.max(0, offset - at);
				copy.set(bytes.subarray(from, offset + length - at), at + from - offset);
			}
		}
		return copy ?? view;
	}

	readInto(offset: number, target: Uint8Array): void {
		target.set(this.read(offset, target.length));
	}
}
