/** What probing costs, against the budget. */
import type { OverheadRow } from "../model/records.ts";

/** A share as a percentage with two digits at most: "0.6 %", "12 %". */
function percent(share: number): string {
	const value = share * 100;
	return `${value === 0 || value >= 9.95 ? Math.round(value) : value >= 0.095 ? value.toFixed(1) : "<0.1"}`;
}

/** "0.6 of 1 %": of the target that it costs most, and how much of the time is probed when that is not all. */
export function overheadText(rows: readonly OverheadRow[]): string | undefined {
	const worst = [...rows].sort((a, b) => b.overhead - a.overhead)[0];
	if (worst === undefined) return undefined;
	const cost =
		worst.budget === undefined
			? `${percent(worst.overhead)} %`
			: `${percent(worst.overhead)} of ${Number((worst.budget * 100).toPrecision(3))} %`;
	const probed = Math.min(...rows.map((row) => row.work_probed ?? 1));
	const growths = Math.min(...rows.map((row) => (row.growth_probed ?? 1) * (row.growth_recorded ?? 1)));
	const parts = [cost];
	if (probed < 1) parts.push(`work probed ${percent(probed)} % of the time`);
	if (growths < 1) parts.push(`GROWTHS SAMPLED, ${percent(growths)} % recorded`);
	return parts.join(", ");
}
