import { expect, test } from "bun:test";
import { hitCost } from "../../../src/budget/hit-cost.ts";
import { noCounts } from "../../../src/kernel/counters.ts";
import type { EntrySite } from "../../../src/tracer/site-table.ts";
import { exitSite, plannedProbe } from "../tracer/plan-parts.ts";

const COSTS = { workNs: 10, timedWorkNs: 20, leaveNs: 300, growthNs: 4020, steppedNs: 50_000 };
const growth = (timed: boolean): EntrySite => {
	const exits = timed ? [exitSite(0x40_1080, { cost: "emulated" })] : [];
	return { probe: plannedProbe("runtime.hashGrow", { tier: "growth", exits }), timed } as EntrySite;
};

test("a growth that becomes no record passes its exit all the same", () => {
	const counts = { ...noCounts(), hits: 100, throttled: 99, paired: 1 };
	expect(hitCost(growth(true), counts, COSTS)).toEqual({
		calls: 100,
		countingNs: 100 * (20 + 300),
		recordingNs: 4000,
		allRecordingNs: 100 * 4000,
	});
});

test("without durations there are no exits to pass", () => {
	const counts = { ...noCounts(), hits: 100, throttled: 100 };
	expect(hitCost(growth(false), counts, COSTS).countingNs).toBe(100 * 10);
});
