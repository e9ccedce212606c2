/** Sizes of maps by their headers. The expected bytes are written out from the runtime's arithmetic. */
import { describe, expect, test } from "bun:test";
import type { ClassicMap, SwissMap } from "../../../src/gomap/header.ts";
import { classicState, countTables, slotsAfterAtLeast, swissState } from "../../../src/gomap/map-state.ts";
import { growthRecord } from "../stats/growth-record.ts";

const NO_POINTERS = { bytes: 144, pointers: false };

function classic(fields: Partial<ClassicMap>): ClassicMap {
	return {
		...{
			count: 0,
			flags: 0,
			b: 0,
			overflowBuckets: 0,
			seed: 1,
			buckets: 0x1000,
			oldBuckets: 0,
			evacuated: 0,
			extra: 0,
		},
		...fields,
	};
}

function swiss(fields: Partial<SwissMap>): SwissMap {
	return {
		...{ used: 0, seed: 1n, directoryLength: 0, globalDepth: 0, directory: 0x1000, writing: false, clearSequence: 0 },
		...fields,
	};
}

describe("a classic map", () => {
	test("without buckets is its header", () => {
		expect(classicState(classic({ buckets: 0 }), NO_POINTERS, 22)).toEqual({ entries: 0, slots: 0, bytes: 48 });
	});

	test("has 1/16 more buckets from 16 on, and the old array while it grows", () => {
		// 32 + 2 buckets of 144 bytes: the class of 4,896 is 5,376; the old one, 16 + 1: 2,448 in 2,688.
		const map = classic({ count: 100, b: 5, oldBuckets: 0x2000 });
		expect(classicState(map, NO_POINTERS, 22)).toEqual({ entries: 100, slots: 256, bytes: 48 + 5376 + 2688 });
	});

	test("pays for overflow buckets beyond those that its array was made with", () => {
		// 5,376 bytes hold 37 buckets: 5 of the 7 are there already; one more is an object of 144.
		const map = classic({ count: 200, b: 5, overflowBuckets: 7 });
		expect(classicState(map, NO_POINTERS, 22).bytes).toBe(48 + 5376 + 2 * 144);
	});

	test("of a type whose sizes are not known has no bytes", () => {
		expect(classicState(classic({ b: 3, count: 9 }), undefined, 22)).toEqual({
			entries: 9,
			slots: 64,
			bytes: undefined,
		});
	});
});

describe("a swiss map", () => {
	const GROUP = { bytes: 136, pointers: false };

	test("without a table is one group", () => {
		expect(swissState(swiss({ used: 3 }), new Map(), GROUP, 27)).toEqual({ entries: 3, slots: 8, bytes: 48 + 144 });
		expect(swissState(swiss({ directory: 0 }), new Map(), GROUP, 27)).toEqual({ entries: 0, slots: 0, bytes: 48 });
	});

	test("adds up its tables and its directory", () => {
		// 128 groups of 136 bytes: 17,408, class 18,432; 32 for the table; four pointers: 32.
		const tables = countTables(
			[1024, 1024, 1024].map((capacity) => ({ used: 700, capacity, localDepth: 2 })),
			1,
		);
		const map = swiss({ used: 2100, directoryLength: 4, globalDepth: 2 });
		expect(swissState(map, tables, GROUP, 27)).toEqual({
			...{ entries: 2100, slots: 3072, bytes: 48 + 32 + 3 * (18_432 + 32) },
		});
	});

	test("of which some tables stand for others", () => {
		const tables = countTables([{ used: 700, capacity: 1024, localDepth: 2 }], 2048);
		expect(swissState(swiss({ directoryLength: 4096, globalDepth: 12 }), tables, undefined, 27).slots).toBe(2_097_152);
	});
});

describe("after a growth a map has at least", () => {
	test("of a classic one, or of one with a single table: what it grew to", () => {
		expect(slotsAfterAtLeast(growthRecord({ impl: "classic", capacity_after: 512 }))).toBe(512);
		expect(slotsAfterAtLeast(growthRecord({ directory_length: 1, capacity_after: 64 }))).toBe(64);
		expect(slotsAfterAtLeast(growthRecord({ capacity_before: 8, capacity_after: 16 }))).toBe(16);
	});

	test("of one with a directory: tables for all entries, and one more after a split", () => {
		const split = { kind: "split" as const, capacity_before: 1024, capacity_after: 2048, global_depth: 10 };
		// 1,000,000 entries fill 1,117 tables of 896.
		expect(slotsAfterAtLeast(growthRecord({ ...split, directory_length: 1024, count: 1_000_000 }))).toBe(1118 * 1024);
		// Three bits tell four tables apart, at least.
		expect(slotsAfterAtLeast(growthRecord({ ...split, directory_length: 8, global_depth: 3, count: 900 }))).toBe(
			5 * 1024,
		);
	});
});
