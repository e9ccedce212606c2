/** The lower part of a large screen: the row under the cursor beside what is known of all growths. */

import type { Ledger } from "../records/records.ts";
import type { AggregateView } from "../stats/aggregator.ts";
import { allDurations, growthLatency } from "../stats/latency.ts";
import { beside, clipLine, type Line, lineWidth } from "./line.ts";
import { histogramBlock, newestBlock, rowHistogram, rowTitle } from "./row-view.ts";
import type { Row, TableName } from "./rows.ts";
import { shareBlock } from "./shares.ts";

export interface PanelInput {
	table: TableName;
	/** Under the cursor. */
	row: Row | undefined;
	/** The user has put the cursor there. */
	chosen: boolean;
	view: AggregateView;
	ledger: Ledger;
}

const THREE_COLUMNS_FROM = 140;
const GAP = 3;

/** A title in a rule across the screen. */
function rule(title: Line, columns: number): Line {
	const start: Line = [{ text: " ── ", style: "dim" }, ...clipLine(title, Math.max(1, columns - 8)), { text: " " }];
	return [...start, { text: "─".repeat(Math.max(0, columns - lineWidth(start) - 1)), style: "dim" }];
}

/** Exactly `rows` lines; none before there is a row. */
export function panelLines({ table, row, chosen, view, ledger }: PanelInput, columns: number, rows: number): Line[] {
	if (row === undefined || rows < 6) return [];
	const inner = columns - 2;
	const three = columns >= THREE_COLUMNS_FROM;
	const right = three ? Math.min(48, Math.floor(inner * 0.24)) : 0;
	const middle = Math.floor((inner - right) * 0.44);
	const left = inner - middle - right;
	const height = rows - 1;
	const all = allDurations(growthLatency(view.total.latency));
	const histogram = chosen
		? rowHistogram(row, middle - GAP, height)
		: histogramBlock("how long all growths took", all.count > 0 ? all : undefined, middle - GAP, height);
	const blocks = [
		{ lines: newestBlock(row, left - GAP), width: left },
		{ lines: histogram, width: middle },
	];
	if (three) blocks.push({ lines: shareBlock(view, ledger, right), width: right });
	const lines = beside(blocks);
	const shown = Array.from({ length: height }, (_, index): Line => [{ text: " " }, ...(lines[index] ?? [])]);
	return [rule(rowTitle(table, row), columns), ...shown];
}
