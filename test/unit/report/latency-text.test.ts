import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { LatencyRow } from "../../../src/records/records.ts";
import {
	latencyHistogram,
	latencyLine,
	latencyQuantile,
	latencyQuantiles,
	latencyShape,
} from "../../../src/report/latency-text.ts";
import { addLatencyRow } from "../../../src/stats/latency-rows.ts";
import { displayWidth } from "../../../src/text/width.ts";
import { expectGolden } from "./golden.ts";

/** Counts durations as the kernel does: one bucket for those below 64 ns, then one for each power of two. */
function rowOf(durations: readonly number[]): LatencyRow {
	const counts = new Map<number, number>();
	for (const ns of durations) {
		const from = ns < 64 ? 0 : 2 ** Math.floor(Math.log2(ns));
		counts.set(from, (counts.get(from) ?? 0) + 1);
	}
	return {
		fn: "runtime.hashGrow",
		map_type: "map[int]int",
		count: durations.length,
		sum_ns: durations.reduce((sum, ns) => sum + ns, 0),
		max_ns: Math.max(0, ...durations),
		buckets: Array.from(counts, ([from_ns, count]) => ({ from_ns, count })),
	};
}

const TYPICAL = rowOf(
	Array.from({ length: 1000 }, (_, index) => Math.round(300 * 1.7 ** ((index * 7919) % 11) + (index % 97))),
);

describe("quantiles", () => {
	test("are interpolated on a logarithmic scale", () => {
		const row = { ...rowOf([]), count: 100, max_ns: 2000, buckets: [{ from_ns: 1024, count: 100 }] };
		// Half of the way from 1024 to 2000 by the logarithm.
		expect(latencyQuantile(row, 0.5)).toBeCloseTo(Math.sqrt(1024 * 2000), 6);
		expect(latencyQuantile(row, 0)).toBe(1024);
		expect(latencyQuantile(row, 1)).toBe(2000);
	});

	test("of one duration are that duration's bucket, and its maximum is exact", () => {
		const { p50, max } = latencyQuantiles(rowOf([700])) ?? { p50: 0, max: 0 };
		expect(max).toBe(700);
		expect(p50).toBeGreaterThanOrEqual(512);
		expect(p50).toBeLessThanOrEqual(700);
	});

	test("of nothing are undefined", () => {
		expect(latencyQuantiles(rowOf([]))).toBeUndefined();
		expect(latencyLine(rowOf([]), 80)).toBe("no durations");
		expect(latencyHistogram(rowOf([]), 80)).toEqual(["no durations"]);
	});

	test("any durations: within a factor of two of the true quantile, in order, never above the maximum", () => {
		const durations = fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { minLength: 1, maxLength: 300 });
		fc.assert(
			fc.property(durations, (values) => {
				const row = rowOf(values);
				const sorted = values.toSorted((a, b) => a - b);
				const found = latencyQuantiles(row);
				if (found === undefined) throw new Error("no quantiles");
				for (const [q, ns] of [
					[0.5, found.p50],
					[0.9, found.p90],
					[0.99, found.p99],
				] as const) {
					// By the nearest-rank definition.
					const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
					expect(ns).toBeLessThanOrEqual(Math.max(64, exact * 2));
					expect(ns).toBeGreaterThanOrEqual(exact < 64 ? 0 : exact / 2);
				}
				expect(found.p50 <= found.p90 && found.p90 <= found.p99 && found.p99 <= found.max).toBe(true);
				expect(found.max).toBe(sorted.at(-1) ?? 0);
			}),
		);
	});

	test("of merged rows are those of all durations", () => {
		const [a, b] = [
			[3, 90, 1500, 1600],
			[0, 90, 70_000],
		];
		const merged = rowOf([]);
		for (const row of [rowOf(a), rowOf(b)]) addLatencyRow(merged, row);
		expect(merged.buckets.map(({ count }) => count)).toEqual([2, 2, 2, 1]);
		expect(merged).toEqual({ ...rowOf([...a, ...b]), buckets: merged.buckets });
		const whole = rowOf([...a, ...b]);
		expect(latencyQuantiles(merged)).toEqual(latencyQuantiles(whole));
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
