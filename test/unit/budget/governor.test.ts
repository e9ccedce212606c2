/** The promise, over simulated programs: what probing costs them in the dearest second, what is measured all the same, and how several share. */
import { describe, expect, test } from "bun:test";
import { type Rate, SECOND, type SimulatedTarget, Simulation } from "./simulated.ts";

const BUDGET = 0.01;
const LIMIT_NS = 10e6;

function shown(simulation: Simulation, target: SimulatedTarget, stream: "large" | "work") {
	return simulation.governor.measured(target, stream);
}

/** A program that grows maps so often, with so much growth work for each growth. */
function program(
	simulation: Simulation,
	growths: Rate | number,
	workPerGrowth = 0,
	pid = 1,
	fields = {},
): SimulatedTarget {
	const rate: Rate = typeof growths === "number" ? () => growths : growths;
	return simulation.add(
		pid,
		{ large: rate, ...(workPerGrowth === 0 ? {} : { work: (seconds: number) => workPerGrowth * rate(seconds) }) },
		fields,
	);
}

describe("without a budget", () => {
	test("everything is measured, whatever it costs", () => {
		const simulation = new Simulation();
		const target = program(simulation, 100_000, 20);
		simulation.run(2);
		expect([shown(simulation, target, "large"), shown(simulation, target, "work")]).toEqual(
			Array(2).fill({ windows: 0, missed: 0, full: true, sampled: false }),
		);
		expect(simulation.throttles).toEqual([]);
		const [row] = simulation.governor.report(simulation.clock.ns);
		expect(row).not.toHaveProperty("limit_ns_per_second");
		expect(row).not.toHaveProperty("work_probed");
		expect(row?.cost_ns_per_second).toBeGreaterThan(100 * LIMIT_NS);
	});
});

describe("a quiet program", () => {
	test("is measured in full within a second, and stays so", () => {
		const simulation = new Simulation({ rate: BUDGET });
		const target = program(simulation, 100, 5);
		simulation.run(1.2);
		expect(shown(simulation, target, "work")?.full).toBe(true);
		simulation.run(6);
		expect(shown(simulation, target, "large")).toEqual({ windows: 0, missed: 0, full: true, sampled: false });
		expect(shown(simulation, target, "work")?.full).toBe(true);
		expect(simulation.dearestSecond(1)).toBeLessThan(LIMIT_NS);
	});

	test("from the beginning, where it was asked for", () => {
		const simulation = new Simulation({ rate: BUDGET, whole: true });
		const target = program(simulation, 100, 5);
		simulation.run(3);
		expect(shown(simulation, target, "work")).toEqual({ windows: 0, missed: 0, full: true, sampled: false });
	});

	test("is looked at more rarely when nothing is hit, and at once when records come", () => {
		const simulation = new Simulation({ rate: BUDGET });
		program(simulation, (seconds) => (seconds < 5 ? 0 : 50_000), 10);
		simulation.run(3);
		const { governor, clock } = simulation;
		let most = 0;
		for (let n = 0; n < 30; n++) {
			governor.tick(clock.ns);
			most = Math.max(most, governor.untilNext(clock.ns, 1000));
			simulation.run(simulation.seconds + 0.01);
		}
		expect(most).toBeGreaterThan(150);
		simulation.run(5.02);
		governor.addReading(1e6, 1000);
		const before = simulation.throttles.length;
		simulation.run(5.06);
		expect(simulation.throttles.length).toBeGreaterThan(before);
	});
});

describe("the promise", () => {
	for (const growths of [100, 1000, 10_000, 100_000]) {
		for (const work of [0, 20]) {
			test(`holds for ${growths} growths a second with ${work} times as much growth work`, () => {
				const simulation = new Simulation({ rate: BUDGET });
				const target = program(simulation, growths, work);
				simulation.run(20);
				// The first window is as long as what attaching takes asks for before that is known; one of growth work that is this frequent costs what ten seconds may, and is rare.
				const rare = growths * work > 1_000_000;
				expect(simulation.dearestSecond(1)).toBeLessThan((rare ? 11 : 5) * LIMIT_NS);
				expect(simulation.meanCost(1, 0, 5)).toBeLessThan(1.5 * LIMIT_NS);
				if (!rare) expect(simulation.dearestSecond(1, 4)).toBeLessThan(4 * LIMIT_NS);
				expect(simulation.meanCost(1, 5, 20)).toBeLessThan(1.1 * LIMIT_NS);
				const large = shown(simulation, target, "large");
				if (growths <= 1000) expect(large).toMatchObject({ full: true, sampled: false });
				if (growths >= 100_000) expect(large?.full).toBe(false);
			});
		}
	}

	test("a rare window is as short as its limit asks for", () => {
		const simulation = new Simulation({ rate: BUDGET });
		program(simulation, 100_000, 20);
		simulation.run(60);
		expect(simulation.dearestSecond(1, 4)).toBeLessThan(11 * LIMIT_NS);
		expect(simulation.meanCost(1, 4, 60)).toBeLessThan(LIMIT_NS);
	});

	test("what is estimated from windows is right", () => {
		let [estimate, truth] = [0, 0];
		for (let seed = 1; seed <= 6; seed++) {
			const simulation = new Simulation({ rate: BUDGET, seed });
			const target = program(simulation, 1000, 60);
			simulation.run(60);
			simulation.governor.finish(simulation.clock.ns);
			const { weighted = 0, windows = 0, coversNs = 0 } = target.taken.get("work") ?? {};
			expect(windows).toBeGreaterThanOrEqual(2);
			estimate += weighted;
			truth += (60_000 * coversNs) / SECOND;
		}
		expect(estimate / truth).toBeGreaterThan(0.9);
		expect(estimate / truth).toBeLessThan(1.1);
	});

	test("of a process whose cgroup gives it a tenth of a processor is a tenth", () => {
		const simulation = new Simulation({ rate: BUDGET });
		program(simulation, 2000, 20, 1, { allowed: 0.1, processors: 0.05 });
		simulation.run(20);
		expect(simulation.meanCost(1, 5, 20)).toBeLessThan(1.2 * 0.1 * LIMIT_NS);
		expect(simulation.governor.report(simulation.clock.ns)[0]?.limit_ns_per_second).toBe(0.1 * LIMIT_NS);
	});
});

describe("steps", () => {
	test("down in a burst, and up again when it is over", () => {
		const simulation = new Simulation({ rate: BUDGET });
		const target = program(simulation, (seconds) => (seconds >= 5 && seconds < 8 ? 60_000 : 200), 10);
		simulation.run(5);
		expect(shown(simulation, target, "large")).toMatchObject({ full: true, sampled: false });
		expect(shown(simulation, target, "work")?.full).toBe(true);
		simulation.run(8);
		expect(shown(simulation, target, "work")?.full).toBe(false);
		const down = simulation.throttles.filter(({ from, to }) => to < from);
		expect(down.map(({ stream }) => stream)).toContain("work");
		expect(down.every(({ pid, limitNs }) => pid === 1 && limitNs === LIMIT_NS)).toBe(true);
		simulation.run(20);
		expect(shown(simulation, target, "large")?.full).toBe(true);
		// Growth work was worth a window in half a minute: only the next one can tell that there is less of it.
		simulation.run(60);
		expect(shown(simulation, target, "work")?.full).toBe(true);
	});

	test("records are given up before counts: those of many growths are drawn", () => {
		const simulation = new Simulation({ rate: BUDGET });
		const target = program(simulation, 2500);
		simulation.run(10);
		expect(shown(simulation, target, "large")).toMatchObject({ full: true, sampled: false });
		expect(target.streams.get("large")?.chance).toBeLessThan(1);
		const [row] = simulation.governor.report(simulation.clock.ns);
		expect(row?.growth_recorded).toBeLessThan(1);
		expect(row).not.toHaveProperty("growth_probed");
	});

	test("and fewer still where the tool has no time to read them", () => {
		const simulation = new Simulation({ rate: 1, processors: 1 });
		const target = program(simulation, 20_000);
		// A record takes 200 µs: 3,000 a second take 0.6 of a processor.
		for (let n = 0; n < 20; n++) simulation.governor.addReading(100e6, 500);
		simulation.run(5);
		expect(target.streams.get("large")?.chance).toBeLessThan(0.25);
	});
});

describe("several targets", () => {
	test("share what the machine allows, max-min fair", () => {
		const simulation = new Simulation({ rate: BUDGET, processors: 1 });
		for (let pid = 1; pid <= 10; pid++) program(simulation, pid === 1 ? 100 : 5000, 10, pid);
		simulation.run(20);
		const report = simulation.governor.report(simulation.clock.ns);
		const mean = report.map(({ pid }) => simulation.meanCost(pid, 8, 20));
		// 5 % of one processor.
		expect(mean.reduce((sum, ns) => sum + ns, 0)).toBeLessThan(1.15 * 50e6);
		// What costs little keeps all of it.
		expect(report[0]).not.toHaveProperty("work_probed");
		const limits = report.slice(1).map(({ limit_ns_per_second = 0 }) => limit_ns_per_second);
		expect(Math.max(...limits)).toBeLessThan(LIMIT_NS);
		expect(Math.max(...limits) - Math.min(...limits)).toBeLessThan(0.2 * Math.max(...limits));
	});

	test("what the tool itself uses is taken off", () => {
		const limitOf = (own: number): number => {
			const clock = { seconds: 0 };
			const simulation = new Simulation({
				...{ rate: BUDGET, processors: 1, ownCpuNs: () => own * clock.seconds * SECOND },
			});
			Object.defineProperty(clock, "seconds", { get: () => simulation.seconds });
			for (let pid = 1; pid <= 5; pid++) program(simulation, 20_000, 10, pid);
			simulation.run(10);
			return simulation.governor.report(simulation.clock.ns)[0]?.limit_ns_per_second ?? 0;
		};
		expect(limitOf(0)).toBeGreaterThan(1.3 * limitOf(0.03));
	});

	test("one that ends gives out its last windows, and what it had is there for the others", () => {
		const simulation = new Simulation({ rate: BUDGET, processors: 1 });
		const targets = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((pid) => program(simulation, 20_000, 10, pid));
		simulation.run(8);
		const [ended] = targets;
		if (ended === undefined) throw new Error("no target");
		simulation.governor.finish(simulation.clock.ns, ended);
		const before = simulation.governor.report(simulation.clock.ns).find(({ pid }) => pid === 2);
		for (const target of targets.slice(0, 5)) {
			simulation.governor.finish(simulation.clock.ns, target);
			simulation.governor.release(target);
			simulation.targets.splice(simulation.targets.indexOf(target), 1);
		}
		expect(simulation.governor.measured(ended, "large")).toBeUndefined();
		expect([...ended.streams.values()].every(({ attached }) => !attached.entries)).toBe(true);
		simulation.run(14);
		const after = simulation.governor.report(simulation.clock.ns);
		expect(after.map(({ pid }) => pid)).toEqual([6, 7, 8, 9, 10]);
		expect(after[0]?.limit_ns_per_second).toBeGreaterThan(1.5 * (before?.limit_ns_per_second ?? 0));
	});
});
