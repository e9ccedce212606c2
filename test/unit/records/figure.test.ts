import { describe, expect, test } from "bun:test";
import { addFigures, isPrintable, lowerEnd, upperEnd } from "../../../src/records/figure.ts";

describe("figures", () => {
	test("exact ones add up exactly", () => {
		expect(addFigures([3, 4, 0])).toBe(7);
		expect(addFigures([])).toBe(0);
	});

	test("errors of independent estimates add up as squares", () => {
		const sum = addFigures([{ estimate: 100, low: 70, high: 140 }, 1000, { estimate: 200, low: 160, high: 230 }]);
		expect(sum).toEqual({ estimate: 1300, low: 1250, high: 1350 });
	});

	test("a sum with a lower bound in it is a lower bound", () => {
		expect(addFigures([{ at_least: 5 }, { estimate: 100, low: 70, high: 140 }, 10])).toEqual({ at_least: 85 });
	});

	test("an estimate that may be off by more than a factor of two is not printed", () => {
		expect(isPrintable(7)).toBe(true);
		expect(isPrintable({ at_least: 7 })).toBe(false);
		expect(isPrintable({ estimate: 100, low: 50, high: 200 })).toBe(true);
		expect(isPrintable({ estimate: 100, low: 49, high: 110 })).toBe(false);
		expect(isPrintable({ estimate: 100, low: 90, high: 201 })).toBe(false);
	});

	test("ends", () => {
		expect([7, { at_least: 5 }, { estimate: 3, low: 2, high: 4 }].map(lowerEnd)).toEqual([7, 5, 2]);
		expect([7, { at_least: 5 }, { estimate: 3, low: 2, high: 4 }].map(upperEnd)).toEqual([7, undefined, 4]);
	});
});
