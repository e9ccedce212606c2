import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { memorySource } from "../../../src/elf/memory-source.ts";
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

function relocations(table: Uint8Array, arch: "amd64" | "arm64"): RelativeRelocations {
	// Not at the start of the file, nor at its end.
	const file = Buffer.concat([Buffer.alloc(5), table, Buffer.alloc(24, 1)]);
	return new RelativeRelocations(memorySource(file), 5, table.length, arch);
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
					const table = relocations(
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
		expect(relocations(table, "arm64").addend(4096)).toBe(77);
		expect(relocations(table, "amd64").addend(4096)).toBeUndefined();
	});

	test("the words that point somewhere are found", () => {
		const table = relocations(
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
		const table = relocations(bytes.subarray(0, 71), "amd64");
		expect(table.addend(8)).toBe(2);
		expect(table.addend(16)).toBeUndefined();
		expect(relocations(new Uint8Array(0), "amd64").addend(8)).toBeUndefined();
	});

	test("a large table is indexed quickly", () => {
		const count = 200_000;
		const table = relocations(
			rela(
				Array.from({ length: count }, (_, index) => ({ offset: BigInt(index * 8), type: 8, addend: BigInt(index) })),
			),
			"amd64",
		);
		for (let index = 0; index < count; index += 997) {
			expect(table.addend(index * 8)).toBe(index);
		}
	});

	test("a structure is relocated in one pass, larger than a chunk of the table or not", () => {
		const count = 100_000;
		const entries = Array.from({ length: count }, (_, index) => {
			return {
				offset: BigInt((count - index) * 8),
				type: index % 5 === 0 ? 6 : 8,
				addend: BigInt(index) + (1n << 40n),
			};
		});
		const table = relocations(rela(entries), "amd64");
		const words = new Float64Array(1000).fill(-1);
		table.applyTo(words, 8 * 1000, 16);
		for (let index = 0; index < words.length; index++) {
			const entry = count - 1000 - index * 2;
			expect(words[index]).toBe(entry % 5 === 0 ? -1 : entry + 2 ** 40);
		}
	});

	test("more entries than any program has are refused, not kept", () => {
		const size = 24 * ((1 << 23) + 1);
		const source = { size, read: (_: number, length: number) => new Uint8Array(length), readInto: () => {} };
		const table = new RelativeRelocations(source, 0, size, "amd64");
		expect(() => table.addend(8)).toThrow("E-BIN-MALFORMED");
	});
});
