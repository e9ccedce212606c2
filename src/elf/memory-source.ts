import { GomapgrowError } from "../errors/error.ts";
import type { ByteSource } from "./byte-source.ts";

/** A ByteSource over bytes that are already in memory; reads are views, nothing is copied. */
export function memorySource(bytes: Uint8Array): ByteSource {
	const read = (offset: number, length: number): Uint8Array => {
		if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
			throw new GomapgrowError("E-BIN-TRUNCATED", {
				wanted: `${length} bytes at file offset ${offset}`,
				found: `a file of ${bytes.length} bytes`,
			});
		}
		return bytes.subarray(offset, offset + length);
	};
	return { size: bytes.length, read, readInto: (offset, target) => target.set(read(offset, target.length)) };
}
