/** Rows of single maps and of goroutines. */
import { describe, expect, test } from "bun:test";
import type { GrowthRecord, MapRow } from "../../../src/records/records.ts";
import { Aggregator } from "../../../src/stats/aggregator.ts";
import { growthRecord } from "./growth-record.ts";

function added(growths: readonly Partial<GrowthRecord>[], maxRecentRows = 100): Aggregator {
	const aggregator = new Aggregator({ maxRecentRows });
	for (const growth of growths) aggregator.addGrowth(growthRecord(growth));
	return aggregator;
}

function rowsOf(growths: readonly Partial<GrowthRecord>[], max = 100, limit = 100): MapRow[] {
	return added(growths, max).total().maps.slice(0, limit);
}

/** Growth number `nth` of a classic map that began with 8 slots. */
function doubling(nth: number, fields: Partial<GrowthRecord> = {}): Partial<GrowthRecord> {
	return {
		...{ impl: "classic", fn: "runtime.hashGrow", kind: "double", map: "0x0000ab12", nth },
		...{ count: 6 * 2 ** nth, capacity_before: 4 * 2 ** nth, capacity_after: 8 * 2 ** nth, bytes: 100 * 2 ** nth },
		...fields,
	};
}

describe("a classic map", () => {
	test("is one row, from the slots before the first growth to those after the last", () => {
		expect(rowsOf([doubling(1), doubling(2), doubling(3)])).toEqual([
			{
				...{ pid: 10, map_type: "map[int]int", map: "0x0000ab12", growths: 3, slots_first: 8, slots_last: 64 },
				...{ count: 48, bytes: 1400, fn: "main.a", file: "/src/a.go", line: 7 },
			},
		]);
	});

	test("a growth to the same size is one of the chain", () => {
		const same = doubling(2, {
			kind: "same-size",
			cause: "overflow",
			count: 5,
			capacity_before: 16,
			capacity_after: 16,
		});
		expect(rowsOf([doubling(1), same])).toEqual([
			expect.objectContaining({ growths: 2, slots_first: 8, slots_last: 16, count: 5 }),
		]);
	});

	test("has the call site of its last growth", () => {
		const [row] = rowsOf([
			doubling(1),
			doubling(2, { stack: [{ fn: "runtime.mapassign" }, { fn: "main.b", file: "/src/b.go", line: 70 }] }),
		]);
		expect(row).toMatchObject({ fn: "main.b", file: "/src/b.go", line: 70 });
		expect(rowsOf([doubling(1, { stack: [] })])[0]?.fn).toBe("");
	});

	test("has no file of another place when its last call site has none", () => {
		const [row] = rowsOf([doubling(1), doubling(2, { stack: [{ fn: "main.assembly" }] })]);
		expect(row?.fn).toBe("main.assembly");
		expect(row).not.toHaveProperty("file");
		expect(row).not.toHaveProperty("line");
	});

	test("that was seen late has the number that it has, not the number that was seen", () => {
		// A window that begins in the middle of a chain.
		expect(rowsOf([doubling(5), doubling(6)])).toEqual([
			expect.objectContaining({ growths: 6, slots_first: 128, slots_last: 512, bytes: 100 * 96 }),
		]);
	});

	test("with the seed of another one begins anew", () => {
		expect(rowsOf([doubling(1), doubling(2), doubling(3), doubling(1, { count: 7 })])).toEqual([
			expect.objectContaining({ growths: 1, slots_first: 8, slots_last: 16, count: 7, bytes: 200 }),
		]);
	});

	test("of another process, seed or type is another one", () => {
		const rows = rowsOf([
			doubling(1),
			doubling(1, { pid: 11 }),
			doubling(1, { map: "0x0000ab13" }),
			doubling(1, { map_type: "map[string]int" }),
		]);
		expect(rows).toHaveLength(4);
	});

	test("that does not tell its size has no bytes, but a row", () => {
		const { bytes: _, ...unknown } = doubling(1);
		expect(rowsOf([unknown])[0]).toMatchObject({ growths: 1, bytes: 0 });
	});
});

describe("a swiss map", () => {
	const small = { kind: "small-to-table", nth: 1, count: 8, capacity_before: 8, capacity_after: 16 } as const;
	const table = (nth: number, before: number, fields: Partial<GrowthRecord> = {}): Partial<GrowthRecord> => ({
		...{ nth, kind: "table-double", capacity_before: before, capacity_after: 2 * before, count: before },
		...{ directory_length: 1, local_depth: 0, global_depth: 0, ...fields },
	});

	test("from one group to many tables", () => {
		const doublings = [16, 32, 64, 128, 256, 512].map((before, n) => table(n + 2, before));
		const split = table(8, 1024, { kind: "split", directory_doubles: true });
		const splits = [9, 10].map((nth) => table(nth, 1024, { kind: "split", directory_length: 2, global_depth: 1 }));
		// 8 slots, then one table up to 1,024; each split adds 1,024.
		expect(rowsOf([small, ...doublings])[0]).toMatchObject({ growths: 7, slots_first: 8, slots_last: 1024 });
		expect(rowsOf([small, ...doublings, split, ...splits])[0]).toMatchObject({
			...{ growths: 10, slots_first: 8, slots_last: 4096 },
		});
	});

	test("that was made with a hint begins with all of its tables", () => {
		const hinted = { directory_length: 8, global_depth: 3, local_depth: 3 };
		expect(rowsOf([table(1, 512, hinted), table(2, 512, hinted)])[0]).toMatchObject({
			...{ growths: 2, slots_first: 4096, slots_last: 5120 },
		});
	});
});

describe("rows", () => {
	test("with the longest chains come first, then the largest maps, then by identity", () => {
		const map = (n: number): string => `0x0000000${n}`;
		const rows = rowsOf([
			doubling(1, { map: map(4) }),
			doubling(1, { map: map(3) }),
			doubling(1, { map: map(2), capacity_before: 512, capacity_after: 1024 }),
			doubling(1, { map: map(1) }),
			doubling(2, { map: map(1) }),
		]);
		expect(rows.map((row) => row.map)).toEqual([1, 2, 3, 4].map(map));
	});

	test("are only so many, and the one that has not changed for longest is forgotten", () => {
		const rows = new Aggregator({ maxRecentRows: 3 });
		const add = (map: string, nth: number): void => rows.addGrowth(growthRecord(doubling(nth, { map })));
		add("0x1", 1);
		add("0x2", 1);
		add("0x3", 1);
		add("0x1", 2);
		add("0x4", 1);
		expect(rows.total().maps.map(({ map }) => map)).toEqual(["0x1", "0x3", "0x4"]);
		// Forgotten, it has its number all the same.
		add("0x2", 2);
		expect(rows.total().maps.map(({ map, growths }) => [map, growths])).toEqual([
			["0x1", 2],
			["0x2", 2],
			["0x4", 1],
		]);
	});

	test("are values: a later growth does not change them", () => {
		const rows = added([doubling(1)]);
		const before = rows.total().maps;
		rows.addGrowth(growthRecord(doubling(2)));
		expect(before[0]).toMatchObject({ growths: 1, slots_last: 16 });
	});
});

describe("goroutines", () => {
	const created = { fn: "main.main", file: "/src/main.go", line: 20 };

	function goroutines(growths: readonly Partial<GrowthRecord>[], max = 100, limit = 100) {
		return added(growths, max).total().goroutines.slice(0, limit);
	}

	test("are summed up, with where they come from", () => {
		const from = { created_by: created, start_fn: "main.worker" };
		expect(
			goroutines([
				{ goid: 7, bytes: 100, duration_ns: 5, ...from },
				{ goid: 7, bytes: 50, duration_ns: 6, ...from },
				{ goid: 7 },
				{ goid: 1, bytes: 1 },
			]),
		).toEqual([
			{ pid: 10, goid: 7, growths: 3, bytes: 150, duration_ns: 11, created_by: created, start_fn: "main.worker" },
			{ pid: 10, goid: 1, growths: 1, bytes: 1, duration_ns: 0 },
		]);
	});

	test("that could not be read have no row", () => {
		expect(goroutines([{}, {}])).toEqual([]);
	});

	test("of two processes are two", () => {
		expect(goroutines([{ goid: 7 }, { goid: 7, pid: 11 }])).toHaveLength(2);
	});

	test("with most growths come first, then with most bytes, then by number", () => {
		const rows = goroutines([{ goid: 4 }, { goid: 3 }, { goid: 2, bytes: 9 }, { goid: 5 }, { goid: 5 }]);
		expect(rows.map(({ goid }) => goid)).toEqual([5, 2, 3, 4]);
	});

	test("are only so many", () => {
		expect(goroutines([{ goid: 1 }, { goid: 2 }, { goid: 1 }, { goid: 3 }], 2).map(({ goid }) => goid)).toEqual([1, 3]);
		expect(goroutines([{ goid: 1 }, { goid: 2 }], 100, 1)).toHaveLength(1);
	});
});

describe("growths of which not each became a record", () => {
	test("stand for nothing else in the rows of their map and goroutine: these say what was seen", () => {
		const seen = added([
			doubling(1, { weight: 50, goid: 7, duration_ns: 10 }),
			doubling(4, { weight: 50, goid: 7, duration_ns: 10 }),
		]).total();
		expect(seen.maps).toEqual([
			expect.objectContaining({ growths: 4, bytes: 200 + 1600, slots_first: 8, slots_last: 128 }),
		]);
		expect(seen.goroutines).toEqual([
			expect.objectContaining({ goid: 7, growths: 2, bytes: 200 + 1600, duration_ns: 20 }),
		]);
	});
});

describe("in a window", () => {
	test("a map has the slots that the window found, and the bytes of the window", () => {
		const aggregator = added([doubling(1), doubling(2)]);
		aggregator.closeWindow(1e9);
		for (const nth of [3, 4]) aggregator.addGrowth(growthRecord(doubling(nth)));
		aggregator.addGrowth(growthRecord({ map: "0x7", impl: "swiss", nth: 9, directory_length: 4 }));
		expect(aggregator.closeWindow(1e9).maps).toEqual([
			expect.objectContaining({ map: "0x7", growths: 9, slots_first: 64, slots_last: 80 }),
			expect.objectContaining({ growths: 4, slots_first: 32, slots_last: 128, bytes: 800 + 1600 }),
		]);
		// Of a swiss map the tables that split are not counted again.
		aggregator.addGrowth(growthRecord({ map: "0x7", impl: "swiss", nth: 10, directory_length: 8 }));
		expect(aggregator.closeWindow(1e9).maps).toMatchObject([{ map: "0x7", slots_first: 80, slots_last: 96 }]);
		expect(aggregator.closeWindow(1e9).maps).toEqual([]);
	});

	test("a map that gave its seed to another one is not in it", () => {
		const { maps } = added([doubling(2), doubling(1)]).closeWindow(1e9);
		expect(maps).toEqual([expect.objectContaining({ growths: 1, bytes: 200 })]);
	});
});
