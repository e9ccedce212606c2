/** Text cut and padded by display width: a CJK character takes two columns, a combining mark none. */

const ELLIPSIS = "…";

/** Columns that the text takes on a terminal. */
export function displayWidth(text: string): number {
	return Bun.stringWidth(text);
}

/** The longest that is no wider than `width`. A slice has the wide character that its end cuts in two, and marks that are counted apart. */
function fitting(slice: (columns: number) => string, width: number): string {
	for (let columns = width; columns > 0; columns--) {
		const part = slice(columns);
		if (displayWidth(part) <= width) return part;
	}
	return "";
}

/** The beginning of the text that fits into `width` columns. */
function head(text: string, width: number): string {
	return fitting((columns) => Bun.sliceAnsi(text, 0, columns), width);
}

/** The end of the text, which takes `total` columns, that fits into `width`. */
function tail(text: string, width: number, total: number): string {
	return fitting((columns) => Bun.sliceAnsi(text, total - columns), width);
}

/** The text in at most `width` columns; when it is longer, its beginning and an ellipsis. */
export function endEllipsis(text: string, width: number): string {
	if (displayWidth(text) <= width) return text;
	return width < 1 ? "" : head(text, width - 1) + ELLIPSIS;
}

/** The text in at most `width` columns; when it is longer, its beginning and end around an ellipsis. */
export function middleEllipsis(text: string, width: number): string {
	const total = displayWidth(text);
	if (total <= width) return text;
	if (width < 1) return "";
	const end = tail(text, Math.floor((width - 1) / 2), total);
	return head(text, width - 1 - displayWidth(end)) + ELLIPSIS + end;
}

/** The text followed by spaces up to `width` columns; unchanged when it is wider. */
export function padEndWidth(text: string, width: number): string {
	return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** The text after spaces up to `width` columns; unchanged when it is wider. */
export function padStartWidth(text: string, width: number): string {
	return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}
