import { describe, expect, test } from "bun:test";
import { WindowedSum } from "../../../src/budget/estimate.ts";
import { gammaQuantile, normalUpper, studentUpper } from "../../../src/budget/quantiles.ts";
import { plainWindow, WindowWeights } from "../../../src/budget/window-weight.ts";
import { isAtLeast, isExact } from "../../../src/records/figure.ts";

describe("quantiles", () => {
	test("agree with tables", () => {
		expect(normalUpper(0.025)).toBeCloseTo(1.96, 2);
		expect(normalUpper(0.0005)).toBeCloseTo(3.29, 2);
		for (const [degrees, t] of [
			[4, 2.776],
			[6, 2.447],
			[10, 2.228],
			[30, 2.042],
		] as const) {
			expect(Math.abs(studentUpper(0.025, degrees) / t - 1)).toBeLessThan(0.01);
		}
		// The exact interval of a Poisson count of 30 is 20.24 to 42.83.
		expect(gammaQuantile(30, 30, -1.96)).toBeCloseTo(20.24, 0);
		expect(gammaQuantile(31, 31, 1.96)).toBeCloseTo(42.83, 0);
	});
});

describe("a sum over windows", () => {
	const steady = (windows: number, at: (index: number) => number): WindowedSum => {
		const sum = new WindowedSum();
		for (let index = 0; index < windows; index++) sum.window(plainWindow(index, 10), at(index));
		return sum;
	};

	test("is exact when there were no windows", () => {
		const sum = new WindowedSum();
		sum.exact(40);
		sum.exact(2);
		expect(sum.read({ windows: 0 })).toBe(42);
		expect(new WindowedSum(7).read({ windows: 7 })).toBe(0);
	});

	test("is not zero when windows saw nothing", () => {
		expect(new WindowedSum().read({ windows: 20 })).toEqual({ at_least: 0 });
		expect(new WindowedSum().read({ windows: 0, missed: 3 })).toEqual({ at_least: 0 });
	});

	test("estimates n times what was seen, and what was measured in full", () => {
		const sum = steady(40, (index) => 95 + (index % 3) * 5);
		sum.exact(7);
		const figure = sum.read({ windows: 40 });
		expect(figure).toMatchObject({ estimate: 7 + 10 * 3995 });
		if (isExact(figure) || isAtLeast(figure)) throw new Error("not an estimate");
		expect(figure.low).toBeLessThan(figure.estimate);
		expect(figure.low).toBeGreaterThan(0.9 * figure.estimate);
		expect(figure.high).toBeLessThan(1.1 * figure.estimate);
	});

	test("amounts of the same window add up, also after it was read", () => {
		const [whole, parts] = [steady(20, () => 12), new WindowedSum()];
		for (let index = 0; index < 20; index++) {
			parts.window(plainWindow(index, 10), 5);
			parts.read({ windows: index + 1 });
			parts.window(plainWindow(index, 10), 7);
		}
		expect(parts.read({ windows: 20 })).toEqual(whole.read({ windows: 20 }));
	});

	test("windows in between count as zero", () => {
		const [implied, told] = [new WindowedSum(), new WindowedSum()];
		for (let index = 0; index < 90; index++) {
			const amount = index % 4 === 1 ? 30 : 0;
			told.window(plainWindow(index, 10), amount);
			if (amount > 0) implied.window(plainWindow(index, 10), amount);
		}
		expect(implied.read({ windows: 90 })).toEqual(told.read({ windows: 90 }));
		const figure = implied.read({ windows: 90 });
		expect(isAtLeast(figure)).toBe(false);
	});

	test("has no upper end with hits in fewer than ten windows", () => {
		const sum = new WindowedSum();
		for (let index = 0; index < 9; index++) sum.window(plainWindow(3 * index, 10), 100);
		const few = sum.read({ windows: 30 });
		expect(isAtLeast(few)).toBe(true);
		sum.window(plainWindow(27, 10), 100);
		expect(isAtLeast(sum.read({ windows: 30 }))).toBe(false);
	});

	test("has no upper end when one window holds more than a third of it", () => {
		const sum = steady(30, (index) => (index === 12 ? 20 : 1));
		expect(isAtLeast(sum.read({ windows: 30 }))).toBe(true);
	});

	test("a lower bound is never below what was seen", () => {
		const sum = new WindowedSum();
		sum.exact(5);
		sum.window(plainWindow(3, 1000), 8);
		expect(sum.read({ windows: 30 })).toEqual({ at_least: expect.any(Number) });
		const figure = sum.read({ windows: 30 });
		expect(isAtLeast(figure) ? figure.at_least : 0).toBeGreaterThanOrEqual(13);
	});

	test("missed periods widen the interval and are given to nobody; too many leave it open", () => {
		const sum = steady(30, (index) => 50 + (index % 5));
		const [all, some] = [sum.read({ windows: 30 }), sum.read({ windows: 30, missed: 6 })];
		if (isExact(all) || isAtLeast(all) || isExact(some) || isAtLeast(some)) throw new Error("not estimates");
		expect(some.estimate).toBe(all.estimate);
		expect(some.low).toBe(all.low);
		expect(some.high).toBeGreaterThan(all.estimate * 1.2);
		expect(isAtLeast(sum.read({ windows: 30, missed: 31 }))).toBe(true);
	});

	test("a few hits far larger than the rest leave it open, many do not", () => {
		const sizes = (large: number): WindowedSum => {
			const sum = new WindowedSum();
			for (let index = 0; index < 60; index++) {
				sum.window(plainWindow(index, 10), 100, 1);
				if (index % Math.round(60 / large) === 0) sum.window(plainWindow(index, 10), 64, 64);
			}
			return sum;
		};
		expect(isAtLeast(sizes(3).read({ windows: 60 }))).toBe(true);
		expect(isAtLeast(sizes(60).read({ windows: 60 }))).toBe(false);
	});

	test("refuses windows out of order", () => {
		const sum = steady(3, () => 1);
		expect(() => sum.window(plainWindow(1, 10), 1)).toThrow(RangeError);
		expect(() => new WindowedSum(5).window(plainWindow(4, 10), 1)).toThrow(RangeError);
	});
});

describe("weights of windows that were slowed", () => {
	/** A program that uses all of a processor, of which hits take this share in windows of 10 ms; or whose load comes from outside. */
	const weights = (share: number, kept: "busy" | "loaded", windows = 60) => {
		const made = new WindowWeights();
		const cpuNs = kept === "busy" ? 10e6 : 5e6;
		const probeNs = kept === "busy" ? share * cpuNs : (share * cpuNs) / (1 - share);
		const inWindow = { cpuNs: kept === "busy" ? cpuNs : cpuNs + probeNs, probeNs };
		return Array.from({ length: windows }, (_, index) =>
			made.close(index, 20, inWindow, { cpuNs: cpuNs * 19, slots: 19 }),
		);
	};
	const mean = (of: { weight: number }[]): number => of.reduce((sum, { weight }) => sum + weight, 0) / of.length;

	test("hits that take less than 2 % change no weight, but the interval allows for them", () => {
		for (const window of weights(0.015, "busy")) {
			expect(window).toMatchObject({ weight: 20, low: 20 });
			expect(window.high).toBeCloseTo(20 / (1 - 3 * 0.015), 5);
		}
		for (const window of weights(0, "busy")) expect(window).toEqual(plainWindow(window.index, 20));
	});

	test("a busy program lost what hits took; weights stay integers", () => {
		const windows = weights(0.1, "busy");
		expect(windows.every(({ weight }) => Number.isInteger(weight))).toBe(true);
		expect(mean(windows)).toBeCloseTo(20 / 0.9, 1);
		const last = windows.at(-1);
		expect(last?.low).toBeCloseTo(20 / 0.95, 1);
		expect(last?.high).toBeCloseTo(20 / 0.7, 1);
	});

	test("a program with load from outside lost nothing", () => {
		const windows = weights(0.1, "loaded");
		expect(mean(windows.slice(8))).toBeCloseTo(20, 1);
		expect(windows.at(-1)?.low).toBeCloseTo(20, 5);
	});

	test("a window of which the kernel does not know the processor time yet is no reason for a bound", () => {
		const made = new WindowWeights();
		for (let index = 0; index < 30; index++) {
			const window = made.close(index, 20, { cpuNs: 0, probeNs: 0.05e6 }, { cpuNs: 19e6, slots: 19 });
			expect(window.high).toBeGreaterThanOrEqual(20);
		}
	});

	test("above 20 % there is only a lower bound, and it holds", () => {
		const sum = new WindowedSum();
		for (const window of weights(0.3, "busy")) sum.window(window, 70 + (window.index % 3));
		const figure = sum.read({ windows: 60 });
		expect(isAtLeast(figure)).toBe(true);
		// 100 in each of 20 slots without probes.
		expect(isAtLeast(figure) ? figure.at_least : Number.NaN).toBeLessThanOrEqual(60 * 20 * 102);
	});
});
