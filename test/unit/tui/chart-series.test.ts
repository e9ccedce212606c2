import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chartSeries } from "../../../src/tui/chart-series.ts";

describe("the series of a chart", () => {
	test("has a column for each window while there is room", () => {
		expect(chartSeries([1, 2, 3], 0, 20)).toEqual({ values: [1, 2, 3], windows: 3 });
		expect(chartSeries([], 0, 20)).toEqual({ values: [], windows: 0 });
		expect(chartSeries([1], 0, 0)).toEqual({ values: [], windows: 0 });
	});

	test("then puts windows together, by their number since the start", () => {
		expect(chartSeries([1, 3, 5, 7, 9], 0, 3)).toEqual({ values: [2, 6, 9], windows: 5 });
		// The window before these is number 0: the first mean lacks it.
		expect(chartSeries([3, 5, 7, 9], 1, 3)).toEqual({ values: [3, 6, 9], windows: 4 });
	});

	test("reaches back two minutes and keeps its means while it goes on", () => {
		const all = Array.from({ length: 400 }, (_, index) => (index * 7919) % 101);
		let before: number[] = [];
		for (let end = 300; end < all.length; end++) {
			const { values, windows } = chartSeries(all.slice(end - 300, end), end - 300, 20);
			expect(windows).toBeGreaterThanOrEqual(115);
			if (before.length > 0) {
				const kept = before.slice(0, -1).join();
				expect([values.slice(0, -1).join(), values.slice(0, -2).join()].some((now) => kept.endsWith(now))).toBe(true);
			}
			before = values;
		}
	});

	test("has gaps where nothing was measured, and means of what was", () => {
		const gap = Number.NaN;
		expect(chartSeries([1, gap, 3], 0, 20)).toEqual({ values: [1, gap, 3], windows: 3 });
		expect(chartSeries([1, gap, gap, gap, 5, 7], 0, 3)).toEqual({ values: [1, gap, 6], windows: 6 });
	});

	test("never has more columns than there are, nor a value beyond those it stands for", () => {
		fc.assert(
			fc.property(
				fc.array(fc.nat(1e6), { maxLength: 300 }),
				fc.nat(1000),
				fc.integer({ min: 1, max: 200 }),
				(rates, dropped, columns) => {
					const { values, windows } = chartSeries(rates, dropped, columns);
					expect(values.length).toBeLessThanOrEqual(columns);
					expect(windows).toBeLessThanOrEqual(rates.length);
					for (const value of values) {
						expect(value).toBeGreaterThanOrEqual(Math.min(...rates));
						expect(value).toBeLessThanOrEqual(Math.max(...rates));
					}
				},
			),
		);
	});
});
