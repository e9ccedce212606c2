import { amountOf } from "../records/figure.ts";
import type { Ledger, LossRecord, OverheadRow, TargetRecord, TierName } from "../records/records.ts";
import { type HeapMaps, heapTexts, UNSEEN } from "../report/heap-maps.ts";
import { measuredTiers } from "../report/measured.ts";
import type { AggregateView } from "../stats/aggregator.ts";
import { allDurations, growthLatency, moveLatency } from "../stats/latency.ts";
import { plural } from "../text/units.ts";
import { wrap } from "../text/wrap.ts";
import { type Column, columnsOf, filledColumns } from "./columns.ts";
import { tookLine } from "./duration-line.ts";
import { footerLine } from "./footer.ts";
import { growthLine } from "./growth-text.ts";
import { headerLine } from "./header.ts";
import { helpLines } from "./help.ts";
import { layoutOf, type ScreenSize, type Sections } from "./layout.ts";
import { clipLine, createPainter, type Line, trimLine } from "./line.ts";
import { panelLines } from "./panel.ts";
import { rateBlock, rateLine } from "./rates.ts";
import { orderRows } from "./row-order.ts";
import { frozenLines } from "./row-view.ts";
import type { Row } from "./rows.ts";
import { sharesLine } from "./shares.ts";
import { statusLine } from "./status.ts";
import { tableLines } from "./table.ts";
import type { Tables } from "./table-rows.ts";
import { tabsLine } from "./tabs.ts";
import { cursorOf, type UiState } from "./ui-state.ts";

export type { ScreenSize } from "./layout.ts";

/** Processes of which it is said what is in their heaps. */
const MOST_HEAPS = 8;

/** Everything that the screen shows of the observation, as values. */
export interface ScreenState {
	/** Those that are observed; those that have ended when none is. */
	targets: readonly TargetRecord[];
	/** All of `targets` have ended. */
	ended: boolean;
	/** Release of the kernel. */
	kernel?: string | undefined;
	elapsedNs: number;
	view: AggregateView;
	tables: Tables;
	/** Running totals since the start. */
	ledger: Ledger;
	/** The last loss record of each stage and tier. */
	losses: readonly LossRecord[];
	/** What probing costs each target, against the budget. Empty while nobody measures it. */
	overhead: readonly OverheadRow[];
	/** The clock of now while the rest is that of a screen that stands still. */
	nowNs?: number | undefined;
	/** What is known of the heaps of processes; undefined: nothing is looked for. */
	heaps?: readonly HeapMaps[] | undefined;
	/** Keys reach us. */
	keys: boolean;
}

export interface ScreenOptions extends ScreenSize {
	color: boolean;
}

export interface Screen {
	/** Exactly as many as the screen has rows. */
	lines: string[];
	/** Rows of the table that fit. */
	page: number;
	/** How far the text that is open can be scrolled. */
	scrollEnd: number;
	/** Of the present table, filtered and sorted. */
	rows: readonly Row[];
	tableColumns: readonly Column[];
}

interface Drawing {
	state: ScreenState;
	ui: UiState;
	columns: number;
	rows: readonly Row[];
	tableColumns: readonly Column[];
	measured: readonly TierName[];
	cursor: number;
}

function topLines(drawing: Drawing, sections: Sections): Line[] {
	const { state, ui, columns, measured } = drawing;
	const { targets, ended, kernel, elapsedNs, nowNs } = state;
	const pausedAtNs = ui.paused ? elapsedNs : undefined;
	const lines: Line[] = [headerLine({ targets, ended, kernel, elapsedNs: nowNs ?? elapsedNs, pausedAtNs }, columns)];
	const tiers = { measured, overhead: state.overhead };
	if (sections.airy) lines.push([]);
	if (sections.rates > 1) lines.push(...rateBlock(state.view, tiers, columns, sections.rates));
	else if (sections.rates === 1) lines.push(rateLine(state.view, tiers, columns));
	if (sections.airy) lines.push([]);
	return lines;
}

function bottomLines(drawing: Drawing, sections: Sections): Line[] {
	const { state, ui, columns, measured, rows, cursor } = drawing;
	const { view, ledger, losses, overhead } = state;
	const { growths, work } = view.total;
	const chosen = ui.tables[ui.table].chosen !== undefined;
	const row = rows[cursor];
	const lines: Line[] = [];
	if (sections.panel > 0) {
		lines.push([], ...panelLines({ table: ui.table, row, chosen, view, ledger }, columns, sections.panel));
	}
	if (sections.newest) lines.push(growthLine(row?.detail?.newest ?? view.latest, columns));
	if (sections.took) {
		const { latency } = view.total;
		const durations = row?.detail?.durations;
		lines.push(
			chosen && durations !== undefined
				? tookLine("this row ", durations, undefined, columns)
				: tookLine("all growths ", allDurations(growthLatency(latency)), allDurations(moveLatency(latency)), columns),
		);
	}
	if (sections.shares) lines.push(sharesLine(view, ledger, columns));
	if (sections.airy) lines.push([]);
	if (sections.status) lines.push(statusLine({ growths, work, ledger, measured, losses, overhead }, columns));
	lines.push(footerLine(ui, state.keys, columns));
	return lines;
}

/** What stands in the table's place when it has no rows. */
function emptyTexts({ state, ui }: Drawing): string[] {
	if (ui.filter !== "") return [`no row contains "${ui.filter}": esc clears the filter`];
	const heap = heapTexts(state.heaps ?? [], state.targets.length > 1).slice(0, MOST_HEAPS);
	if (ui.table === "heap") {
		if (state.heaps === undefined) return ["the maps in the heap are not looked for"];
		const onKey = state.heaps.some((each) => each.state === "not read" && each.onKey);
		return heap.length === 0 ? ["the maps in the heap are read soon"] : [...heap, ...(onKey ? ["c reads them"] : [])];
	}
	const probes = plural(
		state.targets.reduce((sum, target) => sum + target.probes.length, 0),
		"probe",
	);
	const { growths } = state.view.total;
	if (growths === undefined) return ["growths are not measured: the limit of the overhead is reached"];
	if (growths === 0) {
		if (heap.length === 0) return [`no map has grown yet, ${probes} ready`];
		return [`no growth yet, ${probes} ready; what is there:`, ...heap, UNSEEN];
	}
	if (amountOf(growths) === 0) return ["no growth seen yet in the part of the time that is measured"];
	if (ui.table === "goroutines") return ["goroutines cannot be read in this program: see gomapgrow inspect"];
	return ["no growth was recorded with its details, only counted"];
}

function emptyLines(drawing: Drawing): Line[] {
	const width = Math.max(1, drawing.columns - 2);
	return emptyTexts(drawing).flatMap((text) => wrap(text, width).map((line): Line => [{ text: ` ${line}` }]));
}

interface Middle {
	lines: Line[];
	scrollEnd: number;
}

/** The help, the frozen row, or the table under its tabs. */
function middleLines(drawing: Drawing, height: number): Middle {
	const { state, ui, columns, rows, tableColumns, cursor } = drawing;
	if (ui.help !== undefined) {
		const all = helpLines(ui.table, columns);
		const scrollEnd = Math.max(0, all.length - height);
		const from = Math.min(ui.help, scrollEnd);
		return { lines: all.slice(from, from + height), scrollEnd };
	}
	if (ui.frozen !== undefined) return frozenLines(ui.frozen, columns, height);
	const all = state.tables.rows(ui.table).length;
	const recentNs = state.view.recentNs;
	const tabs = tabsLine({ ui, columns: tableColumns, matching: rows.length, all, recentNs }, columns);
	if (rows.length === 0) return { lines: [tabs, ...emptyLines(drawing)], scrollEnd: 0 };
	const sorting = ui.tables[ui.table];
	const table = tableLines(rows, tableColumns, { columns, rows: height - 2, sorting, cursor });
	return { lines: [tabs, ...table], scrollEnd: 0 };
}

/** Columns and rows of the present table. */
function tableOf({ tables }: ScreenState, ui: UiState): Pick<Screen, "rows" | "tableColumns"> {
	const processes = tables.rows("processes").length;
	const tableColumns = filledColumns(columnsOf(ui.table, processes > 1), tables.rows(ui.table));
	return { tableColumns, rows: orderRows(tables.rows(ui.table), tableColumns, ui.tables[ui.table], ui.filter) };
}

/** What stays on the terminal: the first rows of the table that was shown last. */
export function lastRows(state: ScreenState, ui: UiState, options: ScreenOptions, most: number): string[] {
	const { rows, tableColumns } = tableOf(state, ui);
	if (rows.length === 0) return [];
	const { columns } = options;
	const sorting = ui.tables[ui.table];
	const lines = tableLines(rows, tableColumns, { columns, rows: Math.min(most, rows.length), sorting, cursor: -1 });
	const paint = createPainter(options.color);
	return lines.map((line) => trimLine(clipLine(line, columns)).map(paint).join(""));
}

/** The whole screen: none of its lines is wider than the screen. With colour the same text plus SGR sequences. */
export function composeScreen(state: ScreenState, ui: UiState, options: ScreenOptions): Screen {
	const columns = Math.max(0, Math.floor(options.columns) || 0);
	const height = Math.max(0, Math.floor(options.rows) || 0);
	const { rows, tableColumns } = tableOf(state, ui);
	const measured = measuredTiers(state.targets);
	const drawing: Drawing = { state, ui, columns, rows, tableColumns, measured, cursor: cursorOf(ui, rows) };
	const open = ui.help !== undefined || ui.frozen !== undefined;
	const sections = layoutOf({ columns, rows: height }, open);
	const top = topLines(drawing, sections);
	const bottom = bottomLines(drawing, sections);
	const room = Math.max(0, height - top.length - bottom.length);
	const middle = middleLines(drawing, room);
	const body = middle.lines.slice(0, room);
	const filler = Array.from({ length: room - body.length }, (): Line => []);
	const paint = createPainter(options.color);
	const lines = [...top, ...body, ...filler, ...bottom]
		.slice(0, height)
		.map((line) => trimLine(clipLine(line, columns)).map(paint).join(""));
	return { lines, page: Math.max(1, room - 2), scrollEnd: middle.scrollEnd, rows, tableColumns };
}
