/** What rows keep for the screen, and what is recent. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { GrowthRecord } from "../../../src/records/records.ts";
import { RowTables } from "../../../src/stats/row-tables.ts";
import { Sampling } from "../../../src/stats/sampling.ts";
import type { FigureName, StatRow } from "../../../src/stats/stat-row.ts";
import { addGrowth, countOf, sumOf as sumOfRows } from "./counted.ts";

const SITE = { fn: "main.fill", file: "/src/main.go", line: 7 };

function growth(fields: Partial<GrowthRecord> = {}): GrowthRecord {
	return {
		...{ type: "growth", time: "", elapsed_ns: 0, pid: 1, tid: 2, goid: 3, impl: "classic", fn: "runtime.hashGrow" },
		...{ kind: "double", cause: "load", map_type: "map[int]int", map: "0x1", nth: 1, count: 7 },
		...{ capacity_before: 8, capacity_after: 16, bytes_moved: 100, duration_ns: 1000 },
		stack: [{ fn: "runtime.hashGrow" }, SITE],
		...fields,
	};
}

function tables(fields: Partial<ConstructorParameters<typeof RowTables>[0]> = {}): RowTables {
	const usual = { maxRows: 100, maxRecentRows: 100, recentWindows: 10, details: true, sampling: new Sampling() };
	return new RowTables({ ...usual, ...fields });
}

/** The rows of the first growth above. */
function rowsOf(rows: RowTables): Record<string, StatRow | undefined> {
	return {
		site: rows.sites.find(({ site }) => site.fn === SITE.fn),
		type: rows.types.find(({ map_type }) => map_type === "map[int]int"),
		map: rows.maps.find(({ key }) => key === "1:0x1:map[int]int"),
		goroutine: rows.goroutines.find(({ goid }) => goid === 3),
		process: rows.process(1),
	};
}

describe("rows", () => {
	test("are kept for the place, the type, the map, the goroutine and the process", () => {
		const rows = tables();
		const newest = growth({ nth: 2, duration_ns: 3000, elapsed_ns: 9 });
		addGrowth(rows, growth());
		addGrowth(rows, newest);
		addGrowth(rows, growth({ pid: 2, goid: 4, map_type: "map[int]bool", map: "0x2", stack: [{ fn: "main.other" }] }));
		for (const [kind, row] of Object.entries(rowsOf(rows))) {
			const figures = (["growths", "moved", "withMoved", "time"] as const).map((name) => row?.figure(name, "total"));
			expect([kind, ...figures]).toEqual([kind, 2, 200, 2, 4000]);
			expect(row?.newest).toBe(newest);
			expect([row?.durations?.count, row?.durations?.sumNs, row?.durations?.maxNs]).toEqual([2, 4000, 3000]);
		}
		expect(rows.total().maps.map(({ pid, growths }) => [pid, growths])).toEqual([
			[1, 2],
			[2, 1],
		]);
	});

	test("without details keep neither growths nor durations", () => {
		const rows = tables({ details: false });
		addGrowth(rows, growth());
		for (const row of Object.values(rowsOf(rows))) {
			expect(row?.figure("growths", "total")).toBe(1);
			expect([row?.newest, row?.durations]).toEqual([undefined, undefined]);
		}
	});

	test("what was not measured is not counted as 0", () => {
		const rows = tables();
		const { bytes_moved: _, duration_ns: __, goid: ___, ...silent } = growth();
		addGrowth(rows, silent);
		const { type, goroutine } = rowsOf(rows);
		expect([type?.figure("growths", "total"), type?.figure("withMoved", "total")]).toEqual([1, 0]);
		expect([type?.durations, goroutine]).toEqual([undefined, undefined]);
	});

	test("of a map begin anew with another map of the same seed", () => {
		const rows = tables();
		for (const nth of [1, 2, 3, 1]) addGrowth(rows, growth({ nth }));
		const { map, type } = rowsOf(rows);
		expect([map?.figure("growths", "total"), type?.figure("growths", "total")]).toEqual([1, 4]);
	});

	test("that have not grown for longest are forgotten", () => {
		const rows = tables({ maxRecentRows: 2 });
		for (const map of ["0x1", "0x2", "0x1", "0x3"]) addGrowth(rows, growth({ map, nth: 2 }));
		expect(rows.maps.map(({ chain }) => chain.map)).toEqual(["0x1", "0x3"]);
	});

	test("count growths that overlapped an iteration where they happened", () => {
		const rows = tables();
		const { elapsed_ns, nth, kind, stack, pid, map, map_type } = growth();
		addGrowth(rows, growth());
		const overlap = {
			...{ type: "overlap" as const, time: "", elapsed_ns, pid, map, map_type },
			...{ growth: { elapsed_ns, nth, kind, stack, goid: 3 }, iteration: { elapsed_ns, stack: [{ fn: "main.read" }] } },
		};
		rows.addOverlap(overlap);
		rows.addOverlap({ ...overlap, map: "0x9" });
		const counts = Object.entries(rowsOf(rows)).map(([name, row]) => [name, row?.overlaps]);
		expect(Object.fromEntries(counts)).toEqual({ site: 2, type: 2, map: 1, goroutine: 2, process: 2 });
	});
});

describe("what is recent", () => {
	test("is that of the last windows that have ended", () => {
		const rows = tables({ recentWindows: 2 });
		const recent = () => {
			const { type } = rowsOf(rows);
			return [type?.figure("growths", "recent"), type?.figure("moved", "recent"), rows.recentNs, type?.isRecent];
		};
		const window = { index: 0, n: 2, weight: 2, low: 2, high: 2 };
		rows.addCalls(countOf(growth({ bytes_moved: 75 }), { window }));
		addGrowth(rows, growth());
		expect(recent()).toEqual([0, 0, 0, false]);
		rows.closeWindow(1e9, true);
		expect(recent()).toEqual([3, 250, 1e9, true]);
		addGrowth(rows, growth());
		rows.closeWindow(2e9, true);
		expect(recent()).toEqual([4, 350, 3e9, true]);
		// Too short for a rate.
		addGrowth(rows, growth());
		rows.closeWindow(1e6, false);
		expect(recent()).toEqual([4, 350, 3e9, true]);
		rows.closeWindow(1e9, true);
		expect(recent()).toEqual([1, 100, 3e9, true]);
		rows.closeWindow(1e9, true);
		expect(recent()).toEqual([0, 0, 2e9, false]);
		expect(rowsOf(rows).type?.figure("growths", "ended")).toBe(5);
	});

	test("any growths and windows: spans add up for each figure of each row, rows that were forgotten left out", () => {
		const step = fc.record({
			map: fc.nat(6),
			pid: fc.nat(4),
			weight: fc.integer({ min: 1, max: 9 }),
			close: fc.boolean(),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), (steps, recentWindows) => {
				const rows = tables({ recentWindows, maxRecentRows: 3, maxRows: 3 });
				const windows: number[][] = [[]];
				for (const { map, pid, weight, close } of steps) {
					const { bytes_moved: each = 0, ...one } = growth({ map: `0x${map}`, pid, nth: 2 });
					rows.addGrowth(one);
					rows.addCalls(countOf({ ...one, bytes_moved: each * weight }, { calls: weight }));
					windows.at(-1)?.push(weight);
					if (!close) continue;
					const closed = rows.closeWindow(1e9, true);
					expect(sumOfRows(closed.types, "growths")).toBe(windows.at(-1)?.reduce((all, n) => all + n, 0) ?? 0);
					windows.push([]);
				}
				const sumOf = (parts: number[][]): number => parts.flat().reduce((all, n) => all + n, 0);
				// One row for each process, and one for those beyond the bound.
				const types = [...rows.types];
				const figure = (name: FigureName, span: "window" | "ended" | "total" | "recent") =>
					types.reduce((all, type) => all + type.figure(name, span), 0);
				const [ended, open] = [windows.slice(0, -1), windows.slice(-1)];
				expect([figure("growths", "window"), figure("growths", "ended"), figure("growths", "total")]).toEqual([
					...[sumOf(open), sumOf(ended), sumOf(windows)],
				]);
				expect(figure("growths", "recent")).toBe(sumOf(ended.slice(-recentWindows)));
				expect(figure("moved", "total")).toBe(100 * sumOf(windows));
				const targets = rows.total().targets;
				expect(sumOfRows(targets, "growths")).toBe(sumOf(windows));
				expect(targets.length).toBeLessThanOrEqual(4);
			}),
		);
	});
});
