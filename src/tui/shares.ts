/** Kinds and causes of growth, and what met an iteration. */

import { callSite } from "../gomap/call-site.ts";
import { sanitize } from "../lib/sanitize.ts";
import { amountOf, type Figure, isExact } from "../records/figure.ts";
import type { GrowthCause, GrowthKind, Ledger, OverlapRecord } from "../records/records.ts";
import type { AggregateView } from "../stats/aggregator.ts";
import { shortSite } from "../text/go-names.ts";
import { formatCount, plural } from "../text/units.ts";
import { wrap } from "../text/wrap.ts";
import { joinFields, type Line, type Span } from "./line.ts";
import { percent } from "./rates.ts";

const KINDS: readonly (readonly [GrowthKind, string])[] = [
	["double", "double"],
	["same-size", "same size"],
	["small-to-table", "small → table"],
	["table-double", "table ×2"],
	["split", "split"],
];
const CAUSES: readonly (readonly [GrowthCause, string])[] = [
	["load", "load"],
	["overflow", "overflow"],
	["tombstones", "tombstones"],
];

interface Share {
	name: string;
	count: number;
	share: number;
}

function sharesOf<Name extends string>(
	names: readonly (readonly [Name, string])[],
	counts: Partial<Record<Name, number>>,
): Share[] {
	const whole = names.reduce((sum, [name]) => sum + (counts[name] ?? 0), 0);
	return names
		.map(([id, name]) => ({ name, count: counts[id] ?? 0, share: whole > 0 ? (counts[id] ?? 0) / whole : 0 }))
		.filter(({ count }) => count > 0)
		.sort((a, b) => b.count - a.count);
}

/** Shares of growths that were not all counted are marked. */
function shareText(share: number, growths: Figure | undefined): string {
	return `${growths !== undefined && isExact(growths) ? "" : "~"}${percent(share)}`;
}

function shareTexts(shares: readonly Share[], growths: Figure | undefined): string {
	return shares.map(({ name, share }) => `${name} ${shareText(share, growths)}`).join("  ");
}

/** In one line; blank before the first growth. */
export function sharesLine(view: AggregateView, ledger: Ledger, columns: number): Span[] {
	const { kinds, causes, growths, overlaps = 0 } = view.total;
	if (amountOf(growths) === 0) return [];
	const fields: Line[] = [
		[{ text: " kinds  ", style: "dim" }, { text: shareTexts(sharesOf(KINDS, kinds), growths) }],
		[{ text: "causes ", style: "dim" }, { text: shareTexts(sharesOf(CAUSES, causes), growths) }],
	];
	if (ledger.iteration !== undefined) {
		fields.push([{ text: "overlaps ", style: "dim" }, { text: formatCount(overlaps) }]);
	}
	return joinFields(fields, "   ", columns);
}

const BAR = "█";
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

function bar(share: number, width: number): string {
	const eighths = Math.max(1, Math.round(share * width * 8));
	return BAR.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

function bars(shares: readonly Share[], growths: Figure | undefined, columns: number): Line[] {
	const name = 14;
	const room = Math.max(4, columns - name - 9);
	return shares.map(
		({ name: text, share }): Line => [
			{ text: text.padEnd(name) },
			{ text: bar(share, room).padEnd(room), style: "accent" },
			{ text: ` ${shareText(share, growths)}`.padStart(9) },
		],
	);
}

/** The newest overlap: which iteration went on after which growth. */
function overlapText(overlap: OverlapRecord): string {
	const iterates = callSite(overlap.iteration.stack);
	const { goid } = overlap.iteration;
	const who = goid === undefined ? "an iteration" : `goroutine ${goid} iterates`;
	const where = iterates === undefined ? "" : ` at ${shortSite(iterates)}`;
	return `${who}${where}, ${sanitize(overlap.map_type, 60)} grew meanwhile`;
}

/** As bars, for large screens. */
export function shareBlock(view: AggregateView, ledger: Ledger, columns: number): Line[] {
	const { kinds, causes, growths, overlaps = 0 } = view.total;
	const lines: Line[] = [
		[{ text: "kinds of growth", style: "dim" }],
		...bars(sharesOf(KINDS, kinds), growths, columns),
		[],
		[{ text: "causes", style: "dim" }],
		...bars(sharesOf(CAUSES, causes), growths, columns),
	];
	if (ledger.iteration === undefined) return lines;
	lines.push([], [{ text: "overlaps with iterations ", style: "dim" }, { text: plural(overlaps, "growth") }]);
	if (view.latestOverlap !== undefined) {
		lines.push(...wrap(overlapText(view.latestOverlap), columns).map((text): Line => [{ text }]));
	}
	return lines;
}
