/** What is exact, what is an estimate and how wide, and which option would change it. */

import { type Figure, isExact } from "../records/figure.ts";
import type { Extent, Ledger, MeasuredTiers, OverheadRow, TierName } from "../records/records.ts";
import { widthText } from "../text/figure-text.ts";
import { formatShare } from "../text/units.ts";
import { measureAllHint } from "./overhead-text.ts";

export interface MeasuredInput {
	/** Since the start. */
	growths: Figure | undefined;
	work: Figure | undefined;
	/** The tiers that have probes. */
	probed: readonly TierName[];
	ledger: Ledger | undefined;
	/** As the end record says it; absent while an observation runs. */
	tiers?: MeasuredTiers | undefined;
	overhead: readonly OverheadRow[];
}

function stateText(figure: Figure | undefined, extent: Extent | undefined): string {
	if (figure === undefined || extent === "none") return "not measured";
	if (isExact(figure)) return "exact";
	return `sampled, ${widthText(figure) ?? "too little seen for an estimate"}`;
}

/** Part of the growths that became records with their details; undefined when all did. */
function recordedPart(ledger: Ledger | undefined): string | undefined {
	if (ledger === undefined) return undefined;
	const { hits, recorded, sampled_out, throttled } = ledger.growth;
	return sampled_out + throttled === 0 ? undefined : `${formatShare(recorded, hits)} recorded`;
}

/** Each a part of one sentence: "growths exact", "growth work sampled, ±12 %", "--budget 5% measures all". Empty when nothing is probed. */
export function measuredTexts({ growths, work, probed, ledger, tiers, overhead }: MeasuredInput): string[] {
	if (!probed.includes("growth") && !probed.includes("work")) return [];
	const growth = probed.includes("growth") ? stateText(growths, tiers?.growth) : "not measured";
	const growthWork = probed.includes("work") ? stateText(work, tiers?.work) : "not measured";
	const recorded = growth === "exact" ? recordedPart(ledger) : undefined;
	const texts =
		growth === growthWork && growth === "exact" && recorded === undefined
			? ["growths, growth work exact"]
			: [`growths ${growth}${recorded === undefined ? "" : `, ${recorded}`}`, `growth work ${growthWork}`];
	if (tiers?.latency === "sampled" && growth === "exact" && growthWork === "exact") texts.push("durations sampled");
	const iterations = tiers?.iteration ?? (overhead.some((row) => (row.iteration_probed ?? 1) < 1) ? "sampled" : "all");
	if (iterations === "sampled") texts.push("iterations sampled");
	const all = texts.length === 1 || (growth === "exact" && !probed.includes("work") && texts.length === 2);
	const hint = all ? undefined : measureAllHint(overhead);
	return hint === undefined ? texts : [...texts, hint];
}
