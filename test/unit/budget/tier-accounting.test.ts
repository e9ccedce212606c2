/** What one call that was counted in a window stands for, however long the window really was. */
import { expect, test } from "bun:test";
import { TierBooks } from "../../../src/budget/tier-accounting.ts";
import { noCounts } from "../../../src/kernel/counters.ts";
import type { EntrySite } from "../../../src/tracer/site-table.ts";
import { plannedProbe } from "../tracer/plan-parts.ts";

const COSTS = { workNs: 0, timedWorkNs: 0, leaveNs: 0, growthNs: 0, steppedNs: 0 };
const MS = 1e6;

test("weights are those of the real lengths of windows", () => {
	const site = { probe: plannedProbe("runtime.hashGrow", { tier: "growth" }), timed: false } as EntrySite;
	const counts = noCounts();
	const books = new TierBooks({ sites: [site], countsOf: () => ({ ...counts }), costs: COSTS, cpuNs: () => 0 }, 0);
	// Two calls a millisecond. The first second is counted as a whole.
	const callsPerMs = 2;
	counts.hits = 1000 * callsPerMs;
	books.beginWindows(1000 * MS);
	expect(books.windowFactor(1000 * MS)).toBeUndefined();
	// Windows of 5 ms that a busy machine made 40 ms, and 10 ms in which the probes were being put in or taken out.
	for (let second = 1; second <= 20; second++) {
		counts.hits += 10 * callsPerMs;
		books.opened((second * 1000 + 500) * MS);
		counts.hits += 40 * callsPerMs;
		books.closed((second * 1000 + 540) * MS);
		books.endPeriod((second * 1000 + 1000) * MS);
	}
	const factor = books.windowFactor(21_000 * MS) ?? 0;
	expect(factor).toBeCloseTo(1000 / 50, 6);
	// What was seen in windows and what is missing is all that there was.
	const missing = books.missing(21_000 * MS, false).get("runtime.hashGrow")?.calls ?? 0;
	expect(missing + 20 * 50 * callsPerMs).toBeCloseTo(20_000 * callsPerMs, 3);
});
