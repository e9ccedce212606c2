import { TIERS } from "../records/ledger.ts";
import type { TargetRecord, TierName } from "../records/records.ts";

/** The tiers that are probed in at least one process: the others show a dash, never 0. */
export function measuredTiers(targets: readonly TargetRecord[]): TierName[] {
	return TIERS.filter((tier) => targets.some((target) => target.probes.some((probe) => probe.tier === tier)));
}
