/** What probing costs, against the budget. */
import type { OverheadRow } from "../records/records.ts";

/** A share as a percentage with two digits at most: "0.6", "12". */
function percent(share: number): string {
	const value = share * 100;
	return `${value === 0 || value >= 9.95 ? Math.round(value) : value >= 0.095 ? value.toFixed(1) : "<0.1"}`;
}

/** "0.6 of 1 %": of the target that it costs most. */
export function overheadText(rows: readonly OverheadRow[]): string | undefined {
	const worst = [...rows].sort((a, b) => b.overhead - a.overhead)[0];
	if (worst === undefined) return undefined;
	return worst.budget === undefined
		? `${percent(worst.overhead)} %`
		: `${percent(worst.overhead)} of ${Number((worst.budget * 100).toPrecision(3))} %`;
}

/** "work probed 0.6 % of the time", "work probed 0.6 %, iterations 2 % of the time"; undefined when both are all the time. */
export function probedText(rows: readonly OverheadRow[]): string | undefined {
	const least = (share: (row: OverheadRow) => number | undefined): number =>
		Math.min(1, ...rows.map((row) => share(row) ?? 1));
	const tiers: [string, number][] = [
		["work", least((row) => row.work_probed)],
		["iterations", least((row) => row.iteration_probed)],
	];
	const parts = tiers
		.filter(([, share]) => share < 1)
		.map(([name, share], index) => `${name}${index === 0 ? " probed" : ""} ${percent(share)} %`);
	return parts.length > 0 ? `${parts.join(", ")} of the time` : undefined;
}

/** "GROWTHS SAMPLED, 0.1 % recorded", undefined when all are. */
export function growthSamplingText(rows: readonly OverheadRow[]): string | undefined {
	const growths = Math.min(1, ...rows.map((row) => (row.growth_probed ?? 1) * (row.growth_recorded ?? 1)));
	return growths < 1 ? `GROWTHS SAMPLED, ${percent(growths)} % recorded` : undefined;
}
