import { describe, expect, test } from "bun:test";
import { NumberTable } from "../../../src/lib/number-table.ts";

function at(table: NumberTable, ...key: number[]): number | undefined {
	table.key.set(key);
	return table.find();
}

function add(table: NumberTable, value: number, ...key: number[]): void {
	table.key.set(key);
	const index = table.findOrAdd();
	table.numbers[index] = value;
}

describe("NumberTable", () => {
	test("finds rows by all numbers of their keys, halves above 2^32 too", () => {
		const table = new NumberTable(2, 1);
		const keys = [
			[0, 0],
			[0, 1],
			[1, 0],
			[2 ** 32, 0],
			[2 ** 53 - 1, 2 ** 32 + 1],
			[2 ** 53 - 1, 2 ** 33 + 1],
		];
		for (const [n, key] of keys.entries()) add(table, n + 10, ...key);
		expect(table.size).toBe(keys.length);
		expect(keys.map((key) => table.numbers[at(table, ...key) ?? -1])).toEqual([10, 11, 12, 13, 14, 15]);
		expect(at(table, 2 ** 32, 1)).toBeUndefined();
	});

	test("a row that is added has zeros, also in the place of one that was removed", () => {
		const table = new NumberTable(1, 2);
		for (let n = 0; n < 100; n++) add(table, n + 1, n);
		table.keep(() => false);
		expect(table.size).toBe(0);
		table.key[0] = 7;
		const index = table.findOrAdd();
		expect([...table.numbers.subarray(index, index + 2)]).toEqual([0, 0]);
	});

	test("grows, and keeps what is wanted", () => {
		const table = new NumberTable(1, 1);
		for (let n = 0; n < 50_000; n++) add(table, 3 * n, 977 * n);
		for (let n = 0; n < 50_000; n++) expect(table.numbers[at(table, 977 * n) ?? -1]).toBe(3 * n);
		table.keep((row) => (table.numbers[row] ?? 0) % 2 === 0);
		expect(table.size).toBe(25_000);
		for (let n = 0; n < 50_000; n++) {
			const found = at(table, 977 * n);
			if (n % 2 === 0) expect(table.numbers[found ?? -1]).toBe(3 * n);
			else expect(found).toBeUndefined();
		}
		// It has become smaller, and grows again.
		table.keep((row) => table.numbers[row] === 0);
		for (let n = 0; n < 1000; n++) add(table, n, n);
		expect(table.size).toBe(1000);
		expect(table.numbers.length).toBeLessThan(2 * 2048);
	});
});
