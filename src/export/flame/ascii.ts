/** A flame graph as an icicle for the terminal: outermost frames on top, as wide as their share. */

import { formatShare, plural } from "../../text/units.ts";
import { displayWidth, endEllipsis, padEndWidth } from "../../text/width.ts";
import { wrap } from "../../text/wrap.ts";
import { categoryOf, type FlameCategory } from "./category.ts";
import { type FlameGraph, type FlameNode, flameTitle } from "./tree.ts";

export interface AsciiOptions {
	/** Columns that no line exceeds. */
	columns: number;
	color: boolean;
}

interface Cell {
	node: FlameNode;
	/** First column, and the one after the last. */
	from: number;
	to: number;
}

/** Too narrow for a name: neighbours of this kind become one mark. */
const MIN_COLUMNS = 4;
const MIN_NAME = 5;

/** Backgrounds and text of the 256-colour palette, which terminals agree on. */
const COLORS: Record<FlameCategory, readonly [background: number, text: number]> = {
	all: [253, 236],
	code: [223, 236],
	standard: [151, 236],
	runtime: [252, 238],
	type: [30, 231],
};

const ESCAPE = "\u001b";

function painted(text: string, category: FlameCategory, color: boolean): string {
	if (!color) return text;
	const [background, foreground] = COLORS[category];
	return `${ESCAPE}[48;5;${background};38;5;${foreground}m${text}${ESCAPE}[0m`;
}

function labelOf(node: FlameNode): string {
	return node.kind === "inlined" ? `${node.label} ‹inl›` : node.label;
}

/** Name and share in exactly `width` columns; the share goes first where both do not fit. */
function cellText(node: FlameNode, total: number, width: number): string {
	const share = formatShare(node.value, total);
	const room = width - displayWidth(share) - 1;
	if (room < MIN_NAME) return padEndWidth(endEllipsis(labelOf(node), width), width);
	return `${padEndWidth(endEllipsis(labelOf(node), room), room)} ${share}`;
}

/** The cells of the row below, and how many frames were too narrow for one. */
function childCells(parents: readonly Cell[], scale: number): { cells: Cell[]; narrow: number } {
	const cells: Cell[] = [];
	let narrow = 0;
	for (const parent of parents) {
		let before = 0;
		for (const node of parent.node.children) {
			const from = parent.from + Math.round(before * scale);
			before += node.value;
			const to = Math.min(parent.to, parent.from + Math.round(before * scale));
			if (to - from >= MIN_COLUMNS) cells.push({ node, from, to });
			else narrow++;
		}
	}
	return { cells, narrow };
}

function rowText(cells: readonly Cell[], total: number, color: boolean): string {
	let row = "";
	let column = 0;
	for (const cell of cells) {
		const text = cellText(cell.node, total, cell.to - cell.from - 1);
		row += `${" ".repeat(cell.from - column)}${color ? " " : "│"}${painted(text, categoryOf(cell.node), color)}`;
		column = cell.to;
	}
	return row.trimEnd();
}

/** The icicle under its title, each line with its line feed; widths below 20 columns are drawn as 20. */
export function asciiFlame(graph: FlameGraph, options: AsciiOptions): string {
	const columns = Math.max(20, options.columns);
	const lines = wrap(flameTitle(graph).join(" · "), columns);
	const total = graph.root.value;
	let narrow = 0;
	for (let row: Cell[] = [{ node: graph.root, from: 0, to: columns }]; total > 0 && row.length > 0; ) {
		lines.push(rowText(row, total, options.color));
		const below = childCells(row, columns / total);
		narrow += below.narrow;
		row = below.cells;
	}
	if (narrow > 0) lines.push(...wrap(`left out: ${plural(narrow, "stack")} too narrow to be drawn`, columns));
	return lines.map((line) => `${line}\n`).join("");
}
