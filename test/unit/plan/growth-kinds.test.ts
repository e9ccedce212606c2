/** What the bytes of a map say about the growth that begins, against the arithmetic of the Go sources. */
import { describe, expect, test } from "bun:test";
import { classicGrowth } from "../../../src/plan/classic-growth.ts";
import { rehash, smallToTable } from "../../../src/plan/swiss-growth.ts";

function hmap({
	count,
	flags = 4,
	b,
	seed = 0x1234,
}: {
	count: number;
	flags?: number;
	b: number;
	seed?: number;
}): DataView {
	const view = new DataView(new ArrayBuffer(48));
	view.setBigUint64(0, BigInt(count), true);
	view.setUint8(8, flags);
	view.setUint8(9, b);
	view.setUint32(12, seed, true);
	return view;
}

function swissMap(used: number): DataView {
	const view = new DataView(new ArrayBuffer(48));
	view.setBigUint64(0, BigInt(used), true);
	view.setBigUint64(8, 0xdeadbeefn, true);
	return view;
}

function table(used: number, capacity: number): DataView {
	const view = new DataView(new ArrayBuffer(16));
	view.setUint16(0, used, true);
	view.setUint16(2, capacity, true);
	return view;
}

describe("classicGrowth", () => {
	// Counts at which hashGrow runs when keys are added one by one (measured on Go 1.19 and 1.21).
	const SERIES = [
		{ minor: 19, counts: [8, 13, 26, 52, 104, 208, 416, 832, 1664] },
		{ minor: 21, counts: [8, 12, 24, 48, 96, 192, 384, 768, 1536] },
	];
	for (const { minor, counts } of SERIES) {
		test(`doublings of Go 1.${minor}`, () => {
			counts.forEach((count, b) => {
				const growth = classicGrowth(hmap({ count, b }), minor);
				expect(growth?.kind).toBe("double");
				expect(growth?.cause).toBe("load");
				expect(growth?.capacityBefore).toBe(8 * 2 ** b);
				expect(growth?.capacityAfter).toBe(16 * 2 ** b);
				// One entry earlier it would not have been the load.
				if (b > 0) expect(classicGrowth(hmap({ count: count - 1, b }), minor)?.kind).toBe("same-size");
			});
		});
	}

	test("too many overflow buckets: same size", () => {
		expect(classicGrowth(hmap({ count: 26, b: 3 }), 23)).toMatchObject({
			kind: "same-size",
			cause: "overflow",
			capacityBefore: 64,
			capacityAfter: 64,
		});
	});

	test("bytes: buckets, and a sixteenth more as overflow buckets from B = 4 on", () => {
		expect(classicGrowth(hmap({ count: 26, b: 2 }), 23, 144)?.bytes).toBe(8 * 144);
		expect(classicGrowth(hmap({ count: 52, b: 3 }), 23, 144)?.bytes).toBe(17 * 144);
		expect(classicGrowth(hmap({ count: 8, b: 0 }), 23)?.bytes).toBeUndefined();
	});

	test("iterator flag and seed", () => {
		expect(classicGrowth(hmap({ count: 8, b: 0, flags: 4 | 1 }), 23)?.iterating).toBe(true);
		expect(classicGrowth(hmap({ count: 8, b: 0, flags: 4 | 2 }), 23)?.iterating).toBe(false);
		expect(classicGrowth(hmap({ count: 8, b: 0, seed: 0xab }), 23)?.seed).toBe("0x000000ab");
	});

	test("a header that cannot be one", () => {
		expect(classicGrowth(hmap({ count: 8, b: 200 }), 23)).toBeUndefined();
	});
});

describe("swiss maps", () => {
	test("the ninth key", () => {
		expect(smallToTable(swissMap(8), 136)).toMatchObject({
			kind: "small-to-table",
			count: 8,
			capacityBefore: 8,
			capacityAfter: 16,
			bytes: 272,
			seed: "0x00000000deadbeef",
		});
		expect(smallToTable(swissMap(9))).toBeUndefined();
	});

	test("tables double up to 1,024 slots and then split", () => {
		for (let capacity = 16; capacity <= 512; capacity *= 2) {
			const used = (capacity * 7) / 8;
			expect(rehash(swissMap(used), table(used, capacity))).toMatchObject({
				kind: "table-double",
				cause: "load",
				capacityBefore: capacity,
				capacityAfter: capacity * 2,
			});
		}
		expect(rehash(swissMap(1744), table(896, 1024), 136)).toMatchObject({
			kind: "split",
			cause: "load",
			count: 1744,
			capacityAfter: 2048,
			bytes: 256 * 136,
		});
	});

	test("fewer live entries than 7/8 of the slots: tombstones", () => {
		expect(rehash(swissMap(26), table(26, 32))?.cause).toBe("tombstones");
		expect(rehash(swissMap(28), table(28, 32))?.cause).toBe("load");
	});

	test("tables that cannot be one", () => {
		expect(rehash(swissMap(10), table(10, 24))).toBeUndefined();
		expect(rehash(swissMap(10), table(10, 0))).toBeUndefined();
		expect(rehash(swissMap(10), table(40, 32))).toBeUndefined();
		expect(rehash(swissMap(10), table(11, 16))).toBeUndefined();
	});
});
