/** Text in lines of a width, alone or beside a label. */

/** Breaks text at spaces into lines of at most `width` columns; a word that is longer stands alone and sticks out. */
export function wrap(text: string, width: number): string[] {
	return Bun.wrapAnsi(text, width).split("\n");
}

/** Each line, with its line feed, broken at spaces into lines of at most so many columns, the further ones indented; Infinity: as it is. */
export function wrapLines(text: string, columns: number): string {
	if (!Number.isFinite(columns)) return text;
	const lines = text.split("\n").flatMap((line) => {
		if (Bun.stringWidth(line) <= columns) return line;
		const [first = "", ...rest] = wrap(line, columns);
		return [first, ...wrap(rest.join(" "), Math.max(20, columns - 2)).map((part) => `  ${part.trimStart()}`)];
	});
	return lines.join("\n");
}

/** `label` in a column of its own, the wrapped text beside it; `labelWidth` columns including the gap. */
export function labelled(label: string, labelWidth: number, text: string, width: number): string[] {
	return wrap(text, Math.max(20, width - labelWidth)).map((line, index) => {
		return `${(index === 0 ? label : "").padEnd(labelWidth)}${line}`;
	});
}
