/** The coarse table of function addresses finds what a search through all of them finds. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FunctionStarts } from "../../../../src/gobin/pclntab/function-starts.ts";

/** Function sizes: mostly small, some huge, so that buckets hold many functions or none. */
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 1 << 20 })), {
	minLength: 1,
	maxLength: 300,
});

function startsOf(first: number, lengths: readonly number[]): Float64Array {
	const starts = [first];
	for (const length of lengths) starts.push((starts.at(-1) ?? 0) + length);
	return Float64Array.from(starts);
}

test("each byte belongs to the last function that starts before it", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 0, max: 2 ** 40 }),
			sizes,
			fc.double({ min: 0, max: 1, noNaN: true }),
			(first, lengths, at) => {
				const starts = startsOf(first, lengths);
				const table = new FunctionStarts(starts);
				const end = starts.at(-1) ?? 0;
				const some = Math.min(end - 1, Math.floor(first + at * (end - first)));
				for (const vaddr of [some, ...starts.slice(0, -1), ...Array.from(starts.slice(1), (start) => start - 1)]) {
					expect(table.indexOf(vaddr)).toBe(starts.findLastIndex((start) => start <= vaddr));
				}
			},
		),
		{ numRuns: 300 },
	);
});

test("starts in no order: some function that starts before and is followed by one that starts behind", () => {
	fc.assert(
		fc.property(
			fc.array(fc.double({ min: 0, max: 2 ** 60, noNaN: true }), { minLength: 2, maxLength: 50 }),
			(values) => {
				const starts = Float64Array.from(values);
				const [first = 0, last = 0] = [values[0], values.at(-1)];
				const table = new FunctionStarts(starts);
				for (const vaddr of values) {
					if (!(vaddr >= first && vaddr < last)) continue;
					const found = table.indexOf(vaddr);
					expect(starts[found]).toBeLessThanOrEqual(vaddr);
					expect(starts[found + 1]).toBeGreaterThan(vaddr);
				}
			},
		),
	);
});
