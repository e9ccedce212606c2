/** What rows say of streams that were measured all the time, in windows, or not at all; and that they add up to totals. */
import { describe, expect, test } from "bun:test";
import { plainWindow } from "../../../src/budget/window-weight.ts";
import { type Figure, isAtLeast, isExact } from "../../../src/records/figure.ts";
import { Aggregator } from "../../../src/stats/aggregator.ts";
import type { CallCount } from "../../../src/stats/call-count.ts";
import { type Measured, Sampling, type Stream } from "../../../src/stats/sampling.ts";
import { Figures, StatRow } from "../../../src/stats/stat-row.ts";
import { countOf, sumOf } from "./counted.ts";
import { growthRecord } from "./growth-record.ts";

const FULL: Measured = { windows: 0, missed: 0, full: true, sampled: false };
const inWindows = (windows: number, missed = 0): Measured => ({ windows, missed, full: false, sampled: true });
const OFF: Measured = { windows: 0, missed: 0, full: false, sampled: true };
const N = 10;

class Run {
	readonly sampling = new Sampling();
	readonly aggregator: Aggregator;

	constructor(options: ConstructorParameters<typeof Aggregator>[0] = {}) {
		this.aggregator = new Aggregator({ ...options, sampling: this.sampling });
	}

	add(calls: number, fields: Partial<CallCount> = {}, fn = "main.a"): void {
		const stream = fields.stream ?? "large";
		const growth = growthRecord({ stack: [{ fn, file: "/src/a.go", line: 7 }], bytes: 100 * calls });
		const work = { stream, fn: "runtime.growWork", map_type: growth.map_type, site: growth.stack[0], pid: growth.pid };
		const count = stream === "work" ? { ...work, calls } : countOf(growth, { calls });
		this.aggregator.addCalls({ ...count, ...fields });
	}

	/** So many windows with so many calls in each. */
	windows(from: number, to: number, calls: number, fields: Partial<CallCount> = {}, fn?: string): void {
		for (let index = from; index < to; index++) this.add(calls, { ...fields, window: plainWindow(index, N) }, fn);
	}
}

describe("a figure", () => {
	test("is a number where everything was measured", () => {
		const run = new Run();
		run.sampling.set(10, "large", FULL);
		run.add(7);
		expect(run.aggregator.closeWindow(1e9)).toMatchObject({ growths: 7, work: 0, bytes: 700 });
	});

	test("is absent where nothing was, and nobody calls that 0", () => {
		const run = new Run();
		run.sampling.set(10, "work", OFF);
		run.sampling.set(10, "large", FULL);
		run.aggregator.addFunction("runtime.growWork", "work", 10);
		run.aggregator.addFunction("runtime.hashGrow", "large", 10);
		run.add(1);
		for (const totals of [run.aggregator.closeWindow(1e9), run.aggregator.total()]) {
			expect(totals).not.toHaveProperty("work");
			expect(totals.sites[0]).not.toHaveProperty("work");
			expect(totals.targets[0]).not.toHaveProperty("work");
			expect(totals.calls).not.toHaveProperty(["runtime.growWork"]);
			expect(totals.calls["runtime.hashGrow"]).toBe(0);
			expect(totals.growths).toBe(1);
		}
	});

	test("is an estimate with its interval where enough windows saw something, the same way in rows and total", () => {
		const run = new Run();
		run.windows(0, 40, 5);
		run.sampling.set(10, "large", inWindows(40));
		const { growths, bytes, sites, types, targets, calls } = run.aggregator.total();
		expect(growths).toMatchObject({ estimate: 2000 });
		expect(bytes).toMatchObject({ estimate: 200_000 });
		for (const row of [sites[0], types[0], targets[0]]) expect(row?.growths).toEqual(growths as Figure);
		expect(Object.values(calls)).toEqual([growths as Figure]);
		const { low, high } = growths as { low: number; high: number };
		expect(low).toBeLessThan(2000);
		expect(high).toBeGreaterThan(2000);
		expect(low).toBeGreaterThan(1000);
	});

	test("with few windows says what was seen at least", () => {
		const run = new Run();
		run.windows(0, 3, 5);
		run.sampling.set(10, "large", inWindows(40));
		expect(run.aggregator.total()).toMatchObject({ growths: { at_least: 15 }, sites: [{ growths: { at_least: 15 } }] });
	});

	test("has what was measured in full in it", () => {
		const run = new Run();
		run.sampling.set(10, "large", FULL);
		run.add(1000);
		run.windows(0, 40, 5);
		run.sampling.set(10, "large", inWindows(40));
		expect(run.aggregator.total().growths).toMatchObject({ estimate: 3000 });
	});

	test("of a report window has the windows in it, and is exact again when all was measured from beginning to end", () => {
		const run = new Run();
		run.sampling.set(10, "large", FULL);
		run.windows(0, 20, 5);
		run.sampling.set(10, "large", inWindows(20));
		expect(run.aggregator.closeWindow(1e9).growths).toMatchObject({ estimate: 1000 });
		run.windows(20, 40, 1);
		run.sampling.set(10, "large", inWindows(40));
		expect(run.aggregator.closeWindow(1e9).growths).toMatchObject({ estimate: 200 });
		// Measured in full since some moment of this one.
		run.add(3);
		run.sampling.set(10, "large", { ...inWindows(40), full: true });
		expect(run.aggregator.closeWindow(1e9).growths).toEqual({ at_least: 3 });
		run.add(4);
		expect(run.aggregator.closeWindow(1e9).growths).toBe(4);
		expect(isExact(run.aggregator.total().growths ?? 0)).toBe(false);
	});
});

describe("calls of a function", () => {
	test("are those of its own probes: growths of large maps stay exact when those of small maps are in windows", () => {
		const run = new Run();
		const [large, small] = [{ fn: "maps.rehash" }, { fn: "maps.growToTable", stream: "small" }] as const;
		run.sampling.set(10, "large", FULL);
		run.add(3, large);
		run.windows(0, 40, 5, small);
		run.sampling.set(10, "small", inWindows(40));
		const { calls } = run.aggregator.total();
		expect(calls["maps.rehash"]).toBe(3);
		expect(calls["maps.growToTable"]).toMatchObject({ estimate: 2000 });
	});

	test("are not unknown because another process, which does not have it, is in windows", () => {
		const run = new Run();
		run.windows(0, 40, 5, { pid: 1, fn: "maps.rehash" });
		run.windows(0, 40, 5, { pid: 2, fn: "runtime.hashGrow" });
		for (const pid of [1, 2]) run.sampling.set(pid, "large", inWindows(40));
		expect(run.aggregator.total().calls["maps.rehash"]).toMatchObject({ estimate: 2000 });
		run.aggregator.addFunction("runtime.other", "large", 1);
		expect(run.aggregator.total().calls["runtime.other"]).toEqual({ at_least: 0 });
	});

	test("of iterations in windows are estimates, and no growth work", () => {
		const run = new Run();
		run.sampling.set(10, "work", FULL);
		run.windows(0, 40, 5, { fn: "runtime.mapiternext", stream: "iteration" });
		run.sampling.set(10, "iteration", inWindows(40));
		const { calls, work, sites } = run.aggregator.total();
		expect(calls["runtime.mapiternext"]).toMatchObject({ estimate: 2000, low: expect.any(Number) });
		expect([work, sites]).toEqual([0, []]);
	});
});

describe("several processes", () => {
	const [a, b] = [{ pid: 1 }, { pid: 2 }];

	test("are estimated each by its own windows", () => {
		const run = new Run();
		run.sampling.set(1, "large", FULL);
		run.add(1000, a);
		run.windows(0, 40, 5, b);
		run.sampling.set(2, "large", inWindows(40));
		const { growths, targets } = run.aggregator.total();
		expect(targets[0]?.growths).toBe(1000);
		expect(targets[1]?.growths).toMatchObject({ estimate: 2000 });
		expect(growths).toMatchObject({ estimate: 3000 });
	});

	test("one that has ended is missing in no later window", () => {
		const run = new Run();
		run.windows(0, 3, 5, b);
		run.sampling.set(1, "large", FULL);
		run.sampling.set(2, "large", inWindows(3));
		run.add(7, a);
		run.sampling.end(2, ["large", "small", "work"]);
		expect(run.aggregator.closeWindow(1e9).growths).toEqual({ at_least: 22 });
		run.add(7, a);
		expect(run.aggregator.closeWindow(1e9).growths).toBe(7);
		expect(run.aggregator.total().growths).toEqual({ at_least: 29 });
	});

	test("one that executes another program: its windows go on", () => {
		const run = new Run();
		const window = (index: number) => run.sampling.numbered(1, "large", plainWindow(index, N));
		for (let index = 0; index < 20; index++) run.add(5, { ...a, window: window(index) });
		run.sampling.set(1, "large", inWindows(20, 2));
		run.sampling.end(1, ["large"]);
		expect(window(0).index).toBe(20);
		for (let index = 0; index < 20; index++) run.add(5, { ...a, window: window(index) });
		run.sampling.set(1, "large", inWindows(20, 1));
		expect(run.sampling.extents(1, ["large"], "total")).toEqual([
			{ pid: 1, stream: "large", firstWindow: 0, windows: 40, missed: 3, exact: false, measured: true },
		]);
		expect(run.aggregator.total().growths).toMatchObject({ estimate: 2000 });
		// What it was before is not forgotten when the new program is measured in full.
		run.sampling.end(1, ["large"]);
		run.sampling.set(1, "large", FULL);
		expect(run.sampling.extents(1, ["large"], "total")).toMatchObject([{ windows: 40, exact: false }]);
	});

	test("that have left the table are in one row, with their windows", () => {
		const run = new Run({ maxRows: 4 });
		for (let pid = 1; pid <= 8; pid++) {
			run.windows(0, 40, 5, { pid });
			run.sampling.set(pid, "large", inWindows(40));
		}
		const { targets, growths } = run.aggregator.total();
		expect(targets[0]?.pid).toBe(0);
		for (const rows of [targets, run.aggregator.total().sites]) {
			expect(rows.every(({ growths }) => growths !== undefined && !isAtLeast(growths))).toBe(true);
			expect(sumOf(rows, "growths")).toBe(8 * 2000);
		}
		expect(growths).toMatchObject({ estimate: 8 * 2000 });
	});
});

test("a row that absorbs another one takes over what was seen in windows, not only what it stands for", () => {
	const sampling = new Sampling();
	const [one, other] = [new StatRow(), new StatRow()];
	const stream: Stream = "large";
	const add = (row: StatRow, pid: number, index: number): void => {
		const window = plainWindow(index, N);
		row.add(Object.assign(new Figures(), { growths: window.weight }));
		row.addSampled({ pid, stream, window, start: 0 }, { growths: { amount: 1, each: 1 } });
	};
	for (let index = 0; index < 40; index++) add(other, 1, index);
	sampling.set(1, stream, inWindows(40));
	const before = other.read("growths", "total", sampling);
	expect(before).toMatchObject({ estimate: 400 });
	one.absorb(other);
	expect(one.read("growths", "total", sampling)).toEqual(before as Figure);
	// It comes back, and leaves again: its windows are not in order with those before.
	const again = new StatRow();
	add(again, 1, 5);
	one.absorb(again);
	expect(one.read("growths", "total", sampling)).toEqual({ at_least: expect.any(Number) });
});
