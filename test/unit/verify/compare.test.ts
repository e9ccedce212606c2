/** Two counters of the same passes: what can be said of their difference, and when it is a fault. */
import { describe, expect, test } from "bun:test";
import {
	type Circumstances,
	differenceOf,
	judge,
	type Offset,
	offsetOf,
	type PairedSample,
	widthOf,
	worstOf,
} from "../../../src/verify/compare.ts";

const quiet = (perf: number, bpf: number, runnable = 0): PairedSample => ({
	...{ perf: [perf, perf, perf], bpf: [bpf, bpf], runnable, threads: 8 },
});

const ON_CPUS: Circumstances = { scope: "processors", threadsStarted: 0, otherProcesses: 0, migrations: 0 };
const IN_THREADS: Circumstances = { scope: "threads", threadsStarted: 0, otherProcesses: 0, migrations: 0 };

describe("the offset of one moment", () => {
	test("is exact when nothing passes and no thread runs", () => {
		expect(offsetOf(quiet(107, 100))).toEqual({ low: 7, high: 7 });
		expect(widthOf(offsetOf(quiet(107, 100)))).toBe(0);
	});

	test("allows for each thread that may be between the two counters", () => {
		expect(offsetOf(quiet(107, 100, 2))).toEqual({ low: 5, high: 9 });
	});

	test("lies between the readings of perf around ours while passes come, and any thread may be in between", () => {
		expect(offsetOf({ perf: [100, 130, 140], bpf: [95, 120], runnable: 1, threads: 4 })).toEqual({ low: 1, high: 39 });
		// Only the later readings have moved.
		expect(offsetOf({ perf: [100, 100, 100], bpf: [95, 96], runnable: 0, threads: 1 })).toEqual({ low: 4, high: 6 });
	});

	test("holds the true one, however a thread was interrupted between the two counters", () => {
		// Both count each pass, perf first; `between` threads have been counted by perf alone.
		for (let settled = 0; settled < 5; settled++) {
			for (let between = 0; between <= 3; between++) {
				const { low, high } = offsetOf(quiet(1000 + settled + between, 1000, between));
				expect(low).toBeLessThanOrEqual(settled);
				expect(high).toBeGreaterThanOrEqual(settled);
			}
		}
	});
});

describe("the difference", () => {
	test("of two exact offsets is exact", () => {
		expect(differenceOf({ low: 7, high: 7 }, { low: 7, high: 7 })).toEqual({ low: 0, high: 0 });
		expect(differenceOf({ low: 7, high: 7 }, { low: 4, high: 4 })).toEqual({ low: -3, high: -3 });
	});

	test("is as uncertain as both together", () => {
		expect(differenceOf({ low: 5, high: 9 }, { low: 6, high: 7 })).toEqual({ low: -3, high: 2 });
	});
});

describe("a judgement", () => {
	test.each<[Offset, Partial<Circumstances>, string, RegExp | undefined]>([
		[{ low: 0, high: 0 }, ON_CPUS, "equal", undefined],
		[{ low: -3, high: 5 }, ON_CPUS, "explained", /^equal but for 5 passes at most, /],
		[{ low: -1, high: 0 }, ON_CPUS, "explained", /^equal but for 1 pass at most, /],
		// A single pass that nothing explains is one too many.
		[{ low: 1, high: 1 }, ON_CPUS, "unexplained", undefined],
		[{ low: -1, high: -1 }, ON_CPUS, "unexplained", undefined],
		[{ low: 1, high: 9 }, ON_CPUS, "unexplained", undefined],
		[{ low: -9, high: -1 }, IN_THREADS, "unexplained", undefined],
		// Threads that start make perf count less, never more, and only where it counts threads.
		[{ low: -9, high: -9 }, { ...IN_THREADS, threadsStarted: 1 }, "explained", /^1 thread has started meanwhile/],
		[{ low: -9, high: -1 }, { ...IN_THREADS, threadsStarted: 3 }, "explained", /^3 threads have started meanwhile/],
		[{ low: 2, high: 2 }, { ...IN_THREADS, threadsStarted: 3 }, "unexplained", undefined],
		[{ low: -9, high: -9 }, { ...ON_CPUS, threadsStarted: 3 }, "unexplained", undefined],
		// Other processes make it count more, never less, and only where it counts all of them.
		[{ low: 9, high: 9 }, { ...ON_CPUS, otherProcesses: 1 }, "explained", /^1 other process has begun/],
		[{ low: 9, high: 12 }, { ...ON_CPUS, otherProcesses: 2 }, "explained", /^2 other processes have begun/],
		[{ low: -9, high: -9 }, { ...ON_CPUS, otherProcesses: 2 }, "unexplained", undefined],
		[{ low: 9, high: 9 }, { ...IN_THREADS, otherProcesses: 2 }, "unexplained", undefined],
		// A thread that moves to another processor makes it count one more or one less.
		[{ low: -1, high: -1 }, { ...ON_CPUS, migrations: 1 }, "explained", /^threads have moved .* 1 time meanwhile: /],
		[{ low: 3, high: 5 }, { ...ON_CPUS, migrations: 3 }, "explained", /^threads have moved .* 3 times meanwhile: /],
		[{ low: 4, high: 5 }, { ...ON_CPUS, migrations: 3 }, "unexplained", undefined],
		[{ low: -9, high: -4 }, { ...ON_CPUS, migrations: 3 }, "unexplained", undefined],
		[{ low: 1, high: 1 }, { ...IN_THREADS, migrations: 3 }, "unexplained", undefined],
	])("of %j with %j is %s", (difference, circumstances, verdict, explanation) => {
		const judged = judge(difference, { ...ON_CPUS, ...circumstances });
		expect(judged.verdict).toBe(verdict as never);
		if (explanation === undefined) expect(judged.explanation).toBeUndefined();
		else expect(judged.explanation).toMatch(explanation);
	});

	test("of all is the worst", () => {
		expect(worstOf([])).toBe("equal");
		expect(worstOf(["equal", "explained", "equal"])).toBe("explained");
		expect(worstOf(["explained", "unexplained", "equal"])).toBe("unexplained");
	});
});
