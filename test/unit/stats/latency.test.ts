/** Durations summed up from histograms, against the durations themselves. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isInnerCall } from "../../../src/gomap/functions.ts";
import { BUCKET_COUNT, bucketBounds, bucketOf, Histogram } from "../../../src/lib/histogram.ts";
import type { LatencyRow } from "../../../src/records/records.ts";
import {
	compareLatency,
	growthLatency,
	type LatencySum,
	LatencySums,
	latencyRow,
	latencySum,
	mergedLatency,
	moveLatency,
} from "../../../src/stats/latency.ts";

/** A kernel row that has counted since the start; each report is what has come since the one before. */
class KernelRow {
	max = 0;
	report(durations: readonly number[], fn = "runtime.hashGrow", map_type = "map[int]int"): LatencySum {
		const buckets = new Array<number>(BUCKET_COUNT).fill(0);
		for (const ns of durations) {
			buckets[bucketOf(ns)] = (buckets[bucketOf(ns)] ?? 0) + 1;
			this.max = Math.max(this.max, ns);
		}
		const sum_ns = durations.reduce((sum, ns) => sum + ns, 0);
		return { fn, map_type, durations: Histogram.ofCounts(buckets, sum_ns, this.max) };
	}
}

function tallied(...counts: LatencySum[]): LatencyRow[] {
	const sums = new LatencySums();
	sums.addAll(counts);
	return sums.rows().map(latencyRow);
}

describe("rows", () => {
	test("are one for each function and type, over all processes", () => {
		const [a, b] = [new KernelRow(), new KernelRow()];
		const rows = tallied(
			a.report([100, 200]),
			b.report([50], "runtime.growWork"),
			b.report([60], "runtime.hashGrow", "map[string]int"),
			a.report([1000]),
		);
		expect(rows.map(({ fn, map_type, count, sum_ns, max_ns }) => [fn, map_type, count, sum_ns, max_ns])).toEqual([
			["runtime.hashGrow", "map[int]int", 3, 1300, 1000],
			["runtime.hashGrow", "map[string]int", 1, 60, 60],
			["runtime.growWork", "map[int]int", 1, 50, 50],
		]);
	});

	test("with most time come first, then those with most calls, then by name", () => {
		const row = new KernelRow();
		const rows = tallied(
			row.report([10, 10], "b"),
			new KernelRow().report([20], "a"),
			new KernelRow().report([10, 10], "a2"),
			new KernelRow().report([500], "z"),
		);
		expect(rows.map(({ fn }) => fn)).toEqual(["z", "a2", "b", "a"]);
	});

	test("are values: a later count does not change them", () => {
		const sums = new LatencySums();
		const row = new KernelRow();
		sums.add(row.report([100]));
		const before = sums.rows();
		sums.add(row.report([100, 300]));
		expect(before.map(latencyRow)).toMatchObject([{ count: 1, sum_ns: 100, max_ns: 100 }]);
		expect(sums.rows().map(latencyRow)).toMatchObject([{ count: 3, sum_ns: 500, max_ns: 300 }]);
	});

	test("names with anything in them do not run into each other", () => {
		const rows = tallied(new KernelRow().report([1], "a", "b c"), new KernelRow().report([1], "a b", "c"));
		expect(rows).toHaveLength(2);
	});

	test("none", () => {
		expect(tallied()).toEqual([]);
	});
});

describe("the longest duration", () => {
	test("of a window is none of an earlier one", () => {
		const kernel = new KernelRow();
		const first = kernel.report([9_000_000, 100]);
		const second = kernel.report([300]);
		expect(tallied(first)[0]?.max_ns).toBe(9_000_000);
		// The kernel only knows the longest since the start: the upper end of the bucket is what can be said.
		expect(tallied(second)[0]?.max_ns).toBe(304);
	});

	test("of a window is exact when it is the longest so far", () => {
		const kernel = new KernelRow();
		kernel.report([200]);
		expect(tallied(kernel.report([300]))[0]?.max_ns).toBe(300);
		expect(tallied(kernel.report([290]))[0]?.max_ns).toBe(300);
	});

	test("has no bound in the last bucket", () => {
		const kernel = new KernelRow();
		kernel.report([2 ** 41]);
		expect(tallied(kernel.report([2 ** 33]))[0]?.max_ns).toBe(2 ** 41);
	});

	test("is nothing for a report of nothing", () => {
		const kernel = new KernelRow();
		kernel.report([5000]);
		expect(tallied(kernel.report([]))[0]).toMatchObject({ count: 0, max_ns: 0, buckets: [] });
	});
});

test("windows and the total, whatever the durations: sums are exact, the maximum is never too low", () => {
	const duration = fc.oneof(fc.nat(300), fc.nat(1e6), fc.integer({ min: 0, max: 2 ** 36 }));
	fc.assert(
		fc.property(fc.array(fc.array(duration, { maxLength: 8 }), { minLength: 1, maxLength: 8 }), (windows) => {
			const kernel = new KernelRow();
			const total = new LatencySums();
			for (const durations of windows) {
				const report = kernel.report(durations);
				total.add(report);
				const [row] = tallied(report);
				const true_max = Math.max(0, ...durations);
				expect(row).toMatchObject({
					count: durations.length,
					sum_ns: durations.reduce((sum, ns) => sum + ns, 0),
				});
				expect(row?.max_ns).toBeGreaterThanOrEqual(true_max);
				const { to } = bucketBounds(bucketOf(true_max));
				expect(row?.max_ns).toBeLessThanOrEqual(durations.length === 0 ? 0 : to);
			}
			const all = windows.flat();
			expect(total.rows().map(latencyRow)[0]).toMatchObject({
				count: all.length,
				sum_ns: all.reduce((sum, ns) => sum + ns, 0),
				max_ns: Math.max(0, ...all),
			});
		}),
		{ seed: 3 },
	);
});

test("growths and calls that move entries are told apart by their function", () => {
	const rows = [
		"runtime.hashGrow",
		"runtime.growWork",
		"runtime.growWork_faststr",
		"runtime.evacuate",
		"internal/runtime/maps.(*Map).growToTable",
		"internal/runtime/maps.(*table).rehash",
		"internal/runtime/maps.(*table).grow",
		"internal/runtime/maps.(*table).split",
	].map((fn) => ({ fn }));
	expect(growthLatency(rows).map(({ fn }) => fn)).toEqual([
		"runtime.hashGrow",
		"internal/runtime/maps.(*Map).growToTable",
		"internal/runtime/maps.(*table).rehash",
	]);
	expect(moveLatency(rows).map(({ fn }) => fn)).toEqual(["runtime.growWork", "runtime.growWork_faststr"]);
});

test("the order of rows is one: equal rows are equal, also of different types", () => {
	const row = (fn: string, map_type: string): LatencySum => ({ fn, map_type, durations: new Histogram() });
	const text = fc.constantFrom("a", "b", "c");
	fc.assert(
		fc.property(fc.tuple(text, text), fc.tuple(text, text), ([fnA, typeA], [fnB, typeB]) => {
			const [a, b] = [row(fnA, typeA), row(fnB, typeB)];
			expect(compareLatency(a, a)).toBe(0);
			expect(compareLatency(a, b) + compareLatency(b, a)).toBe(0);
			expect(compareLatency(a, b) === 0).toBe(fnA === fnB && typeA === typeB);
		}),
	);
});

test("what is known without the probes is added to what is not", () => {
	const sums = new LatencySums();
	const one = new KernelRow().report([1000]);
	sums.add({ ...one, net_ns: 900 });
	sums.add(one);
	expect(sums.rows()[0]?.net_ns).toBe(1900);
	const record = latencyRow({ ...one, net_ns: -5 });
	expect(latencyRow(latencySum(record))).toEqual(record);
});

test("equal rows of several processes are apart, and one in the view", () => {
	const kernel = (pid: number, ...durations: number[]): LatencySum => ({ ...new KernelRow().report(durations), pid });
	const sums = new LatencySums();
	for (const count of [kernel(1, 100, 200), kernel(2, 300), kernel(1, 400)]) sums.add(count);
	expect(sums.rows().map(latencyRow)).toMatchObject([
		{ pid: 1, count: 3, sum_ns: 700 },
		{ pid: 2, count: 1, sum_ns: 300 },
	]);
	const merged = mergedLatency(sums.rows()).map(latencyRow);
	expect(merged).toMatchObject([{ count: 4, sum_ns: 1000 }]);
	expect(merged[0]).not.toHaveProperty("pid");
	const [one] = sums.rows();
	if (one === undefined) throw new Error();
	expect(mergedLatency([one])).toEqual([one]);
	expect(latencySum(latencyRow(one)).pid).toBe(1);
});

test("of 200,000 types and functions nothing is lost, inner calls stay apart, and there is a bound", () => {
	const sums = new LatencySums();
	const functions = ["runtime.growWork", "runtime.evacuate"];
	for (let n = 0; n < 200_000; n++) {
		const fn = n % 2 === 0 ? (functions[(n / 2) % 2] ?? "") : `main.f${n}`;
		sums.add({
			fn,
			map_type: `map[int]T${n}`,
			durations: Histogram.ofRecord([{ from_ns: 64, count: 1 }], 1, 100, 100),
		});
	}
	const rows = sums.rows();
	expect(rows.length).toBeLessThanOrEqual(4096 + 257);
	expect(rows.reduce((sum, { durations }) => sum + durations.sumNs, 0)).toBe(200_000 * 100);
	const inner = rows.filter(({ fn }) => isInnerCall(fn)).reduce((sum, { durations }) => sum + durations.sumNs, 0);
	expect(inner).toBe(50_000 * 100);
});
