import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Histogram } from "../../../src/lib/histogram.ts";
import { endRecord, windowRecord } from "../../../src/observe/window-record.ts";
import { amountOf, type Figure } from "../../../src/records/figure.ts";
import { emptyLedger } from "../../../src/records/ledger.ts";
import type { GrowthRecord, OverlapRecord } from "../../../src/records/records.ts";
import { Aggregator } from "../../../src/stats/aggregator.ts";
import type { CallCount } from "../../../src/stats/call-count.ts";
import { latencyRow } from "../../../src/stats/latency.ts";
import type { SiteStats } from "../../../src/stats/named-rows.ts";
import { grow, workCalls } from "./counted.ts";
import { growthRecord } from "./growth-record.ts";

function growth(fn: string, mapType: string, fields: Partial<GrowthRecord> = {}): GrowthRecord {
	const stack = [{ fn: "runtime.mapassign_fast64" }, { fn, file: "/src/a.go", line: 7 }];
	return growthRecord({ map_type: mapType, stack, ...fields });
}

/** Rows with additions in the last windows, most growths first. */
function recentSites(aggregator: Aggregator): SiteStats[] {
	const recent = aggregator.view().rows.sites.filter((row) => row.isRecent);
	return recent.sort((a, b) => b.figure("growths", "recent") - a.figure("growths", "recent") || compareFn(a, b));
}

function compareFn(a: SiteStats, b: SiteStats): number {
	return b.figure("work", "recent") - a.figure("work", "recent") || (a.site.fn < b.site.fn ? -1 : 1);
}

function work(fn: string, map_type: string, calls: number): CallCount {
	return workCalls({ pid: 10, fn: "runtime.growWork", map_type, site: { fn, file: "/src/a.go", line: 7 }, calls });
}

describe("Aggregator", () => {
	test("sums growths and work by type, site, function and process", () => {
		const aggregator = new Aggregator();
		const [a, b] = [{ goid: 5, nth: 2 }, { goid: 6, pid: 9, kind: "split", directory_length: 1 } as const];
		const first = { bytes: 100, capacity_before: 32, capacity_after: 64, duration_ns: 3000 };
		grow(aggregator, growth("main.a", "map[int]int", { ...a, nth: 1, ...first }));
		grow(aggregator, growth("main.a", "map[int]int", { ...a, bytes: 50, cause: "tombstones", duration_ns: 200 }));
		grow(aggregator, growth("main.b", "map[int]int", b));
		aggregator.addCalls(work("main.b", "map[string]int", 5));
		aggregator.addCalls(work("main.b", "map[string]int", 0));
		const total = aggregator.total();
		expect(total).toEqual({
			growths: 3,
			work: 5,
			bytes: 150,
			growths_with_bytes: 2,
			bytes_moved: 0,
			growths_with_moved: 0,
			time_ns: 3200,
			kinds: { "table-double": 2, split: 1 },
			causes: { load: 2, tombstones: 1 },
			calls: { "internal/runtime/maps.(*table).rehash": 3, "runtime.growWork": 5 },
			types: [
				{ pid: 10, map_type: "map[int]int", growths: 2, work: 0, bytes: 150, max_capacity: 64 },
				{ pid: 9, map_type: "map[int]int", growths: 1, work: 0, bytes: 0, max_capacity: 32 },
				{ pid: 10, map_type: "map[string]int", growths: 0, work: 5, bytes: 0, max_capacity: 0 },
			],
			sites: [
				{
					pid: 10,
					fn: "main.a",
					file: "/src/a.go",
					line: 7,
					map_type: "map[int]int",
					growths: 2,
					work: 0,
					bytes: 150,
					max_capacity: 64,
					duration_ns: 3200,
				},
				{
					pid: 9,
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
					pid: 10,
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
			latency: [],
			maps: [
				{
					...{
						pid: 10,
						map_type: "map[int]int",
						map: "0x0000000000000001",
						growths: 2,
						slots_first: 32,
						slots_last: 80,
					},
					...{ count: 14, bytes: 150, fn: "main.a", file: "/src/a.go", line: 7 },
				},
				{
					...{
						pid: 9,
						map_type: "map[int]int",
						map: "0x0000000000000001",
						growths: 1,
						slots_first: 16,
						slots_last: 32,
					},
					...{ count: 14, bytes: 0, fn: "main.b", file: "/src/a.go", line: 7 },
				},
			],
			goroutines: [
				{ pid: 10, goid: 5, growths: 2, bytes: 150, duration_ns: 3200 },
				{ pid: 9, goid: 6, growths: 1, bytes: 0, duration_ns: 0 },
			],
			overlaps: 0,
			targets: [
				{ pid: 9, growths: 1, work: 0 },
				{ pid: 10, growths: 2, work: 5 },
			],
			folded: {},
		});
	});

	test("rows are sorted by growths, then work, then name", () => {
		const aggregator = new Aggregator();
		for (const name of ["main.d", "main.c", "main.b", "main.a"]) grow(aggregator, growth(name, "map[int]int"));
		grow(aggregator, growth("main.d", "map[int]int"));
		aggregator.addCalls(work("main.c", "map[int]int", 1));
		expect(aggregator.total().sites.map((row) => row.fn)).toEqual(["main.d", "main.c", "main.a", "main.b"]);
	});

	test("iterating is counted where it is known and absent where it is not", () => {
		const aggregator = new Aggregator({ details: true });
		grow(aggregator, growth("main.swiss", "map[int]int"));
		grow(aggregator, growth("main.never", "map[int]int", { iterating: false }));
		grow(aggregator, growth("main.once", "map[int]int", { iterating: true }));
		grow(aggregator, growth("main.once", "map[int]int", { iterating: false }));
		aggregator.closeWindow(1e9);
		const { sites } = aggregator.total();
		const iterating = Object.fromEntries(sites.map((row) => [row.fn, row.iterating]));
		expect(iterating).toEqual({ "main.swiss": undefined, "main.never": 0, "main.once": 1 });
		expect(sites.find((row) => row.fn === "main.swiss")).not.toHaveProperty("iterating");
	});

	test("a window starts empty and does not change when later events come", () => {
		const aggregator = new Aggregator();
		grow(aggregator, growth("main.a", "map[int]int"));
		const first = aggregator.closeWindow(1e9);
		grow(aggregator, growth("main.a", "map[int]int"));
		grow(aggregator, growth("main.a", "map[int]int"));
		const second = aggregator.closeWindow(1e9);
		expect([first.growths, second.growths, aggregator.total().growths]).toEqual([1, 2, 3]);
		expect([first.sites[0]?.growths, second.sites[0]?.growths]).toEqual([1, 2]);
	});

	test("history keeps the last windows, the peak survives them", () => {
		const aggregator = new Aggregator({ historyLength: 3 });
		for (const count of [9, 1, 2, 3, 4]) {
			for (let n = 0; n < count; n++) grow(aggregator, growth("main.a", "map[int]int"));
			aggregator.closeWindow(1e9);
		}
		expect(aggregator.view().history).toEqual([2, 3, 4]);
		expect(aggregator.view().peakRate).toBe(9);
	});

	test("rates follow the length of the window; a last scrap of one gives no rate", () => {
		const aggregator = new Aggregator({ intervalNs: 2e9 });
		for (let n = 0; n < 10; n++) grow(aggregator, growth("main.a", "map[int]int"));
		aggregator.closeWindow(2.5e9);
		for (let n = 0; n < 10; n++) grow(aggregator, growth("main.a", "map[int]int"));
		expect(aggregator.closeWindow(1e6).growths).toBe(10);
		const view = aggregator.view();
		expect([view.history, view.peakRate, view.total.growths]).toEqual([[4], 4, 20]);
	});

	test("recent sites are sums over the last windows only", () => {
		const aggregator = new Aggregator({ details: true, recentWindows: 2 });
		for (const name of ["main.old", "main.a", "main.b"]) {
			grow(aggregator, growth(name, "map[int]int"));
			aggregator.addCalls(work("main.b", "map[int]int", 3));
			aggregator.closeWindow(1e9);
		}
		expect(aggregator.view().recentNs).toBe(2e9);
		expect(
			recentSites(aggregator).map((row) => [
				row.site.fn,
				row.figure("growths", "recent"),
				row.figure("work", "recent"),
			]),
		).toEqual([
			["main.b", 1, 6],
			["main.a", 1, 0],
		]);
		expect(aggregator.total().sites.length).toBe(3);
	});

	test("rows beyond the limit are folded, said so, and sorted last", () => {
		const aggregator = new Aggregator({ maxRows: 2 });
		for (let index = 0; index < 5; index++) {
			grow(aggregator, growth(`main.f${index}`, `map[int]T${index}`, { bytes: 10 }));
			aggregator.addCalls(work(`main.f${index}`, `map[int]T${index}`, 2));
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
		grow(aggregator, growth("main.f4", "map[int]T4"));
		expect(aggregator.closeWindow(1e9).sites.map((row) => row.fn)).toEqual(["(other)"]);
	});

	test("hostile names are plain keys", () => {
		const aggregator = new Aggregator();
		grow(aggregator, growth("__proto__", "constructor", { fn: "__proto__" }));
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
					if (calls === 0) grow(aggregator, growth(`main.f${site}`, `map[int]T${type}`));
					else aggregator.addCalls(work(`main.f${site}`, `map[int]T${type}`, calls));
					if (close) windows.push(aggregator.closeWindow(1e9));
				}
				windows.push(aggregator.closeWindow(1e9));
				const total = aggregator.total();
				const expected = {
					growths: events.filter((one) => one.calls === 0).length,
					work: events.reduce((sum, one) => sum + one.calls, 0),
				};
				for (const key of ["growths", "work"] as const) {
					const sum = (rows: { growths?: Figure; work?: Figure }[]) =>
						rows.reduce((all, row) => all + amountOf(row[key]), 0);
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

describe("durations, overlaps, maps and goroutines", () => {
	const latency = (count: number, ns: number) => ({
		...{ fn: "runtime.hashGrow", map_type: "map[int]int" },
		durations: Histogram.ofOctaves([0, 0, count, 0], count * ns, ns),
	});
	const overlap = (nth: number): OverlapRecord => ({
		...{
			type: "overlap",
			time: "2025-01-31T12:01:07.000000000Z",
			elapsed_ns: 9,
			pid: 10,
			map_type: "map[int]int",
			map: "0x1",
		},
		growth: { elapsed_ns: 5, nth, kind: "double", stack: [] },
		iteration: { elapsed_ns: 1, stack: [] },
	});

	test("are in their window and in the total", () => {
		const aggregator = new Aggregator();
		aggregator.addLatency(latency(2, 200));
		aggregator.addOverlap(overlap(1));
		grow(aggregator, growth("main.a", "map[int]int", { goid: 5 }));
		const first = aggregator.closeWindow(1e9);
		aggregator.addLatency(latency(3, 140));
		aggregator.addOverlap(overlap(2));
		aggregator.addOverlap(overlap(3));
		grow(aggregator, growth("main.a", "map[int]int", { goid: 6, nth: 2, capacity_before: 32, capacity_after: 64 }));
		const second = aggregator.closeWindow(1e9);
		const total = aggregator.total();
		const row = { fn: "runtime.hashGrow", map_type: "map[int]int" };
		expect([first, second, total].map(({ latency }) => latency.map(latencyRow))).toEqual([
			[{ ...row, count: 2, sum_ns: 400, max_ns: 200, buckets: [{ from_ns: 128, count: 2 }] }],
			[{ ...row, count: 3, sum_ns: 420, max_ns: 140, buckets: [{ from_ns: 128, count: 3 }] }],
			[{ ...row, count: 5, sum_ns: 820, max_ns: 200, buckets: [{ from_ns: 128, count: 5 }] }],
		]);
		expect([first.overlaps, second.overlaps, total.overlaps]).toEqual([1, 2, 3]);
		expect([first, second, total].map(({ goroutines }) => goroutines.map(({ goid }) => goid))).toEqual([
			[5],
			[6],
			[5, 6],
		]);
		// In a window the chain is as long as it is, though it began before.
		expect([first, second, total].map(({ maps }) => maps.map(({ growths }) => growths))).toEqual([[1], [2], [2]]);
		expect(aggregator.view().latestOverlap).toEqual(overlap(3));
		expect(aggregator.view().latest).toMatchObject({ goid: 6 });
	});

	test("a growth that stands for others counts for all of them", () => {
		const aggregator = new Aggregator();
		const fields = { bytes: 100, duration_ns: 7, iterating: true };
		grow(aggregator, growth("main.a", "map[int]int", { ...fields, weight: 8 }));
		grow(aggregator, growth("main.a", "map[int]int", fields));
		expect(aggregator.total()).toMatchObject({
			...{ growths: 9, bytes: 900, growths_with_bytes: 9, kinds: { "table-double": 9 }, causes: { load: 9 } },
			sites: [{ growths: 9, bytes: 900, duration_ns: 63, iterating: 9 }],
			types: [{ growths: 9, bytes: 900 }],
			targets: [{ growths: 9 }],
		});
	});

	test("the latest overlap is absent before the first one", () => {
		expect(new Aggregator().view()).not.toHaveProperty("latestOverlap");
	});

	test("of many maps and goroutines the first hundred are shown", () => {
		const aggregator = new Aggregator();
		for (let n = 0; n < 150; n++) grow(aggregator, growth("main.a", "map[int]int", { goid: n, map: `0x${n}` }));
		const { maps, goroutines } = aggregator.total();
		expect([maps.length, goroutines.length]).toEqual([100, 100]);
	});

	test("time spent in growths is summed up by call site", () => {
		const aggregator = new Aggregator({ details: true });
		for (const duration_ns of [100, 20, 3]) {
			grow(aggregator, growth("main.a", "map[int]int", { duration_ns }));
			grow(aggregator, growth("main.b", "map[int]int"));
			aggregator.closeWindow(1e9);
		}
		expect(aggregator.total().sites.map(({ fn, duration_ns }) => [fn, duration_ns])).toEqual([
			["main.a", 123],
			["main.b", undefined],
		]);
	});
});

test("window and end records carry the sums", () => {
	const aggregator = new Aggregator();
	grow(aggregator, growth("main.a", "map[int]int", { bytes: 7 }));
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
	expect(window.maps).toEqual(aggregator.total().maps);
	expect([window.latency, window.goroutines]).toEqual([[], []]);
	const lossy = emptyLedger();
	lossy.growth = { hits: 2, recorded: 1, sampled_out: 0, throttled: 0, lost: 1 };
	expect(endRecord(aggregator.total(), "duration", context)).toMatchObject({ growths: 1, bytes: 7, complete: true });
	expect(endRecord(aggregator.total(), "interrupt", { ...context, ledger: lossy }).complete).toBe(false);
});

test("overlaps are only in records when iterations are watched", () => {
	const aggregator = new Aggregator();
	const names = new Map([[10, "etcd"]]);
	const without = { time: "2025-01-31T12:01:08.000000000Z", elapsed_ns: 1e9, ledger: emptyLedger() };
	const iteration = { hits: 5, recorded: 5, sampled_out: 0, throttled: 0, lost: 0 };
	const watching = { ...without, ledger: { ...emptyLedger(), iteration } };
	const window = aggregator.closeWindow(1e9);
	expect(windowRecord(window, names, without)).not.toHaveProperty("overlaps");
	expect(endRecord(aggregator.total(), "duration", without)).not.toHaveProperty("overlaps");
	expect(windowRecord(window, names, watching).overlaps).toBe(0);
	expect(endRecord(aggregator.total(), "duration", watching).overlaps).toBe(0);
});
