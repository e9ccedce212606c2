/** Bounded tables against lists that do the same plainly, and with far more keys than they have room for. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BoundedCounts } from "../../../src/lib/bounded-counts.ts";
import { BoundedTable, FoldingTable, OTHER } from "../../../src/lib/bounded-table.ts";

const KEYS = 200_000;

describe("a table that forgets", () => {
	test("holds what was used last, and forgets no more than a fifth at once", () => {
		const use = fc.record({ key: fc.nat(80), write: fc.boolean() });
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 40 }), fc.array(use, { maxLength: 300 }), (capacity, uses) => {
				const evicted: number[] = [];
				const table = new BoundedTable<number, string>(capacity, { onEvict: (_, key) => evicted.push(key) });
				/** By use, the latest last. */
				let list: [number, string][] = [];
				for (const [time, { key, write }] of uses.entries()) {
					const held = list.find((entry) => entry[0] === key);
					expect(table.peek(key)).toBe(held?.[1]);
					if (write) table.set(key, `v${time}`);
					else expect(table.get(key)).toBe(held?.[1]);
					const value = write ? `v${time}` : held?.[1];
					if (value !== undefined) list = [...list.filter((entry) => entry !== held), [key, value]];
					const gone = evicted.splice(0);
					expect(gone.toSorted()).toEqual(
						list
							.splice(0, gone.length)
							.map(([old]) => old)
							.toSorted(),
					);
					expect(gone.length > 0).toBe(list.length + gone.length > capacity);
					expect(gone.length).toBeLessThanOrEqual(1 + capacity / 5);
					expect([table.size, table.values().toSorted()]).toEqual([
						list.length,
						list.map(([, text]) => text).toSorted(),
					]);
				}
			}),
		);
	});

	test("never has more weight than its capacity, also of entries that grow", () => {
		const ask = fc.record({ key: fc.nat(20), weight: fc.integer({ min: 1, max: 12 }), more: fc.nat(4) });
		fc.assert(
			fc.property(fc.array(ask, { maxLength: 300 }), (asks) => {
				const table = new BoundedTable<number, { key: number; weight: number }>(20, { weigh: ({ weight }) => weight });
				for (const { key, weight, more } of asks) {
					const value = table.getOrAdd(key, () => ({ key, weight }));
					expect(value.key).toBe(key);
					value.weight += more;
					table.grow(key, more);
					expect(table.values().reduce((sum, each) => sum + each.weight, 0)).toBeLessThanOrEqual(20);
				}
			}),
		);
	});

	test("keeps what is used again and again, forgets what is not", () => {
		const table = new BoundedTable<number, number>(1000);
		table.set(-1, 5);
		table.set(-2, 6);
		for (let key = 0; key < KEYS; key++) {
			table.set(key, key);
			expect(table.get(-1)).toBe(5);
			if (table.size > 1000) throw new Error(`${table.size} entries`);
		}
		expect(table.size).toBeGreaterThan(799);
		expect([table.get(-2), table.get(0), table.get(KEYS - 1)]).toEqual([undefined, undefined, KEYS - 1]);
	});

	test("looking at an entry does not use it, and what is heavier than the table is not kept", () => {
		const table = new BoundedTable<string, number>(2, { weigh: (weight) => weight });
		table.set("a", 1);
		table.set("b", 1);
		expect(table.peek("a")).toBe(1);
		table.set("c", 1);
		expect([table.peek("a"), table.peek("b"), table.peek("c")]).toEqual([undefined, 1, 1]);
		table.set("d", 3);
		expect([table.peek("d"), table.size]).toEqual([undefined, 2]);
		expect([table.delete("b"), table.delete("b"), table.size]).toEqual([true, false, 1]);
	});
});

describe("a table that sums up", () => {
	const counts = (max: number) => new FoldingTable<string, { count: number }>(max, OTHER, () => ({ count: 0 }));

	test("loses nothing of 200,000 keys and has a bound", () => {
		const table = counts(100);
		for (let key = 0; key < KEYS; key++) table.getOrAdd(`k${key}`, () => ({ count: 0 })).count++;
		for (let key = 0; key < 100; key++) table.getOrAdd(`k${key}`, () => ({ count: 0 })).count++;
		expect([table.size, table.values().length, table.other?.count]).toEqual([100, 101, KEYS - 100]);
		expect(table.values().reduce((sum, { count }) => sum + count, 0)).toBe(KEYS + 100);
		expect(table.entries().at(-1)).toEqual([OTHER, { count: KEYS - 100 }]);
	});

	test("the name of the rest as a key is the rest, and takes no room", () => {
		const table = counts(1);
		table.getOrAdd(OTHER, () => ({ count: 0 })).count += 7;
		table.getOrAdd("a", () => ({ count: 0 })).count += 1;
		table.getOrAdd("b", () => ({ count: 0 })).count += 2;
		expect(table.entries()).toEqual([
			["a", { count: 1 }],
			[OTHER, { count: 9 }],
		]);
		expect([table.accepts("a"), table.accepts("b"), table.accepts(OTHER)]).toEqual([true, false, false]);
		expect(table.get(OTHER)?.count).toBe(9);
	});

	test("counts by name are whole numbers, whatever the names", () => {
		const sum = new BoundedCounts(3);
		for (const name of ["__proto__", "constructor", "load", "more", "still more"]) sum.add(name, 1.25);
		const twice = new BoundedCounts(3);
		for (const part of [sum, sum]) twice.addAll(part);
		twice.addRecord({ load: 5 });
		expect(Object.entries(twice.record())).toEqual([
			["__proto__", 3],
			["constructor", 3],
			["load", 8],
			[OTHER, 5],
		]);
	});
});
