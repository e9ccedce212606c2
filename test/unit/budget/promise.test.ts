import { describe, expect, test } from "bun:test";
import { commandLimit, fairShares, machineLimit, Shares, targetLimit } from "../../../src/budget/promise.ts";

const MS = 1e6;
const SECOND = 1e9;

describe("limits", () => {
	test("a share of one processor, or of what the target uses", () => {
		expect(targetLimit(0.01, { usedNs: 50 * MS })).toBe(10 * MS);
		expect(targetLimit(0.01, { usedNs: 16 * SECOND })).toBe(160 * MS);
	});

	test("where the cgroup has less than a processor, a share of that", () => {
		expect(targetLimit(0.01, { usedNs: 50 * MS, quotaNs: 100 * MS })).toBe(MS);
		expect(targetLimit(0.01, { usedNs: 50 * MS, quotaNs: 4 * SECOND })).toBe(10 * MS);
	});

	test("of a command that is started in order to be observed a share of what it uses, and a tenth of the usual one at least", () => {
		expect(commandLimit(0.08, { usedNs: 1.5 * SECOND })).toBe(120 * MS);
		expect(commandLimit(0.08, { usedNs: 100 * MS })).toBe(8 * MS);
		expect(commandLimit(0.08, { usedNs: 0 })).toBe(MS);
		expect(commandLimit(0.08, { usedNs: 0, quotaNs: 100 * MS })).toBe(0.1 * MS);
	});

	test("all together, with the tool itself, have 5 % of the machine", () => {
		expect(machineLimit(0.01, 2, 20 * MS)).toBe(80 * MS);
		expect(machineLimit(0.01, 1, 70 * MS)).toBe(10 * MS);
		expect(machineLimit(0.05, 2, 0)).toBe(500 * MS);
	});
});

describe("fair shares", () => {
	test("who needs little has it, the others share the rest equally", () => {
		expect(fairShares(100, [80, 10, 60])).toEqual([45, 10, 45]);
		expect(fairShares(100, [20, 10])).toEqual([20, 10]);
		expect(fairShares(0, [20, 10])).toEqual([0, 0]);
	});
});

describe("turns", () => {
	const needs = (pid: number, fullNs: number, windowNs: number) => ({ pid, limitNs: 10 * MS, fullNs, windowNs });

	test("targets whose share pays for all, or for a window in ten seconds, take none", () => {
		const shares = new Shares().update(0, 15 * MS, [needs(1, 3 * MS, 9 * MS), needs(2, 400 * MS, 30 * MS)]);
		expect(shares.get(1)).toEqual({ limitNs: 3 * MS, takesTurns: false, now: true });
		expect(shares.get(2)).toEqual({ limitNs: 10 * MS, takesTurns: false, now: true });
	});

	test("the others save their shares, and together stay within the limit", () => {
		const shares = new Shares();
		const targets = Array.from({ length: 40 }, (_, pid) => needs(pid, 400 * MS, 30 * MS));
		const turns = new Map<number, number>();
		let spent = 0;
		const seconds = 600;
		for (let second = 0; second <= seconds; second++) {
			for (const [pid, share] of shares.update(second * SECOND, 50 * MS, targets)) {
				expect(share.takesTurns).toBe(true);
				if (!share.now) continue;
				expect(share.limitNs).toBe(3 * MS);
				turns.set(pid, (turns.get(pid) ?? 0) + 1);
				spent += share.limitNs;
			}
		}
		expect(spent / seconds).toBeLessThanOrEqual(50 * MS);
		expect(spent / seconds).toBeGreaterThan(15 * MS);
		expect(turns.size).toBe(40);
	});

	test("a target that ended is forgotten", () => {
		const shares = new Shares();
		shares.update(0, MS, [needs(1, 400 * MS, 30 * MS)]);
		shares.update(20 * SECOND, MS, []);
		expect(shares.update(21 * SECOND, MS, [needs(1, 400 * MS, 30 * MS)]).get(1)?.now).toBe(false);
	});
});
