import type { Key, KeyName } from "../../../src/tui/keys.ts";
import { composeScreen, type ScreenState } from "../../../src/tui/screen.ts";
import { pressKey } from "../../../src/tui/ui-keys.ts";
import { initialUi, type UiState } from "../../../src/tui/ui-state.ts";

export function plain(state: ScreenState, columns: number, rows: number, ui = initialUi()): string[] {
	return composeScreen(state, ui, { columns, rows, color: false }).lines;
}

/** The state after these keys: names of keys in angle brackets, other characters as they are. */
export function pressed(state: ScreenState, columns: number, rows: number, keys: string, from = initialUi()): UiState {
	const parts: Key[] = (keys.match(/<[^>]+>|./gu) ?? []).map((part) =>
		part.length > 2 && part.startsWith("<") ? { name: part.slice(1, -1) as KeyName } : { text: part },
	);
	return parts.reduce((ui, key) => {
		const screen = composeScreen(state, ui, { columns, rows, color: false });
		const { elapsedNs } = state;
		return pressKey(ui, key, { ...screen, columns: screen.tableColumns, elapsedNs }).ui;
	}, from);
}
/** The first row of a table as columns show it, by heading: a dash where nothing was measured. */
export function shownRow(state: ScreenState, ui: UiState, index = 0): Record<string, string> {
	const { rows, tableColumns } = composeScreen(state, ui, { columns: 200, rows: 60, color: false });
	const row = rows[index];
	if (row === undefined) throw new Error(`no row ${index}`);
	return Object.fromEntries(
		tableColumns.map((column) => {
			if (column.kind === "text") return [column.heading, column.value(row)];
			const value = column.value(row);
			return [column.heading, value === undefined ? "–" : column.text(value)];
		}),
	);
}

/** Lines of the table below its heading, up to the first blank one. */
export function rowLines(lines: readonly string[]): string[] {
	const heading = lines.findIndex((line) => /[▾▴]/.test(line));
	const end = lines.findIndex((line, index) => index > heading && line === "");
	return lines.slice(heading + 1, end);
}
