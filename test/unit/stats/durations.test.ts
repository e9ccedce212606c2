import { expect, test } from "bun:test";
import fc from "fast-check";
import type { LatencyRow } from "../../../src/records/records.ts";
import { Durations } from "../../../src/stats/durations.ts";
import { growthLatency, moveLatency } from "../../../src/stats/latency.ts";

test("durations are counted in the buckets of the kernel: below 64 ns, then powers of two", () => {
	const durations = new Durations();
	for (const ns of [0, 1, 63, 64, 127, 128, 1023, 1024, 1e9]) durations.add(ns);
	expect(durations.row("f", "map[int]int")).toEqual({
		...{ fn: "f", map_type: "map[int]int", count: 9, sum_ns: 1e9 + 2430, max_ns: 1e9 },
		buckets: [
			{ from_ns: 0, count: 3 },
			{ from_ns: 64, count: 2 },
			{ from_ns: 128, count: 1 },
			{ from_ns: 512, count: 1 },
			{ from_ns: 1024, count: 1 },
			{ from_ns: 2 ** 29, count: 1 },
		],
	});
});

test("any duration is in the bucket that it belongs to; the last one has no end", () => {
	fc.assert(
		fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(100_000)), (ns) => {
			const durations = new Durations();
			durations.add(ns);
			const [bucket, ...others] = durations.row("", "").buckets;
			expect(others).toEqual([]);
			const from = bucket?.from_ns ?? -1;
			expect(from).toBeLessThanOrEqual(ns);
			if (from < 2 ** 32) expect(ns).toBeLessThan(from === 0 ? 64 : from * 2);
		}),
	);
});

test("growths and calls that move entries are told apart by their function", () => {
	const row = (fn: string): LatencyRow => ({ fn, map_type: "", count: 1, sum_ns: 1, max_ns: 1, buckets: [] });
	const rows = [
		"runtime.hashGrow",
		"runtime.growWork",
		"runtime.growWork_faststr",
		"runtime.evacuate",
		"internal/runtime/maps.(*Map).growToTable",
		"internal/runtime/maps.(*table).rehash",
		"internal/runtime/maps.(*table).grow",
		"internal/runtime/maps.(*table).split",
	].map(row);
	expect(growthLatency(rows).map(({ fn }) => fn)).toEqual([
		"runtime.hashGrow",
		"internal/runtime/maps.(*Map).growToTable",
		"internal/runtime/maps.(*table).rehash",
	]);
	expect(moveLatency(rows).map(({ fn }) => fn)).toEqual(["runtime.growWork", "runtime.growWork_faststr"]);
});
