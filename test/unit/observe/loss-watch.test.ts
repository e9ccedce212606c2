import { describe, expect, test } from "bun:test";
import { LossWatch } from "../../../src/observe/loss-watch.ts";
import { emptyLedger, emptyTierLedger } from "../../../src/records/ledger.ts";
import type { Ledger, TierName } from "../../../src/records/records.ts";
import type { Undecoded } from "../../../src/tracer/ledger.ts";

const TIME = "2025-01-31T12:01:07.000000000Z";
const lost = (tiers: Partial<Record<TierName, number>>): Ledger => ({
	...emptyLedger(),
	...Object.fromEntries(Object.entries(tiers).map(([tier, count]) => [tier, { ...emptyTierLedger(), lost: count }])),
});
const rows = (watch: LossWatch, ledger: Ledger, undecoded: Undecoded[] = []) =>
	watch.update({ ledger, undecoded }, TIME).map(({ tier, stage, lost: since, total }) => [tier, stage, since, total]);

describe("a loss", () => {
	test("is said once, with what was lost since and in all", () => {
		const watch = new LossWatch();
		expect(rows(watch, lost({}))).toEqual([]);
		expect(rows(watch, lost({ growth: 5 }))).toEqual([["growth", "ring", 5, 5]]);
		expect(rows(watch, lost({ growth: 5 }))).toEqual([]);
		expect(rows(watch, lost({ growth: 12 }))).toEqual([["growth", "ring", 7, 12]]);
	});

	test("is where the tier loses: growths, samples and steps in the ring, calls in the table", () => {
		const watch = new LossWatch();
		expect(rows(watch, lost({ growth: 1, work: 2, sample: 3, iteration: 4 }))).toEqual([
			["growth", "ring", 1, 1],
			["work", "site-table", 2, 2],
			["sample", "ring", 3, 3],
			["iteration", "ring", 4, 4],
		]);
	});

	test("of what came but could not be used is not said to have come too fast", () => {
		const watch = new LossWatch();
		const unreadable = (count: number): Undecoded[] => [{ tier: "growth", stage: "unreadable", count }];
		expect(rows(watch, lost({ growth: 3 }), unreadable(3))).toEqual([["growth", "unreadable", 3, 3]]);
		expect(watch.latest[0]?.hint).not.toContain("faster");
		expect(rows(watch, lost({ growth: 3, sample: 1 }), unreadable(3))).toEqual([["sample", "ring", 1, 1]]);
		const unknown: Undecoded = { tier: "growth", stage: "unknown-record", count: 2 };
		expect(rows(watch, lost({ growth: 10, sample: 1 }), [...unreadable(4), unknown])).toEqual([
			["growth", "ring", 4, 4],
			["growth", "unreadable", 1, 4],
			["growth", "unknown-record", 2, 2],
		]);
		expect(rows(watch, lost({ growth: 10, sample: 1 }), [...unreadable(4), unknown])).toEqual([]);
		expect(new Set(watch.latest.map(({ hint }) => hint)).size).toBe(3);
	});

	test("has a hint, and the last one of each tier is kept", () => {
		const watch = new LossWatch();
		rows(watch, lost({ growth: 1, work: 1 }));
		rows(watch, lost({ growth: 3, work: 1 }));
		expect(watch.latest.map(({ tier, total }) => [tier, total])).toEqual([
			["growth", 3],
			["work", 1],
		]);
		expect(watch.latest.every(({ type, time, hint }) => type === "loss" && time === TIME && hint.length > 20)).toBe(
			true,
		);
	});
});
