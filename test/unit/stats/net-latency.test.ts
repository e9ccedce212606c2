/** What durations are without the probes that are in them. */
import { expect, test } from "bun:test";
import { Histogram } from "../../../src/lib/histogram.ts";
import { growingNs, type LatencySum, LatencySums } from "../../../src/stats/latency.ts";
import { netDurations } from "../../../src/stats/net-latency.ts";

const MAPS = "internal/runtime/maps.(*table).";

function calls(pid: number, fn: string, map_type: string, count: number, sum_ns: number) {
	return { pid, fn, map_type, count, sum_ns };
}

test("half a pair of hits is in a duration, and a pair for each measured call inside", () => {
	const rows = [
		calls(1, "runtime.hashGrow", "map[int]int", 10, 100_000),
		// Evacuates two buckets each time, in the same process and in maps of the same type.
		calls(1, "runtime.growWork_fast64", "map[int]int", 100, 5_000_000),
		calls(1, "runtime.evacuate_fast64", "map[int]int", 200, 2_000_000),
		calls(1, "runtime.evacuate_fast64", "map[int]string", 50, 500_000),
		calls(2, "runtime.evacuate_fast64", "map[int]int", 7, 70_000),
		calls(1, "runtime.evacuate", "map[int]int", 7, 70_000),
		calls(1, `${MAPS}rehash`, "map[int]int", 3, 600_000),
		calls(1, `${MAPS}grow`, "map[int]int", 2, 200_000),
		calls(1, `${MAPS}split`, "map[int]int", 1, 300_000),
	];
	expect(netDurations(rows, 10_000)).toEqual([
		50_000,
		5_000_000 - 500_000 - 2_000_000,
		1_000_000,
		250_000,
		35_000,
		35_000,
		600_000 - 15_000 - 30_000,
		190_000,
		295_000,
	]);
	expect(netDurations(rows, 0)).toEqual(rows.map(({ sum_ns }) => sum_ns));
});

test("the time spent growing is that without the probes, where it is known", () => {
	const count = (fn: string, sum_ns: number, net_ns?: number): LatencySum => ({
		...{ fn, map_type: "map[int]int", durations: Histogram.ofRecord([], 1, sum_ns, sum_ns) },
		...(net_ns === undefined ? {} : { net_ns }),
	});
	const sums = new LatencySums();
	sums.add(count("runtime.growWork", 1000, 400));
	sums.add(count("runtime.growWork", 1000, -100));
	sums.add(count("runtime.evacuate", 500, 200));
	sums.add(count("runtime.hashGrow", 70));
	const rows = sums.rows();
	expect(rows.map(({ fn, durations, net_ns }) => [fn, durations.sumNs, net_ns])).toEqual([
		["runtime.growWork", 2000, 300],
		["runtime.evacuate", 500, 200],
		["runtime.hashGrow", 70, undefined],
	]);
	expect(growingNs(rows)).toBe(370);
	// Of a recording that does not have it, what was measured counts.
	sums.add(count("runtime.growWork", 50));
	expect(growingNs(sums.rows())).toBe(420);
	// By chance it can be below 0, the whole is not.
	expect(growingNs([count("runtime.growWork", 9, -5)])).toBe(0);
});
