/** Estimates of what was not counted, against programs whose calls are known. */
import { describe, expect, test } from "bun:test";
import { addMissing, CallEstimator, type Missing, within } from "../../../src/budget/call-estimator.ts";
import { FOR_CALLS, ProbeWindows } from "../../../src/budget/probe-windows.ts";
import { Prng } from "../../support/prng.ts";

const STEP_NS = 1e6;
const FN = "f";
/** Probes that cost nothing. */
const IDLE = { cpuNs: 0, costNs: 0 };

/** Probes a program whose rate (calls a second) is given by the time in seconds, in windows; returns the estimate and the truth. */
function probe(rate: (second: number) => number, seconds: number, share: number, seed: number) {
	const random = new Prng(seed, 0);
	const windows = new ProbeWindows(share, 0, FOR_CALLS, () => random.below(1 << 30) / (1 << 30));
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
			if (probed) estimator.window({ calls: new Map([[FN, inWindow]]), seconds: (now - since) / 1e9, ...IDLE });
			inWindow = 0;
			probed = wanted;
			since = now;
		}
		const calls = rate(now / 1e9) * (STEP_NS / 1e9);
		truth += calls;
		if (probed) {
			counted += calls;
			inWindow += calls;
		} else estimator.off(STEP_NS / 1e9, 0);
	}
	const { calls = 0, low = 0, high = 0 } = estimator.missing(true).get(FN) ?? {};
	return { truth, counted, estimate: counted + calls, low: counted + low, high: counted + high };
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
		const inside = runs.filter(({ truth, low, high }) => low - 1e-6 <= truth && truth <= high + 1e-6);
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
		estimator.off(0.5, 0);
		estimator.window({ calls: new Map([[FN, count]]), seconds: 0.02, ...IDLE });
		estimator.off(0.48, 0);
		expect(estimator.missing(false).get(FN)?.calls ?? 0).toBe(before);
		estimator.endPeriod();
		const calls = estimator.missing(false).get(FN)?.calls ?? 0;
		expect(calls - before).toBeCloseTo((count / 0.02) * 0.98, 6);
		before = calls;
	}
});

test("a function that is called now and then is in the interval, though most windows see none of it", () => {
	const rate = (second: number): number => (new Prng(Math.floor(second * 1000), 0).below(50) === 0 ? 1000 : 0);
	const runs = Array.from({ length: 300 }, (_, seed) => probe(rate, 3, 0.006, seed));
	expect(runs.filter(({ counted }) => counted === 0).length).toBeGreaterThan(100);
	const inside = runs.filter(({ truth, low, high }) => low <= truth && truth <= high);
	expect(inside.length).toBeGreaterThanOrEqual(285);
});

test("as long as there was no window, the time before stands for one, and tells as little of the rest as one", () => {
	const estimator = new CallEstimator({ calls: new Map([[FN, 10]]), seconds: 0.1, ...IDLE });
	estimator.off(0.5, 0.2e9);
	const { calls = 0, low, high = 0 } = estimator.missing(true).get(FN) ?? {};
	expect(calls).toBeCloseTo(50, 6);
	expect(low).toBe(0);
	// As many as there can be in the processor time.
	expect(high).toBe(0.2e9 / 2);
	estimator.window({ calls: new Map([[FN, 0]]), seconds: 0.1, ...IDLE });
	expect(estimator.missing(true).get(FN)).toMatchObject({ calls: 0, low: 0, high: 0.2e9 / 2 });
	estimator.window({ calls: new Map([[FN, 0]]), seconds: 0.1, ...IDLE });
	expect(estimator.missing(true).get(FN)?.high).toBeLessThan(200);
});

test("processor time that the kernel has not told yet does not make few short windows look disturbed", () => {
	const estimator = new CallEstimator();
	estimator.off(1, 1e9);
	estimator.window({ calls: new Map([[FN, 30]]), seconds: 0.003, cpuNs: 0, costNs: 0.3e6 });
	expect(estimator.speed(1)).toBeCloseTo(0.9, 6);
	// What the kernel says of much time is believed.
	estimator.window({ calls: new Map([[FN, 3000]]), seconds: 0.3, cpuNs: 0.3e9, costNs: 150e6 });
	expect(estimator.speed(1)).toBeCloseTo(0.5, 2);
});

test("a period without a window is left to the next one", () => {
	const estimator = new CallEstimator();
	estimator.off(1, 0);
	estimator.endPeriod();
	estimator.off(0.9, 0);
	estimator.window({ calls: new Map([[FN, 10]]), seconds: 0.1, ...IDLE });
	estimator.endPeriod();
	expect(estimator.missing(false).get(FN)?.calls).toBeCloseTo(190, 6);
});

/** A program that calls `perCpu` times a second of its own processor time, watched for 40 periods of a second with a window of 20 ms each. */
function slowed(options: { perCpu: number; hitNs: number; busy: boolean; measuredNs: number }): {
	estimator: CallEstimator;
	truth: number;
} {
	const { perCpu, hitNs, busy, measuredNs } = options;
	const estimator = new CallEstimator();
	let truth = 0;
	for (let period = 0; period < 40; period++) {
		// Busy: a call takes 1/perCpu seconds and the hit; else a tenth of a processor is wanted, whatever the hits take.
		const share = busy ? 1 : 0.1;
		const rate = busy ? 1 / (1 / perCpu + hitNs / 1e9) : share * perCpu;
		const calls = Math.round(rate * 0.02);
		const cpuNs = busy ? 20e6 : share * 20e6 + calls * hitNs;
		estimator.off(0.98, share * 0.98e9);
		estimator.window({ calls: new Map([[FN, calls]]), seconds: 0.02, cpuNs, costNs: calls * measuredNs });
		estimator.endPeriod();
		truth += share * perCpu * 0.98;
	}
	return { estimator, truth };
}

describe("a program that its probes slow down", () => {
	test("is estimated by its own speed when it is busy", () => {
		const { estimator, truth } = slowed({ perCpu: 1e6, hitNs: 3000, busy: true, measuredNs: 3000 });
		expect(estimator.speed(1)).toBeCloseTo(0.25, 2);
		expect((estimator.missing(false).get(FN)?.calls ?? 0) / truth).toBeCloseTo(1, 2);
	});

	test("is estimated by the time when the probes only take what it leaves idle", () => {
		const { estimator, truth } = slowed({ perCpu: 1e6, hitNs: 3000, busy: false, measuredNs: 3000 });
		expect(estimator.speed(1)).toBeCloseTo(1, 5);
		expect((estimator.missing(false).get(FN)?.calls ?? 0) / truth).toBeCloseTo(1, 2);
	});

	test.each([0.6, 1, 1.5, 2.5])("is in the interval when hits cost %f times what was measured", (times) => {
		for (const perCpu of [1e4, 1e5, 1e6]) {
			const { estimator, truth } = slowed({ perCpu, hitNs: 3000 * times, busy: true, measuredNs: 3000 });
			const { low = 0, high = 0 } = estimator.missing(false).get(FN) ?? {};
			expect(low).toBeLessThanOrEqual(truth);
			expect(high).toBeGreaterThanOrEqual(truth);
		}
	});

	test.each([1, 2, 4])("tells that its hits cost %i times what was measured, when its calls are known", (times) => {
		const { estimator, truth } = slowed({ perCpu: 1e5, hitNs: 3000 * times, busy: true, measuredNs: 3000 });
		expect(estimator.costFactor(truth)).toBeCloseTo(times, 1);
		expect(estimator.costFactor(0)).toBe(1);
	});

	test("has a narrow interval when the slowdown is small", () => {
		const { estimator, truth } = slowed({ perCpu: 1e4, hitNs: 3000, busy: true, measuredNs: 3000 });
		const { low = 0, high = 0 } = estimator.missing(false).get(FN) ?? {};
		// Half of that is of chance: the windows saw 8000 calls.
		expect((high - low) / truth).toBeLessThan(0.13);
	});
});

test("calls that came while the probes were being taken out are not missing", () => {
	const estimator = new CallEstimator();
	estimator.off(0.9, 0);
	estimator.window({ calls: new Map([[FN, 10]]), seconds: 0.1, ...IDLE });
	estimator.endPeriod();
	expect(estimator.missing(false, new Map([[FN, 30]])).get(FN)?.calls).toBeCloseTo(60, 6);
	expect(estimator.missing(false, new Map([[FN, 300]])).get(FN)).toMatchObject({ calls: 0, low: 0 });
});

describe("what growths promise", () => {
	const missing = (low: number, calls: number, high: number, disturbed = false): Missing => ({
		...{ calls, low, high, squaredOff: 1, disturbed },
	});

	test("narrows a wide interval", () => {
		expect(within(missing(10, 20, 5000), 100, { low: 600, likely: 800, high: 1100 })).toMatchObject({
			...{ low: 500, calls: 700, high: 1000 },
		});
	});

	test("leaves a narrow one alone", () => {
		expect(within(missing(690, 700, 710), 100, { low: 600, likely: 900, high: 1100 })).toEqual(missing(690, 700, 710));
	});

	test("counts for the upper end when the probes took much of the windows", () => {
		const bounds = { low: 500, likely: 800, high: 1100 };
		expect(within(missing(650, 700, 900, true), 0, bounds)).toMatchObject({ low: 650, calls: 800, high: 1100 });
		expect(within(missing(650, 700, 900, false), 0, bounds)).toMatchObject({ low: 650, calls: 700, high: 900 });
	});

	test("counts instead of windows that saw too little", () => {
		expect(within(missing(10, 20, 30), 0, { low: 500, likely: 700, high: 1000 })).toMatchObject({
			low: 500,
			high: 1000,
		});
	});

	test("does not count against windows that saw more: growths before the start promised it", () => {
		expect(within(missing(900, 950, 990), 0, { low: 5, likely: 7, high: 10 })).toEqual(missing(900, 950, 990));
	});

	test("is less than what was counted already", () => {
		expect(within(missing(0, 20, 900), 100, { low: 50, likely: 70, high: 100 })).toMatchObject({
			low: 0,
			calls: 0,
			high: 0,
		});
	});
});

test("the errors of two targets are independent of each other", () => {
	const sum = new Map([[FN, { calls: 100, low: 97, high: 130, squaredOff: 1, disturbed: false }]]);
	addMissing(sum, new Map([[FN, { calls: 50, low: 46, high: 90, squaredOff: 2, disturbed: true }]]));
	expect(sum.get(FN)).toEqual({ calls: 150, low: 145, high: 200, squaredOff: 3, disturbed: true });
});
