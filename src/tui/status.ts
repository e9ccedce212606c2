import { ledgerComplete, measuredTiersOf } from "../records/ledger.ts";
import type { Ledger, LossRecord, OverheadRow, TierName } from "../records/records.ts";
import { lossHints, tierText, verdictText } from "../report/ledger-text.ts";
import { growthSamplingText, overheadText, probedText } from "../report/overhead-text.ts";
import { formatCount, formatRate } from "../text/units.ts";
import { DASH } from "./columns.ts";
import { joinFields, type Line, type Span } from "./line.ts";

export interface StatusInput {
	ledger: Ledger;
	/** The tiers that have probes. */
	measured: readonly TierName[];
	/** The last loss record of each stage and tier. */
	losses: readonly LossRecord[];
	/** What probing costs each target, against the budget. */
	overhead: readonly OverheadRow[];
}

/** Which part of the calls is recorded one by one. Growths all are, unless they alone are too dear. */
function samplingField({ sample }: Ledger, overhead: readonly OverheadRow[]): Line {
	const sampled = growthSamplingText(overhead);
	if (sampled !== undefined) return [{ text: sampled, style: "alarm" }];
	if (sample === undefined || sample.hits === 0) return [{ text: "every growth recorded" }];
	const share = sample.recorded / sample.hits;
	if (share >= 1) return [{ text: "every call recorded" }];
	return [{ text: `every growth recorded, ${formatRate(share * 100)} % of work calls` }];
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
	const cost: Line = [{ text: "overhead ", style: "dim" }, { text: overheadText(input.overhead) ?? DASH }];
	const probedPart = probedText(input.overhead);
	const probed: Line[] = probedPart === undefined ? [] : [[{ text: probedPart }]];
	const sampling = samplingField(input.ledger, input.overhead);
	const ledger = ledgerFields(input);
	// What is wrong comes before what is usual.
	const details = growthSamplingText(input.overhead) === undefined ? [...probed, sampling] : [sampling, ...probed];
	const fields = ledgerComplete(input.ledger) ? [cost, ...details, ...ledger] : [...ledger, cost, ...details];
	const [first = [], ...rest] = fields;
	return joinFields([[{ text: " " }, ...first], ...rest], " · ", columns);
}
