/** Keys as a terminal in raw mode sends them. */

export type KeyName =
	| "up"
	| "down"
	| "left"
	| "right"
	| "home"
	| "end"
	| "page-up"
	| "page-down"
	| "enter"
	| "escape"
	| "backspace"
	| "tab"
	| "ctrl-c"
	| "ctrl-l"
	| "ctrl-u"
	| "ctrl-z";

/** A named key, or the character that was typed. */
export type Key = { name: KeyName } | { text: string };

/** By final byte of a CSI or SS3 sequence (ECMA-48, xterm ctlseqs "PC-Style Function Keys"). */
const FINALS: Record<string, KeyName> = {
	A: "up",
	B: "down",
	C: "right",
	D: "left",
	H: "home",
	F: "end",
};

/** By the first parameter of CSI n ~ (VT220 and rxvt). */
const TILDES: Record<string, KeyName> = {
	"1": "home",
	"7": "home",
	"4": "end",
	"8": "end",
	"5": "page-up",
	"6": "page-down",
};

const CONTROLS: Record<string, KeyName> = {
	"\x03": "ctrl-c",
	"\x08": "backspace",
	"\x09": "tab",
	"\x0a": "enter",
	"\x0c": "ctrl-l",
	"\x0d": "enter",
	"\x15": "ctrl-u",
	"\x1a": "ctrl-z",
	"\x7f": "backspace",
};

const ESC = "\x1b";
/** A sequence that is longer is no key. */
const MAX_SEQUENCE = 32;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const SEQUENCE = /^\x1b(?:\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])|O([\x40-\x7e]))/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const UNFINISHED = /^\x1b(?:\[[\x20-\x3f]*|O)?$/;

/** Turns what is read into keys. A sequence may come in several pieces; an escape key cannot be told from the first of them. */
export class KeyReader {
	#rest = "";

	/** The keys that are complete. */
	feed(text: string): Key[] {
		const keys: Key[] = [];
		let left = this.#rest + text;
		this.#rest = "";
		while (left !== "") {
			if (left.length <= MAX_SEQUENCE && UNFINISHED.test(left)) {
				this.#rest = left;
				break;
			}
			const { key, length } = firstKey(left);
			if (key !== undefined) keys.push(key);
			left = left.slice(length);
		}
		return keys;
	}

	/** Whether a sequence has begun: when nothing follows soon, `flush`. */
	get waiting(): boolean {
		return this.#rest !== "";
	}

	/** Nothing has followed: it was the escape key. */
	flush(): Key[] {
		const rest = this.#rest;
		this.#rest = "";
		return rest === ESC ? [{ name: "escape" }] : [];
	}
}

function firstKey(text: string): { key: Key | undefined; length: number } {
	const first = String.fromCodePoint(text.codePointAt(0) ?? 0);
	if (first !== ESC) {
		const name = CONTROLS[first];
		if (name !== undefined) return { key: { name }, length: 1 };
		return { key: first < " " ? undefined : { text: first }, length: first.length };
	}
	const sequence = SEQUENCE.exec(text);
	if (sequence === null) {
		// Two escapes, or Alt with a key, which means nothing here.
		const second = text[1];
		return second === ESC ? { key: { name: "escape" }, length: 1 } : { key: undefined, length: 2 };
	}
	const [whole, parameters = "", csi, ss3] = sequence;
	const final = csi ?? ss3 ?? "";
	const name = final === "~" ? TILDES[parameters.split(";")[0] ?? ""] : FINALS[final];
	return { key: name === undefined ? undefined : { name }, length: whole.length };
}
