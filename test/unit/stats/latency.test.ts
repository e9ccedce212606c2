/** Durations summed up from histograms, against the durations themselves. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BUCKETS } from "../../../src/kernel/wire.ts";
import type { LatencyRow } from "../../../src/records/records.ts";
import { growingNs, type LatencyCount, LatencyTally, toldGrowingNs } from "../../../src/stats/latency.ts";

/** As bpf/gomapgrow.h says: bucket 0 is below 64 ns, each further one has powers of two, the last one has no upper end. */
function bucketOf(ns: number): number {
	let bucket = 0;
	while (bucket < BUCKETS - 1 && ns >= 2 ** (bucket + 6)) bucket++;
	return bucket;
}

/** A kernel row that has counted since the start; each report is what has come since the one before. */
class KernelRow {
	max = 0;
	report(durations: readonly number[], fn = "runtime.hashGrow", map_type = "map[int]int"): LatencyCount {
		const buckets = new Array<number>(BUCKETS).fill(0);
		for (const ns of durations) {
			buckets[bucketOf(ns)] = (buckets[bucketOf(ns)] ?? 0) + 1;
			this.max = Math.max(this.max, ns);
		}
		const sum_ns = durations.reduce((sum, ns) => sum + ns, 0);
		return { fn, map_type, count: durations.length, sum_ns, max_ns: this.max, buckets };
	}
}

function tallied(...counts: LatencyCount[]): LatencyRow[] {
	const tally = new LatencyTally();
	for (const count of counts) tally.add(count);
	return tally.rows();
}

describe("buckets", () => {
	test.each([
		[0, 0],
		[63, 0],
		[64, 64],
		[127, 64],
		[128, 128],
		[1023, 512],
		[1024, 1024],
		[999_999, 524_288],
		[2 ** 31, 2 ** 31],
		[2 ** 32 - 1, 2 ** 31],
		[2 ** 32, 2 ** 32],
		[2 ** 40, 2 ** 32],
	])("a duration of %d ns is in the one from %d ns on", (ns, from_ns) => {
		expect(tallied(new KernelRow().report([ns]))).toEqual([
			{
				...{ fn: "runtime.hashGrow", map_type: "map[int]int", count: 1, sum_ns: ns, max_ns: ns },
				buckets: [{ from_ns, count: 1 }],
			},
		]);
	});

	test("have doubling bounds without a gap; empty ones are left out", () => {
		const every = Array.from({ length: BUCKETS }, (_, n) => (n === 0 ? 1 : 2 ** (n + 5)));
		const [row] = tallied(new KernelRow().report(every));
		expect(row?.buckets.map(({ from_ns }) => from_ns)).toEqual([0, ...every.slice(1)]);
		expect(row?.buckets.every(({ count }) => count === 1)).toBe(true);
		const [sparse] = tallied(new KernelRow().report([1, 2, 5000, 70, 5001, 5002]));
		expect(sparse?.buckets).toEqual([
			{ from_ns: 0, count: 2 },
			{ from_ns: 64, count: 1 },
			{ from_ns: 4096, count: 3 },
		]);
	});
});

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
		const tally = new LatencyTally();
		const row = new KernelRow();
		tally.add(row.report([100]));
		const before = tally.rows();
		const copy = structuredClone(before);
		tally.add(row.report([100, 300]));
		expect(before).toEqual(copy);
		expect(tally.rows()[0]).toMatchObject({ count: 3, sum_ns: 500, max_ns: 300 });
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
		expect(second.max_ns).toBe(9_000_000);
		expect(tallied(second)[0]?.max_ns).toBe(512);
	});

	test("of a window is exact when it is the longest so far", () => {
		const kernel = new KernelRow();
		kernel.report([200]);
		expect(tallied(kernel.report([300]))[0]?.max_ns).toBe(300);
		expect(tallied(kernel.report([260]))[0]?.max_ns).toBe(300);
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
			const total = new LatencyTally();
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
				const bucket = bucketOf(true_max);
				if (bucket < BUCKETS - 1)
					expect(row?.max_ns).toBeLessThanOrEqual(durations.length === 0 ? 0 : 2 ** (bucket + 6));
				for (const { from_ns, count } of row?.buckets ?? []) {
					const to = from_ns === 0 ? 64 : from_ns === 2 ** 32 ? Number.POSITIVE_INFINITY : 2 * from_ns;
					expect(count).toBe(durations.filter((ns) => ns >= from_ns && ns < to).length);
				}
			}
			const all = windows.flat();
			expect(total.rows()[0]).toMatchObject({
				count: all.length,
				sum_ns: all.reduce((sum, ns) => sum + ns, 0),
				max_ns: Math.max(0, ...all),
			});
		}),
		{ seed: 3 },
	);
});

describe("the time spent growing", () => {
	const row = (fn: string, sum_ns: number): LatencyRow => ({
		...{ fn, map_type: "map[int]int", count: 1, sum_ns, max_ns: sum_ns, buckets: [] },
	});

	test("of classic maps: evacuate is part of growWork", () => {
		const rows = [
			row("runtime.hashGrow", 1),
			row("runtime.growWork_fast64", 20),
			row("runtime.evacuate_fast64", 300),
			row("runtime.growWork", 4000),
			row("runtime.evacuate", 50_000),
		];
		expect(growingNs(rows)).toBe(4021);
	});

	test("of swiss maps: grow and split are part of rehash", () => {
		const maps = "internal/runtime/maps";
		const rows = [
			row(`${maps}.(*Map).growToTable`, 1),
			row(`${maps}.(*table).rehash`, 20),
			row(`${maps}.(*table).grow`, 300),
			row(`${maps}.(*table).split`, 4000),
			row(`${maps}.(*table).pruneTombstones`, 50_000),
		];
		expect(growingNs(rows)).toBe(50_021);
		expect(growingNs([])).toBe(0);
	});

	test("is not told when hardly any of the calls were timed", () => {
		const latency = [
			{ ...row("runtime.hashGrow", 10), count: 4 },
			{ ...row("runtime.growWork", 100), count: 16 },
		];
		expect(toldGrowingNs({ growths: 4, work: 16, latency })).toBe(110);
		expect(toldGrowingNs({ growths: 40, work: 360, latency })).toBe(110);
		expect(toldGrowingNs({ growths: 40, work: 400, latency })).toBeUndefined();
		expect(toldGrowingNs({ growths: 0, work: 0, latency: [] })).toBe(0);
	});
});
