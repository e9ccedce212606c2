import type { Ledger, TierLedger, TierName } from "./records.ts";

/** The tiers, in the order in which they are shown. */
export const TIERS: readonly TierName[] = ["growth", "work"];

export function emptyTierLedger(): TierLedger {
	return { hits: 0, recorded: 0, sampled_out: 0, throttled: 0, lost: 0 };
}

export function emptyLedger(): Ledger {
	return { growth: emptyTierLedger(), work: emptyTierLedger() };
}

/** Hits that no column of the ledger accounts for; negative when more was recorded than hit. 0 in a correct run. */
export function unaccounted(tier: TierLedger): number {
	return tier.hits - tier.recorded - tier.sampled_out - tier.throttled - tier.lost - (tier.pending ?? 0);
}

/** Whether hits = recorded + sampled out + throttled + lost (+ pending). */
export function ledgerSums(tier: TierLedger): boolean {
	return unaccounted(tier) === 0;
}

/** Whether every tier sums and nothing was lost: what `complete` in the end record says. */
export function ledgerComplete(ledger: Ledger): boolean {
	return TIERS.every((name) => ledgerSums(ledger[name]) && ledger[name].lost === 0);
}
