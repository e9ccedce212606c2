import { displayWidth, middleEllipsis, padEndWidth, padStartWidth } from "./width.ts";

export interface TableColumn {
	heading: string;
	/** number: right-aligned, with its unit. */
	kind: "number" | "text";
	/** Where names would be cut much, columns with a rank are left out, the highest first. */
	rank?: number;
	cells: readonly string[];
}

const GAP = "  ";
/** Text columns are not cut below this. */
const MIN_TEXT = 12;

function aligned({ heading, kind, cells }: TableColumn): string[] {
	if (kind === "text") return [heading, ...cells];
	const width = Math.max(displayWidth(heading), ...cells.map(displayWidth));
	return [heading, ...cells].map((text) => padStartWidth(text, width));
}

/** Widths for text columns, so that all fits into `room`: the widest one is cut first. */
function fitted(wanted: readonly number[], room: number): number[] {
	const widths = [...wanted];
	for (;;) {
		const sum = widths.reduce((total, width) => total + width, 0);
		const most = Math.max(0, ...widths);
		if (sum <= room || most <= MIN_TEXT) return widths;
		const second = Math.max(MIN_TEXT, ...widths.filter((width) => width < most));
		const count = widths.filter((width) => width === most).length;
		const target = Math.max(second, most - Math.ceil((sum - room) / count));
		for (const [index, width] of widths.entries()) if (width === most) widths[index] = target;
	}
}

/** Names of which so much is left can be read. */
const READABLE = 24;

/** What names need to be read, and numbers to be whole. */
function needed(table: readonly TableColumn[]): number {
	const widths = table.map((column) => {
		const width = Math.max(...aligned(column).map(displayWidth));
		return column.kind === "text" ? Math.min(width, READABLE) : width;
	});
	return widths.reduce((sum, width) => sum + width, GAP.length * (table.length - 1));
}

/** The columns that fit, without those that matter least. */
function fittingColumns(table: readonly TableColumn[], columns: number): readonly TableColumn[] {
	let kept = table;
	while (needed(kept) > columns) {
		const most = Math.max(...kept.map(({ rank = 0 }) => rank));
		if (most <= 0) return kept;
		kept = kept.filter(({ rank = 0 }) => rank < most);
	}
	return kept;
}

/** Lines of a table under its headings, at most `columns` wide where that is possible; Infinity: nothing is cut. */
export function textTable(all: readonly TableColumn[], columns: number): string[] {
	const table = fittingColumns(all, columns);
	const texts = table.map(aligned);
	const widths = texts.map((cells) => Math.max(...cells.map(displayWidth)));
	const textIndexes = table.flatMap(({ kind }, index) => (kind === "text" ? [index] : []));
	const gaps = GAP.length * (table.length - 1);
	const numbers = widths.reduce((sum, width, index) => (textIndexes.includes(index) ? sum : sum + width), gaps);
	const cut = fitted(
		textIndexes.map((index) => widths[index] ?? 0),
		columns - numbers,
	);
	for (const [position, index] of textIndexes.entries()) widths[index] = cut[position] ?? 0;
	const rows = texts[0]?.length ?? 0;
	return Array.from({ length: rows }, (_, row) =>
		texts
			.map((cells, index) => padEndWidth(middleEllipsis(cells[row] ?? "", widths[index] ?? 0), widths[index] ?? 0))
			.join(GAP)
			.trimEnd(),
	);
}
