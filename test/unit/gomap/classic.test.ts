/** What the bytes of an hmap say about the growth that begins, against the arithmetic of runtime/map.go. */
import { describe, expect, test } from "bun:test";
import { type ClassicGrowth, classicGrowth } from "../../../src/gomap/classic.ts";
import { loadFactorNumerator } from "../../../src/gomap/sizing.ts";
import { hmapBytes, viewOf } from "../kernel/raw-records.ts";

type Fields = Parameters<typeof hmapBytes>[0];

function growth(fields: Fields, minor = 23, bucketBytes?: number): ClassicGrowth {
	const found = classicGrowth(viewOf(hmapBytes(fields)), minor, bucketBytes);
	if (found === undefined) throw new Error("no growth");
	return found;
}

test("all that there is to say of one", () => {
	expect(growth({ count: 52, b: 3, flags: 4, overflow: 2, seed: 0xfedcba98 }, 23, 208)).toEqual({
		kind: "double",
		cause: "load",
		count: 52,
		capacityBefore: 64,
		capacityAfter: 128,
		bytes: 17 * 208,
		bBefore: 3,
		bAfter: 4,
		overflowBuckets: 2,
		moved: 52,
		iterating: false,
		seed: "0xfedcba98",
	});
	expect(growth({ count: 51, b: 3, flags: 5, overflow: 8, seed: 0xab }, 23, 208)).toEqual({
		kind: "same-size",
		cause: "overflow",
		count: 51,
		capacityBefore: 64,
		capacityAfter: 64,
		bytes: 8 * 208,
		bBefore: 3,
		bAfter: 3,
		overflowBuckets: 8,
		moved: 51,
		iterating: true,
		seed: "0x000000ab",
	});
});

describe("the load factor", () => {
	// Counts at which hashGrow runs when keys are added one by one: 8, then 6.5 or 6 for each bucket (B from 0). The first nine were measured with Go 1.19 and 1.21.
	const SERIES: Record<string, number[]> = {
		"6.5": [8, 13, 26, 52, 104, 208, 416, 832, 1664, 3328, 6656, 13_312, 26_624, 53_248, 106_496, 212_992, 425_984],
		"6": [8, 12, 24, 48, 96, 192, 384, 768, 1536, 3072, 6144, 12_288, 24_576, 49_152, 98_304, 196_608, 393_216],
	};

	test.each([15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25])("of Go 1.%d", (minor) => {
		const factor = minor === 21 ? "6" : "6.5";
		expect(loadFactorNumerator(minor) / 2).toBe(Number(factor));
		(SERIES[factor] ?? []).forEach((count, b) => {
			expect(growth({ count, b }, minor)).toMatchObject({
				kind: "double",
				cause: "load",
				bBefore: b,
				bAfter: b + 1,
				capacityBefore: 8 * 2 ** b,
				capacityAfter: 16 * 2 ** b,
				moved: count,
			});
			// One entry earlier it would not have been the load.
			expect(growth({ count: count - 1, b }, minor)).toMatchObject({
				kind: "same-size",
				cause: "overflow",
				bAfter: b,
				capacityAfter: 8 * 2 ** b,
			});
		});
	});

	test("of a small map is never reached below nine entries", () => {
		for (let count = 0; count < 8; count++) expect(growth({ count, b: 0 })).toMatchObject({ kind: "same-size" });
	});

	test("of maps that are as large as memory", () => {
		for (let b = 17; b <= 46; b++) {
			const count = 13 * 2 ** (b - 1);
			expect(growth({ count, b })).toMatchObject({ kind: "double", count, capacityAfter: 2 ** (b + 4) });
			expect(growth({ count: count - 1, b })).toMatchObject({ kind: "same-size", capacityAfter: 2 ** (b + 3) });
		}
	});
});

describe("bytes", () => {
	// makeBucketArray: one sixteenth more as overflow buckets from B = 4 on.
	const BUCKETS: [newB: number, buckets: number][] = [
		[1, 2],
		[2, 4],
		[3, 8],
		[4, 17],
		[5, 34],
		[6, 68],
		[7, 136],
		[8, 272],
		[12, 4352],
		[16, 69_632],
		[20, 1_114_112],
	];

	test.each(BUCKETS)("of 2^%d buckets", (newB, buckets) => {
		for (const bucketBytes of [24, 88, 144, 592, 65_535]) {
			const count = newB === 1 ? 8 : 13 * 2 ** (newB - 2);
			expect(growth({ count, b: newB - 1 }, 23, bucketBytes)).toMatchObject({
				kind: "double",
				bytes: buckets * bucketBytes,
			});
			expect(growth({ count: 9, b: newB }, 23, bucketBytes)).toMatchObject({
				kind: "same-size",
				bytes: buckets * bucketBytes,
			});
		}
	});

	test("are not known of a type that is not known", () => {
		expect(growth({ count: 8, b: 0 }).bytes).toBeUndefined();
	});
});

test("overflow buckets are all of the 16 bits", () => {
	for (const overflow of [0, 1, 255, 256, 32_768, 65_535]) {
		expect(growth({ count: 3, b: 5, overflow }).overflowBuckets).toBe(overflow);
	}
});

test("iterating is the flag for the new buckets, whatever the others say", () => {
	for (let flags = 0; flags < 256; flags++) expect(growth({ count: 8, b: 0, flags }).iterating).toBe(flags % 2 === 1);
});

test("a header that cannot be one", () => {
	const decoded = (fields: Fields) => classicGrowth(viewOf(hmapBytes(fields)), 23);
	for (const b of [48, 63, 64, 200, 255]) expect(decoded({ count: 8, b })).toBeUndefined();
	expect(decoded({ count: Number.MAX_SAFE_INTEGER, b: 47 })).toBeDefined();
	expect(decoded({ count: 2 ** 53, b: 47 })).toBeUndefined();
	expect(classicGrowth(viewOf(new Uint8Array(48).fill(0xff)), 23)).toBeUndefined();
});
