/** What the user has chosen to see: changed by keys only. */

import type { Sorting } from "./row-order.ts";
import { type Row, TABLES, type TableName } from "./rows.ts";

export interface TableUi extends Sorting {
	/** Key of the row that the user has chosen; undefined: the cursor stays on the first row, whatever it is. */
	chosen: string | undefined;
}

/** A row with its growths as they were when it was looked at. */
export interface FrozenRow {
	table: TableName;
	row: Row;
	/** Since the start. */
	atNs: number;
	/** Lines scrolled off at the top. */
	scroll: number;
}

export interface UiState {
	table: TableName;
	tables: Record<TableName, TableUi>;
	filter: string;
	/** The filter is being typed. */
	typing: boolean;
	/** Lines of the help that are scrolled off; undefined: no help. */
	help: number | undefined;
	frozen: FrozenRow | undefined;
	/** The screen stands still. */
	paused: boolean;
	/** What the last command says, until the next key. */
	notice: { text: string; failed: boolean } | undefined;
}

const SORTED_BY: Record<TableName, string> = {
	sites: "grow",
	types: "grow",
	maps: "growths",
	goroutines: "growths",
	processes: "grow",
	heap: "held",
};

export function initialUi(): UiState {
	const tables = Object.fromEntries(
		TABLES.map((table) => [table, { column: SORTED_BY[table], reversed: false, chosen: undefined }]),
	) as Record<TableName, TableUi>;
	return {
		table: "sites",
		tables,
		filter: "",
		typing: false,
		help: undefined,
		frozen: undefined,
		paused: false,
		notice: undefined,
	};
}

/** Position of the cursor among the rows; 0 when the chosen one is no longer there. */
export function cursorOf(ui: UiState, rows: readonly Row[]): number {
	const { chosen } = ui.tables[ui.table];
	return chosen === undefined
		? 0
		: Math.max(
				0,
				rows.findIndex((row) => row.key === chosen),
			);
}
