/** Draws a table: as many columns and rows as fit, aligned, with the cursor. */

import { displayWidth, padStartWidth } from "../text/width.ts";
import { type Column, DASH, type NumberColumn, type TextColumn } from "./columns.ts";
import { type Line, lineWidth, type Span } from "./line.ts";
import type { Sorting } from "./row-order.ts";
import type { Row } from "./rows.ts";

export interface TableOptions {
	columns: number;
	/** Lines for rows, without the heading. */
	rows: number;
	sorting: Sorting;
	/** Index of the row that the cursor is on. */
	cursor: number;
}

/** Rows from the top that decide how wide names are: were it the visible ones only, columns would move while scrolling. */
const MEASURED_ROWS = 100;
/** The cursor's column. */
const MARGIN = 1;

interface NumberLayout {
	column: NumberColumn;
	width: number;
	cells: string[];
}

interface Layout {
	numbers: NumberLayout[];
	texts: { column: TextColumn; width: number }[];
}

function numberLayout(column: NumberColumn, rows: readonly Row[]): NumberLayout {
	const texts = rows.map((row) => {
		const value = column.value(row);
		return value === undefined ? DASH : column.text(value);
	});
	// A blank before the heading sets the arrow off from the column before.
	const width = Math.max(displayWidth(column.heading) + 1, displayWidth(column.pattern), ...texts.map(displayWidth));
	return { column, width, cells: texts.map((cell) => padStartWidth(cell, width)) };
}

/** Widths in which all of the names of a column would be whole. */
function textNeeds(columns: readonly Column[], rows: readonly Row[]): Map<TextColumn, number> {
	const needs = new Map<TextColumn, number>();
	for (const column of columns) {
		if (column.kind !== "text") continue;
		const widths = rows.map((row) => displayWidth(column.value(row)));
		needs.set(column, Math.max(displayWidth(column.heading), ...widths));
	}
	return needs;
}

/** Gives names what they need when there is room for all; otherwise room by weight, and what one does not need to the others. */
function textWidths(
	columns: readonly TextColumn[],
	need: ReadonlyMap<TextColumn, number>,
	room: number,
): Layout["texts"] {
	const widths = new Map<TextColumn, number>();
	let left = room - Math.max(0, columns.length - 1);
	let open = [...columns];
	while (open.length > 0) {
		const weights = open.reduce((sum, { weight }) => sum + weight, 0);
		const share = (column: TextColumn) => Math.floor((left * column.weight) / weights);
		const content = open.filter((column) => (need.get(column) ?? 0) <= share(column));
		const settled = content.length > 0 ? content : open;
		const given = settled.map((column) => Math.min(need.get(column) ?? 0, share(column)));
		for (const [index, column] of settled.entries()) widths.set(column, given[index] ?? 0);
		left -= given.reduce((sum, width) => sum + width, 0);
		open = open.filter((column) => !settled.includes(column));
	}
	const last = columns.at(-1);
	// What is over goes to the last one, whose end nobody sees.
	if (last !== undefined && left > 0) widths.set(last, (widths.get(last) ?? 0) + left);
	return columns.map((column) => ({ column, width: Math.max(0, widths.get(column) ?? 0) }));
}

function numbersWidth(numbers: readonly NumberLayout[]): number {
	return numbers.reduce((sum, { width }) => sum + width + 1, 0);
}

/** Columns of this rank and above are there for screens on which names are whole. */
const LUXURY_RANK = 6;

/** Leaves columns out until the names have room; never the one that is sorted by. */
function layOut(
	all: readonly Column[],
	visible: readonly Row[],
	measured: readonly Row[],
	options: TableOptions,
): Layout {
	const numbers = new Map<Column, NumberLayout>();
	for (const column of all) if (column.kind === "number") numbers.set(column, numberLayout(column, visible));
	const needs = textNeeds(all, measured);
	const kept = [...all];
	for (;;) {
		const shown = kept.flatMap((column) => numbers.get(column) ?? []);
		const texts = kept.filter((column) => column.kind === "text");
		const room = options.columns - MARGIN - numbersWidth(shown);
		const expendable = kept.filter(({ dropRank, id }) => dropRank > 0 && id !== options.sorting.column);
		const rank = Math.max(0, ...expendable.map(({ dropRank }) => dropRank));
		const wanted = ({ minWidth }: TextColumn, need: number): number =>
			rank >= LUXURY_RANK ? Math.min(need, 2 * minWidth) : minWidth;
		const least = texts.reduce((sum, column) => sum + 1 + wanted(column, needs.get(column) ?? 0), 0);
		if (rank === 0 || room + 1 >= least) return { numbers: shown, texts: textWidths(texts, needs, room) };
		kept.splice(
			kept.findIndex((column) => column.dropRank === rank && expendable.includes(column)),
			1,
		);
	}
}

/** First row that is shown: the cursor stays in the middle where it can. */
function firstShown(cursor: number, shown: number, all: number): number {
	return Math.max(0, Math.min(cursor - Math.floor(shown / 2), all - shown));
}

/** The arrow stands in the gap before the heading, so that sorting moves nothing. */
function headingLine({ numbers, texts }: Layout, { column: sorted, reversed }: Sorting): Span[] {
	const spans: Span[] = [];
	const add = ({ id, heading }: Column, before: number, after: number): void => {
		const style = id === sorted ? "strong" : "dim";
		const gap = id === sorted ? (reversed ? "▴" : "▾") : " ";
		spans.push({ text: " ".repeat(Math.max(0, before)) }, { text: gap + heading, style });
		spans.push({ text: " ".repeat(Math.max(0, after)) });
	};
	for (const { column, width } of numbers) add(column, width - displayWidth(column.heading), 0);
	for (const { column, width } of texts) add(column, 0, width - displayWidth(column.heading));
	return spans;
}

function rowLine({ numbers, texts }: Layout, row: Row, index: number, chosen: boolean): Span[] {
	const line: Span[] = [chosen ? { text: "▸", style: "accent" } : { text: " " }];
	for (const [at, { column, cells }] of numbers.entries()) {
		const text = `${at === 0 ? "" : " "}${cells[index] ?? ""}`;
		line.push(
			column.style === undefined && !chosen
				? { text }
				: { text, style: chosen ? "strong" : (column.style ?? "strong") },
		);
	}
	for (const [at, { column, width }] of texts.entries()) {
		if (at > 0 || numbers.length > 0) line.push({ text: " " });
		const spans = column.spans(row, width);
		line.push(...spans);
		if (at < texts.length - 1) line.push({ text: " ".repeat(Math.max(0, width - lineWidth(spans))) });
	}
	return line;
}

/** The heading and one line for each row, as many as fit around the cursor. */
export function tableLines(rows: readonly Row[], columns: readonly Column[], options: TableOptions): Line[] {
	const count = Math.max(0, options.rows);
	const first = firstShown(options.cursor, count, rows.length);
	const visible = rows.slice(first, first + count);
	const layout = layOut(columns, visible, [...rows.slice(0, MEASURED_ROWS), ...visible], options);
	return [
		headingLine(layout, options.sorting),
		...visible.map((row, index) => rowLine(layout, row, index, first + index === options.cursor)),
	];
}
