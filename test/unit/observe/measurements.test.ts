/** What the kernel has counted, on its way into the sums: when it is taken, with which weight, and of which program. */
import { describe, expect, test } from "bun:test";
import { plainWindow } from "../../../src/budget/window-weight.ts";
import { Measurements } from "../../../src/observe/measurements.ts";
import { Aggregator } from "../../../src/stats/aggregator.ts";
import { type Measured, Sampling } from "../../../src/stats/sampling.ts";
import type { Target } from "../../../src/tracer/target.ts";
import { plannedProbe, probePlan } from "../tracer/plan-parts.ts";
import { FN, PlainGovernor, PlainTracer, plainTarget } from "./plain.ts";

const WORK = "runtime.growWork";
const STEP = "runtime.mapiternext";
const OVERHEAD = { ownNs: 100, innerNs: 400, recordNs: 1000 };
const VOID = { index: -1, n: 10, weight: 0, low: 0, high: 0 };

class Run {
	readonly tracer = new PlainTracer([]);
	readonly governor = new PlainGovernor();
	readonly sampling = new Sampling();
	readonly aggregator = new Aggregator({ sampling: this.sampling });
	readonly measurements = new Measurements({
		...{ tracer: this.tracer, governor: this.governor, aggregator: this.aggregator, sampling: this.sampling },
		overhead: OVERHEAD,
	});

	attach(pid: number, name?: string): Target {
		const target = plainTarget(pid, name);
		const probes = [
			plannedProbe(FN, { role: "hashGrow", tier: "growth" }),
			plannedProbe(WORK),
			plannedProbe(STEP, { role: "iterNext", tier: "iteration" }),
		];
		Object.assign(target, { plan: probePlan(probes) });
		this.tracer.attach(target);
		this.measurements.attached(target);
		return target;
	}

	measure(pid: number, stream: string, measured: Partial<Measured>): void {
		const all = { windows: 0, missed: 0, full: false, sampled: true, ...measured };
		this.governor.measures.set(`${pid} ${stream}`, all);
	}
}

describe("streams that are measured in full", () => {
	test("are taken when a report window ends", () => {
		const run = new Run();
		const target = run.attach(1);
		run.tracer.call(1, { calls: 3 });
		run.tracer.call(1, { fn: WORK, calls: 20 });
		expect(run.aggregator.total()).toMatchObject({ growths: 0, work: 0 });
		run.measurements.takeFull([target]);
		expect(run.aggregator.total()).toMatchObject({ growths: 3, work: 20, calls: { [FN]: 3, [WORK]: 20, [STEP]: 0 } });
		run.measurements.takeFull([target]);
		expect(run.aggregator.total().growths).toBe(3);
	});

	test("not so those in windows, which come with their windows alone", () => {
		const run = new Run();
		const target = run.attach(1);
		run.measure(1, "work", {});
		run.tracer.call(1, { fn: WORK, calls: 5, window: 1 });
		run.tracer.call(1, { fn: WORK, calls: 7, window: 0 });
		run.measurements.takeFull([target]);
		expect(run.aggregator.total().work).toBeUndefined();
		run.measure(1, "work", { windows: 1 });
		run.measurements.take(target, "work", plainWindow(0, 10), 1, 2e9);
		expect(run.aggregator.total()).toMatchObject({ work: { at_least: 5 }, sites: [{ work: { at_least: 5 } }] });
		expect(run.aggregator.closeWindow(1e9).covers_ns).toBe(2e9);
	});

	test("have rows whose sum is the total, calls without a row among them", () => {
		const run = new Run();
		const target = run.attach(1);
		run.tracer.call(1, { calls: 3 });
		run.tracer.call(1, { calls: 4, map_type: "(not recorded)", caller: [{ fn: "(not recorded)" }] });
		run.measurements.takeFull([target]);
		const { growths, sites, types } = run.aggregator.total();
		expect(growths).toBe(7);
		expect(sites.map((site) => [site.fn, site.growths])).toEqual([
			["(not recorded)", 4],
			["main.a", 3],
		]);
		expect(types.map(({ map_type }) => map_type)).toEqual(["(not recorded)", "map[int]int"]);
	});
});

describe("a window", () => {
	test("counts with its weight, durations too", () => {
		const run = new Run();
		const target = run.attach(1);
		const site = run.tracer.site(1);
		if (site === undefined) throw new Error("no site");
		run.tracer.call(1, { calls: 2, timed: 2, elapsed_ns: 10_000, recorded: 0 });
		const buckets = new Float64Array(418);
		buckets[100] = 2;
		const durations = { fn: FN, map_type: "map[int]int", count: 2, sum_ns: 10_000, max_ns: 6000, buckets };
		run.tracer.last({ site, pid: 1, ...durations });
		run.measure(1, "large", { windows: 1 });
		run.measurements.take(target, "large", plainWindow(0, 10), 0, 1e9);
		const { time_ns, latency, sites } = run.aggregator.total();
		expect([time_ns, sites[0]?.duration_ns]).toEqual(Array(2).fill(10 * 2 * (5000 - 100)));
		expect(latency).toMatchObject([{ fn: FN, net_ns: 10 * 2 * 4900 }]);
		expect([latency[0]?.durations.count, latency[0]?.durations.sumNs]).toEqual([20, 100_000]);
	});

	test("that was missed is dropped, and does not come back with the next one", () => {
		const run = new Run();
		const target = run.attach(1);
		run.measure(1, "work", { missed: 1 });
		run.tracer.call(1, { fn: WORK, calls: 5 });
		run.measurements.take(target, "work", VOID, 0, 0);
		run.measure(1, "work", { windows: 1, missed: 1 });
		run.tracer.call(1, { fn: WORK, calls: 7, window: 1 });
		run.measurements.take(target, "work", plainWindow(0, 10), 1, 1e9);
		expect(run.aggregator.total().work).toEqual({ at_least: 7 });
	});

	test("of iterations counts their steps by function alone, once each", () => {
		const run = new Run();
		const target = run.attach(1);
		run.tracer.call(1, { fn: STEP, calls: 30 });
		run.measurements.takeFull([target]);
		run.measurements.takeFull([target]);
		expect(run.aggregator.total().calls[STEP]).toBe(30);
		run.tracer.call(1, { fn: STEP, calls: 5 });
		run.measurements.take(target, "iteration", VOID, 0, 0);
		run.tracer.call(1, { fn: STEP, calls: 7 });
		run.measure(1, "iteration", { windows: 1 });
		run.measurements.take(target, "iteration", plainWindow(0, 10), 1, 1e9);
		expect(run.aggregator.total().calls[STEP]).toEqual({ at_least: 37 });
	});
});

describe("a process that executes another program", () => {
	test("goes on with the next window, whether or not the program before was let go of", () => {
		for (const late of [false, true]) {
			const run = new Run();
			const before = run.attach(1, "before");
			for (let index = 0; index < 20; index++) {
				run.tracer.call(1, { fn: WORK, calls: 5 });
				run.measure(1, "work", { windows: index + 1 });
				run.measurements.take(before, "work", plainWindow(index, 10), 0, 1e9);
			}
			if (!late) run.measurements.released(before);
			const after = run.attach(1, "after");
			for (let index = 0; index < 20; index++) {
				run.tracer.call(1, { fn: WORK, calls: 5 });
				run.measure(1, "work", { windows: index + 1 });
				run.measurements.take(after, "work", plainWindow(index, 10), 0, 1e9);
			}
			if (late) {
				// Its last window comes after those of the other one: where it belongs is over.
				run.measurements.take(before, "work", plainWindow(20, 10), 1, 1e9);
				run.measurements.released(before);
			}
			expect(run.aggregator.total().work).toMatchObject({ estimate: 2 * 20 * 5 * 10 });
			expect(run.sampling.extents(1, ["work"], "total")).toMatchObject([{ windows: 40 }]);
		}
	});
});
