import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { GenerationCache } from "../../../src/lib/generation-cache.ts";

const ask = fc.record({ key: fc.nat(20), weight: fc.integer({ min: 1, max: 12 }) });

describe("a cache of generations", () => {
	test("never has a wrong value and never more than its capacity", () => {
		fc.assert(
			fc.property(fc.array(ask, { maxLength: 300 }), (asks) => {
				const cache = new GenerationCache<{ key: number; weight: number }>(20, ({ weight }) => weight);
				for (const { key, weight } of asks) {
					const known = cache.get(key);
					if (known === undefined) cache.set(key, { key, weight });
					else expect(known.key).toBe(key);
				}
				const kept = Array.from({ length: 21 }, (_, key) => cache.get(key)).filter((value) => value !== undefined);
				expect(kept.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(20);
			}),
		);
	});

	test("keeps what is asked for again and again, forgets what is not", () => {
		const cache = new GenerationCache<number>(20, () => 1);
		cache.set(-1, 5);
		cache.set(-2, 6);
		for (let key = 0; key < 1000; key++) {
			cache.set(key, key);
			expect(cache.get(-1)).toBe(5);
		}
		expect(cache.get(-2)).toBeUndefined();
		expect(cache.get(999)).toBe(999);
		expect(cache.get(995)).toBe(995);
		expect(cache.get(0)).toBeUndefined();
	});

	test("does not keep what is too heavy", () => {
		const cache = new GenerationCache<number>(20, (weight) => weight);
		cache.set(1, 5);
		cache.set(2, 11);
		expect(cache.get(2)).toBeUndefined();
		expect(cache.get(1)).toBe(5);
	});
});
