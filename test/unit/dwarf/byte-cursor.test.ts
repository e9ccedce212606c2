import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteCursor } from "../../../src/dwarf/byte-cursor.ts";
import { ByteWriter } from "../../support/dwarf-writer.ts";
import { thrownBy } from "../../support/thrown.ts";

function on(...bytes: number[]): ByteCursor {
	return new ByteCursor(Uint8Array.from(bytes), ".debug_info");
}

describe("LEB128", () => {
	// DWARF 5, tables 7.7 and 7.8 (section 7.6, examples of unsigned and signed LEB128 encodings).
	test.each([
		[2, [0x02]],
		[127, [0x7f]],
		[128, [0x80, 0x01]],
		[129, [0x81, 0x01]],
		[12857, [0xb9, 0x64]],
	])("unsigned %d", (value, bytes) => {
		expect(on(...bytes).uleb()).toBe(value);
	});

	test.each([
		[2, [0x02]],
		[-2, [0x7e]],
		[127, [0xff, 0x00]],
		[-127, [0x81, 0x7f]],
		[128, [0x80, 0x01]],
		[-128, [0x80, 0x7f]],
		[129, [0x81, 0x01]],
		[-129, [0xff, 0x7e]],
	])("signed %d", (value, bytes) => {
		expect(on(...bytes).sleb()).toBe(value);
	});

	test("a small number in ten bytes stays exact", () => {
		expect(on(0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00).uleb()).toBe(5);
		expect(on(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f).sleb()).toBe(-1);
	});

	test("eleven bytes are refused", () => {
		const bytes = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
		for (const read of ["uleb", "sleb", "skipLeb"] as const) {
			expect(thrownBy(() => on(...bytes)[read]()).code).toBe("E-BIN-MALFORMED");
		}
	});

	test("every safe integer is read back and stepped over", () => {
		fc.assert(
			fc.property(fc.maxSafeInteger(), fc.maxSafeNat(), (signed, unsigned) => {
				const bytes = new ByteWriter().sleb(signed).uleb(unsigned).sleb(signed).u8(0x5a).bytes();
				const at = new ByteCursor(bytes, ".debug_info");
				expect(at.sleb()).toBe(signed);
				expect(at.uleb()).toBe(unsigned);
				at.skipLeb();
				expect(at.u8()).toBe(0x5a);
			}),
		);
	});
});

test("numbers of fixed size are little-endian", () => {
	const bytes = Uint8Array.from([0xfe, 0x34, 0x12, 0x01, 0x02, 0x83, 4, 3, 2, 0xf1, 8, 7, 6, 5, 4, 3, 0, 0]);
	const at = new ByteCursor(bytes, ".debug_info");
	expect(at.s8()).toBe(-2);
	expect(at.u16()).toBe(0x1234);
	expect(at.u24()).toBe(0x830201);
	expect(at.u32()).toBe(0xf1020304);
	expect(at.u64()).toBe(0x030405060708);
	expect(at.left).toBe(0);
});

test("text ends at its NUL, and a huge one is cut", () => {
	const at = new ByteCursor(new ByteWriter().text("λ").text("x".repeat(5000)).text("end").bytes(), ".debug_info");
	expect(at.string()).toBe("λ");
	expect(at.string()).toBe(`${"x".repeat(4096)}…`);
	expect(at.string()).toBe("end");
});

test("nothing is read at or behind the end", () => {
	const reads: ((at: ByteCursor) => unknown)[] = [
		(at) => [at.u8(), at.u8()],
		(at) => at.u16(),
		(at) => at.u24(),
		(at) => at.u32(),
		(at) => at.u64(),
		(at) => at.uleb(),
		(at) => at.sleb(),
		(at) => at.skipLeb(),
		(at) => at.string(),
		(at) => at.skipString(),
		(at) => at.skip(2),
		(at) => at.skip(2 ** 60),
		(at) => at.unsigned(3),
	];
	const bytes = new Uint8Array(64).fill(0x81);
	for (const read of reads) {
		// The bytes go on behind the end of the cursor: reading them would succeed.
		expect(thrownBy(() => read(new ByteCursor(bytes, ".debug_info", 9, 10))).code).toBe("E-BIN-MALFORMED");
	}
	for (const [pos, end] of [
		[-1, 10],
		[11, 10],
		[0, 65],
		[Number.NaN, 10],
	] as const) {
		expect(thrownBy(() => new ByteCursor(bytes, ".debug_info", pos, end)).code).toBe("E-BIN-MALFORMED");
	}
});
