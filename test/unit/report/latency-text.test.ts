import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Histogram } from "../../../src/lib/histogram.ts";
import { latencyHistogram, latencyLine, latencyQuantiles, latencyShape } from "../../../src/report/latency-text.ts";
import { displayWidth } from "../../../src/text/width.ts";
import { expectGolden } from "./golden.ts";

function rowOf(durations: readonly number[]): Histogram {
	const histogram = new Histogram();
	for (const ns of durations) histogram.add(ns);
	return histogram;
}

const TYPICAL = rowOf(
	Array.from({ length: 1000 }, (_, index) => Math.round(300 * 1.7 ** ((index * 7919) % 11) + (index % 97))),
);

describe("quantiles", () => {
	test("of one duration are that duration's bucket, and its maximum is exact", () => {
		const { p50, max } = latencyQuantiles(rowOf([700])) ?? { p50: 0, max: 0 };
		expect(max).toBe(700);
		expect(p50).toBe(688);
	});

	test("of nothing are undefined", () => {
		expect(latencyQuantiles(rowOf([]))).toBeUndefined();
		expect(latencyLine(rowOf([]), 80)).toBe("no durations");
		expect(latencyHistogram(rowOf([]), 80)).toEqual(["no durations"]);
	});
});

describe("histogram", () => {
	test("in one line", () => {
		expect(latencyLine(TYPICAL, 80)).toMatch(/^p50 \S+ µs {2}p90 \S+ µs {2}p99 \S+ µs {2}max \S+ µs {2}[▁-█ ]+$/);
		expect(latencyLine(TYPICAL, 24)).toMatch(/^p50 \S+ µs {2}p90 \S+ µs$/);
	});
	test("the shape has a column for each power of two and a blank for an empty one", () => {
		expect(latencyShape(rowOf([64, 65, 66, 67, 256, 257, 2048]))).toBe("█ ▄  ▂");
	});
	test("golden", () => expectGolden("latency.txt", `${latencyHistogram(TYPICAL, 72).join("\n")}\n`));
	test("golden, few rows", () => expectGolden("latency-rows.txt", `${latencyHistogram(TYPICAL, 60, 5).join("\n")}\n`));

	test("any durations and any size: fits, and all counts are in it", () => {
		const durations = fc.array(fc.double({ min: 0, max: 1e15, noNaN: true }), { maxLength: 60 });
		fc.assert(
			fc.property(
				durations,
				fc.integer({ min: 1, max: 200 }),
				fc.integer({ min: 1, max: 40 }),
				(values, columns, rows) => {
					const row = rowOf(values);
					for (const line of [...latencyHistogram(row, columns, rows), latencyLine(row, columns)]) {
						expect(displayWidth(line)).toBeLessThanOrEqual(columns);
					}
					const lines = latencyHistogram(row, 120, rows);
					expect(lines.length).toBeLessThanOrEqual(Math.max(3, rows));
					if (values.length === 0) return;
					const counts = lines.map((line) => Number(/┤\S* +([\d,]+) +\S+ %/.exec(line)?.[1]?.replaceAll(",", "")));
					expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
				},
			),
		);
	});
});
