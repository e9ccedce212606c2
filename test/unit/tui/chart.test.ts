import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { displayWidth } from "../../../src/text/width.ts";
import { lineChart } from "../../../src/tui/line-chart.ts";
import { sparkline } from "../../../src/tui/sparkline.ts";

describe("line chart", () => {
	test("draws one column per value between round labels", () => {
		expect(lineChart([0, 10, 20, 30, 30, 0], 30, 4)).toEqual([
			"30/s ┤  ╭─╮",
			"20   ┤ ╭╯ │",
			"10   ┤╭╯  │",
			" 0   ┤╯   ╰",
		]);
	});

	test("draws an axis without values", () => {
		expect(lineChart([], 20, 3)).toEqual(["2/s ┤", "1   ┤", "0   ┤"]);
	});

	test("labels of eight digits and more are whole", () => {
		expect(lineChart([4e9, 4e9], 40, 3)[0]).toBe("4,000,000,000/s ┤─");
	});

	test("aligns labels with a fraction", () => {
		expect(lineChart([1, 1], 20, 5).map((line) => line.slice(0, 5))).toEqual([
			"1.2/s",
			"0.9  ",
			"0.6  ",
			"0.3  ",
			"0    ",
		]);
	});

	test("a constant is one straight line, also zero", () => {
		expect(lineChart([0, 0, 0], 20, 3)).toEqual(["2/s ┤", "1   ┤", "0   ┤──"]);
		expect(lineChart([4, 4, 4], 20, 3)).toEqual(["4/s ┤──", "2   ┤", "0   ┤"]);
	});

	test("what was not measured is a gap, not a zero", () => {
		expect(lineChart([0, 10, Number.NaN, 30, 30, 0], 30, 4)).toEqual([
			"30/s ┤   ─╮",
			"20   ┤    │",
			"10   ┤╭   │",
			" 0   ┤╯   ╰",
		]);
		expect(lineChart([Number.NaN, Number.NaN], 20, 3)).toEqual(["2/s ┤", "1   ┤", "0   ┤"]);
	});

	test("infinity is the top of the scale of the others, a negative rate is zero", () => {
		expect(lineChart([2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -7], 20, 3)).toEqual([
			"2/s ┤─╮",
			"1   ┤ │",
			"0   ┤ ╰─",
		]);
	});

	test("labels of huge rates have a prefix, the same in all rows", () => {
		expect(lineChart([4e11, 4e11], 40, 3)).toEqual(["400 G/s ┤─", "200 G   ┤", "  0     ┤"]);
		expect(lineChart([1e300, 1e300], 40, 3)[0]).toBe("1,000 E/s ┤─");
	});

	test("any finite rates: one column for each step, each one unbroken stroke", () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ min: 0.05, max: 1e20, noNaN: true }), { minLength: 2, maxLength: 40 }),
				fc.integer({ min: 3, max: 12 }),
				(rates, rows) => {
					const lines = lineChart(rates, 80, rows);
					const drawn = lines.map((line) => line.slice(line.indexOf("┤") + 1));
					const columns = Math.max(...drawn.map((line) => line.length));
					expect(columns).toBe(rates.length - 1);
					for (let column = 0; column < columns; column++) {
						const cells = drawn
							.map((line) => line[column] ?? " ")
							.join("")
							.trim();
						// A step is one run of cells without holes: a line, or a corner, a stroke and a corner.
						expect(cells).toMatch(/^(─|╮│*╰|╭│*╯)$/);
					}
				},
			),
		);
	});

	test("any values and any size: exact height, never too wide, never throws", () => {
		const rate = fc.oneof(fc.double(), fc.nat(5000), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 1e8));
		fc.assert(
			fc.property(fc.array(rate, { maxLength: 320 }), fc.nat(200), fc.nat(14), (rates, columns, rows) => {
				const lines = lineChart(rates, columns, rows);
				expect([0, rows]).toContain(lines.length);
				for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
			}),
		);
	});
});

describe("sparkline", () => {
	test("scales to the highest of the shown values", () => {
		expect(sparkline([1000, 0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe("▁▂▃▄▅▆▇█");
		expect(sparkline([0, 0], 8)).toBe("▁▁");
		expect(sparkline([], 8)).toBe("");
		expect(sparkline([Number.NaN, Number.POSITIVE_INFINITY, -4, 2], 8)).toBe(" ▁▁█");
	});
});
