/** The governor over made-up programs that are always busy: when their probes are in, for how long, and what that costs them. */
import { expect, test } from "bun:test";
import { type Governed, Governor } from "../../../src/budget/governor.ts";
import { AIM } from "../../../src/budget/tier-budget.ts";
import type { Tier } from "../../../src/gomap/functions.ts";
import { noCounts, type SiteCounts } from "../../../src/kernel/counters.ts";
import type { EntrySite } from "../../../src/tracer/site-table.ts";
import type { Target } from "../../../src/tracer/target.ts";
import { Prng } from "../../support/prng.ts";
import { plannedProbe } from "../tracer/plan-parts.ts";

const MS = 1e6;
const SECOND = 1e9;
/** On a busy machine the tool does not come back sooner, whatever is due. */
const TICK_NS = 15 * MS;
const HIT_NS = 5000;
const COSTS = { workNs: HIT_NS, timedWorkNs: HIT_NS, leaveNs: 0, growthNs: HIT_NS, steppedNs: 0 };
const FN = "runtime.growWork";
/** What reading a record takes the tool. */
const READING_NS = 20_000;

/** A program that uses one processor and calls `perSecond` times a second of it when nobody looks. */
class BusyProgram {
	readonly target: Target;
	readonly site = { probe: plannedProbe(FN), timed: false } as EntrySite;
	readonly tier: Tier;
	readonly counts: SiteCounts = noCounts();
	readonly windows: { from: number; to: number }[] = [];
	readonly #perSecond: number;
	#since: number | undefined = 0;
	calls = 0;
	/** Of calls that become records. */
	chance = 1;

	constructor(pid: number, perSecond: number, tier: Tier = "work") {
		this.tier = tier;
		this.target = { identity: { pid } } as Target;
		this.#perSecond = perSecond;
	}

	advance(ns: number): void {
		const calls = ns / (SECOND / this.#perSecond + (this.#since === undefined ? 0 : HIT_NS));
		this.calls += calls;
		if (this.#since !== undefined) this.counts.hits += calls;
	}

	probe(on: boolean, nowNs: number): void {
		if (this.#since !== undefined && !on) this.windows.push({ from: this.#since, to: nowNs });
		this.#since = on ? nowNs : undefined;
	}
}

/** Governs the programs for so long, with a budget of 1 %, on a machine of two processors of which so much is idle; `used`: of the processor that each program has. */
function govern(programs: readonly BusyProgram[], seconds: number, idle = 0.6, used = 1): Governor {
	let now = 0;
	const of = (target: Target): BusyProgram => {
		const program = programs.find((each) => each.target === target);
		if (program === undefined) throw new Error("no such program");
		return program;
	};
	const governed: Governed = {
		targets: programs.map(({ target }) => target),
		entriesOf: (target, tier) => (tier === of(target).tier ? [of(target).site] : []),
		countsOf: (site) => ({ ...(programs.find((each) => each.site === site)?.counts ?? noCounts()) }),
		setProbed: (target, tier, on) => {
			if (tier === of(target).tier) of(target).probe(on, now);
		},
		setGrowthChance: (target, chance) => {
			of(target).chance = chance;
		},
	};
	const advance = (ns: number): void => {
		now += ns;
		for (const program of programs) program.advance(ns);
	};
	const random = new Prng(1, 0);
	const governor = new Governor(governed, {
		...{ costs: COSTS, budget: 0.01, cpuNs: () => used * now, clockNs: () => now, holdNs: advance },
		machineTime: () => ({ allNs: 2 * now, idleNs: idle * 2 * now }),
		random: () => random.below(1 << 30) / (1 << 30),
	});
	let recorded = 0;
	while (now < seconds * SECOND) {
		governor.tick(now);
		const records = programs.reduce((sum, { counts, chance }) => sum + counts.hits * chance, 0);
		governor.addReading((records - recorded) * READING_NS, records - recorded);
		recorded = records;
		advance(TICK_NS);
	}
	return governor;
}

test("a busy program is probed in short windows that end on time, and its hits cost it no more than the budget", () => {
	const program = new BusyProgram(1, 200_000);
	const governor = govern([program], 60);
	const [all, ...windows] = program.windows;
	// Ten times the budget is stopped at once.
	expect(all?.to).toBeLessThanOrEqual(0.2 * SECOND);
	expect(windows.length).toBeGreaterThan(20);
	for (const { from, to } of windows) expect(to - from).toBeLessThanOrEqual(10 * MS);
	const hits = windows.reduce((sum, { from, to }) => sum + (to - from) / (SECOND / 200_000 + HIT_NS), 0);
	expect((hits * HIT_NS) / (60 * SECOND)).toBeLessThan(0.01);
	const { low = 0, high = 0 } = governor.missing(60 * SECOND, true).get(FN) ?? {};
	expect(program.counts.hits + low).toBeLessThanOrEqual(program.calls);
	expect(program.counts.hits + high).toBeGreaterThanOrEqual(program.calls);
});

test("windows of many programs take at most a fifth of the tool's time, and each program has some", () => {
	const programs = Array.from({ length: 300 }, (_, index) => new BusyProgram(index + 1, 200_000));
	govern(programs, 30);
	const after = programs.map(({ windows }) => windows.slice(1));
	const held = after.flat().reduce((sum, { from, to }) => sum + to - from, 0);
	expect(held).toBeLessThanOrEqual(0.21 * 30 * SECOND);
	expect(held).toBeGreaterThan(0.1 * 30 * SECOND);
	const numbers = after.map((windows) => windows.length);
	expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0.5 * Math.max(...numbers));
	expect(Math.min(...numbers)).toBeGreaterThan(1);
});

test("iterations are probed in longer windows, which keep to half of the budget", () => {
	const program = new BusyProgram(1, 200_000, "iteration");
	const governor = govern([program], 300);
	const [all, ...windows] = program.windows;
	expect(all?.to).toBeLessThanOrEqual(0.2 * SECOND);
	expect(windows.length).toBeGreaterThan(5);
	for (const { from, to } of windows) {
		expect(to - from).toBeGreaterThanOrEqual(50 * MS);
		expect(to - from).toBeLessThanOrEqual(50 * MS + 2 * TICK_NS);
	}
	const hits = windows.reduce((sum, { from, to }) => sum + (to - from) / (SECOND / 200_000 + HIT_NS), 0);
	expect((hits * HIT_NS) / (300 * SECOND)).toBeLessThan(0.005);
	const [row] = governor.report(300 * SECOND);
	expect(row?.iteration_probed).toBeCloseTo(
		windows.reduce((sum, { from, to }) => sum + to - from, all?.to ?? 0) / (300 * SECOND),
		5,
	);
	expect(row?.work_probed).toBeUndefined();
	const { low = 0, high = 0 } = governor.missing(300 * SECOND, true).get(FN) ?? {};
	expect(program.counts.hits + low).toBeLessThanOrEqual(program.calls);
	expect(program.counts.hits + high).toBeGreaterThanOrEqual(program.calls);
});

test("growths that a busy machine has no time to read become records in part, and all where it has", () => {
	// A third of the budget by themselves, and reading them takes 0.6 % of the machine.
	const [idle, busy] = [new BusyProgram(1, 600, "growth"), new BusyProgram(2, 600, "growth")];
	expect(govern([idle], 30, 0.6).report(30 * SECOND)[0]?.growth_recorded).toBeUndefined();
	expect(idle.chance).toBe(1);
	const [row] = govern([busy], 30, 0.4).report(30 * SECOND);
	expect(row?.growth_recorded).toBe(busy.chance);
	const [cost, reading] = [600 * HIT_NS, busy.chance * 600 * READING_NS];
	expect(cost / SECOND + reading / (2 * SECOND)).toBeCloseTo(AIM * 0.75 * 0.01, 4);
	expect(busy.windows).toEqual([]);
});

test("growths that are too few to be sampled are probed in windows where even counting them is too dear", () => {
	// Counting costs it half a millisecond a second, of the ten that it uses.
	const program = new BusyProgram(1, 90, "growth");
	govern([program], 30, 0.6, 0.01);
	expect(program.chance).toBe(1);
	expect(program.windows.length).toBeGreaterThan(2);
});
