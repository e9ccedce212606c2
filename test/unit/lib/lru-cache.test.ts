import { expect, test } from "bun:test";
import fc from "fast-check";
import { LruCache } from "../../../src/lib/lru-cache.ts";

test("behaves like a list ordered by use", () => {
	const step = fc.record({ key: fc.integer({ min: 0, max: 6 }), write: fc.boolean() });
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
			const cache = new LruCache<number, string>(capacity);
			let list: [number, string][] = [];
			steps.forEach(({ key, write }, index) => {
				const held = list.find((entry) => entry[0] === key);
				if (write) {
					cache.set(key, `v${index}`);
					list = [...list.filter((entry) => entry[0] !== key), [key, `v${index}`] as [number, string]].slice(-capacity);
				} else {
					expect(cache.get(key)).toBe(held?.[1]);
					if (held !== undefined) {
						list = [...list.filter((entry) => entry !== held), held];
					}
				}
				expect(cache.size).toBe(list.length);
			});
		}),
	);
});
