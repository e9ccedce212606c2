/** What keys do. */
import type { Column } from "./columns.ts";
import type { Key, KeyName } from "./keys.ts";
import { type Row, TABLES } from "./rows.ts";
import { stillRow } from "./table-rows.ts";
import { cursorOf, type FrozenRow, type TableUi, type UiState } from "./ui-state.ts";

/** What a key asks for beyond what the user sees; pause and redraw come with a changed state, too. */
export type Effect = "quit" | "interrupt" | "suspend" | "pause" | "flame" | "census" | "redraw";

/** What is on the screen while a key is pressed. */
export interface KeyContext {
	/** As shown, filtered and sorted. */
	rows: readonly Row[];
	columns: readonly Column[];
	/** Rows that fit. */
	page: number;
	/** How far the text that is open can be scrolled. */
	scrollEnd: number;
	/** Since the start. */
	elapsedNs: number;
}

export interface KeyResult {
	ui: UiState;
	effect?: Effect;
}

const MAX_FILTER = 200;

/** The state after a key, and what else it asks for. */
export function pressKey(ui: UiState, key: Key, context: KeyContext): KeyResult {
	const quiet: UiState = { ...ui, notice: undefined };
	if ("name" in key) {
		if (key.name === "ctrl-c") return { ui, effect: "interrupt" };
		if (key.name === "ctrl-z") return { ui, effect: "suspend" };
		if (key.name === "ctrl-l") return { ui: quiet, effect: "redraw" };
	}
	if (ui.typing) return { ui: typed(quiet, key, context) };
	if ("name" in key) return { ui: moved(quiet, key.name, context) };
	return command(quiet, key.text, context);
}

function typed(ui: UiState, key: Key, context: KeyContext): UiState {
	if ("text" in key) return { ...ui, filter: (ui.filter + key.text).slice(0, MAX_FILTER) };
	switch (key.name) {
		case "enter":
			return { ...ui, typing: false };
		case "escape":
			return { ...ui, typing: false, filter: "" };
		case "ctrl-u":
			return { ...ui, filter: "" };
		case "backspace":
			// The prompt goes away with the backspace that finds nothing to delete.
			return ui.filter === ""
				? { ...ui, typing: false }
				: { ...ui, filter: Array.from(ui.filter).slice(0, -1).join("") };
		default:
			return moved(ui, key.name, context);
	}
}

function changeTable(ui: UiState, change: Partial<TableUi>): UiState {
	return { ...ui, tables: { ...ui.tables, [ui.table]: { ...ui.tables[ui.table], ...change } } };
}

/** Steps for keys that move, with the whole page for a page and no end for home and end. */
function steps(name: KeyName, page: number): number | undefined {
	const whole = Math.max(1, page - 1);
	const all = Number.MAX_SAFE_INTEGER;
	const by: Partial<Record<KeyName, number>> = {
		...{ up: -1, down: 1, "page-up": -whole, "page-down": whole, home: -all, end: all },
	};
	return by[name];
}

function moved(ui: UiState, name: KeyName, context: KeyContext): UiState {
	const by = steps(name, context.page);
	if (by !== undefined) return scrolled(ui, by, context);
	switch (name) {
		case "enter":
			return ui.help === undefined ? frozen(ui, context) : { ...ui, help: undefined };
		case "escape":
			return closed(ui);
		case "tab":
			return { ...ui, table: TABLES[(TABLES.indexOf(ui.table) + 1) % TABLES.length] ?? "sites", frozen: undefined };
		case "left":
			return sortedBy(ui, -1, context);
		case "right":
			return sortedBy(ui, 1, context);
		default:
			return ui;
	}
}

/** Moves the cursor, or the text of the help or of the frozen row. */
function scrolled(ui: UiState, by: number, { rows, scrollEnd }: KeyContext): UiState {
	const scroll = (from: number) => Math.max(0, Math.min(scrollEnd, from + by));
	if (ui.help !== undefined) return { ...ui, help: scroll(ui.help) };
	if (ui.frozen !== undefined) return { ...ui, frozen: { ...ui.frozen, scroll: scroll(ui.frozen.scroll) } };
	const to = Math.max(0, Math.min(rows.length - 1, cursorOf(ui, rows) + by));
	// At the very top the cursor is let go: it stays on the first row, whichever that is.
	return changeTable(ui, { chosen: by === -Number.MAX_SAFE_INTEGER ? undefined : rows[to]?.key });
}

/** Looks at the chosen row, again when it is looked at already. */
function frozen(ui: UiState, { rows, elapsedNs }: KeyContext): UiState {
	const key = ui.frozen?.row.key ?? rows[cursorOf(ui, rows)]?.key;
	const row = rows.find((candidate) => candidate.key === key) ?? ui.frozen?.row;
	if (row === undefined) return ui;
	const look: FrozenRow = { table: ui.table, row: stillRow(row), atNs: elapsedNs, scroll: 0 };
	return { ...changeTable(ui, { chosen: row.key }), frozen: look };
}

/** Leaves the innermost of what is open. */
function closed(ui: UiState): UiState {
	if (ui.help !== undefined) return { ...ui, help: undefined };
	if (ui.frozen !== undefined) return { ...ui, frozen: undefined };
	if (ui.filter !== "") return { ...ui, filter: "" };
	return changeTable(ui, { chosen: undefined });
}

function sortedBy(ui: UiState, step: 1 | -1, { columns }: KeyContext): UiState {
	if (columns.length === 0 || ui.frozen !== undefined || ui.help !== undefined) return ui;
	const at = columns.findIndex(({ id }) => id === ui.tables[ui.table].column);
	const next = columns[(at + step + columns.length) % columns.length];
	return next === undefined ? ui : changeTable(ui, { column: next.id, reversed: false });
}

function command(ui: UiState, text: string, context: KeyContext): KeyResult {
	const table = TABLES[Number(text) - 1];
	if (table !== undefined) return { ui: { ...ui, table, frozen: undefined, help: undefined } };
	switch (text) {
		case "q":
		case "Q":
			return { ui, effect: "quit" };
		case "s":
			return { ui: sortedBy(ui, 1, context) };
		case "S":
			return { ui: sortedBy(ui, -1, context) };
		case "r":
			return { ui: changeTable(ui, { reversed: !ui.tables[ui.table].reversed }) };
		case "j":
			return { ui: moved(ui, "down", context) };
		case "k":
			return { ui: moved(ui, "up", context) };
		case "g":
			return { ui: moved(ui, "home", context) };
		case "G":
			return { ui: moved(ui, "end", context) };
		case " ":
			return { ui: moved(ui, "page-down", context) };
		case "p":
			return { ui: { ...ui, paused: !ui.paused }, effect: "pause" };
		case "f":
			return { ui, effect: "flame" };
		case "c":
			return { ui: { ...ui, table: "heap", frozen: undefined, help: undefined }, effect: "census" };
		case "/":
			return { ui: { ...ui, typing: true, help: undefined, frozen: undefined } };
		case "?":
		case "h":
			return { ui: { ...ui, help: ui.help === undefined ? 0 : undefined } };
		default:
			return { ui };
	}
}
