import { expect, test } from "bun:test";
import fc from "fast-check";
import { topOf } from "../../../src/lib/top-k.ts";

test("the first few are those of sorting all", () => {
	const ascending = (a: number, b: number) => a - b;
	fc.assert(
		fc.property(fc.array(fc.nat(1000), { maxLength: 400 }), fc.integer({ min: 1, max: 60 }), (values, limit) => {
			expect(topOf(values, limit, ascending)).toEqual([...values].sort(ascending).slice(0, limit));
		}),
	);
	expect(topOf([3, 1, 2], Number.POSITIVE_INFINITY, ascending)).toEqual([1, 2, 3]);
});
