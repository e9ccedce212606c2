/** How many growths become records, from made-up loads. */
import { describe, expect, test } from "bun:test";
import { type GrowthLoad, RecordBudget } from "../../../src/budget/record-budget.ts";
import { AIM } from "../../../src/budget/tier-budget.ts";

const SECOND = 1e9;
const BUDGET = 0.01;

/** A second in which the target used a whole processor; costs in seconds, of 10,000 growths. */
function load(
	second: number,
	costs: { counting: number; recording: number; reading?: number; readingRoom?: number },
): GrowthLoad {
	const { counting, recording, reading = 0, readingRoom = Number.POSITIVE_INFINITY } = costs;
	return {
		...{ nowNs: second * SECOND, elapsedNs: SECOND, cpuNs: SECOND, growths: 10_000 },
		countingNs: counting * SECOND,
		recordingNs: recording * SECOND,
		readingNs: reading * SECOND,
		readingRoomNs: readingRoom * SECOND,
	};
}

describe("growths", () => {
	test("all become records within the budget", () => {
		const budget = new RecordBudget(BUDGET);
		for (let second = 1; second < 20; second++) {
			expect(budget.update(load(second, { counting: 0.002, recording: 0.007 }))).toBeUndefined();
		}
		expect(budget.chance).toBe(1);
	});

	test("become records as far as the budget goes", () => {
		const budget = new RecordBudget(BUDGET);
		expect(budget.update(load(1, { counting: 0.002, recording: 0.05 }))).toMatchObject({
			from: 1,
			reason: "growths alone are over the budget",
		});
		expect(0.002 + budget.chance * 0.05).toBeCloseTo(AIM * BUDGET, 9);
	});

	test("become records as far as reading them may take time", () => {
		const budget = new RecordBudget(BUDGET);
		const costs = { counting: 0.001, recording: 0.002, reading: 0.2 };
		expect(budget.update(load(1, costs))).toBeUndefined();
		// 0.3 of the budget for probing and 0.7 for reading are all of it.
		expect(budget.update(load(2, { ...costs, readingRoom: 0.29 }))).toBeUndefined();
		expect(budget.update(load(3, { ...costs, readingRoom: 0.02 }))).toMatchObject({
			from: 1,
			reason: "reading growths is over the budget",
		});
		expect((0.001 + budget.chance * 0.002) / BUDGET + (budget.chance * 0.2) / 0.02).toBeCloseTo(AIM, 9);
		// It stays so as long as there is no more room, and ends when there is, after five seconds.
		for (let second = 4; second < 8; second++) expect(budget.update(load(second, costs))).toBeUndefined();
		expect(budget.update(load(8, { ...costs, readingRoom: 0.02 }))).toBeUndefined();
		expect(budget.update(load(9, costs))).toMatchObject({ to: 1, reason: "calm for five seconds" });
	});

	test("become records a hundred times a second at least", () => {
		const budget = new RecordBudget(BUDGET);
		budget.update(load(1, { counting: 0.5, recording: 0.5 }));
		expect(budget.chance * 10_000).toBeCloseTo(100, 6);
		expect(budget.exhausted).toBe(false);
		budget.update(load(2, { counting: 0.005, recording: 0.5 }));
		expect(budget.exhausted).toBe(false);
		budget.update(load(3, { counting: 0.5, recording: 0.5 }));
		expect(budget.exhausted).toBe(true);
		// Where there are no more than that, all of them.
		const few = new RecordBudget(BUDGET);
		expect(few.update({ ...load(1, { counting: 0.5, recording: 0.5 }), growths: 100 })).toBeUndefined();
		expect([few.chance, few.exhausted]).toEqual([1, true]);
	});

	test("beyond ten times the budget are bounded within a tenth of a second", () => {
		const budget = new RecordBudget(BUDGET);
		const tenth = { ...load(0.1, { counting: 0.002, recording: 0.02 }), elapsedNs: 0.1 * SECOND, cpuNs: 0.1 * SECOND };
		expect(budget.update(tenth)).toMatchObject({ from: 1 });
	});

	test("all become records again, but not before five seconds have passed", () => {
		const budget = new RecordBudget(BUDGET);
		budget.update(load(1, { counting: 0.002, recording: 0.05 }));
		const calm = { counting: 0.0001, recording: 0.001 };
		for (let second = 2; second < 6; second++) expect(budget.update(load(second, calm))).toBeUndefined();
		expect(budget.update(load(6, calm))).toMatchObject({ to: 1 });
	});
});
