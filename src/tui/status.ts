import { ledgerComplete, measuredTiersOf } from "../model/ledger.ts";
import type { Ledger, LossRecord, TierName } from "../model/records.ts";
import { sanitize } from "../model/sanitize.ts";
import { lossHints, tierText, verdictText } from "../output/ledger-text.ts";
import { formatCount, formatRate } from "../output/units.ts";
import { DASH } from "./columns.ts";
import { joinFields, type Line, type Span } from "./line.ts";

export interface StatusInput {
	ledger: Ledger;
	/** The tiers that have probes. */
	measured: readonly TierName[];
	/** The last loss record of each stage and tier. */
	losses: readonly LossRecord[];
	/** What probing costs the targets, against the budget: "0.6 of 1 %". */
	overhead: string | undefined;
}

/** Which part of the calls is recorded one by one. Growths all are. */
function samplingText({ sample }: Ledger): string {
	if (sample === undefined || sample.hits === 0) return "every growth recorded";
	const share = sample.recorded / sample.hits;
	if (share >= 1) return "every call recorded";
	return `every growth recorded, ${formatRate(share * 100)} % of work calls`;
}

/** What has happened to each hit; the verdict first, because a narrow screen cuts the end. */
function ledgerFields({ ledger, measured, losses }: StatusInput): Line[] {
	const complete = ledgerComplete(ledger);
	const verdict: Span = { text: verdictText(ledger, losses) };
	if (!complete) verdict.style = "alarm";
	// Of samples, durations and steps of iterators some are left out on purpose.
	const tiers = measuredTiersOf(ledger).filter(
		([name]) => (name === "growth" || name === "work") && measured.includes(name),
	);
	const fields: Line[] = [[{ text: "ledger ", style: "dim" }, verdict]];
	if (!complete) {
		fields.push(...lossHints(losses).map((hint) => [{ text: hint }]));
		fields.push(...tiers.map(([name, tier]) => [{ text: `${name} ${tierText(tier)}` }]));
		return fields;
	}
	if (tiers.every(([, tier]) => tier.hits === 0)) return [...fields, [{ text: "no hit yet" }]];
	for (const [name, tier] of tiers) {
		const under = tier.pending === undefined ? "" : ` (${formatCount(tier.pending)} on the way)`;
		fields.push([{ text: `${name} ${formatCount(tier.hits)}${under}` }]);
	}
	return fields;
}

/** Whether the books balance, what it costs and what is sampled. */
export function statusLine(input: StatusInput, columns: number): Span[] {
	const overhead: Line = [{ text: "overhead ", style: "dim" }, { text: sanitize(input.overhead ?? DASH, 60) }];
	const sampling: Line = [{ text: samplingText(input.ledger) }];
	const ledger = ledgerFields(input);
	// What is wrong comes before what is usual.
	const fields = ledgerComplete(input.ledger) ? [overhead, sampling, ...ledger] : [...ledger, overhead, sampling];
	const [first = [], ...rest] = fields;
	return joinFields([[{ text: " " }, ...first], ...rest], " · ", columns);
}
