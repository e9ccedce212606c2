import type { AggregateView } from "../analyze/aggregator.ts";
import { compareSiteRows, siteKey } from "../analyze/rows.ts";
import type { SiteRow } from "../model/records.ts";
import { sanitize } from "../model/sanitize.ts";
import { displayWidth, middleEllipsis, padEndWidth, padStartWidth } from "../output/ellipsis.ts";
import { shortFunction, shortPlace, shortSite } from "../output/shorten.ts";
import { alignDecimal, formatBytes, formatCount, formatRate, perSecond } from "../output/units.ts";
import type { Line, Span, Style } from "./line.ts";

/** On a screen a dash as wide as a digit; pipes get the ASCII one. */
export const DASH = "–";

export interface TableOptions {
	columns: number;
	/** Lines for rows, without the heading. */
	rows: number;
	workMeasured: boolean;
	bytesMeasured: boolean;
}

/** A call site as shown: rates of the last windows, extremes since the start. */
interface SiteView {
	recent: SiteRow | undefined;
	total: SiteRow;
}

interface NumberColumn {
	heading: string;
	/** Narrow screens lose the columns with the highest number first; 0 always stays. */
	dropRank: number;
	minWidth: number;
	/** Not shown; aligned with the others so that the point stays in its place when no value has a fraction. */
	pattern: string;
	text: (site: SiteView) => string;
	style?: Style;
}

const MIN_SITE_WIDTH = 20;
const MIN_TYPE_WIDTH = 12;
const GAP = 1;

/** Where maps grow now comes first, then where they grew. */
function orderSites(view: AggregateView): SiteView[] {
	const totals = new Map(view.total.sites.map((row) => [siteKey(row, row.map_type), row]));
	const active = view.recent.sites.map((row) => {
		const key = siteKey(row, row.map_type);
		const total = totals.get(key) ?? row;
		totals.delete(key);
		return { recent: row, total };
	});
	const idle = Array.from(totals.values()).sort(compareSiteRows);
	return [...active, ...idle.map((total) => ({ recent: undefined, total }))];
}

function numberColumns(view: AggregateView, options: TableOptions): NumberColumn[] {
	const rate = (count: number | undefined): number => perSecond(count ?? 0, view.recent.interval_ns);
	return [
		{
			heading: "GROW/s",
			dropRank: 0,
			minWidth: 7,
			pattern: "0.0",
			text: ({ recent }) => formatRate(rate(recent?.growths)),
			style: "strong",
		},
		{
			heading: "WORK/s",
			dropRank: 1,
			minWidth: 8,
			pattern: "0.0",
			text: ({ recent }) => (options.workMeasured ? formatRate(rate(recent?.work)) : DASH),
		},
		{
			heading: "BYTES/s",
			dropRank: 3,
			minWidth: 8,
			pattern: "0.0 kB",
			text: ({ recent }) => (options.bytesMeasured ? formatBytes(rate(recent?.bytes)) : DASH),
		},
		{
			heading: "MAX CAP",
			dropRank: 2,
			minWidth: 7,
			pattern: "0",
			// A site of work only has no capacity of its own: the growth happened elsewhere.
			text: ({ total }) => (total.growths > 0 ? formatCount(total.max_capacity) : DASH),
		},
		{
			heading: "ITER",
			dropRank: 4,
			minWidth: 4,
			pattern: "0",
			text: ({ total }) => (total.iterating === undefined ? DASH : formatCount(total.iterating)),
		},
	];
}

interface Column {
	heading: string;
	cells: string[];
	style?: Style;
}

function layOut(column: NumberColumn, sites: readonly SiteView[]): Column {
	const aligned = alignDecimal([...sites.map(column.text), column.pattern]).slice(0, -1);
	const width = Math.max(column.minWidth, ...aligned.map(displayWidth));
	const cells = aligned.map((cell) => padStartWidth(cell, width));
	const laidOut: Column = { heading: padStartWidth(column.heading, width), cells };
	if (column.style !== undefined) laidOut.style = column.style;
	return laidOut;
}

function widthOf(columns: readonly Column[]): number {
	return columns.reduce((sum, column) => sum + displayWidth(column.heading) + GAP, 0);
}

/** Drops columns until the call site has room. */
function fitColumns(all: readonly NumberColumn[], sites: readonly SiteView[], columns: number): Column[] {
	const kept = [...all];
	for (;;) {
		const laidOut = kept.map((column) => layOut(column, sites));
		const rank = Math.max(...kept.map((column) => column.dropRank));
		if (rank === 0 || columns - 1 - widthOf(laidOut) >= MIN_SITE_WIDTH) return laidOut;
		kept.splice(
			kept.findIndex((column) => column.dropRank === rank),
			1,
		);
	}
}

/** Function and line in at most `width` columns; the function is shortened first. */
function siteCell(row: SiteRow, width: number): Span[] {
	const place = shortPlace(row);
	const room = width - displayWidth(place) - 1;
	if (place === "" || row.fn === "" || room < 8) return [{ text: middleEllipsis(shortSite(row), width) }];
	return [
		{ text: middleEllipsis(shortFunction(row.fn), room), style: "accent" },
		{ text: ` ${place}`, style: "dim" },
	];
}

/** Columns for type and site: what they need when there is room, else a third and the rest; no type on narrow screens. */
function splitWidth(room: number, sites: readonly SiteView[]): { type: number; site: number } {
	if (room < MIN_TYPE_WIDTH + GAP + MIN_SITE_WIDTH) return { type: 0, site: room };
	const type = Math.max("TYPE".length, ...sites.map(({ total }) => displayWidth(sanitize(total.map_type))));
	const site = Math.max("SITE".length, ...sites.map(({ total }) => displayWidth(shortSite(total))));
	if (type + GAP + site <= room) return { type, site: room - type - GAP };
	const third = Math.max(MIN_TYPE_WIDTH, Math.floor(room / 3), room - GAP - site);
	const typeWidth = Math.min(type, third);
	return { type: typeWidth, site: room - typeWidth - GAP };
}

/** The heading and one line for each call site, as many as fit. Empty when nothing has grown. */
export function siteTable(view: AggregateView, options: TableOptions): Line[] {
	const all = orderSites(view);
	const sites = all.slice(0, Math.max(0, options.rows));
	const numbers = fitColumns(numberColumns(view, options), sites, options.columns);
	const { type, site } = splitWidth(options.columns - 1 - widthOf(numbers), sites);
	const heading: Span[] = numbers.map((column) => ({ text: ` ${column.heading}`, style: "dim" }));
	if (type > 0) heading.push({ text: ` ${padEndWidth("TYPE", type)}`, style: "dim" });
	heading.push({ text: " SITE", style: "dim" });
	const note = headingNote(view, sites.length, all.length);
	if (displayWidth(note) + "SITE  ".length <= site) heading.push({ text: `  ${note}`, style: "dim" });
	const lines = sites.map(({ total }, index) => {
		const line: Span[] = numbers.map((column) => {
			const span: Span = { text: ` ${column.cells[index] ?? ""}` };
			return column.style === undefined ? span : { ...span, style: column.style };
		});
		if (type > 0) line.push({ text: ` ${padEndWidth(middleEllipsis(sanitize(total.map_type), type), type)}` });
		return [...line, { text: " " }, ...siteCell(total, Math.max(0, site))];
	});
	return [heading, ...lines];
}

/** Over which time the rates are averaged, and how much of the table is visible. */
function headingNote(view: AggregateView, shown: number, all: number): string {
	const seconds = view.recent.interval_ns / 1e9;
	const mean = seconds > 0 ? `mean of ${formatRate(seconds)} s` : "";
	const part = shown < all ? `${formatCount(shown)} of ${formatCount(all)}` : "";
	return [part, mean].filter((text) => text !== "").join(", ");
}
