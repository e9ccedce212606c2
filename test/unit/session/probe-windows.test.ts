/** When windows open and close, and that what they cost stays within what is allowed, also where they are longer than they should be. */
import { describe, expect, test } from "bun:test";
import { ProbeWindows } from "../../../src/session/probe-windows.ts";
import { Prng } from "../../support/prng.ts";

const MS = 1e6;
const SECOND = 1e9;

interface Outcome {
	costNs: number;
	/** Beginning and end of each window. */
	windows: [number, number][];
}

/** Follows the windows in steps of a millisecond; the tier costs `full` of the time while it is probed, and each window is `late` longer than wanted. */
function follow(windows: ProbeWindows, seconds: number, { full = 0, allowed = 0, late = 0 }): Outcome {
	const outcome: Outcome = { costNs: 0, windows: [] };
	let [probed, since, cost] = [false, 0, 0];
	for (let now = 0; now < seconds * SECOND; now += MS) {
		if (probed) cost += full * MS;
		windows.advance(now, probed);
		const wanted = windows.wanted(now, probed, since) || (probed && now - since < late);
		if (wanted !== probed) {
			if (wanted) since = now;
			else outcome.windows.push([since, now]);
			probed = wanted;
		}
		if (allowed > 0 && now % (100 * MS) === 0) {
			windows.spend(cost, allowed * 100 * MS, 100 * MS);
			outcome.costNs += cost;
			cost = 0;
		}
	}
	return outcome;
}

const random = (seed: number) => {
	const numbers = new Prng(seed);
	return (): number => numbers.u32() / 2 ** 32;
};

describe("windows", () => {
	test("take their share of the time, one in each period", () => {
		const { windows } = follow(new ProbeWindows(0.1, 0, random(1)), 100, {});
		const taken = windows.reduce((sum, [from, to]) => sum + to - from, 0);
		expect(taken / (100 * SECOND)).toBeCloseTo(0.1, 2);
		expect(windows.length).toBe(400);
	});

	test("are anywhere in their period", () => {
		const { windows } = follow(new ProbeWindows(0.02, 0, random(2)), 250, {});
		const places = windows.map(([from]) => (from % (0.25 * SECOND)) / (0.25 * SECOND));
		for (let tenth = 0; tenth < 9; tenth++) {
			const here = places.filter((place) => place >= tenth / 10 && place < (tenth + 1) / 10).length;
			expect(here).toBeGreaterThan(60);
		}
	});

	test("that cost what they should come as often as they can", () => {
		const { costNs, windows } = follow(new ProbeWindows(0.01, 0, random(3)), 100, { full: 0.9, allowed: 0.01 });
		expect(windows.length).toBeGreaterThanOrEqual(198);
		expect(costNs / (100 * SECOND)).toBeLessThan(0.01);
	});

	test("that are longer than they should be come less often", () => {
		const { costNs, windows } = follow(new ProbeWindows(0.01, 0, random(4)), 300, {
			...{ full: 0.9, allowed: 0.01, late: 30 * MS },
		});
		expect(costNs / (300 * SECOND)).toBeLessThan(0.0102);
		expect(costNs / (300 * SECOND)).toBeGreaterThan(0.008);
		expect(windows.length).toBeGreaterThan(80);
	});

	test("that cost far more than is allowed come every ten seconds all the same", () => {
		const { windows } = follow(new ProbeWindows(0.002, 0, random(5)), 200, { full: 2, allowed: 0.0001, late: 50 * MS });
		expect(windows.length).toBeGreaterThanOrEqual(18);
	});
});
