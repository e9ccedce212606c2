import { displayWidth } from "./width.ts";

/** Breaks text at spaces into lines of at most `width` columns; a word that is longer stands alone and sticks out. */
export function wrap(text: string, width: number): string[] {
	const lines: string[] = [];
	let line = "";
	for (const word of text.split(" ")) {
		const longer = line === "" ? word : `${line} ${word}`;
		if (line !== "" && displayWidth(longer) > width) {
			lines.push(line);
			line = word;
		} else {
			line = longer;
		}
	}
	lines.push(line);
	return lines;
}

/** `label` in a column of its own, the wrapped text beside it; `labelWidth` columns including the gap. */
export function labelled(label: string, labelWidth: number, text: string, width: number): string[] {
	return wrap(text, Math.max(20, width - labelWidth)).map((line, index) => {
		return `${(index === 0 ? label : "").padEnd(labelWidth)}${line}`;
	});
}
