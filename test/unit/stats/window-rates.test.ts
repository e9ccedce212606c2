/** Rates of windows that were measured in full, in part, or not at all. */
import { describe, expect, test } from "bun:test";
import type { Figure } from "../../../src/records/figure.ts";
import { allocatedBytes, copiedBytes, timeInGrowth } from "../../../src/stats/total-figures.ts";
import { type RatedCounts, ratesOf, WindowRates } from "../../../src/stats/window-rates.ts";

const around = (estimate: number, off: number): Figure => ({ estimate, low: estimate - off, high: estimate + off });

function counts(fields: Partial<RatedCounts>): RatedCounts {
	return { growths_with_bytes: 0, bytes_moved: 0, growths_with_moved: 0, ...fields };
}

describe("rates", () => {
	test("are per second of the window, and of growth work of the periods that ended in it", () => {
		const work = around(1200, 90);
		expect(ratesOf(counts({ growths: 6, work }), 2e9)).toMatchObject({ growths: 3, work: around(600, 45) });
		const rates = ratesOf(counts({ growths: 6, work, covers_ns: 6e9, time_ns: 1000 }), 2e9);
		expect([rates.work, rates.growths, rates.time]).toEqual([around(200, 15), 3, undefined]);
		expect(ratesOf(counts({ growths: 6, work: 8, covers_ns: 6e9 }), 2e9).work).toBe(4);
	});

	test("have gaps where there is no number, and peaks of those that can be printed", () => {
		const rates = new WindowRates(10);
		for (const growths of [around(10, 1), undefined, { at_least: 900 }, around(50, 45), 7]) {
			rates.push(counts(growths === undefined ? {} : { growths }), 1e9);
		}
		const { growths, work } = rates.values();
		expect(growths).toEqual({
			now: 7,
			peak: around(10, 1),
			history: [10, Number.NaN, Number.NaN, Number.NaN, 7],
			dropped: 0,
		});
		expect([work.now, work.peak]).toEqual([undefined, undefined]);
	});
});

describe("what goes with the number of growths", () => {
	const known = { bytes: 800, growths_with_bytes: 8, bytes_moved: 400, growths_with_moved: 8 };

	test("is as certain as that is", () => {
		expect([allocatedBytes({ growths: 8, ...known }), copiedBytes({ growths: 8, ...known })]).toEqual([800, 400]);
		expect(copiedBytes({ growths: around(8, 2), ...known })).toEqual(around(400, 100));
		expect(copiedBytes({ growths: { at_least: 8 }, ...known })).toBeUndefined();
		expect(copiedBytes(known)).toBeUndefined();
	});

	test("is a lower end where not each growth told, and unknown where none did", () => {
		const some = { ...known, growths_with_bytes: 5, growths_with_moved: 5 };
		expect([allocatedBytes({ growths: 8, ...some }), copiedBytes({ growths: 8, ...some })]).toEqual([
			...[{ at_least: 800 }, { at_least: 400 }],
		]);
		const none = { ...known, growths_with_bytes: 0, growths_with_moved: 0 };
		expect([allocatedBytes({ growths: 8, ...none }), copiedBytes({ growths: 8, ...none })]).toEqual([
			undefined,
			undefined,
		]);
		expect(copiedBytes({ growths: 0, bytes_moved: 0, growths_with_moved: 0 })).toBe(0);
	});

	test("time is that of growths and growth work", () => {
		const time_ns = 1000;
		expect(timeInGrowth({ growths: 8, work: 9 })).toBeUndefined();
		expect(timeInGrowth({ time_ns, growths: 8, work: 9 })).toBe(1000);
		expect(timeInGrowth({ time_ns, growths: 8, work: around(100, 10) })).toEqual(around(1000, 100));
		expect(timeInGrowth({ time_ns, growths: around(100, 20), work: 9 })).toEqual(around(1000, 200));
		// That of the growths alone; weighted, of too few windows.
		expect(timeInGrowth({ time_ns, growths: 8 })).toEqual({ at_least: 1000 });
		expect(timeInGrowth({ time_ns, growths: 8, work: { at_least: 0 } })).toEqual({ at_least: 1000 });
		expect(timeInGrowth({ time_ns, growths: 8, work: { at_least: 3 } })).toBeUndefined();
	});
});
