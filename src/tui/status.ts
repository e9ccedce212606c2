import { ledgerComplete, TIERS } from "../model/ledger.ts";
import type { GrowthCause, GrowthKind, GrowthRecord, Ledger, LossRecord, TierName } from "../model/records.ts";
import { sanitize } from "../model/sanitize.ts";
import { lossHints, tierText, verdictText } from "../output/ledger-text.ts";
import { formatCount } from "../output/units.ts";
import { joinFields, type Line, type Span } from "./line.ts";

/** Read before the new number of slots. */
const KIND_TEXT: Record<GrowthKind, string> = {
	double: "doubled to",
	"same-size": "same size,",
	"small-to-table": "small to table of",
	"table-double": "table doubled to",
	split: "table split to",
};

const CAUSE_TEXT: Record<GrowthCause, string> = {
	load: "load factor",
	overflow: "overflow buckets",
	tombstones: "tombstones",
};

/** The newest growth in words; what matters most comes first, because a narrow screen leaves the end out. */
export function latestLine(growth: GrowthRecord | undefined, columns: number): Span[] {
	if (growth === undefined) return [];
	const fields: Line[] = [
		[
			{ text: " latest ", style: "dim" },
			{ text: sanitize(growth.map_type), style: "accent" },
		],
		[{ text: CAUSE_TEXT[growth.cause] }],
	];
	if (growth.goid !== undefined) fields.push([{ text: `goroutine ${growth.goid}` }]);
	fields.push([{ text: `${KIND_TEXT[growth.kind]} ${formatCount(growth.capacity_after)} slots` }]);
	if (growth.iterating === true) fields.push([{ text: "while iterating" }]);
	return joinFields(fields, " · ", columns);
}

/** Whether the books balance, live: the verdict first, because a narrow screen cuts the end. */
export function ledgerLine(
	ledger: Ledger,
	measured: readonly TierName[],
	losses: readonly LossRecord[],
	columns: number,
): Span[] {
	const complete = ledgerComplete(ledger);
	const verdict: Span = { text: verdictText(ledger, losses) };
	if (!complete) verdict.style = "alarm";
	const tiers = TIERS.filter((name) => measured.includes(name));
	const whole = complete && tiers.every((name) => ledger[name].hits === ledger[name].recorded);
	const counts = tiers.map((name) => `${name} ${whole ? formatCount(ledger[name].hits) : tierText(ledger[name])}`);
	const fields: Line[] = [[{ text: " ledger ", style: "dim" }, verdict]];
	const hits = tiers.reduce((sum, name) => sum + ledger[name].hits, 0);
	if (complete && hits === 0) fields.push([{ text: "no hit yet" }]);
	else if (whole) fields.push([{ text: `every hit recorded: ${counts.join(", ")}` }]);
	else fields.push(...lossHints(losses).map((hint) => [{ text: hint }]), ...counts.map((text) => [{ text }]));
	return joinFields(fields, " · ", columns);
}
