/** What make takes, against runtime.MemStats of programs of several releases. */
import { describe, expect, test } from "bun:test";
import { allocatedBytes } from "../../../src/gomap/size-classes.ts";
import { filledBytes, madeBytes, swissTables } from "../../../src/gomap/sizing.ts";
import { MAP_TYPES, measureMaps } from "../../support/map-allocations.ts";

/** sizeof(hmap), sizeof(maps.Map). */
const HEADER = 48;
/** Both sides of all limits up to 1,000, and some above. */
const HINTS = [
	...[0, 1, 7, 8, 9, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 48, 49, 52, 53, 56, 57, 96, 97, 104, 105, 112, 113],
	...[192, 193, 208, 209, 224, 225, 384, 385, 416, 417, 448, 449, 768, 769, 832, 833, 896, 897, 1000, 1024, 1025],
	...[1536, 1537, 1664, 1665, 1792, 1793, 1794, 3000, 3328, 3329, 3584, 3585, 6656, 6657, 7000, 7168, 7169, 14_336],
];

const implOf = (version: string) => (Number(version.split(".")[1]) >= 24 ? "swiss" : "classic");

describe.each(["1.15", "1.19", "1.21", "1.22", "1.23", "1.24", "1.27"])("Go %s", (version) => {
	const minor = Number(version.split(".")[1]);
	const impl = implOf(version);
	const release = { impl, minor } as const;
	const { made } = measureMaps(version, HINTS);

	test(`make takes what is computed, for ${MAP_TYPES.length} types and ${HINTS.length} hints`, () => {
		expect(made.length).toBe(MAP_TYPES.length * HINTS.length);
		const wrong = made.flatMap(({ key, elem, bucket, group, pointers, hint, made: measured }) => {
			const storage = { bytes: impl === "classic" ? bucket : group, pointers };
			const computed = allocatedBytes(HEADER, true, minor) + madeBytes(release, hint, storage);
			return computed === measured ? [] : [{ key, elem, hint, storage, measured, computed }];
		});
		expect(wrong).toEqual([]);
	});
});

describe("the tables of a swiss map", () => {
	test.each([
		[8, 0, 8],
		[9, 1, 16],
		[14, 1, 16],
		[15, 1, 32],
		[896, 1, 1024],
		// Two of 512: the quotient is rounded down.
		[897, 2, 512],
		[898, 2, 1024],
		[1792, 2, 1024],
		[1793, 4, 512],
		[50_000, 64, 1024],
	])("for %d entries", (hint, tables, slots) => {
		expect(swissTables(hint)).toEqual({ tables, slots });
	});
});

test("a map made anew for its entries", () => {
	const storage = { bytes: 136, pointers: false };
	expect(filledBytes({ impl: "swiss", minor: 27 }, 3, storage)).toBe(144);
	expect(filledBytes({ impl: "classic", minor: 23 }, 3, { bytes: 144, pointers: false })).toBe(144);
	expect(filledBytes({ impl: "classic", minor: 23 }, 6656, { bytes: 144, pointers: false })).toBe(163_840);
});
