import { GomapgrowError } from "../errors/error.ts";

/**
 * Little-endian reads with a bounds check. 64-bit words become JS numbers: exact below 2^53, which covers every user-space
 * address and file offset; larger (malformed) words stay larger than any valid bound, so range checks still refuse them.
 */

const TWO_32 = 4294967296;

function outside(at: number, width: number, length: number): GomapgrowError {
	return new GomapgrowError("E-BIN-MALFORMED", {
		wanted: `${width} bytes at offset ${at} of a table`,
		found: `a table of ${length} bytes`,
	});
}

export function u8(bytes: Uint8Array, at: number): number {
	const value = bytes[at];
	if (value === undefined) {
		throw outside(at, 1, bytes.length);
	}
	return value;
}

export function u16(bytes: Uint8Array, at: number): number {
	if (!(at >= 0 && at + 2 <= bytes.length)) {
		throw outside(at, 2, bytes.length);
	}
	return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

export function i32(bytes: Uint8Array, at: number): number {
	if (!(at >= 0 && at + 4 <= bytes.length)) {
		throw outside(at, 4, bytes.length);
	}
	return (
		(bytes[at] as number) |
		((bytes[at + 1] as number) << 8) |
		((bytes[at + 2] as number) << 16) |
		((bytes[at + 3] as number) << 24)
	);
}

export function u32(bytes: Uint8Array, at: number): number {
	return i32(bytes, at) >>> 0;
}

/** An unsigned 64-bit word, read as two u32. */
export function u64(bytes: Uint8Array, at: number): number {
	return u32(bytes, at) + u32(bytes, at + 4) * TWO_32;
}

const utf8 = new TextDecoder("utf-8");

/** UTF-8 text; malformed sequences become U+FFFD. */
export function text(bytes: Uint8Array): string {
	return utf8.decode(bytes);
}

export function hex(value: number): string {
	return `0x${value.toString(16)}`;
}

export function hexBytes(bytes: Uint8Array): string {
	let out = "";
	for (const byte of bytes) {
		out += byte.toString(16).padStart(2, "0");
	}
	return out;
}

/** The bytes as a Buffer over the same memory, for its native indexOf. */
export function searchable(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
