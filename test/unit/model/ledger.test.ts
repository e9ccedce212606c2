import { expect, test } from "bun:test";
import { emptyLedger, ledgerComplete, ledgerSums, unaccounted } from "../../../src/model/ledger.ts";

test("a tier sums when every hit is in one column", () => {
	expect(ledgerSums({ hits: 100, recorded: 70, sampled_out: 15, throttled: 10, lost: 5 })).toBe(true);
	const short = { hits: 100, recorded: 70, sampled_out: 15, throttled: 10, lost: 4 };
	expect(ledgerSums(short)).toBe(false);
	expect(unaccounted(short)).toBe(1);
	expect(unaccounted({ hits: 1, recorded: 3, sampled_out: 0, throttled: 0, lost: 0 })).toBe(-2);
});

test("a run is complete when all tiers sum and nothing was lost", () => {
	const ledger = emptyLedger();
	expect(ledgerComplete(ledger)).toBe(true);
	ledger.growth = { hits: 3, recorded: 2, sampled_out: 1, throttled: 0, lost: 0 };
	expect(ledgerComplete(ledger)).toBe(true);
	ledger.work = { hits: 3, recorded: 2, sampled_out: 0, throttled: 0, lost: 1 };
	expect(ledgerComplete(ledger)).toBe(false);
	ledger.work = { hits: 3, recorded: 2, sampled_out: 0, throttled: 0, lost: 0 };
	expect(ledgerComplete(ledger)).toBe(false);
});
