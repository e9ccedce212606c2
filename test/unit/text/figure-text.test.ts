/** Figures in words and numbers. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Figure, isPrintable, relativeWidth } from "../../../src/records/figure.ts";
import {
	BYTES,
	COUNT,
	cellText,
	countText,
	DURATION,
	longText,
	RATE,
	shortText,
	widthText,
} from "../../../src/text/figure-text.ts";

const WORK: Figure = { estimate: 1_234_567, low: 1_100_000, high: 1_382_000 };
const NARROW: Figure = { estimate: 12_345, low: 12_000, high: 12_500 };
const WIDE: Figure = { estimate: 100, low: 20, high: 300 };

describe("a figure", () => {
	test("that is exact is a plain number", () => {
		expect([shortText(1204, COUNT), cellText(1204, COUNT), longText(1204, COUNT)]).toEqual(Array(3).fill("1,204"));
		expect([shortText(0, RATE), cellText(0, BYTES), shortText(0.3, RATE)]).toEqual(["0", "0 B", "0.3"]);
		expect(widthText(1204)).toBeUndefined();
	});

	test("that is estimated is marked, with no more digits than mean something", () => {
		expect([shortText(WORK, COUNT), cellText(WORK, COUNT), longText(WORK, COUNT)]).toEqual([
			...["~1.2M", "~1,200,000", "~1.2M ±12 %"],
		]);
		expect([shortText(NARROW, RATE), cellText(NARROW, RATE)]).toEqual(["~12.3k", "~12,300"]);
		expect(longText({ estimate: 8.4e6, low: 8e6, high: 9e6 }, BYTES)).toBe("~8.4 MB ±8 %");
		expect(shortText({ estimate: 105e3, low: 9e4, high: 12e4 }, DURATION)).toBe("~105 µs");
		expect(shortText({ estimate: 999.6, low: 900, high: 1100 }, COUNT)).toBe("~1k");
		expect(shortText({ estimate: 123, low: 100, high: 140 }, COUNT)).toBe("~120");
		expect(shortText({ estimate: 0.34, low: 0.3, high: 0.4 }, RATE)).toBe("~0.34");
	});

	test("that is too wide or only known from below is no number", () => {
		expect([shortText(WIDE, COUNT), shortText({ at_least: 1203 }, COUNT)]).toEqual(["–", "–"]);
		expect([cellText(WIDE, COUNT), cellText({ at_least: 1203 }, COUNT)]).toEqual(["≥20", "≥1,203"]);
		expect([longText({ at_least: 1203 }, COUNT), widthText(WIDE)]).toEqual(["at least 1,203", undefined]);
	});

	test("of which nothing is known is a dash", () => {
		for (const nothing of [undefined, { at_least: 0 }]) {
			expect([shortText(nothing, COUNT), cellText(nothing, COUNT), longText(nothing, COUNT)]).toEqual([
				...["–", "–", undefined],
			]);
			expect(countText(nothing, "growth")).toBeUndefined();
		}
	});

	test("counts things", () => {
		expect([countText(1, "growth"), countText(0, "growth"), countText({ at_least: 1 }, "growth")]).toEqual([
			...["1 growth", "0 growths", "at least 1 growth"],
		]);
		expect(countText(WORK, "process")).toBe("~1.2M processes ±12 %");
	});
});

test("any estimate: the text is within its interval or the rounding of two digits, and its width is not understated", () => {
	const positive = fc.double({ min: 0.001, max: 1e12, noNaN: true });
	const factor = fc.double({ min: 1, max: 2, noNaN: true });
	fc.assert(
		fc.property(positive, factor, factor, (estimate, below, above) => {
			const figure = { estimate, low: estimate / below, high: estimate * above };
			fc.pre(isPrintable(figure));
			const width = Number(/^±(\d+) %$/.exec(widthText(figure) ?? "")?.[1]);
			expect(width / 100).toBeGreaterThanOrEqual(relativeWidth(figure) - 1e-6);
			const [, digits = "", prefix = ""] = /^~([\d.e-]+)([kMGT]?)$/.exec(shortText(figure, RATE)) ?? [];
			const number = Number(digits) * 1000 ** " kMGT".indexOf(prefix || " ");
			expect(Math.abs(number - estimate)).toBeLessThanOrEqual(0.051 * estimate);
		}),
	);
});
