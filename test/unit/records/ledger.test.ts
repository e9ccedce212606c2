import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
	emptyLedger,
	emptyTierLedger,
	ledgerComplete,
	ledgerSums,
	measuredTiersOf,
	TIERS,
	unaccounted,
} from "../../../src/records/ledger.ts";
import type { Ledger, TierLedger } from "../../../src/records/records.ts";

describe("a tier", () => {
	test("sums when every hit is in one column", () => {
		expect(ledgerSums({ hits: 100, recorded: 70, sampled_out: 15, throttled: 10, lost: 5 })).toBe(true);
		const short = { hits: 100, recorded: 70, sampled_out: 15, throttled: 10, lost: 4 };
		expect(ledgerSums(short)).toBe(false);
		expect(unaccounted(short)).toBe(1);
		expect(unaccounted({ hits: 1, recorded: 3, sampled_out: 0, throttled: 0, lost: 0 })).toBe(-2);
	});

	test("counts calls without a duration, by whatever reason, and what is still on its way", () => {
		const tier = { ...emptyTierLedger(), hits: 100, recorded: 60 };
		expect(unaccounted(tier)).toBe(40);
		expect(unaccounted({ ...tier, unpaired: {} })).toBe(40);
		expect(unaccounted({ ...tier, unpaired: { left: 30 } })).toBe(10);
		expect(unaccounted({ ...tier, unpaired: { evicted: 40 } })).toBe(0);
		expect(ledgerSums({ ...tier, unpaired: { left: 30, evicted: 10 } })).toBe(true);
		expect(ledgerSums({ ...tier, unpaired: { left: 30, evicted: 5 }, pending: 5 })).toBe(true);
		expect(unaccounted({ ...tier, unpaired: { left: 30, evicted: 5 }, pending: 6 })).toBe(-1);
		expect(unaccounted({ ...tier, pending: 40 })).toBe(0);
	});

	test("that nothing has hit sums", () => {
		expect(ledgerSums(emptyTierLedger())).toBe(true);
		expect(emptyTierLedger()).toEqual({ hits: 0, recorded: 0, sampled_out: 0, throttled: 0, lost: 0 });
	});

	test("is off by exactly what one column is off by", () => {
		const column = fc.constantFrom(
			...(["recorded", "sampled_out", "throttled", "lost", "left", "evicted", "pending"] as const),
		);
		const columns = fc.tuple(fc.nat(1e9), fc.nat(1e9), fc.nat(1e9), fc.nat(1e9), fc.nat(1e9), fc.nat(1e9), fc.nat(1e9));
		fc.assert(
			fc.property(columns, column, fc.integer({ min: -5, max: 5 }), (values, changed, by) => {
				const [recorded, sampled_out, throttled, lost, left, evicted, pending] = values;
				const hits = values.reduce((sum, value) => sum + value, 0);
				const tier: TierLedger = { hits, recorded, sampled_out, throttled, lost, unpaired: { left, evicted }, pending };
				expect(unaccounted(tier)).toBe(0);
				if (changed === "left" || changed === "evicted") {
					tier.unpaired = { left, evicted, [changed]: (changed === "left" ? left : evicted) + by };
				} else {
					tier[changed] = (tier[changed] ?? 0) + by;
				}
				expect(unaccounted(tier) + by).toBe(0);
				expect(ledgerSums(tier)).toBe(by === 0);
			}),
		);
	});
});

describe("a run", () => {
	test("is complete when all tiers sum and nothing was lost", () => {
		const ledger = emptyLedger();
		expect(ledgerComplete(ledger)).toBe(true);
		ledger.growth = { hits: 3, recorded: 2, sampled_out: 1, throttled: 0, lost: 0 };
		expect(ledgerComplete(ledger)).toBe(true);
		ledger.work = { hits: 3, recorded: 2, sampled_out: 0, throttled: 0, lost: 1 };
		expect(ledgerComplete(ledger)).toBe(false);
		ledger.work = { hits: 3, recorded: 2, sampled_out: 0, throttled: 0, lost: 0 };
		expect(ledgerComplete(ledger)).toBe(false);
	});

	test("is not complete when any of the tiers is not", () => {
		for (const name of TIERS) {
			const good: Ledger = {
				growth: emptyTierLedger(),
				work: emptyTierLedger(),
				sample: { hits: 9, recorded: 2, sampled_out: 6, throttled: 1, lost: 0 },
				latency: { ...emptyTierLedger(), hits: 9, recorded: 5, unpaired: { left: 3, evicted: 1 } },
				iteration: { ...emptyTierLedger(), hits: 4, recorded: 4 },
			};
			expect(ledgerComplete(good)).toBe(true);
			const tier = good[name] ?? emptyTierLedger();
			expect(ledgerComplete({ ...good, [name]: { ...tier, hits: tier.hits + 1 } })).toBe(false);
			expect(ledgerComplete({ ...good, [name]: { ...tier, hits: tier.hits + 1, lost: 1 } })).toBe(false);
			// Left out of a record by choice, or never left: nothing is lost.
			expect(
				ledgerComplete({ ...good, [name]: { ...tier, hits: tier.hits + 1, sampled_out: tier.sampled_out + 1 } }),
			).toBe(true);
		}
	});
});

test("tiers are in the same order whatever the ledger's", () => {
	const tier = emptyTierLedger();
	const ledger: Ledger = { iteration: tier, latency: tier, work: tier, sample: tier, growth: tier };
	expect(measuredTiersOf(ledger).map(([name]) => name)).toEqual(["growth", "work", "sample", "latency", "iteration"]);
	expect(measuredTiersOf(emptyLedger()).map(([name]) => name)).toEqual(["growth", "work"]);
	expect([...TIERS]).toEqual(["growth", "work", "sample", "latency", "iteration", "make"]);
});
