import { OTHER } from "../lib/bounded-table.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { Ledger, LossRecord, MapRow, SiteRow, TierName, TypeRow } from "../records/records.ts";
import { toldGrowingNs } from "../stats/latency.ts";
import type { Folded, Totals } from "../stats/totals.ts";
import { shortSite } from "../text/go-names.ts";
import { formatBytes, formatCount, formatDuration, formatShare, plural } from "../text/units.ts";
import { ledgerText, lossHints } from "./ledger-text.ts";
import { bytesMeasured, movedMeasured } from "./measured.ts";

export interface SummaryInput {
	/** Since the start. */
	elapsedNs: number;
	total: Totals;
	/** Undefined when nobody kept it: a recording that ends before its first window. */
	ledger: Ledger | undefined;
	/** The tiers that have probes. */
	measured: readonly TierName[];
	/** The last loss record of each stage and tier. */
	losses: readonly LossRecord[];
}

/** How many distinct names there are; "at least" when rows were folded. */
function distinct(names: readonly string[], noun: string): string {
	const own = new Set(names.filter((name) => name !== OTHER)).size;
	return names.includes(OTHER) ? `more than ${plural(own, noun)}` : plural(own, noun);
}

function siteName(row: SiteRow): string {
	return row.fn === OTHER ? OTHER : [row.fn, row.file ?? "", row.line ?? ""].join("\u0000");
}

function totalsLine(input: SummaryInput): string {
	const { total } = input;
	const grown = (rows: readonly (TypeRow | SiteRow)[]) => rows.filter((row) => row.growths > 0);
	const types = grown(total.types).map((row) => row.map_type);
	const sites = total.sites.filter((row) => row.growths > 0).map(siteName);
	const parts = [formatDuration(input.elapsedNs)];
	parts.push(
		total.growths === 0
			? input.measured.includes("growth")
				? "no map has grown"
				: input.measured.includes("work")
					? "growths were only counted, as work calls"
					: "nothing was probed"
			: `${plural(total.growths, "growth")} of ${distinct(types, "map type")} at ${distinct(sites, "call site")}`,
	);
	if (total.growths > 0 && movedMeasured(total)) parts.push(`${formatBytes(total.bytes_moved)} moved`);
	if (total.growths > 0 && bytesMeasured(total)) parts.push(`${formatBytes(total.bytes)} allocated`);
	if (input.measured.includes("work") && input.ledger !== undefined) parts.push(plural(total.work, "work call"));
	const growing = toldGrowingNs(total);
	if (total.latency.length > 0 && growing !== undefined) parts.push(growingText(growing, input.elapsedNs));
	return parts.join(" · ");
}

/** Of all goroutines together, so it can be more than the time that has passed. */
function growingText(ns: number, elapsedNs: number): string {
	return `${formatDuration(ns)} spent growing (${formatShare(ns, elapsedNs)} of the time)`;
}

/** The longest chain of growths of one map: where a size hint would help most. A single growth is none. */
function longestLine(maps: readonly MapRow[]): string | undefined {
	const longest = maps[0];
	if (longest === undefined || longest.growths < 2) return undefined;
	const { map_type, growths, slots_first, slots_last } = longest;
	const slots = `${formatCount(slots_first)} to ${formatCount(slots_last)} slots`;
	return `longest: ${sanitize(map_type)} grew ${formatCount(growths)} times, ${slots}, at ${shortSite(longest)}`;
}

/** The call site with the most growths; undefined when nothing has grown. */
function mostLine(sites: readonly SiteRow[]): string | undefined {
	const top = sites[0];
	if (top === undefined || top.growths === 0) return undefined;
	const growths = plural(top.growths, "growth");
	return `most:  ${sanitize(top.map_type)} at ${shortSite(top)}: ${growths}, to ${formatCount(top.max_capacity)} slots`;
}

function foldedLine(folded: Folded): string | undefined {
	if (folded.growths === 0 && folded.work === 0) return undefined;
	const parts = [];
	if (folded.growths > 0) parts.push(plural(folded.growths, "growth"));
	if (folded.work > 0) parts.push(plural(folded.work, "work call"));
	return `note:  the table of call sites was full: ${parts.join(" and ")} counted as "${OTHER}"`;
}

/** What a run saw, for the end of it, whatever ended it. Lines end in a line feed. */
export function summaryText(input: SummaryInput): string {
	const lines = [
		totalsLine(input),
		mostLine(input.total.sites),
		longestLine(input.total.maps),
		foldedLine(input.total.folded),
		input.ledger === undefined ? "ledger: not known" : ledgerText(input.ledger, input.measured, input.losses),
		...lossHints(input.losses).map((hint) => `  help:  ${hint}`),
	];
	return lines
		.filter((line) => line !== undefined)
		.map((line) => `${line}\n`)
		.join("");
}
