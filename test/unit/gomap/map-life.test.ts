/** What maps take, against runtime.MemStats of programs of several releases. */
import { describe, expect, test } from "bun:test";
import { mapLife } from "../../../src/gomap/map-life.ts";
import { allocatedBytes } from "../../../src/gomap/size-classes.ts";
import { swissTables } from "../../../src/gomap/sizing.ts";
import { meanExcess, moreThan } from "../../../src/gomap/tails.ts";
import { measureMaps } from "../../support/map-allocations.ts";

/** sizeof(hmap), sizeof(maps.Map). */
const HEADER = 48;
const implOf = (version: string) => (Number(version.split(".")[1]) >= 24 ? "swiss" : "classic");

describe.each(["1.19", "1.23", "1.24", "1.27"])("Go %s", (version) => {
	const minor = Number(version.split(".")[1]);
	const impl = implOf(version);
	const release = { impl, minor } as const;
	const { filled } = measureMaps(version, [0]);

	test("filling takes what is computed", () => {
		const storages = impl === "classic" ? [144, 272] : [136, 264];
		const wrong = filled.flatMap(({ hint, entries, repeat, ints, texts }) =>
			[ints, texts].flatMap((measured, index) => {
				const kind = { release, storage: { bytes: storages[index] as number, pointers: index === 1 }, onStack: false };
				const computed = repeat * (allocatedBytes(HEADER, true, minor) + mapLife(kind, hint, entries).allocated);
				const few = repeat * (swissTables(hint).tables + entries / 448);
				// Sizes are means: of few tables near their limit one more or less splits.
				const near = impl === "swiss" && entries >= 897 ? 0.06 + 0.5 / Math.sqrt(few) : entries > 100 ? 0.035 : 0.08;
				const exact = entries <= 8 || (impl === "swiss" && entries <= 896);
				// The runtime allocates for itself, too, now and then: some kB in all repetitions.
				const fits = exact
					? measured >= computed && measured - computed <= 8192
					: Math.abs(computed - measured) <= near * measured;
				return fits ? [] : [{ hint, entries, index, measured, computed }];
			}),
		);
		expect(wrong).toEqual([]);
	});
});

describe("tails", () => {
	test("of a binomial distribution, by counting", () => {
		expect(moreThan(4, 0.5, 1)).toBeCloseTo(11 / 16, 12);
		expect(moreThan(4, 0.5, 3)).toBeCloseTo(1 / 16, 12);
		expect(moreThan(4, 0.5, 4)).toBe(0);
		expect(moreThan(30, 1, 29)).toBe(1);
		expect(moreThan(10_000, 0.5, 5000)).toBeCloseTo(0.4960106, 6);
		expect([moreThan(1e6, 1 / 2048, 896), moreThan(1e6, 1 / 512, 896)]).toEqual([0, 1]);
	});

	test("splits of eight tables near their limit", () => {
		// Measured: 0.33, 1.77 and 4.05 a map.
		expect([6800, 7000, 7168].map((n) => 8 * moreThan(n, 1 / 8, 896)).map((n) => Number(n.toFixed(1)))).toEqual([
			0.4, 1.7, 3.9,
		]);
	});

	test("of a normal distribution", () => {
		expect(meanExcess(5, 0, 3)).toBe(2);
		expect(meanExcess(0, 1, 0)).toBeCloseTo(0.39894, 4);
		expect(meanExcess(100, 1, 50)).toBeCloseTo(50, 6);
	});
});

describe("a small map", () => {
	test("on the stack takes nothing, on the heap one bucket or group with the first entry", () => {
		const storage = { bytes: 272, pointers: true };
		for (const release of [{ impl: "classic", minor: 23 } as const, { impl: "swiss", minor: 27 } as const]) {
			expect(mapLife({ release, storage, onStack: true }, 0, 8)).toEqual({
				growths: 0,
				allocated: 0,
				held: 0,
				copied: 0,
			});
			expect(mapLife({ release, storage, onStack: false }, 0, 0).allocated).toBe(0);
			expect(mapLife({ release, storage, onStack: false }, 0, 1)).toMatchObject({ allocated: 288, held: 288 });
		}
	});
});
