/** What probing costs, and what would measure all. */
import { expect, test } from "bun:test";
import { measureAllHint, overheadText } from "../../../src/report/overhead-text.ts";
import { OverheadSum, targetCpuNsPerSecond } from "../../../src/stats/overhead-sum.ts";

const ROW = { pid: 1, overhead: 0.003, cost_ns_per_second: 3e6, budget: 0.01, limit_ns_per_second: 10e6 };

test("the overhead is that of the target that it costs most, against its limit", () => {
	expect(overheadText([])).toBeUndefined();
	expect(overheadText([ROW])).toBe("3 ms/s (limit 10 ms/s)");
	const low = { ...ROW, cost_ns_per_second: 254_000 };
	expect(overheadText([low, { ...ROW, pid: 2, limit_ns_per_second: 25e6 }])).toBe("3 ms/s (limit 25 ms/s)");
	expect(overheadText([low])).toBe("0.25 ms/s (limit 10 ms/s)");
	expect(overheadText([{ pid: 1, overhead: 0.2, cost_ns_per_second: 1.234e9 }])).toBe("1234 ms/s");
	expect(overheadText([{ pid: 1, overhead: 0, cost_ns_per_second: 0 }])).toBe("0 ms/s");
	expect(overheadText([{ ...low, cost_ns_per_second: 12 }])).toBe("<0.01 ms/s (limit 10 ms/s)");
});

test("older records have shares", () => {
	expect(overheadText([{ pid: 1, overhead: 0.006, budget: 0.01 }])).toBe("0.6 % (limit 1.0 %)");
	expect(overheadText([{ pid: 1, overhead: 0.12 }])).toBe("12 %");
});

test("the budget that measures all is what it costs now by the part that is probed, with some room", () => {
	expect(measureAllHint([{ ...ROW, work_probed: 0.2 }])).toBe("--budget 2% measures all");
	expect(measureAllHint([{ ...ROW, work_probed: 0.1 }])).toBe("--budget 5% measures all");
	expect(measureAllHint([{ ...ROW, work_probed: 0.1, growth_recorded: 0.01 }])).toBe("--budget 50% measures all");
	expect(measureAllHint([{ ...ROW, work_probed: 1e-4 }])).toBe("--budget off measures all");
	// A target that uses eight processors may be charged eight times as much.
	expect(measureAllHint([{ ...ROW, work_probed: 0.025, limit_ns_per_second: 80e6 }])).toBe("--budget 2% measures all");
	// Of several targets the one that needs most.
	expect(
		measureAllHint([
			{ ...ROW, work_probed: 0.2 },
			{ ...ROW, work_probed: 0.1 },
		]),
	).toBe("--budget 5% measures all");
	// What was missed at the start, no budget brings back but none; nothing is known of what is not probed.
	expect([measureAllHint([ROW]), measureAllHint([{ ...ROW, work_probed: 0 }])]).toEqual(
		Array(2).fill("--budget off measures all"),
	);
	expect(measureAllHint([{ pid: 1, overhead: 0.1, cost_ns_per_second: 1e8 }])).toBeUndefined();
});

test("the targets' processor time follows from the share of it that probing takes, where that is known all the time", () => {
	expect(targetCpuNsPerSecond([ROW, { ...ROW, overhead: 0.006 }])).toBe(1.5e9);
	expect(targetCpuNsPerSecond([ROW, { pid: 2, overhead: 0, cost_ns_per_second: 0 }])).toBeUndefined();
	const sum = new OverheadSum();
	expect(sum.result()).toBeUndefined();
	sum.add([ROW], 1e9);
	sum.add([{ ...ROW, cost_ns_per_second: 5e6, overhead: 0.0025 }], 3e9);
	expect(sum.result()).toMatchObject({ costNsPerSecond: 4.5e6, mostShare: 0.003, targetCpuNs: 7e9 });
	sum.add([{ ...ROW, overhead: 0, cost_ns_per_second: 0 }], 1e9);
	expect(sum.result()).not.toHaveProperty("targetCpuNs");
});
