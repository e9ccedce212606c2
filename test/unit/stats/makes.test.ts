/** Sums of makes: by line, with hints, sizes and growths, exact or estimated from windows. */
import { describe, expect, test } from "bun:test";
import { plainWindow } from "../../../src/budget/window-weight.ts";
import type { Frame } from "../../../src/records/records.ts";
import { type MadeCount, MakeSums } from "../../../src/stats/makes.ts";
import { Sampling } from "../../../src/stats/sampling.ts";

const PID = 7;
const LINE: Frame[] = [
	{ fn: "maps.Clone[...]", file: "/go/maps.go", line: 1, inlined: true },
	{ fn: "main.index", file: "/src/main.go", line: 20, inlined: true },
	{ fn: "main.main", file: "/src/main.go", line: 5 },
];
const PLAIN = LINE.slice(1);
const TYPE = { name: "map[int]int", storageBytes: 144, keyBytes: 8, elemBytes: 8, hasPointers: false };

const count = (fields: Partial<MadeCount>): MadeCount => ({
	...{ pid: PID, kind: "made", typed: false, caller: PLAIN, via: [], number: 0, maps: 1, sum: 0 },
	...fields,
});

describe("makes", () => {
	test("of one line are one row, with all that became of its maps", () => {
		const sums = new MakeSums();
		sums.add(count({ maps: 100 }));
		sums.add(count({ maps: 20, number: 40, sum: 20 * 3000 }));
		sums.add(count({ kind: "size", number: 3, maps: 90, sum: 270 }));
		sums.add(count({ kind: "size", number: 60, maps: 10, sum: 5005 }));
		sums.add(count({ kind: "outgrew", number: 3, maps: 5 }));
		sums.add(count({ kind: "grew", type: TYPE, maps: 12 }));
		sums.add(count({ kind: "growth", type: TYPE, via: [{ fn: "main.fill", line: 9 }], number: 3, maps: 12 }));
		sums.add(count({ kind: "growth", type: TYPE, via: PLAIN, number: 4, maps: 30 }));
		sums.add(count({ kind: "unlinked", maps: 4 }));
		const { makes, ...rest } = sums.read(new Sampling());
		expect(rest).toEqual({ growths_unlinked: 4 });
		expect(makes).toEqual([
			{
				...{
					pid: PID,
					map_type: "map[int]int",
					key_bytes: 8,
					elem_bytes: 8,
					storage_bytes: 144,
					has_pointers: false,
				},
				made_at: { fn: "main.index", file: "/src/main.go", line: 20 },
				...{ on: "heap", made: 120, seen: 120 },
				hints: [
					[0, 100],
					[3000, 20],
				],
				sizes: [
					[3, 85],
					[501, 10],
				],
				...{ unknown: 25, grew: 12, growths: 42 },
				growth_classes: [
					[8, 12],
					[16, 30],
				],
				grows_at: [
					{ fn: "main.index", file: "/src/main.go", line: 20, growths: 30 },
					{ fn: "main.fill", line: 9, growths: 12 },
				],
			},
		]);
	});

	test("by maps.Clone, inlined or not, are of its caller and rows of their own", () => {
		const sums = new MakeSums();
		sums.add(count({ typed: true, type: TYPE, maps: 2 }));
		sums.add(count({ typed: true, type: TYPE, caller: LINE, maps: 3 }));
		sums.add(count({ typed: true, type: TYPE, via: [{ fn: "maps.clone" }], maps: 4 }));
		const rows = sums.read(new Sampling()).makes.map(({ clone, made, made_at }) => [clone, made, made_at.fn]);
		expect(rows).toEqual([
			[true, 7, "main.index"],
			[undefined, 2, "main.index"],
		]);
	});

	test("on the stack are told from those in the heap, and types from each other where the make tells them", () => {
		const sums = new MakeSums();
		const other = { ...TYPE, name: "map[string]int" };
		sums.add(count({ typed: true, type: TYPE, maps: 3 }));
		sums.add(count({ typed: true, type: other, maps: 2 }));
		sums.add(count({ kind: "onStack", typed: true, type: TYPE, maps: 1 }));
		const rows = sums.read(new Sampling()).makes.map(({ on, map_type, made }) => [on, map_type, made]);
		expect(rows).toEqual([
			["heap", "map[int]int", 3],
			["heap", "map[string]int", 2],
			["stack", "map[int]int", 1],
		]);
	});

	test("of several types at a line that does not tell them have none", () => {
		const sums = new MakeSums();
		sums.add(count({ maps: 9 }));
		for (const name of ["map[int]int", "map[int]string"]) sums.add(count({ kind: "grew", type: { ...TYPE, name } }));
		expect(sums.read(new Sampling()).makes[0]?.map_type).toBeUndefined();
	});

	test("that were seen in windows are estimated, and what was seen is counted", () => {
		const sums = new MakeSums();
		const sampling = new Sampling();
		for (let index = 0; index < 40; index++) sums.add(count({ maps: 10 }), plainWindow(index, 20));
		// A window that does not count.
		sums.add(count({ maps: 5 }), { ...plainWindow(40, 20), weight: 0 });
		sampling.set(PID, "make", { windows: 40, missed: 0, full: false, sampled: true });
		const [row] = sums.read(sampling).makes;
		expect(row?.seen).toBe(405);
		const { made } = row ?? {};
		if (typeof made !== "object" || !("estimate" in made)) throw new Error(`wanted an estimate; found ${made}`);
		expect(made.estimate).toBe(8000);
		expect(made.low).toBeLessThan(made.estimate);
		expect(made.high).toBeGreaterThan(made.estimate);
	});

	test("beyond the bound of lines are counted together", () => {
		const sums = new MakeSums();
		for (let line = 0; line < 5000; line++) sums.add(count({ caller: [{ fn: "main.f", line }], maps: 2 }));
		const { makes, makes_omitted } = sums.read(new Sampling());
		expect(makes.length).toBe(4096);
		expect(makes_omitted).toBe(2 * (5000 - 4096));
	});
});
