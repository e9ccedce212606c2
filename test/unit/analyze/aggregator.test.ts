import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Aggregator, type WorkCount } from "../../../src/analyze/aggregator.ts";
import { endRecord, windowRecord } from "../../../src/analyze/window-record.ts";
import { emptyLedger } from "../../../src/model/ledger.ts";
import type { GrowthRecord } from "../../../src/model/records.ts";

function growth(fn: string, mapType: string, fields: Partial<GrowthRecord> = {}): GrowthRecord {
	return {
		type: "growth",
		time: "2025-01-31T12:01:07.000000000Z",
		elapsed_ns: 1,
		pid: 10,
		tid: 11,
		impl: "swiss",
		fn: "internal/runtime/maps.(*table).rehash",
		kind: "table-double",
		cause: "load",
		map_type: mapType,
		map: "0x1",
		count: 14,
		capacity_before: 16,
		capacity_after: 32,
		stack: [{ fn: "runtime.mapassign_fast64" }, { fn, file: "/src/a.go", line: 7 }],
		...fields,
	};
}

function work(fn: string, mapType: string, calls: number): WorkCount {
	return { pid: 10, fn: "runtime.growWork", map_type: mapType, site: { fn, file: "/src/a.go", line: 7 }, calls };
}

describe("Aggregator", () => {
	test("sums growths and work by type, site, function and process", () => {
		const aggregator = new Aggregator();
		aggregator.addGrowth(growth("main.a", "map[int]int", { bytes: 100, capacity_after: 64 }));
		aggregator.addGrowth(growth("main.a", "map[int]int", { bytes: 50, capacity_after: 32, cause: "tombstones" }));
		aggregator.addGrowth(growth("main.b", "map[int]int", { pid: 9, kind: "split" }));
		aggregator.addWork(work("main.b", "map[string]int", 5));
		aggregator.addWork(work("main.b", "map[string]int", 0));
		const total = aggregator.total();
		expect(total).toEqual({
			growths: 3,
			work: 5,
			bytes: 150,
			growths_with_bytes: 2,
			kinds: { "table-double": 2, split: 1 },
			causes: { load: 2, tombstones: 1 },
			calls: { "internal/runtime/maps.(*table).rehash": 3, "runtime.growWork": 5 },
			types: [
				{ map_type: "map[int]int", growths: 3, work: 0, bytes: 150, max_capacity: 64 },
				{ map_type: "map[string]int", growths: 0, work: 5, bytes: 0, max_capacity: 0 },
			],
			sites: [
				{
					fn: "main.a",
					file: "/src/a.go",
					line: 7,
					map_type: "map[int]int",
					growths: 2,
					work: 0,
					bytes: 150,
					max_capacity: 64,
				},
				{
					fn: "main.b",
					file: "/src/a.go",
					line: 7,
					map_type: "map[int]int",
					growths: 1,
					work: 0,
					bytes: 0,
					max_capacity: 32,
				},
				{
					fn: "main.b",
					file: "/src/a.go",
					line: 7,
					map_type: "map[string]int",
					growths: 0,
					work: 5,
					bytes: 0,
					max_capacity: 0,
				},
			],
			targets: [
				{ pid: 9, growths: 1, work: 0 },
				{ pid: 10, growths: 2, work: 5 },
			],
			folded: { growths: 0, work: 0 },
		});
	});

	test("rows are sorted by growths, then work, then name", () => {
		const aggregator = new Aggregator();
		for (const name of ["main.d", "main.c", "main.b", "main.a"]) aggregator.addGrowth(growth(name, "map[int]int"));
		aggregator.addGrowth(growth("main.d", "map[int]int"));
		aggregator.addWork(work("main.c", "map[int]int", 1));
		expect(aggregator.total().sites.map((row) => row.fn)).toEqual(["main.d", "main.c", "main.a", "main.b"]);
	});

	test("iterating is counted where it is known and absent where it is not", () => {
		const aggregator = new Aggregator();
		aggregator.addGrowth(growth("main.swiss", "map[int]int"));
		aggregator.addGrowth(growth("main.never", "map[int]int", { iterating: false }));
		aggregator.addGrowth(growth("main.once", "map[int]int", { iterating: true }));
		aggregator.addGrowth(growth("main.once", "map[int]int", { iterating: false }));
		aggregator.closeWindow(1e9);
		for (const sites of [aggregator.total().sites, aggregator.view().recent.sites]) {
			const iterating = Object.fromEntries(sites.map((row) => [row.fn, row.iterating]));
			expect(iterating).toEqual({ "main.swiss": undefined, "main.never": 0, "main.once": 1 });
			expect(sites.find((row) => row.fn === "main.swiss")).not.toHaveProperty("iterating");
		}
	});

	test("a window starts empty and does not change when later events come", () => {
		const aggregator = new Aggregator();
		aggregator.addGrowth(growth("main.a", "map[int]int"));
		const first = aggregator.closeWindow(1e9);
		aggregator.addGrowth(growth("main.a", "map[int]int"));
		aggregator.addGrowth(growth("main.a", "map[int]int"));
		const second = aggregator.closeWindow(1e9);
		expect([first.growths, second.growths, aggregator.total().growths]).toEqual([1, 2, 3]);
		expect([first.sites[0]?.growths, second.sites[0]?.growths]).toEqual([1, 2]);
	});

	test("history keeps the last windows, the peak survives them", () => {
		const aggregator = new Aggregator({ historyLength: 3 });
		for (const count of [9, 1, 2, 3, 4]) {
			for (let n = 0; n < count; n++) aggregator.addGrowth(growth("main.a", "map[int]int"));
			aggregator.closeWindow(1e9);
		}
		expect(aggregator.view().history).toEqual([2, 3, 4]);
		expect(aggregator.view().peakRate).toBe(9);
	});

	test("rates follow the length of the window; a last scrap of one gives no rate", () => {
		const aggregator = new Aggregator({ intervalNs: 2e9 });
		for (let n = 0; n < 10; n++) aggregator.addGrowth(growth("main.a", "map[int]int"));
		aggregator.closeWindow(2.5e9);
		for (let n = 0; n < 10; n++) aggregator.addGrowth(growth("main.a", "map[int]int"));
		expect(aggregator.closeWindow(1e6).growths).toBe(10);
		const view = aggregator.view();
		expect([view.history, view.peakRate, view.total.growths]).toEqual([[4], 4, 20]);
	});

	test("recent sites are sums over the last windows only", () => {
		const aggregator = new Aggregator({ recentWindows: 2 });
		for (const name of ["main.old", "main.a", "main.b"]) {
			aggregator.addGrowth(growth(name, "map[int]int"));
			aggregator.addWork(work("main.b", "map[int]int", 3));
			aggregator.closeWindow(1e9);
		}
		const { recent, total } = aggregator.view();
		expect(recent.interval_ns).toBe(2e9);
		expect(recent.sites.map((row) => [row.fn, row.growths, row.work])).toEqual([
			["main.b", 1, 6],
			["main.a", 1, 0],
		]);
		expect(total.sites.length).toBe(3);
	});

	test("rows beyond the limit are folded, said so, and sorted last", () => {
		const aggregator = new Aggregator({ maxRows: 2 });
		for (let index = 0; index < 5; index++) {
			aggregator.addGrowth(growth(`main.f${index}`, `map[int]T${index}`, { bytes: 10 }));
			aggregator.addWork(work(`main.f${index}`, `map[int]T${index}`, 2));
		}
		const window = aggregator.closeWindow(1e9);
		for (const tally of [window, aggregator.total()]) {
			expect(tally.sites.map((row) => [row.fn, row.map_type, row.growths, row.work])).toEqual([
				["main.f0", "map[int]T0", 1, 2],
				["main.f1", "map[int]T1", 1, 2],
				["(other)", "(other)", 3, 6],
			]);
			expect(tally.types.map((row) => [row.map_type, row.growths])).toEqual([
				["map[int]T0", 1],
				["map[int]T1", 1],
				["(other)", 3],
			]);
			expect(tally.folded).toEqual({ growths: 3, work: 6 });
		}
		// A later window must not give a row to a site that has none in the total.
		aggregator.addGrowth(growth("main.f4", "map[int]T4"));
		expect(aggregator.closeWindow(1e9).sites.map((row) => row.fn)).toEqual(["(other)"]);
	});

	test("hostile names are plain keys", () => {
		const aggregator = new Aggregator();
		aggregator.addGrowth(growth("__proto__", "constructor", { fn: "__proto__" }));
		const total = aggregator.total();
		expect(Object.keys(total.calls)).toEqual(["__proto__"]);
		expect(total.sites.map((row) => [row.fn, row.growths])).toEqual([["__proto__", 1]]);
	});

	test("windows, rows and totals always agree, and memory is bounded", () => {
		const event = fc.record({ site: fc.nat(9), type: fc.nat(4), calls: fc.nat(3), close: fc.boolean() });
		fc.assert(
			fc.property(fc.array(event, { maxLength: 120 }), fc.integer({ min: 1, max: 6 }), (events, maxRows) => {
				const aggregator = new Aggregator({ maxRows });
				const windows = [];
				for (const { site, type, calls, close } of events) {
					if (calls === 0) aggregator.addGrowth(growth(`main.f${site}`, `map[int]T${type}`));
					else aggregator.addWork(work(`main.f${site}`, `map[int]T${type}`, calls));
					if (close) windows.push(aggregator.closeWindow(1e9));
				}
				windows.push(aggregator.closeWindow(1e9));
				const total = aggregator.total();
				const expected = {
					growths: events.filter((one) => one.calls === 0).length,
					work: events.reduce((sum, one) => sum + one.calls, 0),
				};
				for (const key of ["growths", "work"] as const) {
					const sum = (rows: { growths: number; work: number }[]) => rows.reduce((all, row) => all + row[key], 0);
					expect(total[key]).toBe(expected[key]);
					expect([sum(windows), sum(total.sites), sum(total.types), sum(total.targets)]).toEqual(
						Array(4).fill(expected[key]),
					);
				}
				expect(total.sites.length).toBeLessThanOrEqual(maxRows + 1);
				expect(total.types.length).toBeLessThanOrEqual(maxRows + 1);
			}),
		);
	});
});

test("window and end records carry the sums", () => {
	const aggregator = new Aggregator();
	aggregator.addGrowth(growth("main.a", "map[int]int", { bytes: 7 }));
	const context = { time: "2025-01-31T12:01:08.000000000Z", elapsed_ns: 1e9, ledger: emptyLedger() };
	const names = new Map([
		[10, "etcd"],
		[12, "idle"],
	]);
	const window = windowRecord(aggregator.closeWindow(1e9), names, context);
	expect(window.targets).toEqual([
		{ pid: 10, name: "etcd", growths: 1, work: 0 },
		{ pid: 12, name: "idle", growths: 0, work: 0 },
	]);
	expect([window.growths, window.bytes, window.interval_ns]).toEqual([1, 7, 1e9]);
	const lossy = emptyLedger();
	lossy.growth = { hits: 2, recorded: 1, sampled_out: 0, throttled: 0, lost: 1 };
	expect(endRecord(aggregator.total(), "duration", context)).toMatchObject({ growths: 1, bytes: 7, complete: true });
	expect(endRecord(aggregator.total(), "interrupt", { ...context, ledger: lossy }).complete).toBe(false);
});
