/** What windows cost, by how long and how many they are. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ProbeWindows, shareWithin } from "../../../src/session/probe-windows.ts";

/** The longest period that there is with the shortest windows. */
const LEAST_SHARE = 3e6 / 6e9;

test("the share that is to cost so much costs that, whatever hits and openings do", () => {
	const costs = fc.tuple(
		fc.double({ min: 0.001, max: 0.2, noNaN: true }),
		fc.double({ min: 0.001, max: 1, noNaN: true }),
		fc.double({ min: 0, max: 20e6, noNaN: true }),
	);
	fc.assert(
		fc.property(costs, ([most, full, openingNs]) => {
			const share = shareWithin(most, full, openingNs);
			fc.pre(share >= LEAST_SHARE && share <= 0.5);
			const windows = new ProbeWindows(share, 0);
			const periodNs = windows.lengthNs / windows.probedShare;
			const cost = windows.probedShare * full + openingNs / periodNs;
			expect(cost / most).toBeCloseTo(1, 9);
		}),
		{ numRuns: 2000 },
	);
});
