/** Which table is shown, sorted by what, and how much of it. */

import { formatCount, formatRate } from "../text/units.ts";
import { displayWidth, endEllipsis } from "../text/width.ts";
import { type Column, ROW_NOUNS } from "./columns.ts";
import { type Line, lineWidth, type Span, spread } from "./line.ts";
import { TABLES } from "./rows.ts";
import type { UiState } from "./ui-state.ts";

export interface TabsInput {
	ui: UiState;
	columns: readonly Column[];
	/** Rows that match the filter, and all. */
	matching: number;
	all: number;
	/** Over how long rates are averaged. */
	recentNs: number;
}

function tabs(ui: UiState, short: boolean): Line {
	return TABLES.map((name, index): Span => {
		const text = short && name !== ui.table ? `${index + 1}` : `${index + 1} ${name}`;
		return name === ui.table ? { text: ` [${text}]`, style: "accent" } : { text: ` ${text}`, style: "dim" };
	});
}

function notes({ ui, columns, matching, all, recentNs }: TabsInput): string[] {
	const { column: id, reversed } = ui.tables[ui.table];
	const heading = columns.find((column) => column.id === id)?.heading ?? id;
	const rows = `${formatCount(all)} ${ROW_NOUNS[ui.table][all === 1 ? 0 : 1]}`;
	const filtered = `"${endEllipsis(ui.filter, 20)}" ${formatCount(matching)} of ${formatCount(all)}`;
	const texts = [ui.filter === "" ? rows : filtered, `by ${heading}${reversed ? ", reversed" : ""}`];
	if (recentNs > 0 && ui.table !== "maps" && ui.table !== "heap")
		texts.push(`rates over ${formatRate(recentNs / 1e9)} s`);
	return texts;
}

/** The tables with the present one in brackets; at the right what is sorted, filtered and counted, as far as there is room. */
export function tabsLine(input: TabsInput, columns: number): Span[] {
	const long = tabs(input.ui, false);
	const kept = notes(input);
	const left = lineWidth(long) + displayWidth(kept[0] ?? "") + 3 > columns ? tabs(input.ui, true) : long;
	const room = columns - lineWidth(left) - 3;
	while (kept.length > 1 && displayWidth(kept.join(" · ")) > room) kept.pop();
	const note = kept.join(" · ");
	if (displayWidth(note) > room) return [...left];
	return spread(left, [{ text: `${note} `, style: input.ui.filter === "" ? "dim" : "strong" }], columns);
}
