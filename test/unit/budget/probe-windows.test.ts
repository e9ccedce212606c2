/** What windows cost, by how long and how many they are. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FOR_CALLS, FOR_ITERATIONS, ProbeWindows, shareWithin } from "../../../src/budget/probe-windows.ts";

test.each([
	["calls", FOR_CALLS],
	["iterations", FOR_ITERATIONS],
])("of %s: the share that is to cost so much costs that, whatever hits and openings do", (_what, lengths) => {
	const costs = fc.tuple(
		fc.double({ min: 0.001, max: 0.2, noNaN: true }),
		fc.double({ min: 0.001, max: 1, noNaN: true }),
		fc.double({ min: 0, max: 20e6, noNaN: true }),
	);
	fc.assert(
		fc.property(costs, ([most, full, openingNs]) => {
			const share = shareWithin(most, full, openingNs, lengths);
			fc.pre(share >= lengths.shortestNs / lengths.longestPeriodNs && share <= 0.5);
			const windows = new ProbeWindows(share, 0, lengths);
			const periodNs = windows.lengthNs / windows.probedShare;
			const cost = windows.probedShare * full + openingNs / periodNs;
			expect(cost / most).toBeCloseTo(1, 9);
		}),
		{ numRuns: 2000 },
	);
});
