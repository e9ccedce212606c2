import picocolors from "picocolors";
import { displayWidth, endEllipsis } from "../text/width.ts";

/** One accent colour; everything else is weight. `alarm` is for lost data only. */
export type Style = "accent" | "strong" | "dim" | "alarm";

/** A piece of a line; the text must be safe to print (sanitised, no escape sequences). */
export interface Span {
	text: string;
	style?: Style;
}

export type Line = readonly Span[];

export type Painter = (span: Span) => string;

/** Spells styles as escape sequences, or leaves the text alone. */
export function createPainter(color: boolean): Painter {
	const colors = picocolors.createColors(color);
	const formatters: Record<Style, (text: string) => string> = {
		accent: colors.cyan,
		strong: colors.bold,
		dim: colors.dim,
		alarm: colors.inverse,
	};
	return (span) => (span.style === undefined ? span.text : formatters[span.style](span.text));
}

export function lineWidth(line: Line): number {
	return line.reduce((sum, span) => sum + displayWidth(span.text), 0);
}

/** The line in at most `columns`; what does not fit ends in an ellipsis. */
export function clipLine(line: Line, columns: number): Span[] {
	if (lineWidth(line) <= columns) return [...line];
	const clipped: Span[] = [];
	let left = columns;
	for (const span of line) {
		const width = displayWidth(span.text);
		if (width < left) {
			clipped.push(span);
			left -= width;
			continue;
		}
		// More follows, or this piece is too long: a blank makes a piece that just fits too long, so that it is marked.
		clipped.push({ ...span, text: endEllipsis(`${span.text} `, left) });
		break;
	}
	return clipped;
}

/** Without the blanks at its end. */
export function trimLine(line: Line): Span[] {
	const spans = [...line];
	for (let last = spans.pop(); last !== undefined; last = spans.pop()) {
		// A blank in inverse can be seen.
		const text = last.style === "alarm" ? last.text : last.text.trimEnd();
		if (text !== "") return [...spans, { ...last, text }];
	}
	return [];
}

/** Joins as many fields as fit into `columns`; the first one is always there, the others come whole or not at all. */
export function joinFields(fields: readonly Line[], separator: string, columns: number): Span[] {
	const line: Span[] = [];
	let used = 0;
	for (const field of fields) {
		const width = lineWidth(field) + (line.length > 0 ? displayWidth(separator) : 0);
		if (line.length > 0 && used + width > columns) continue;
		if (line.length > 0) line.push({ text: separator, style: "dim" });
		line.push(...field);
		used += width;
	}
	return clipLine(line, columns);
}

/** Joins fields into as many lines as they need; a field that is wider than a line is cut. */
export function flowFields(fields: readonly Line[], separator: string, columns: number): Span[][] {
	const lines: Span[][] = [];
	let used = 0;
	for (const field of fields) {
		const last = lines.at(-1);
		const width = lineWidth(field);
		if (last !== undefined && used + displayWidth(separator) + width <= columns) {
			last.push({ text: separator, style: "dim" }, ...field);
			used += displayWidth(separator) + width;
			continue;
		}
		lines.push(clipLine(field, columns));
		used = Math.min(width, columns);
	}
	return lines;
}

/** A line with a right-aligned end; when both do not fit, the beginning is cut. */
export function spread(left: Line, right: Line, columns: number): Span[] {
	const rightWidth = lineWidth(right);
	const room = columns - rightWidth - 1;
	if (room < 1) return clipLine(left, columns);
	const start = clipLine(left, room);
	return [...start, { text: " ".repeat(columns - rightWidth - lineWidth(start)) }, ...right];
}

/** The line in exactly `columns`: cut, or followed by blanks. */
function fillLine(line: Line, columns: number): Span[] {
	const clipped = clipLine(line, columns);
	const missing = columns - lineWidth(clipped);
	return missing > 0 ? [...clipped, { text: " ".repeat(missing) }] : clipped;
}

/** Blocks of lines side by side, each in its width; the shorter ones end in blanks. */
export function beside(blocks: readonly { lines: readonly Line[]; width: number }[]): Line[] {
	const rows = Math.max(0, ...blocks.map(({ lines }) => lines.length));
	return Array.from({ length: rows }, (_, row) =>
		blocks.flatMap(({ lines, width }) => fillLine(lines[row] ?? [], width)),
	);
}
