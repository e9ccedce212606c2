import { expect, test } from "bun:test";
import fc from "fast-check";
import { RecentRows } from "../../../src/lib/lru-table.ts";
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

test("a full table forgets what was touched longest ago, and never more than a fifth at once", () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(80), { maxLength: 300 }), (max, keys) => {
			const rows = new RecentRows<{ key: number }>(max);
			const touched = new Map<number, number>();
			for (const [time, key] of keys.entries()) {
				rows.touch(`${key}`, () => ({ key }));
				touched.delete(key);
				touched.set(key, time);
				const kept = rows.values().map((row) => row.key);
				expect(kept).toContain(key);
				expect(kept.length).toBeLessThanOrEqual(max);
				expect(kept.length).toBeGreaterThanOrEqual(Math.min(touched.size, Math.ceil(max * 0.8)));
				// The newest ones are those that are kept.
				expect(new Set(kept)).toEqual(new Set([...touched.keys()].slice(-kept.length)));
				for (const old of touched.keys()) if (!kept.includes(old)) touched.delete(old);
			}
		}),
	);
});
