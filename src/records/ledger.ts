import type { Ledger, TierLedger, TierName } from "./records.ts";

/** The tiers, in the order in which they are shown. */
export const TIERS: readonly TierName[] = ["growth", "work", "sample", "latency", "iteration", "make"];

export function emptyTierLedger(): TierLedger {
	return { hits: 0, recorded: 0, sampled_out: 0, throttled: 0, lost: 0 };
}

export function emptyLedger(): Ledger {
	return { growth: emptyTierLedger(), work: emptyTierLedger() };
}

function sumOf(reasons: TierLedger["unpaired"]): number {
	return Object.values(reasons ?? {}).reduce((sum, calls) => sum + calls, 0);
}

/** Hits that no column of the ledger accounts for; negative when more was recorded than hit. 0 in a correct run. */
export function unaccounted(tier: TierLedger): number {
	const { hits, recorded, sampled_out, throttled, lost, unpaired, pending } = tier;
	return hits - recorded - sampled_out - throttled - lost - sumOf(unpaired) - (pending ?? 0);
}

/** Whether hits = recorded + sampled out + throttled + lost (+ unpaired) (+ pending). */
export function ledgerSums(tier: TierLedger): boolean {
	return unaccounted(tier) === 0;
}

/** The tiers that were measured, in the order in which they are shown. */
export function measuredTiersOf(ledger: Ledger): [TierName, TierLedger][] {
	return TIERS.flatMap((name): [TierName, TierLedger][] => {
		const tier = ledger[name];
		return tier === undefined ? [] : [[name, tier]];
	});
}

/** Whether every tier sums and nothing was lost: what `complete` in the end record says. */
export function ledgerComplete(ledger: Ledger): boolean {
	return measuredTiersOf(ledger).every(([, tier]) => ledgerSums(tier) && tier.lost === 0);
}
