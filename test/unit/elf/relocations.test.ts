import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RelativeRelocations } from "../../../src/elf/relocations.ts";

const RELATIVE = { amd64: 8, arm64: 1027 } as const;

function rela(entries: { offset: bigint; type: number; addend: bigint }[]): Uint8Array {
	const table = Buffer.alloc(entries.length * 24);
	entries.forEach(({ offset, type, addend }, index) => {
		table.writeBigUInt64LE(offset, index * 24);
		table.writeBigUInt64LE(BigInt(type), index * 24 + 8);
		table.writeBigUInt64LE(addend, index * 24 + 16);
	});
	return table;
}

const address = fc.bigInt({ min: 0n, max: (1n << 47n) - 1n });

describe("relative relocations", () => {
	test("are found by address, others are not", () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(fc.record({ offset: address, relative: fc.boolean(), addend: address }), {
					selector: (entry) => entry.offset,
					maxLength: 300,
				}),
				address,
				(entries, other) => {
					const table = new RelativeRelocations(
						rela(entries.map((entry) => ({ ...entry, type: entry.relative ? RELATIVE.amd64 : 6 }))),
						"amd64",
					);
					for (const entry of entries) {
						expect(table.addend(Number(entry.offset))).toBe(entry.relative ? Number(entry.addend) : undefined);
					}
					if (!entries.some((entry) => entry.offset === other)) {
						expect(table.addend(Number(other))).toBeUndefined();
					}
				},
			),
			{ numRuns: 200 },
		);
	});

	test("each machine has its own type", () => {
		const table = rela([{ offset: 4096n, type: RELATIVE.arm64, addend: 77n }]);
		expect(new RelativeRelocations(table, "arm64").addend(4096)).toBe(77);
		expect(new RelativeRelocations(table, "amd64").addend(4096)).toBeUndefined();
	});

	test("the words that point somewhere are found", () => {
		const table = new RelativeRelocations(
			rela([
				{ offset: 8n, type: 8, addend: 500n },
				{ offset: 16n, type: 6, addend: 500n },
				{ offset: 24n, type: 8, addend: 500n + (1n << 32n) },
				{ offset: 32n, type: 8, addend: 500n },
			]),
			"amd64",
		);
		expect(table.wordsPointingTo(500, 10)).toEqual([8, 32]);
		expect(table.wordsPointingTo(500, 1)).toEqual([8]);
	});

	test("the last of several entries for a word counts, an incomplete entry does not", () => {
		const bytes = rela([
			{ offset: 8n, type: 8, addend: 1n },
			{ offset: 8n, type: 8, addend: 2n },
			{ offset: 16n, type: 8, addend: 3n },
		]);
		const table = new RelativeRelocations(bytes.subarray(0, 71), "amd64");
		expect(table.addend(8)).toBe(2);
		expect(table.addend(16)).toBeUndefined();
		expect(new RelativeRelocations(new Uint8Array(0), "amd64").addend(8)).toBeUndefined();
	});

	test("a large table is indexed quickly", () => {
		const count = 200_000;
		const table = new RelativeRelocations(
			rela(
				Array.from({ length: count }, (_, index) => ({ offset: BigInt(index * 8), type: 8, addend: BigInt(index) })),
			),
			"amd64",
		);
		for (let index = 0; index < count; index += 997) {
			expect(table.addend(index * 8)).toBe(index);
		}
	});
});
