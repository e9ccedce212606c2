/** Text cut and padded by display width: a CJK character takes two columns, a combining mark none. */

const ELLIPSIS = "…";
/** Made when it is first needed: that takes milliseconds. */
let segmenter: Intl.Segmenter | undefined;

/** Columns that the text takes on a terminal. */
export function displayWidth(text: string): number {
	return Bun.stringWidth(text);
}

function graphemes(text: string): string[] {
	segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
	return Array.from(segmenter.segment(text), (part) => part.segment);
}

/** The longest beginning of the parts that fits into `width` columns. */
function takeWidth(parts: Iterable<string>, width: number): string[] {
	const taken: string[] = [];
	let used = 0;
	for (const part of parts) {
		used += displayWidth(part);
		if (used > width) break;
		taken.push(part);
	}
	return taken;
}

/** The text in at most `width` columns; when it is longer, its beginning and an ellipsis. */
export function endEllipsis(text: string, width: number): string {
	if (displayWidth(text) <= width) return text;
	if (width < 1) return "";
	return takeWidth(graphemes(text), width - 1).join("") + ELLIPSIS;
}

/** The text in at most `width` columns; when it is longer, its beginning and end around an ellipsis. */
export function middleEllipsis(text: string, width: number): string {
	if (displayWidth(text) <= width) return text;
	if (width < 1) return "";
	const parts = graphemes(text);
	const tail = takeWidth(parts.toReversed(), Math.floor((width - 1) / 2))
		.reverse()
		.join("");
	const head = takeWidth(parts, width - 1 - displayWidth(tail)).join("");
	return head + ELLIPSIS + tail;
}

/** The text followed by spaces up to `width` columns; unchanged when it is wider. */
export function padEndWidth(text: string, width: number): string {
	return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** The text after spaces up to `width` columns; unchanged when it is wider. */
export function padStartWidth(text: string, width: number): string {
	return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}
