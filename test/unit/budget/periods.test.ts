import { describe, expect, test } from "bun:test";
import { onGrid, WindowSchedule } from "../../../src/budget/periods.ts";
import { cheapestWindowNs, chooseShape } from "../../../src/budget/shape.ts";
import { Prng } from "../../support/prng.ts";

const MS = 1e6;
const SECOND = 1e9;

function schedule(random: () => number, originNs = 0): WindowSchedule {
	return new WindowSchedule({ intervalNs: SECOND, originNs, random });
}

describe("the schedule of windows", () => {
	test("periods end on the grid of the report interval; the first one is up to half a period longer or shorter", () => {
		const windows = schedule(() => 0, 3 * MS);
		windows.begin(5.4 * SECOND, { periodNs: 2 * SECOND, n: 8 });
		expect(windows.gates[0]).toMatchObject({ startNs: 5.4 * SECOND, endNs: 7 * SECOND + 3 * MS });
		windows.planNext({ periodNs: SECOND / 4, n: 8 }, 6 * SECOND);
		expect(windows.gates[1]).toMatchObject({ startNs: 7 * SECOND + 3 * MS, endNs: 7.25 * SECOND + 3 * MS });
	});

	test("every slot is chosen equally often, before the period begins", () => {
		const prng = new Prng(7);
		const windows = schedule(() => prng.u32() / 2 ** 32);
		windows.begin(0, { periodNs: SECOND, n: 5 });
		const chosen = [0, 0, 0, 0, 0];
		for (let period = 0; period < 5000; period++) {
			const current = windows.gates[0];
			if (current === undefined) throw new Error("no period");
			expect(current.toNs - current.fromNs).toBe(SECOND / 5);
			const slot = Math.round(((current.fromNs - current.startNs) / SECOND) * 5);
			chosen[slot] = (chosen[slot] ?? 0) + 1;
			windows.planNext({ periodNs: SECOND, n: 5 }, current.startNs);
			expect(windows.over(current.endNs)).toHaveLength(1);
		}
		for (const times of chosen) expect(Math.abs(times - 1000)).toBeLessThan(100);
	});

	test("attaches ahead of the window by what it took, and detaches after it", () => {
		const windows = schedule(() => 0.5);
		windows.learnAttach(16 * MS);
		windows.learnAttach(10 * MS);
		windows.begin(0, { periodNs: SECOND, n: 10 });
		expect(windows.leadNs).toBe(23 * MS);
		expect(windows.wantsProbes(476 * MS)).toBe(false);
		expect(windows.wantsProbes(478 * MS)).toBe(true);
		expect(windows.nextNs(0)).toBe(477 * MS);
		windows.attached(499 * MS);
		expect(windows.wantsProbes(599 * MS)).toBe(true);
		expect(windows.wantsProbes(600 * MS)).toBe(false);
		windows.detached(601 * MS);
		expect(windows.over(SECOND)).toMatchObject([{ index: 0, endNs: SECOND }]);
		expect(windows.windows).toBe(1);
	});

	test("a window whose gate was written late is missed, though its probes were there all the time", () => {
		for (const [plannedNs, index] of [
			[1.09 * SECOND, 1],
			[1.11 * SECOND, undefined],
		] as const) {
			const windows = schedule(() => 0.1);
			windows.begin(0, { periodNs: SECOND, n: 10 });
			windows.attached(90 * MS);
			windows.planNext({ periodNs: SECOND, n: 10 }, plannedNs);
			expect(windows.gates[1]).toMatchObject({ fromNs: 1.1 * SECOND, toNs: 1.2 * SECOND });
			windows.detached(1.25 * SECOND);
			expect(windows.over(2 * SECOND).map((over) => over.index)).toEqual([0, index]);
			// The same where windows end before the period does.
			const ended = schedule(() => 0.1);
			ended.begin(0, { periodNs: SECOND, n: 10 });
			ended.attached(90 * MS);
			ended.planNext({ periodNs: SECOND, n: 10 }, plannedNs);
			expect(ended.end(1.15 * SECOND).map((over) => over.index)).toEqual([0, index]);
		}
	});

	test("a window whose probes come late is missed, and has no index", () => {
		const windows = schedule(() => 0.5);
		windows.begin(0, { periodNs: SECOND, n: 10 });
		windows.planNext({ periodNs: SECOND, n: 10 }, 900 * MS);
		windows.attached(501 * MS);
		windows.detached(601 * MS);
		windows.attached(1490 * MS);
		windows.detached(1601 * MS);
		expect(windows.over(2 * SECOND)).toMatchObject([{ index: undefined }, { index: 0 }]);
		expect(windows.missed).toBe(1);
	});

	test("a window that is detached early is missed", () => {
		const windows = schedule(() => 0.5);
		windows.begin(0, { periodNs: SECOND, n: 10 });
		windows.attached(490 * MS);
		windows.detached(599 * MS);
		expect(windows.over(SECOND)).toMatchObject([{ index: undefined }]);
	});

	test("probes stay attached between the last slot of a period and the first of the next", () => {
		const slots = [0.95, 0];
		const windows = schedule(() => slots.shift() ?? 0);
		windows.begin(0, { periodNs: SECOND, n: 10 });
		expect(windows.planDue(800 * MS)).toBe(false);
		expect(windows.planDue(900 * MS)).toBe(true);
		windows.planNext({ periodNs: SECOND, n: 10 }, 900 * MS);
		expect(windows.planDue(900 * MS)).toBe(false);
		expect(windows.gates.map(({ fromNs, toNs }) => [fromNs, toNs])).toEqual([
			[900 * MS, SECOND],
			[SECOND, 1100 * MS],
		]);
		windows.attached(890 * MS);
		expect(windows.wantsProbes(999 * MS)).toBe(true);
		expect(windows.wantsProbes(1000 * MS)).toBe(true);
		expect(windows.wantsProbes(1100 * MS)).toBe(false);
		windows.detached(1101 * MS);
		expect(windows.over(2 * SECOND)).toMatchObject([{ index: 0 }, { index: 1 }]);
	});

	test("periods that pass while nobody looks are missed", () => {
		const windows = schedule(() => 0.5);
		windows.begin(0, { periodNs: SECOND, n: 10 });
		expect(windows.over(4.2 * SECOND)).toHaveLength(1);
		expect(windows.planDue(4.2 * SECOND)).toBe(true);
		windows.planNext({ periodNs: SECOND, n: 10 }, 4.2 * SECOND);
		expect(windows.over(4.2 * SECOND).map(({ index, endNs }) => [index, endNs])).toEqual([
			[undefined, 2 * SECOND],
			[undefined, 3 * SECOND],
			[undefined, 4 * SECOND],
		]);
		expect(windows.gates).toMatchObject([{ startNs: 4 * SECOND, endNs: 5 * SECOND }]);
		expect(windows.missed).toBe(4);
		windows.end(4.3 * SECOND);
		expect(windows.planDue(9 * SECOND)).toBe(false);
	});

	test("a cut that did not depend on the window keeps weights; an emergency voids the open window", () => {
		const begun = (): WindowSchedule => {
			const windows = schedule(() => 0.5);
			windows.begin(0, { periodNs: SECOND, n: 10 });
			return windows;
		};
		// Before the window: what is left of the period holds nothing.
		expect(begun().end(300 * MS)).toMatchObject([{ index: 0, endNs: 300 * MS }]);
		const inside = begun();
		inside.attached(480 * MS);
		expect(inside.end(550 * MS)).toMatchObject([{ index: 0, endNs: 550 * MS }]);
		const voided = begun();
		voided.attached(480 * MS);
		expect(voided.end(550 * MS, true)).toMatchObject([{ index: undefined, endNs: 550 * MS }]);
		const after = begun();
		after.attached(480 * MS);
		after.detached(610 * MS);
		expect(after.end(700 * MS, true)).toMatchObject([{ index: 0 }]);
		expect(after.gates).toEqual([]);
	});
});

describe("the shape of periods", () => {
	const needs = { limitNsPerSecond: 10 * MS, aroundNs: 20 * MS, intervalNs: SECOND };

	test("lengths are multiples or divisors of the interval", () => {
		expect(onGrid(0.26 * SECOND, SECOND)).toBe(SECOND / 4);
		expect(onGrid(2.6 * SECOND, SECOND)).toBe(3 * SECOND);
	});

	test("is not needed where probing all the time is within the limit", () => {
		expect(chooseShape({ ...needs, fullNsPerSecond: 10 * MS })).toBe("full");
	});

	test("what windows cost, with the time around them, is within the limit", () => {
		for (const fullNsPerSecond of [11 * MS, 20 * MS, 50 * MS, 200 * MS, 900 * MS]) {
			for (const aroundNs of [5 * MS, 20 * MS, 60 * MS]) {
				const shape = chooseShape({ ...needs, fullNsPerSecond, aroundNs });
				if (typeof shape !== "object") continue;
				const { periodNs, n } = shape;
				const cost = (fullNsPerSecond * (periodNs / n + aroundNs)) / periodNs;
				expect(cost).toBeLessThanOrEqual(needs.limitNsPerSecond * 1.001);
				expect(Number.isInteger(n) && n >= 2).toBe(true);
				expect(periodNs).toBeLessThanOrEqual(10 * SECOND);
				const grid = periodNs / SECOND;
				expect(Math.abs(grid - Math.round(grid)) < 1e-9 || Math.abs(1 / grid - Math.round(1 / grid)) < 1e-9).toBe(true);
			}
		}
	});

	test("the cheapest window is paid for by ten seconds exactly where there is one", () => {
		for (const limitNsPerSecond of [0.5 * MS, MS, 2 * MS, 5 * MS, 10 * MS]) {
			const fullNsPerSecond = 900 * MS;
			const pays = cheapestWindowNs(fullNsPerSecond, needs.aroundNs) <= 9 * limitNsPerSecond;
			const shape = chooseShape({ ...needs, fullNsPerSecond, limitNsPerSecond });
			expect(shape !== undefined).toBe(pays);
		}
	});

	test("there is none where ten seconds do not pay for a window", () => {
		expect(chooseShape({ ...needs, fullNsPerSecond: SECOND, limitNsPerSecond: MS, aroundNs: 60 * MS })).toBeUndefined();
	});
});
