import { describe, expect, test } from "bun:test";
import { deflateSync, zstdCompressSync } from "node:zlib";
import { openElf } from "../../../src/elf/elf-file.ts";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { thrownBy } from "../../support/thrown.ts";
import { syntheticElf } from "./synthetic-elf.ts";

const SHF_COMPRESSED = 0x800;
const plain = Buffer.from("debug information ".repeat(1000));

function chdr(type: number, size: bigint, stream: Uint8Array): Uint8Array {
	const header = Buffer.alloc(24);
	header.writeUInt32LE(type, 0);
	header.writeBigUInt64LE(size, 8);
	header.writeBigUInt64LE(1n, 16);
	return Buffer.concat([header, stream]);
}

function zdebug(size: bigint, stream: Uint8Array): Uint8Array {
	const header = Buffer.from("ZLIB\0\0\0\0\0\0\0\0");
	header.writeBigUInt64BE(size, 4);
	return Buffer.concat([header, stream]);
}

function debugInfo(name: string, data: Uint8Array, flags = 0): Uint8Array | undefined {
	return openElf(memorySource(syntheticElf([{ name, data, flags }]))).debugSection(".debug_info");
}

describe("compressed sections", () => {
	const size = BigInt(plain.length);

	test("zlib, zstd and the old GNU format are inflated; plain ones are not touched", () => {
		expect(debugInfo(".debug_info", chdr(1, size, deflateSync(plain)), SHF_COMPRESSED)).toEqual(plain);
		expect(debugInfo(".debug_info", chdr(2, size, zstdCompressSync(plain)), SHF_COMPRESSED)).toEqual(plain);
		expect(debugInfo(".zdebug_info", zdebug(size, deflateSync(plain)))).toEqual(plain);
		expect(debugInfo(".debug_info", plain)).toEqual(plain);
		expect(debugInfo(".debug_line", plain)).toBeUndefined();
	});

	const bomb = deflateSync(Buffer.alloc(50 << 20));
	const refused: [string, Uint8Array][] = [
		["a size that is too small", chdr(1, size - 1n, deflateSync(plain))],
		["a size that is too large", chdr(1, size + 1n, deflateSync(plain))],
		["a size that no stream of this length can have", chdr(1, 1n << 40n, deflateSync(plain))],
		["a stream that inflates far beyond its size", chdr(1, 1000n, bomb)],
		["a damaged stream", chdr(1, size, deflateSync(plain).fill(0xaa, 20, 60))],
		["a cut stream", chdr(1, size, deflateSync(plain).subarray(0, 40))],
		["an unknown method", chdr(7, size, deflateSync(plain))],
		["less than a header", new Uint8Array(10)],
	];
	test.each(refused)("%s is malformed", (_what, data) => {
		expect(thrownBy(() => debugInfo(".debug_info", data, SHF_COMPRESSED)).code).toBe("E-BIN-MALFORMED");
	});

	test("a lying size in the old format is malformed", () => {
		expect(thrownBy(() => debugInfo(".zdebug_info", zdebug(1n << 60n, deflateSync(plain)))).code).toBe(
			"E-BIN-MALFORMED",
		);
	});
});
