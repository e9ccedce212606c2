/** The governor's decisions for a tier, from made-up loads. */
import { describe, expect, test } from "bun:test";
import { FOR_CALLS } from "../../../src/budget/probe-windows.ts";
import { AIM, type Change, TierBudget } from "../../../src/budget/tier-budget.ts";

const SECOND = 1e9;
const STEP = 0.1 * SECOND;

/** A target that uses one processor; its calls cost `full` of that when all are probed. Yields each change with its time. */
function simulate(budget: TierBudget, seconds: number, full: (second: number) => number): (Change & { at: number })[] {
	const changes: (Change & { at: number })[] = [];
	for (let now = STEP; now <= seconds * SECOND; now += STEP) {
		const probedNs = budget.share * STEP;
		const change = budget.update({
			...{ nowNs: now, elapsedNs: STEP, cpuNs: STEP, probedNs },
			costNs: full(now / SECOND) * probedNs,
			openingNs: 0,
			part: 1,
		});
		if (change !== undefined) changes.push({ ...change, at: now / SECOND });
	}
	return changes;
}

describe("a tier", () => {
	test("within the budget is probed all the time", () => {
		expect(simulate(new TierBudget(0.01, FOR_CALLS), 30, () => 0.009)).toEqual([]);
	});

	test("over the budget is probed for a share of the time that keeps it within", () => {
		const budget = new TierBudget(0.01, FOR_CALLS);
		const [change, ...more] = simulate(budget, 30, () => 0.05);
		expect(more).toEqual([]);
		expect(change).toMatchObject({ from: 1, reason: "over the budget" });
		expect(change?.at).toBeCloseTo(1, 5);
		expect(budget.share * 0.05).toBeLessThanOrEqual(0.01);
		expect(budget.share * 0.05).toBeGreaterThan(0.005);
	});

	test("beyond ten times the budget is stopped within a tenth of a second", () => {
		const [change] = simulate(new TierBudget(0.01, FOR_CALLS), 5, () => 0.8);
		expect(change?.at).toBeLessThanOrEqual(0.1 + 1e-9);
		expect(change?.reason).toContain("10 times the budget");
	});

	test("is probed less at once when it gets dearer, and more only after five calm seconds", () => {
		const budget = new TierBudget(0.01, FOR_CALLS);
		const changes = simulate(budget, 60, (second) => (second < 10 ? 0.05 : second < 20 ? 0.4 : 0.03));
		const dearer = changes.find(({ at }) => at > 10);
		expect(dearer?.at).toBeLessThanOrEqual(12);
		expect(dearer?.to).toBeLessThan(dearer?.from ?? 0);
		const cheaper = changes.find(({ at }) => at > 20);
		expect(cheaper?.to).toBeGreaterThan(cheaper?.from ?? 1);
		expect((cheaper?.at ?? 0) - (dearer?.at ?? 0)).toBeGreaterThanOrEqual(5);
	});

	test("is probed all the time again when that has been well within the budget for five seconds", () => {
		const budget = new TierBudget(0.01, FOR_CALLS);
		const changes = simulate(budget, 40, (second) => (second < 10 ? 0.05 : 0.004));
		expect(changes.at(-1)).toMatchObject({ to: 1, reason: "calm for five seconds" });
		expect(changes.at(-1)?.at).toBeGreaterThanOrEqual(15);
		expect(budget.share).toBe(1);
	});

	test("does not go to and fro at the border", () => {
		const changes = simulate(new TierBudget(0.01, FOR_CALLS), 120, (second) =>
			Math.floor(second) % 2 === 0 ? 0.0105 : 0.0095,
		);
		expect(changes.length).toBeLessThanOrEqual(2);
	});

	test("of a target that uses no processor time is judged by the cost alone", () => {
		const budget = new TierBudget(0.01, FOR_CALLS);
		const change = budget.update({
			nowNs: SECOND,
			elapsedNs: SECOND,
			cpuNs: 0,
			probedNs: SECOND,
			costNs: 1000,
			openingNs: 0,
			part: 1,
		});
		expect(change?.from).toBe(1);
	});

	test("is probed less from the first window on when it costs more to open, and when the tier has only a part of the budget", () => {
		const load = { nowNs: SECOND, elapsedNs: SECOND, cpuNs: SECOND, probedNs: SECOND, costNs: 0.5 * SECOND };
		const shareOf = (openingNs: number, part: number, cpuNs = SECOND) =>
			new TierBudget(0.01, FOR_CALLS).update({ ...load, cpuNs, openingNs, part }) ?? { to: 1, overhead: 0 };
		// The shortest windows, of 3 ms: 1.5 ms of each are hits.
		const plain = shareOf(0, 0.4);
		expect(shareOf(1.5e6, 0.4).to).toBeCloseTo(plain.to / 2, 9);
		expect(shareOf(0, 0.2).to).toBeCloseTo(plain.to / 2, 9);
		// Of two processors it is half as much.
		expect(shareOf(3e6, 0.2, 2 * SECOND).to).toBeCloseTo((AIM * 0.01 * 0.2) / (0.25 + 0.5), 9);
		// What is told is what its calls would cost, were they all probed.
		expect(shareOf(1.5e6, 0.4).overhead).toBe(0.5);
	});

	test("that was not probed tells nothing", () => {
		const budget = new TierBudget(0.01, FOR_CALLS);
		expect(
			budget.update({
				nowNs: SECOND,
				elapsedNs: 2 * SECOND,
				cpuNs: SECOND,
				probedNs: 0,
				costNs: 0,
				openingNs: 0,
				part: 1,
			}),
		).toBeUndefined();
	});
});
