/** One row looked at closely: its numbers, its newest growth with its stack, and how long its growths took. */

import type { Histogram } from "../lib/histogram.ts";
import { sanitize } from "../lib/sanitize.ts";
import { amountOf } from "../records/figure.ts";
import { latencyHistogram, latencyLine } from "../report/latency-text.ts";
import { BYTES, COUNT, countText, longText, RATE } from "../text/figure-text.ts";
import { shortFunction, shortSite } from "../text/go-names.ts";
import { formatBytes, formatCount, plural } from "../text/units.ts";
import { clockText, SHORT_DURATION } from "./columns.ts";
import { growthLines } from "./growth-text.ts";
import { beside, flowFields, type Line, type Span, spread } from "./line.ts";
import type { Row, TableName } from "./rows.ts";
import { stackLines } from "./stack.ts";

/** From here on the histogram stands beside the stack. */
const BESIDE_FROM = 104;
const HISTOGRAM_ROWS = 16;

/** What the row stands for. */
export function rowTitle(table: TableName, row: Row): Line {
	const type = sanitize(row.mapType ?? "", 80);
	switch (table) {
		case "sites":
			return [{ text: row.site === undefined ? "" : shortSite(row.site), style: "accent" }, { text: `  ${type}` }];
		case "types":
			return [{ text: type, style: "accent" }];
		case "maps":
			return [{ text: type, style: "accent" }, { text: `  ${chainText(row)}` }];
		case "goroutines": {
			const runs = row.startFn === undefined ? "" : ` runs ${shortFunction(row.startFn)}`;
			return [{ text: `goroutine ${row.goid ?? 0}`, style: "accent" }, { text: runs }];
		}
		case "heap":
			return [{ text: type, style: "accent" }, { text: `  held by ${sanitize(row.found?.heldBy ?? "", 4096)}` }];
		case "processes":
			return [{ text: `${sanitize(row.processName ?? "")} ${row.pid ?? 0}`, style: "accent" }];
	}
}

/** "14 growths, 8 to 65,536 slots" */
function chainText(row: Row): string {
	const slots = `${formatCount(row.slotsFirst ?? 0)} to ${formatCount(row.slotsLast ?? 0)} slots`;
	return [countText(row.growths, "growth"), slots].filter((text) => text !== undefined).join(", ");
}

/** The row's numbers; those that were not measured are left out. */
function numberLines(table: TableName, row: Row, columns: number): Span[][] {
	const fields: string[] = [];
	const add = (text: string | undefined, before: string, after: string): void => {
		if (text !== undefined) fields.push(`${before}${text}${after}`);
	};
	if (table !== "maps") add(longText(row.growRate, RATE), "", " growths/s");
	if (table !== "maps") add(longText(row.growths, COUNT), "total ", "");
	if (row.maxSlots !== undefined) fields.push(`to ${formatCount(row.maxSlots)} slots`);
	const { now } = row;
	if (now !== undefined) {
		const which = table === "sites" ? "largest map now: " : "now ";
		const size = now.bytes === undefined ? "" : `, ${formatBytes(now.bytes)}`;
		const entries = now.entries === 1 ? "1 entry" : `${formatCount(now.entries)} entries`;
		fields.push(`${which}${entries} in ${formatCount(now.slots)} slots${size}`);
	}
	add(longText(row.moved, BYTES), "", " copied");
	add(longText(row.allocated, BYTES), "", " allocated");
	add(longText(row.timeNs, SHORT_DURATION), "", " in growth");
	add(countText(row.work, "growth work call"), "", "");
	if (amountOf(row.iterating) > 0) add(longText(row.iterating, COUNT), "", " during range");
	return flowFields(
		fields.map((text) => [{ text }]),
		" · ",
		columns,
	);
}

/** The histogram under its heading; a line that says so when nothing was measured. */
export function histogramBlock(
	caption: string,
	durations: Histogram | undefined,
	columns: number,
	rows: number,
): Line[] {
	const heading: Line = [{ text: caption, style: "dim" }];
	if (durations === undefined) return [heading, [{ text: "no durations" }]];
	const lines = latencyHistogram(durations, columns, Math.max(3, rows - 1));
	return [heading, ...lines.map((text): Line => [{ text, style: "accent" }])];
}

/** What a census has found. */
function foundBlock({ heldBy, note, time }: NonNullable<Row["found"]>, pid: number | undefined): Line[] {
	const lines: Line[] = [
		[{ text: `read at ${time.slice(11, 19)} UTC, whether it grows or not; c reads anew`, style: "dim" }],
		...(note === "" ? [] : [[{ text: note }]]),
		...heldBy.split(" <- ").map((step, index): Line => {
			return [{ text: `${index === 0 ? "held by " : "     of "}${sanitize(step)}` }];
		}),
	];
	if (pid !== undefined) lines.push([], [{ text: `all of them: gomapgrow maps ${pid}`, style: "dim" }]);
	return lines;
}

/** The newest growth of the row and its stack. */
export function newestBlock(row: Row, columns: number): Line[] {
	if (row.found !== undefined) return foundBlock(row.found, row.pid);
	const newest = row.detail?.newest;
	if (newest === undefined) {
		return [
			[
				{
					text: row.rest ? "the rows beyond the limit of the table" : "only moves entries: its maps grew elsewhere",
					style: "dim",
				},
			],
		];
	}
	const stack = stackLines(newest.stack, newest.stack_truncated === true, columns);
	return [[{ text: "newest growth", style: "dim" }], ...growthLines(newest, columns), [], ...stack];
}

/** Durations of the row's growths. */
export function rowHistogram(row: Row, columns: number, rows: number): Line[] {
	const durations = row.detail?.durations;
	return histogramBlock(`how long its ${plural(durations?.count ?? 0, "growth")} took`, durations, columns, rows);
}

export interface FrozenLines {
	lines: Line[];
	/** How far it can be scrolled. */
	scrollEnd: number;
}

/** The frozen row on `rows` lines, without the first `scroll` ones of what does not fit. */
export function frozenLines(
	{ table, row, atNs, scroll }: { table: TableName; row: Row; atNs: number; scroll: number },
	columns: number,
	rows: number,
): FrozenLines {
	const inner = Math.max(1, columns - 2);
	const note = columns < 60 ? clockText(atNs) : `as it was at ${clockText(atNs)}`;
	const title = spread(rowTitle(table, row), [{ text: note, style: "dim" }], inner);
	let body: Line[];
	if (columns >= BESIDE_FROM) {
		const right = Math.floor(inner * 0.42);
		body = [
			[],
			...beside([
				{ lines: newestBlock(row, inner - right - 3), width: inner - right },
				{ lines: rowHistogram(row, right, HISTOGRAM_ROWS), width: right },
			]),
		];
	} else {
		const durations = row.detail?.durations;
		const took = durations === undefined ? [] : [[{ text: latencyLine(durations, inner) }]];
		body = [...took, [], ...newestBlock(row, inner), [], ...rowHistogram(row, inner, HISTOGRAM_ROWS)];
	}
	const content = [...numberLines(table, row, inner), ...body];
	const room = Math.max(0, rows - 1);
	const scrollEnd = Math.max(0, content.length - room);
	const from = Math.min(scroll, scrollEnd);
	const shown = content.slice(from, from + room);
	return { lines: [title, ...shown].map((line) => [{ text: " " }, ...line]), scrollEnd };
}
