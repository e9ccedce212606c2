import { OTHER } from "../lib/bounded-table.ts";
import { sanitize } from "../lib/sanitize.ts";
import { amountOf, type Figure, isExact, lowerEnd, scaleFigure } from "../records/figure.ts";
import { ledgerComplete } from "../records/ledger.ts";
import type { Children, Ledger, LossRecord, MapRow, MeasuredTiers, SiteRow, TierName } from "../records/records.ts";
import type { Overhead } from "../stats/overhead-sum.ts";
import { mergedSites } from "../stats/row-sums.ts";
import { allocatedBytes, copiedBytes, timeInGrowth } from "../stats/total-figures.ts";
import type { Folded, TotalCounts, Totals } from "../stats/totals.ts";
import { missedTexts } from "../text/children-text.ts";
import { BYTES, countText, longText } from "../text/figure-text.ts";
import { shortSite } from "../text/go-names.ts";
import { formatCount, formatDuration, plural } from "../text/units.ts";
import { growthTimeForm } from "./growth-time.ts";
import { ledgerText, lossHints, verdictText } from "./ledger-text.ts";
import { measuredTexts } from "./measured-text.ts";
import { costText, overheadText } from "./overhead-text.ts";

export interface SummaryInput {
	/** Since the start. */
	elapsedNs: number;
	total: Totals;
	/** Undefined when nobody kept it: a recording that ends before its first window. */
	ledger: Ledger | undefined;
	/** The tiers that have probes. */
	measured: readonly TierName[];
	/** How much of them was measured, as the end record says it. */
	tiers?: MeasuredTiers | undefined;
	/** The last loss record of each stage and tier. */
	losses: readonly LossRecord[];
	/** Absent when it was not measured. */
	overhead?: Overhead | undefined;
	/** The best advice on size hints, one line each; absent or empty when there is none. */
	advice?: readonly string[];
	/** Absent when they were not followed. */
	children?: Children | undefined;
}

function childrenLine(children: Children | undefined): string | undefined {
	if (children === undefined || children.executed + children.observed + children.missed.length === 0) return undefined;
	const { executed, observed } = children;
	const texts = [`${plural(executed, "program")} executed, ${plural(observed, "Go program")} among them observed`];
	return `started: ${[...texts, ...missedTexts(children)].join(" · ")}`;
}

/** How many distinct names there are; "at least" when rows were folded. */
function distinct(names: readonly string[], noun: string): string {
	const own = new Set(names.filter((name) => name !== OTHER)).size;
	return names.includes(OTHER) ? `more than ${plural(own, noun)}` : plural(own, noun);
}

function siteName(row: SiteRow): string {
	return row.fn === OTHER ? OTHER : [row.fn, row.file ?? "", row.line ?? ""].join("\u0000");
}

function growthsText({ total, measured }: SummaryInput): string {
	const { growths } = total;
	if (!measured.includes("growth") && amountOf(growths) === 0) {
		return measured.includes("work") ? "growths were only counted, as growth work" : "nothing was probed";
	}
	if (growths === undefined) return "growths were not measured";
	if (growths === 0) return "no map has grown";
	const text = countText(growths, "growth");
	if (text === undefined) return "no growth seen in the part of the time that was measured";
	const grown = <Row extends { growths?: Figure }>(rows: readonly Row[]) =>
		rows.filter((row) => amountOf(row.growths) > 0);
	const types = grown(total.types).map((row) => row.map_type);
	return `${text} of ${distinct(types, "map type")} at ${distinct(grown(total.sites).map(siteName), "call site")}`;
}

function totalsLine(input: SummaryInput): string {
	const { total, elapsedNs } = input;
	const parts = [formatDuration(elapsedNs), growthsText(input)];
	if (amountOf(total.growths) > 0) {
		const copied = longText(copiedBytes(total), BYTES);
		const allocated = longText(allocatedBytes(total), BYTES);
		if (copied !== undefined) parts.push(`${copied} copied`);
		if (allocated !== undefined) parts.push(`${allocated} allocated`);
	}
	if (input.measured.includes("work") && input.ledger !== undefined) {
		const work = countText(total.work, "growth work call");
		if (work !== undefined) parts.push(work);
	}
	const time = timeText(input);
	if (time !== undefined) parts.push(time);
	return parts.join(" · ");
}

/** Of all goroutines together, so it can be more than a second per second. */
function timeText({ total, elapsedNs, overhead }: SummaryInput): string | undefined {
	const time = timeInGrowth(total);
	if (time === undefined || elapsedNs <= 0 || (isExact(time) && time === 0)) return undefined;
	const perSecond = 1e9 / elapsedNs;
	const cpuNs = overhead?.targetCpuNs;
	const form = growthTimeForm(cpuNs === undefined ? undefined : cpuNs * perSecond);
	const text = longText(scaleFigure(time, perSecond), form);
	if (text === undefined) return undefined;
	return `time in growth ${text}${cpuNs === undefined ? "" : " of the processor time used"}`;
}

/** Whether each growth is a record: rows of single maps and goroutines are complete then, and known from below otherwise. */
export function allGrowthsRecorded({ growths }: Pick<TotalCounts, "growths">, ledger: Ledger | undefined): boolean {
	if (growths === undefined || !isExact(growths)) return false;
	return ledger === undefined || ledger.growth.recorded + (ledger.growth.pending ?? 0) >= ledger.growth.hits;
}

/** The longest chain of growths of one map: where a size hint would help most. A single growth is none. */
function longestLine(maps: readonly MapRow[], complete: boolean): string | undefined {
	const longest = maps[0];
	if (longest === undefined || longest.growths < 2) return undefined;
	const { map_type, growths, slots_first, slots_last } = longest;
	const times = `${complete ? "" : "at least "}${formatCount(growths)} times`;
	const slots = `${formatCount(slots_first)} to ${formatCount(slots_last)} slots`;
	return `map that grew most: ${sanitize(map_type)} grew ${times}, ${slots}, at ${shortSite(longest)}`;
}

/** The call site with the most growths; undefined when nothing has grown. */
function mostLine(sites: readonly SiteRow[]): string | undefined {
	const top = mergedSites(sites)[0];
	const growths = countText(top?.growths, "growth");
	if (top === undefined || growths === undefined || amountOf(top.growths) === 0) return undefined;
	return `top call site: ${sanitize(top.map_type)} at ${shortSite(top)}: ${growths}, to ${formatCount(top.max_capacity)} slots`;
}

function foldedLine(folded: Folded): string | undefined {
	const parts = [];
	if (folded.growths !== undefined && lowerEnd(folded.growths) > 0) parts.push(countText(folded.growths, "growth"));
	if (folded.work !== undefined && lowerEnd(folded.work) > 0) parts.push(countText(folded.work, "growth work call"));
	if (parts.length === 0) return undefined;
	return `note:  the table of call sites was full: ${parts.join(" and ")} counted as "${OTHER}"`;
}

/** What is exact and what is not, what was lost, and what it cost: in one line, as no part of it can be read without the others. */
function measuredLine({ total, measured, ledger, tiers, overhead, losses }: SummaryInput): string | undefined {
	const { growths, work } = total;
	const rows = overhead === undefined ? [] : [overhead.last];
	const texts = measuredTexts({ growths, work, probed: measured, ledger, tiers, overhead: rows });
	if (ledger !== undefined && (texts.length > 0 || !ledgerComplete(ledger))) texts.push(verdictText(ledger, losses));
	if (overhead !== undefined) {
		const { costNsPerSecond, last } = overhead;
		texts.push(
			`overhead ${costNsPerSecond === undefined ? overheadText(rows) : costText(costNsPerSecond, last.limit_ns_per_second)}`,
		);
	}
	return texts.length === 0 ? undefined : `measured: ${texts.join(" · ")}`;
}

/** What a run saw, for the end of it, whatever ended it. Lines end in a line feed. */
export function summaryText(input: SummaryInput): string {
	const { total, ledger, measured, losses } = input;
	const lines = [
		totalsLine(input),
		mostLine(total.sites),
		longestLine(total.maps, allGrowthsRecorded(total, ledger)),
		...(input.advice ?? []).map((line) => `advice: ${line}`),
		foldedLine(total.folded),
		childrenLine(input.children),
		measuredLine(input),
		ledger === undefined ? "ledger: not known" : ledgerText(ledger, measured),
		...lossHints(losses).map((hint) => `  help:  ${hint}`),
	];
	return lines
		.filter((line) => line !== undefined)
		.map((line) => `${line}\n`)
		.join("");
}
