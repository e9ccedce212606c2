import { describe, expect, test } from "bun:test";
import { openElf } from "../../../src/elf/elf-file.ts";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { thrownBy } from "../../support/thrown.ts";
import { EHDR, LOAD_ADDRESS, syntheticElf } from "./synthetic-elf.ts";

function open(bytes: Uint8Array) {
	return openElf(memorySource(bytes));
}

function changed(change: (file: Buffer) => void): Uint8Array {
	const file = Buffer.from(syntheticElf());
	change(file);
	return file;
}

describe("what is not a usable ELF file", () => {
	const refused: [string, Uint8Array, string, RegExp][] = [
		["an empty file", new Uint8Array(0), "E-BIN-NOT-ELF", /empty file/],
		["a script", Buffer.from("#!/bin/sh\necho\n"), "E-BIN-NOT-ELF", /script/],
		["text", Buffer.from("hello, world"), "E-BIN-NOT-ELF", /68 65 6c 6c/],
		["three bytes of the magic number", Buffer.from("\x7fEL", "latin1"), "E-BIN-NOT-ELF", /7f 45 4c/],
		["the magic number alone", Buffer.from("\x7fELF", "latin1"), "E-BIN-TRUNCATED", /4 bytes/],
		["half a header", syntheticElf().subarray(0, 40), "E-BIN-TRUNCATED", /40 bytes/],
		["a 32-bit file", changed((file) => file.writeUInt8(1, 4)).subarray(0, 52), "E-BIN-32BIT", /32-bit/],
		["a big-endian file", changed((file) => file.writeUInt8(2, 5)), "E-BIN-ARCH", /big-endian/],
		["a RISC-V file", syntheticElf([], 243), "E-BIN-ARCH", /RISC-V/],
		["an unknown machine", syntheticElf([], 9999), "E-BIN-ARCH", /9999/],
		["an object file", syntheticElf([], 62, 1), "E-BIN-MALFORMED", /object file/],
		["a core dump", syntheticElf([], 62, 4), "E-BIN-MALFORMED", /core dump/],
		["no program headers", changed((file) => file.writeUInt16LE(0, 56)), "E-BIN-MALFORMED", /0 of 56/],
		["odd program headers", changed((file) => file.writeUInt16LE(32, 54)), "E-BIN-MALFORMED", /of 32 bytes/],
		["too many program headers", changed((file) => file.writeUInt16LE(5000, 56)), "E-BIN-MALFORMED", /5000/],
		[
			"program headers behind the end",
			changed((file) => file.writeBigUInt64LE(1n << 40n, 32)),
			"E-BIN-TRUNCATED",
			/file of/,
		],
		[
			"a segment behind the end",
			changed((file) => {
				file.writeBigUInt64LE(1_000_000n, EHDR + 32);
				file.writeBigUInt64LE(1_000_000n, EHDR + 40);
			}),
			"E-BIN-TRUNCATED",
			/bytes/,
		],
		[
			"a segment outside the address space",
			changed((file) => file.writeBigUInt64LE(0xffffffff_ffff0000n, EHDR + 16)),
			"E-BIN-MALFORMED",
			/p_vaddr/,
		],
		[
			"a segment smaller in memory than in the file",
			changed((file) => file.writeBigUInt64LE(1n, EHDR + 40)),
			"E-BIN-MALFORMED",
			/p_memsz 1/,
		],
	];
	test.each(refused)("%s", (_what, bytes, code, found) => {
		const error = thrownBy(() => open(bytes));
		expect(error.code as string).toBe(code);
		expect(error.found).toMatch(found);
	});

	test("section headers behind the end are a cut file", () => {
		const error = thrownBy(() => open(changed((file) => file.writeBigUInt64LE(1n << 30n, 40))).section(".text"));
		expect(error.code).toBe("E-BIN-TRUNCATED");
	});

	test.each([
		["odd section headers", (file: Buffer) => file.writeUInt16LE(40, 58)],
		["a section name table that does not exist", (file: Buffer) => file.writeUInt16LE(77, 62)],
	])("%s", (_what, change) => {
		expect(thrownBy(() => open(changed(change)).sections).code).toBe("E-BIN-MALFORMED");
	});
});

describe("a minimal file", () => {
	const data = Buffer.from("some data");
	const bytes = syntheticElf([{ name: ".data", data }], 183, 3);

	test("is read", () => {
		const elf = open(bytes);
		expect(elf.arch).toBe("arm64");
		expect(elf.pie).toBeTrue();
		expect(elf.static).toBeTrue();
		expect(elf.firstLoadAddress).toBe(LOAD_ADDRESS);
		const section = elf.section(".data");
		expect(section && Buffer.from(elf.sectionBytes(section))).toEqual(data);
		expect(elf.section(".dat")).toBeUndefined();
		expect(elf.section(".data2")).toBeUndefined();
	});

	test("without section headers still has its segments (sstrip)", () => {
		const file = Buffer.from(bytes);
		file.fill(0, 40, 48);
		file.fill(0, 60, 64);
		const elf = open(file);
		expect(elf.sections).toEqual([]);
		expect(elf.symbol("main.main")).toBeUndefined();
		expect(Buffer.from(elf.bytesAt(LOAD_ADDRESS, 4)).toString("latin1")).toBe("\x7fELF");
	});

	test("numbers that do not fit the header are taken from section 0", () => {
		const file = Buffer.from(bytes);
		const shoff = Number(file.readBigUInt64LE(40));
		const count = file.readUInt16LE(60);
		file.writeUInt16LE(0xffff, 56);
		file.writeUInt32LE(1, shoff + 44);
		file.writeUInt16LE(0, 60);
		file.writeBigUInt64LE(BigInt(count), shoff + 32);
		file.writeUInt16LE(0xffff, 62);
		file.writeUInt32LE(count - 1, shoff + 40);
		const elf = open(file);
		expect(elf.segments).toHaveLength(1);
		expect(elf.sections).toHaveLength(count);
		expect(elf.section(".shstrtab")).toBeDefined();
	});

	test("an absurd number of sections is refused before anything is allocated", () => {
		const file = Buffer.from(bytes);
		const shoff = Number(file.readBigUInt64LE(40));
		file.writeUInt16LE(0, 60);
		file.writeBigUInt64LE(1n << 40n, shoff + 32);
		expect(thrownBy(() => open(file).sections).code).toBe("E-BIN-MALFORMED");
	});

	test("addresses outside the file's bytes have no offset", () => {
		const elf = open(bytes);
		const end = LOAD_ADDRESS + bytes.length;
		expect(elf.fileOffset(LOAD_ADDRESS - 1)).toBeUndefined();
		expect(elf.fileOffset(LOAD_ADDRESS)).toBe(0);
		expect(elf.fileOffset(end - 1)).toBe(bytes.length - 1);
		expect(elf.fileOffset(end)).toBeUndefined();
		// The segment is 64 bytes longer in memory: zeros that are not in the file.
		expect(elf.loadAt(end + 63)).toBeDefined();
		expect(elf.loadAt(end + 64)).toBeUndefined();
		expect(thrownBy(() => elf.bytesAt(end - 2, 4)).code).toBe("E-BIN-MALFORMED");
		expect(thrownBy(() => elf.bytesAt(0, 1)).code).toBe("E-BIN-MALFORMED");
	});
});
