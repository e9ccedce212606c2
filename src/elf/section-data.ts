import { GomapgrowError } from "../errors/error.ts";
import type { ByteSource } from "./byte-source.ts";
import { u32, u64 } from "./little-endian.ts";
import { type Section, SHT_NOBITS } from "./sections.ts";

const SHF_COMPRESSED = 0x800;
const CHDR_BYTES = 24;
const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;
/** Upper bound of one section after inflation; debug information of the largest Go programs is well below. */
const MAX_INFLATED_BYTES = 1 << 30;
/** Smallest chunkSize that node:zlib takes. */
const MIN_CHUNK = 64;
/** DEFLATE cannot expand further than this (RFC 1951: 258 bytes from two bits), so a larger claim is a lie. */
const MAX_DEFLATE_RATIO = 1040;

/** The section's bytes as they are in the file; empty for SHT_NOBITS. */
function rawSectionBytes(source: ByteSource, section: Section): Uint8Array {
	return section.type === SHT_NOBITS ? new Uint8Array(0) : source.read(section.offset, section.size);
}

/** The section's bytes, inflated if it is SHF_COMPRESSED. Throws E-BIN-MALFORMED, E-BIN-TRUNCATED. */
export function sectionBytes(source: ByteSource, section: Section): Uint8Array {
	const raw = rawSectionBytes(source, section);
	if ((section.flags & SHF_COMPRESSED) === 0) {
		return raw;
	}
	const size = raw.length >= CHDR_BYTES ? u64(raw, 8) : 0;
	return inflate(raw.subarray(CHDR_BYTES), size, raw.length >= CHDR_BYTES ? u32(raw, 0) : 0);
}

/**
 * The bytes of a `.zdebug_*` section, inflated: "ZLIB", the size as a big-endian 64-bit word, a zlib stream (the GNU format
 * that Go wrote up to 1.18, cmd/link/internal/ld/dwarf.go of those versions).
 */
export function zdebugSectionBytes(source: ByteSource, section: Section): Uint8Array {
	const raw = rawSectionBytes(source, section);
	if (raw.length < 12 || u32(raw, 0) !== 0x42494c5a) {
		return raw;
	}
	const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
	return inflate(raw.subarray(12), view.getUint32(4) * 4294967296 + view.getUint32(8), ELFCOMPRESS_ZLIB);
}

function inflate(compressed: Uint8Array, size: number, method: number): Uint8Array {
	if (method !== ELFCOMPRESS_ZLIB && method !== ELFCOMPRESS_ZSTD) {
		throw malformed("a section compressed with zlib or zstd", `compression type ${method}`);
	}
	const claimTooLarge = method === ELFCOMPRESS_ZLIB && size > compressed.length * MAX_DEFLATE_RATIO;
	if (size > MAX_INFLATED_BYTES || claimTooLarge) {
		throw malformed(
			`a compressed section of at most ${MAX_INFLATED_BYTES} bytes`,
			`a header that says ${size} bytes for ${compressed.length} compressed ones`,
		);
	}
	if (size === 0) {
		return new Uint8Array(0);
	}
	// Loaded when it is needed: it brings all of node:stream, 25 ms and 7 MiB that planning has no use for.
	const { inflateSync, zstdDecompressSync } = process.getBuiltinModule("node:zlib");
	let inflated: Uint8Array;
	try {
		// One buffer of the right size instead of many that are put together: faster, and half the memory.
		const options = { maxOutputLength: size, chunkSize: Math.max(size, MIN_CHUNK) };
		inflated = method === ELFCOMPRESS_ZLIB ? inflateSync(compressed, options) : zstdDecompressSync(compressed, options);
	} catch (cause) {
		throw malformed(`a compressed section that inflates to ${size} bytes`, "a damaged stream", cause);
	}
	if (inflated.length !== size) {
		throw malformed(`a compressed section that inflates to ${size} bytes`, `${inflated.length} bytes`);
	}
	return inflated;
}

function malformed(wanted: string, found: string, cause?: unknown): GomapgrowError {
	return new GomapgrowError("E-BIN-MALFORMED", cause === undefined ? { wanted, found } : { wanted, found, cause });
}
