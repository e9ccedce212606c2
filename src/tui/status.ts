import type { Figure } from "../records/figure.ts";
import { ledgerComplete, measuredTiersOf } from "../records/ledger.ts";
import type { Ledger, LossRecord, OverheadRow, TierName } from "../records/records.ts";
import { lossHints, tierText, verdictText } from "../report/ledger-text.ts";
import { measuredTexts } from "../report/measured-text.ts";
import { overheadText } from "../report/overhead-text.ts";
import { formatCount } from "../text/units.ts";
import { DASH } from "./columns.ts";
import { joinFields, type Line, type Span } from "./line.ts";

export interface StatusInput {
	/** Since the start. */
	growths: Figure | undefined;
	work: Figure | undefined;
	ledger: Ledger;
	/** The tiers that have probes. */
	measured: readonly TierName[];
	/** The last loss record of each stage and tier. */
	losses: readonly LossRecord[];
	/** What probing costs each target, and may cost. */
	overhead: readonly OverheadRow[];
}

/** What was lost, and what helps. */
function lossFields({ ledger, measured, losses }: StatusInput): Line[] {
	// Of samples, durations and steps of iterators some are left out on purpose.
	const tiers = measuredTiersOf(ledger).filter(
		([name]) => (name === "growth" || name === "work") && measured.includes(name),
	);
	return [
		[{ text: verdictText(ledger, losses), style: "alarm" }],
		...lossHints(losses).map((hint): Line => [{ text: hint }]),
		...tiers.map(([name, tier]): Line => [{ text: `${name} ${tierText(tier)}` }]),
	];
}

/** What is exact and what is sampled, what it costs, which option would change it, and what was lost. */
export function statusLine(input: StatusInput, columns: number): Span[] {
	const { growths, work, ledger, measured, losses, overhead } = input;
	const texts = measuredTexts({ growths, work, probed: measured, ledger, overhead });
	const hint = texts.at(-1)?.startsWith("--") === true ? texts.splice(-1) : [];
	// One field: that nothing was lost is never said without what was sampled.
	const sampled: Line[] = texts.length === 0 ? [] : [[{ text: texts.join(" · ") }]];
	const cost: Line = [{ text: "overhead ", style: "dim" }, { text: overheadText(overhead) ?? DASH }];
	const rest: Line[] = [cost, ...hint.map((text): Line => [{ text }])];
	const complete = ledgerComplete(ledger);
	if (complete && sampled.length > 0) {
		rest.push([{ text: verdictText(ledger, losses) }]);
		const { pending } = ledger.growth;
		if (pending !== undefined) rest.push([{ text: `${formatCount(pending)} growths on the way` }]);
	}
	const fields = complete ? [...sampled, ...rest] : [...lossFields(input), ...sampled, ...rest];
	const [first = [], ...others] = fields;
	return joinFields([[{ text: " " }, ...first], ...others], " · ", columns);
}
