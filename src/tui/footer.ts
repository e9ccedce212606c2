/** The last line: keys, what is being typed, or what the last command has to say. */

import { sanitize } from "../lib/sanitize.ts";
import { displayWidth, middleEllipsis } from "../text/width.ts";
import { clipLine, type Line, lineWidth, type Span, trimLine } from "./line.ts";
import type { UiState } from "./ui-state.ts";

type Hint = readonly [key: string, text: string];

const VIEW_KEYS: Hint = ["1-6", "view"];
const TABLE_KEYS: readonly Hint[] = [
	VIEW_KEYS,
	["s", "sort"],
	["r", "reverse"],
	["↵", "stack"],
	["/", "filter"],
	["p", "pause"],
	["f", "flame"],
];
const ROW_KEYS: readonly Hint[] = [
	["↵", "newest"],
	["↑↓", "scroll"],
	["esc", "back"],
	["f", "flame"],
	["p", "pause"],
];
const HELP_KEYS: readonly Hint[] = [
	["↑↓", "scroll"],
	["esc", "back"],
];
const LAST_KEYS: readonly Hint[] = [
	["?", "help"],
	["q", "quit"],
];

function hintLine([key, text]: Hint): Line {
	return [
		{ text: ` ${key}`, style: "strong" },
		{ text: ` ${text} `, style: "dim" },
	];
}

/** How to leave always has room; of the others as many as fit. The tables are the first to go: their numbers stand at their names, too. */
function hints(keys: readonly Hint[], last: readonly Hint[], columns: number): Span[] {
	const kept = [...keys];
	const line = () => [...kept, ...last].flatMap(hintLine);
	// The blank behind the last one may be cut off.
	while (kept.length > 0 && lineWidth(line()) - 1 > columns) {
		if (kept[0] === VIEW_KEYS) kept.shift();
		else kept.pop();
	}
	return clipLine(trimLine(line()), columns);
}

/** `keys`: standard input is a terminal whose keys we get. */
export function footerLine(ui: UiState, keys: boolean, columns: number): Span[] {
	if (!keys) return clipLine(hintLine(["Ctrl-C", "quit"]), columns);
	if (ui.notice !== undefined) {
		const text = middleEllipsis(sanitize(ui.notice.text, 4096), Math.max(1, columns - 2));
		return [{ text: " " }, { text, style: ui.notice.failed ? "alarm" : "accent" }];
	}
	if (ui.typing) {
		const hint: Line = [...hintLine(["↵", "keep"]), ...hintLine(["esc", "clear"])];
		const room = Math.max(4, columns - lineWidth(hint) - 3);
		// The end of what is being typed matters.
		let text = ui.filter;
		while (displayWidth(text) > room - 1 && text !== "") text = Array.from(text).slice(1).join("");
		const prompt: Line = [
			{ text: " /", style: "accent" },
			{ text: sanitize(text) },
			{ text: "▏", style: "accent" },
			{ text: " " },
		];
		return clipLine([...prompt, ...hint], columns);
	}
	if (ui.help !== undefined) return hints(HELP_KEYS, [["q", "quit"]], columns);
	const keep = ui.paused ? TABLE_KEYS.map(([key, text]): Hint => [key, key === "p" ? "go on" : text]) : TABLE_KEYS;
	return hints(ui.frozen === undefined ? keep : ROW_KEYS, LAST_KEYS, columns);
}
