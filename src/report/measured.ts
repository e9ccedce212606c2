import { TIERS } from "../records/ledger.ts";
import type { TargetRecord, TierName } from "../records/records.ts";

/** The tiers that are probed in at least one process: the others show "-", never 0. */
export function measuredTiers(targets: readonly TargetRecord[]): TierName[] {
	return TIERS.filter((tier) => targets.some((target) => target.probes.some((probe) => probe.tier === tier)));
}

/** Whether a sum of bytes means something: false when there were growths, but none told its size. */
export function bytesMeasured(sums: { growths: number; growths_with_bytes: number }): boolean {
	return sums.growths === 0 || sums.growths_with_bytes > 0;
}

/** The same for the bytes of entries that are copied. */
export function movedMeasured(sums: { growths: number; growths_with_moved: number }): boolean {
	return sums.growths === 0 || sums.growths_with_moved > 0;
}
