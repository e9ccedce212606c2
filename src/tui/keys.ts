/** What a key press asks for. */
export type Action = "quit";

/** A terminal in raw mode sends Ctrl-C as this byte instead of a signal. */
const CTRL_C = "\x03";

/** The action of what was typed since the last read; undefined for keys without one. */
export function actionOf(input: string): Action | undefined {
	// An escape sequence (an arrow key, a pasted text's bracket) may hold any letter: it is no key press of ours.
	// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
	const keys = input.replace(/\x1b(?:[[O][\x20-\x3f]*[\x40-\x7e]|.)?/gu, "");
	return keys.includes("q") || keys.includes("Q") || keys.includes(CTRL_C) ? "quit" : undefined;
}
