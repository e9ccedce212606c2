import { describe, expect, test } from "bun:test";
import type { Shape } from "../../../src/budget/periods.ts";
import { fullCost, type Loads, neededLevel, probedAt } from "../../../src/budget/retreat.ts";
import { Prng } from "../../support/prng.ts";
import { meanCost, mostInASecond, observe } from "./programs.ts";

const MS = 1e6;
const SECOND = 1e9;
const LIMIT = 10 * MS;
const COST = { countNs: 1000, exitNs: 1000, recordNs: 1000 };
const prng = () => new Prng(11);

/** Loads with so many hits a second. */
function loads(perSecond: { large?: number; small?: number; work?: number; iteration?: number }): Loads {
	return Object.fromEntries(Object.entries(perSecond).map(([name, rate]) => [name, { ...COST, perSecond: rate }]));
}

/** Part of the time in which windows of this shape cost something. */
const part = ({ periodNs, n }: Shape): number => 1 / n + (20 * MS) / periodNs;

const input = (of: Loads) => ({ loads: of, limitNs: LIMIT, aroundNs: 20 * MS, intervalNs: SECOND });

describe("the order of retreat", () => {
	const levels: [Parameters<typeof loads>[0], number][] = [
		[{ large: 100, small: 1000, work: 500 }, 0],
		[{ large: 100, small: 1000, work: 3000 }, 1],
		[{ large: 100, small: 2000, work: 100_000 }, 2],
		[{ large: 100, small: 2800, work: 100_000 }, 3],
		[{ large: 100, small: 4500, work: 100_000 }, 4],
		[{ large: 100, small: 50_000, work: 100_000 }, 5],
		[{ large: 50_000, small: 50_000, work: 100_000 }, 6],
	];
	for (const [rates, level] of levels) {
		test(`level ${level} for ${JSON.stringify(rates)}`, () => {
			const at = input(loads(rates));
			expect(neededLevel(at)).toBe(level as 0);
			const probed = probedAt(level as 0, at);
			expect(probed.workDetails).toBe(level === 0);
			expect(probed.streams.large === "full").toBe(level < 6);
			expect(probed.streams.small === "full").toBe(level < 5);
			// On level 5 the few large growths have their exits.
			expect(probed.exits === "full").toBe(level < 3 || level === 5);
			expect(probed.recordChance.small === 1).toBe(level < 4);
			expect(probed.recordChance.large === 1).toBe(level < 6);
			if (level >= 2) expect(probed.streams.work).toMatchObject({ n: expect.any(Number) });
			else expect(probed.streams.work).toBe("full");
		});
	}

	test("the others have windows, whatever growths take, and share by what they need", () => {
		const { streams } = probedAt(6, input(loads({ large: 90_000, small: 90_000, work: 20_000, iteration: 5 })));
		expect(streams.iteration).toBe("full");
		expect(streams.work).toMatchObject({ n: expect.any(Number) });
	});

	test("where ten seconds do not pay for a window there are rare ones, and in the end none", () => {
		const rare = probedAt(6, { ...input(loads({ small: 300_000 })), limitNs: MS }).streams.small;
		if (typeof rare !== "object") throw new Error("no windows");
		expect(rare.periodNs).toBeGreaterThan(10 * SECOND);
		expect(probedAt(6, { ...input(loads({ small: 900_000 })), limitNs: MS / 50 }).streams.small).toBe("off");
	});

	test("what is planned at each level is within the limit", () => {
		for (const large of [0, 100, 2000, 50_000]) {
			for (const small of [100, 3000, 8000, 300_000]) {
				const at = input(loads({ large, small }));
				const { streams, exits, recordChance } = probedAt(neededLevel(at), at);
				let cost = 0;
				for (const [name, rate] of [
					["large", large],
					["small", small],
				] as const) {
					const probing = streams[name] ?? "off";
					const timed = probing !== "full" || exits === "full" ? 1 : typeof exits === "string" ? 0 : part(exits);
					const each = COST.countNs + timed * COST.exitNs + recordChance[name] * COST.recordNs;
					cost += (typeof probing === "string" ? 1 : part(probing)) * rate * each;
				}
				expect(cost).toBeLessThanOrEqual(LIMIT);
			}
		}
	});

	test("what everything would cost", () => {
		expect(fullCost(loads({ small: 1000, work: 500 }))).toBe(4.5 * MS);
	});
});

describe("steps of the ladder", () => {
	test("a quiet service is probed in full: growths from the start, growth work within a second", () => {
		const { levels, decisions, costs } = observe(prng(), {
			...{ rates: { small: () => 1250, work: () => 1500 }, cost: COST, limitNs: LIMIT, seconds: 10 },
		});
		const first = decisions[0]?.decision.probed;
		expect(first?.streams).toMatchObject({ small: "full", work: { n: 50 } });
		expect(levels.map(({ level }) => level)).toEqual([2, 1]);
		expect(levels[1]?.atNs).toBeLessThanOrEqual(SECOND);
		expect(mostInASecond(costs)).toBeLessThanOrEqual(LIMIT);
	});

	test("growth work that would cost too much stays in windows, also in the first second", () => {
		const { levels, costs } = observe(prng(), {
			...{ rates: { small: () => 500, work: () => 150_000 }, cost: COST, limitNs: LIMIT, seconds: 20 },
		});
		expect(levels.map(({ level }) => level)).toEqual([2]);
		expect(meanCost(costs, 0, 20)).toBeLessThanOrEqual(LIMIT);
		expect(meanCost(costs, 0, 1)).toBeLessThanOrEqual(2 * LIMIT);
	});

	for (const countNs of [1000, 2000, 3000, 6000]) {
		test(`a program that only fills maps, ${countNs} ns a hit: the promise holds from the first second`, () => {
			const { costs, levels } = observe(prng(), {
				rates: { small: () => 97_000, large: () => 3000 },
				cost: { countNs, exitNs: countNs, recordNs: countNs },
				...{ limitNs: LIMIT, seconds: 60 },
			});
			expect(levels.length).toBeGreaterThan(1);
			expect(levels.at(-1)?.level).toBeGreaterThanOrEqual(5);
			// The limit of that second, the second's budget that the bucket holds at the start, and half a one that is lent after a step.
			expect(meanCost(costs, 0, 1)).toBeLessThanOrEqual(2.5 * LIMIT);
			for (let second = 0; second + 10 <= 60; second += 5) {
				expect(meanCost(costs, second, second + 10)).toBeLessThanOrEqual(1.25 * LIMIT);
			}
			expect(meanCost(costs, 0, 60)).toBeLessThanOrEqual(LIMIT);
			expect(meanCost(costs, 10, 60)).toBeGreaterThan(0.3 * LIMIT);
		});
	}

	test("a burst at the start costs some seconds of detail, not more", () => {
		const rates = { small: (ns: number) => (ns < SECOND ? 50_000 : 200) };
		const { levels } = observe(prng(), { rates, cost: COST, limitNs: LIMIT, seconds: 30 });
		expect(levels.map(({ level }) => level)).toEqual([2, 5, 0]);
		expect(levels[1]?.atNs).toBeLessThan(0.1 * SECOND);
		expect(levels[2]?.atNs).toBeLessThan(10 * SECOND);
	});

	test("a step up that failed is not tried again before twice as long, thirty seconds at most", () => {
		// Bursts of 300 ms every two seconds, which windows often do not see.
		const rates = { small: (ns: number) => (ns % (2 * SECOND) < 0.3 * SECOND ? 200_000 : 10) };
		const { levels, costs } = observe(prng(), { rates, cost: COST, limitNs: LIMIT, seconds: 200 });
		const ups = levels
			.filter(({ level }, at) => at > 0 && level < (levels[at - 1]?.level ?? 0))
			.map(({ atNs }) => atNs);
		const waits = ups.slice(1).map((at, index) => at - (ups[index] ?? 0));
		expect(waits.length).toBeGreaterThan(4);
		// From the failure on: 2, 4, 8, 16, 30, 30 s; the step up itself lasted less than two seconds.
		for (const [at, wait] of waits.entries()) {
			expect(wait).toBeGreaterThanOrEqual(Math.min(30, 2 ** (at + 1)) * SECOND);
			expect(wait).toBeLessThanOrEqual(60 * SECOND);
		}
		expect(meanCost(costs, 0, 200)).toBeLessThanOrEqual(LIMIT);
	});

	test("ticks come sooner while the budget runs out", () => {
		const { decisions } = observe(prng(), {
			...{ rates: { small: () => 100_000 }, cost: COST, limitNs: LIMIT, seconds: 1 },
		});
		const [first, second] = decisions;
		expect((second?.atNs ?? 0) - (first?.atNs ?? 0)).toBe(10 * MS);
	});
});

describe("a command that is started in order to be observed", () => {
	const COMMAND_LIMIT = 80 * MS;
	const EXPENSIVE = { countNs: 6000, exitNs: 6000, recordNs: 600 };
	const levelsOf = (observed: ReturnType<typeof observe>): number[] => observed.levels.map(({ level }) => level);

	test("a small one is probed in full from its first instruction on", () => {
		const rates = { small: () => 200, work: () => 300 };
		const observed = observe(prng(), { rates, cost: EXPENSIVE, limitNs: COMMAND_LIMIT, commandUses: 0.8, seconds: 5 });
		expect(levelsOf(observed)).toEqual([0]);
	});

	test("of a compiler of a second and a half growths are all recorded, and growth work is given up within some milliseconds", () => {
		const rates = { large: () => 8000, small: () => 8000, work: () => 40_000 };
		const observed = observe(prng(), {
			...{ rates, cost: EXPENSIVE, limitNs: COMMAND_LIMIT, commandUses: 1.5, processors: 2, seconds: 1 },
		});
		expect(Math.max(...levelsOf(observed))).toBe(3);
		expect(observed.levels.find(({ level }) => level >= 2)?.atNs).toBeLessThan(50 * MS);
		// What it may, what it is lent to begin with, and until the first steps have been taken.
		expect(meanCost(observed.costs, 0, 1)).toBeLessThan(0.1 * 1.5 * SECOND);
	});

	test("that does not get much of a busy machine earns little", () => {
		const rates = { small: () => 800, work: () => 4000 };
		const observed = observe(prng(), {
			...{ rates, cost: EXPENSIVE, limitNs: COMMAND_LIMIT, commandUses: 0.1, seconds: 15 },
		});
		expect(Math.max(...levelsOf(observed))).toBe(3);
		expect(meanCost(observed.costs, 0, 15)).toBeLessThan(0.1 * 0.1 * SECOND);
	});

	test("that only fills maps is sampled when it has used what it is lent, and keeps to its limit then", () => {
		const rates = { small: () => 100_000 };
		const observed = observe(prng(), {
			...{ rates, cost: EXPENSIVE, limitNs: COMMAND_LIMIT, commandUses: 1, processors: 1, seconds: 30 },
		});
		expect(Math.max(...levelsOf(observed))).toBeGreaterThanOrEqual(5);
		expect(meanCost(observed.costs, 0, 30)).toBeLessThan(1.1 * COMMAND_LIMIT);
		expect(meanCost(observed.costs, 5, 30)).toBeLessThan(COMMAND_LIMIT);
	});
});
