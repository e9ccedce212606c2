/** What a screen has room for. */

export interface ScreenSize {
	columns: number;
	rows: number;
}

/** The parts around the table, which gets the rest. */
export interface Sections {
	/** Lines of the block of rates with its chart; 1: a single line of the most important ones. */
	rates: number;
	/** The newest growth, durations, kinds and causes, each in a line. */
	newest: boolean;
	took: boolean;
	shares: boolean;
	/** Lines of the panel that shows the row under the cursor; it stands for `newest` and `took`. */
	panel: number;
	/** Overhead, sampling, ledger. */
	status: boolean;
	/** Blank lines between the parts. */
	airy: boolean;
}

const BLOCK_FROM = { columns: 72, rows: 20 };
const PANEL_FROM = { columns: 110, rows: 36 };

/** `open`: help or a frozen row takes the table's place and shows by itself what the panel does. */
export function layoutOf({ columns, rows }: ScreenSize, open: boolean): Sections {
	const airy = rows >= PANEL_FROM.rows;
	const block = columns >= BLOCK_FROM.columns && rows >= BLOCK_FROM.rows;
	const rates = block ? Math.max(6, Math.min(13, Math.floor(rows / 5))) : rows >= 6 ? 1 : 0;
	const lines = { newest: rows >= 14, took: rows >= 14, shares: rows >= 17 };
	const sections: Sections = { rates, ...lines, panel: 0, status: rows >= 8, airy };
	if (open) return { ...sections, rates: airy ? rates : Math.min(1, rates), newest: false, took: false, shares: false };
	if (columns < PANEL_FROM.columns || !airy) return sections;
	// However many rows the table has: a panel that changes its size is restless.
	const panel = Math.max(11, Math.min(20, Math.round((rows - rates) * 0.36)));
	return { ...sections, panel, newest: false, took: false, shares: columns < 140 };
}
