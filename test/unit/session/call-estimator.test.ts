/** Estimates of what was not counted, against programs whose calls are known. */
import { describe, expect, test } from "bun:test";
import { CallEstimator } from "../../../src/session/call-estimator.ts";
import { ProbeWindows } from "../../../src/session/probe-windows.ts";
import { Prng } from "../../support/prng.ts";

const STEP_NS = 1e6;
const FN = "f";

/** Probes a program whose rate (calls a second) is given by the time in seconds, in windows; returns the estimate and the truth. */
function probe(rate: (second: number) => number, seconds: number, share: number, seed: number) {
	const random = new Prng(seed, 0);
	const windows = new ProbeWindows(share, 0, () => random.below(1 << 30) / (1 << 30));
	const estimator = new CallEstimator();
	let truth = 0;
	let counted = 0;
	let inWindow = 0;
	let probed = false;
	let since = 0;
	for (let now = 0; now < seconds * 1e9; now += STEP_NS) {
		if (windows.advance(now, probed) !== undefined) estimator.endPeriod();
		const wanted = windows.wanted(now, probed, since);
		if (wanted !== probed) {
			if (probed) estimator.window(new Map([[FN, inWindow]]), (now - since) / 1e9);
			inWindow = 0;
			probed = wanted;
			since = now;
		}
		const calls = rate(now / 1e9) * (STEP_NS / 1e9);
		truth += calls;
		if (probed) {
			counted += calls;
			inWindow += calls;
		} else estimator.off(STEP_NS / 1e9);
	}
	const { calls = 0, halfWidth = 0 } = estimator.missing(true).get(FN) ?? {};
	return { truth, counted, estimate: counted + calls, halfWidth };
}

const PROGRAMS: Record<string, (second: number) => number> = {
	"calls evenly": () => 100_000,
	"works every other 100 ms": (second) => (Math.floor(second * 10) % 2 === 0 ? 200_000 : 0),
	"works in the first tenth of each second": (second) => (second % 1 < 0.1 ? 500_000 : 1000),
	"gets busier": (second) => 10_000 * second,
};

describe.each(Object.entries(PROGRAMS))("a program that %s", (_what, rate) => {
	const runs = Array.from({ length: 300 }, (_, seed) => probe(rate, 40, 0.02, seed));

	test("is estimated without bias", () => {
		const mean = runs.reduce((sum, { estimate }) => sum + estimate, 0) / runs.length;
		const truth = runs[0]?.truth ?? 0;
		const deviation = Math.sqrt(runs.reduce((sum, { estimate }) => sum + (estimate - mean) ** 2, 0) / runs.length);
		// Four standard errors of the mean, and half a per cent for the last, unfinished period.
		expect(Math.abs(mean - truth)).toBeLessThan(4 * (deviation / Math.sqrt(runs.length)) + 0.005 * truth);
	});

	test("is in the interval at least nine times in ten", () => {
		const inside = runs.filter(({ truth, estimate, halfWidth }) => Math.abs(estimate - truth) <= halfWidth + 1e-6);
		expect(inside.length).toBeGreaterThanOrEqual(270);
	});

	test("is probed for about the share of the time", () => {
		const counted = runs.reduce((sum, run) => sum + run.counted / run.truth, 0) / runs.length;
		expect(counted).toBeGreaterThan(0.015);
		expect(counted).toBeLessThan(0.03);
	});
});

test("nothing is missing of what was always probed", () => {
	expect(new CallEstimator().missing(true).size).toBe(0);
});

test("the number of missing calls in the periods that are over never gets less", () => {
	const estimator = new CallEstimator();
	let before = 0;
	for (const count of [500, 3, 0, 40]) {
		estimator.off(0.5);
		estimator.window(new Map([[FN, count]]), 0.02);
		estimator.off(0.48);
		expect(estimator.missing(false).get(FN)?.calls ?? 0).toBe(before);
		estimator.endPeriod();
		const calls = estimator.missing(false).get(FN)?.calls ?? 0;
		expect(calls - before).toBeCloseTo((count / 0.02) * 0.98, 6);
		before = calls;
	}
});

test("a period without a window is left to the next one", () => {
	const estimator = new CallEstimator();
	estimator.off(1);
	estimator.endPeriod();
	estimator.off(0.9);
	estimator.window(new Map([[FN, 10]]), 0.1);
	estimator.endPeriod();
	expect(estimator.missing(false).get(FN)?.calls).toBeCloseTo(190, 6);
});
