/** Go source as far as it has to be understood to find where a line makes a map: comments, strings, brackets. */

/**
 * The source with comments, strings and runes blanked out, of the same length: what is left of a line is code. (go/scanner:
 * raw strings and general comments go over lines.)
 */
export function codeOnly(source: string): string {
	const pattern = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:\\.|[^"\\\n])*"?|`[^`]*`?|'(?:\\.|[^'\\\n])*'?/g;
	return source.replace(pattern, (text) => text.replace(/[^\n]/g, " "));
}

/** One place that makes a map. */
export interface MapMake {
	/** Offsets in the source: of the type, and of the whole expression. */
	from: number;
	to: number;
	type: string;
	/** make: a call; what is given as hint stands from `hint.from` to `hint.to`. literal: an empty composite literal. */
	form: "make" | "literal";
	hint?: { from: number; to: number; text: string };
	/** It cannot be edited: why. */
	fixed?: string;
}

const CLOSING: Record<string, string> = { "(": ")", "[": "]", "{": "}" };

/** Where the bracket at `open` closes; undefined when it does not before `end`. */
function closeOf(code: string, open: number, end: number): number | undefined {
	const wanted: string[] = [];
	for (let at = open; at < end; at++) {
		const character = code[at] as string;
		const closing = CLOSING[character];
		if (closing !== undefined) wanted.push(closing);
		else if (character === ")" || character === "]" || character === "}") {
			if (wanted.pop() !== character) return undefined;
			if (wanted.length === 0) return at;
		}
	}
	return undefined;
}

/** The end of the type that begins at `at`; undefined where none that is known does. */
function typeEnd(code: string, at: number, end: number): number | undefined {
	const rest = code.slice(at, end);
	const word = /^(?:[*]|\.\.\.)/.exec(rest);
	if (word !== null) return typeEnd(code, at + word[0].length, end);
	if (rest.startsWith("map[")) {
		const close = closeOf(code, at + 3, end);
		return close === undefined ? undefined : typeEnd(code, close + 1, end);
	}
	if (rest.startsWith("[")) {
		const close = closeOf(code, at, end);
		return close === undefined ? undefined : typeEnd(code, close + 1, end);
	}
	const braced = /^(?:struct|interface)\s*\{/.exec(rest);
	if (braced !== null) {
		const close = closeOf(code, at + braced[0].length - 1, end);
		return close === undefined ? undefined : close + 1;
	}
	const channel = /^(?:<-\s*chan|chan\s*<-|chan)\s+/.exec(rest);
	if (channel !== null) return typeEnd(code, at + channel[0].length, end);
	if (/^func\s*\(/.test(rest)) return undefined;
	const name = /^[\p{L}_][\p{L}\p{Nd}_]*(?:\.[\p{L}_][\p{L}\p{Nd}_]*)?/u.exec(rest);
	if (name === null) return undefined;
	const after = at + name[0].length;
	if (code[after] !== "[") return after;
	// Type arguments.
	const close = closeOf(code, after, end);
	return close === undefined ? undefined : close + 1;
}

/** Characters of a line that is looked at: no one edits longer ones. */
const MAX_LINE = 4096;

/** All places of the source's line (1 is the first) that make a map or may do so. `code`: from codeOnly. */
export function mapMakes(source: string, code: string, line: number): MapMake[] {
	const from = lineStart(code, line);
	if (from === undefined) return [];
	const newline = code.indexOf("\n", from);
	const end = newline < 0 ? code.length : newline;
	if (end - from > MAX_LINE) return [];
	const found: MapMake[] = [];
	const pattern = /(?<![\p{L}\p{Nd}_.])(?:make\s*\(|map\[)/gu;
	pattern.lastIndex = from;
	for (let match = pattern.exec(code); match !== null && match.index < end; match = pattern.exec(code)) {
		const make = match[0].startsWith("make")
			? call(source, code, match.index, match.index + match[0].length - 1, end)
			: literal(source, code, match.index, end);
		if (make === undefined) continue;
		found.push(make);
		// A map as an argument or in the braces of another one is found, too.
		pattern.lastIndex = make.form === "make" ? Math.max(pattern.lastIndex, make.from + make.type.length) : make.to;
	}
	return found;
}

function call(source: string, code: string, start: number, open: number, end: number): MapMake | undefined {
	const from = open + 1 + (/^\s*/.exec(code.slice(open + 1, end))?.[0].length ?? 0);
	const typeTo = typeEnd(code, from, end);
	const type = typeTo === undefined ? source.slice(from, end) : source.slice(from, typeTo);
	if (type.startsWith("[") || /^(?:<-\s*)?chan\b/.test(type)) return undefined;
	const close = closeOf(code, open, end);
	const whole = { from: start, type, form: "make" as const };
	if (typeTo === undefined) return { ...whole, to: end, fixed: "its type is not understood" };
	if (close === undefined) return { ...whole, to: end, fixed: "it goes over several lines" };
	const comma = /^\s*,\s*/.exec(code.slice(typeTo, close));
	if (comma === null) {
		if (code.slice(typeTo, close).trim() !== "") return { ...whole, to: close + 1, fixed: "it is not understood" };
		return { ...whole, to: close + 1, hint: { from: close, to: close, text: "" } };
	}
	const hintFrom = typeTo + comma[0].length;
	const text = code.slice(hintFrom, close).trimEnd();
	const hint = { from: hintFrom, to: hintFrom + text.length, text };
	return {
		...whole,
		to: close + 1,
		hint,
		...(/^\d+$/.test(text) ? {} : { fixed: `its hint is an expression: ${text}` }),
	};
}

/** What may stand before an expression. */
const BEFORE = /(?:[=(,:{;]|\breturn)\s*$/;

function literal(source: string, code: string, from: number, end: number): MapMake | undefined {
	const typeTo = typeEnd(code, from, end);
	if (typeTo === undefined || code[typeTo] !== "{") return undefined;
	const type = source.slice(from, typeTo);
	const close = closeOf(code, typeTo, end);
	const whole = { from, type, form: "literal" as const };
	// Where the braces hold something, the compiler gives make the number of it.
	if (close === undefined || source.slice(typeTo + 1, close).trim() !== "") {
		return { ...whole, to: typeTo + 1, fixed: "the literal has entries" };
	}
	if (!BEFORE.test(code.slice(Math.max(0, from - 200), from))) {
		return { ...whole, to: close + 1, fixed: "what stands before the literal is not understood" };
	}
	return { ...whole, to: close + 1 };
}

/** Offset of the first character of a line; undefined when there are fewer lines. */
export function lineStart(text: string, line: number): number | undefined {
	let at = 0;
	for (let n = 1; n < line; n++) {
		const next = text.indexOf("\n", at);
		if (next < 0) return undefined;
		at = next + 1;
	}
	return at;
}

const ALIASES: Record<string, string> = { any: "interface{}", byte: "uint8", rune: "int32" };

/** A type without what the source and the runtime spell differently: packages, spaces, names of the same type. */
export function plainType(type: string): string {
	return type
		.replace(/\/\*[\s\S]*?\*\/|\s+/g, "")
		.replace(/(?:[\p{L}_][\p{L}\p{Nd}_]*\.)+(?=[\p{L}_])/gu, "")
		.replace(/[\p{L}_][\p{L}\p{Nd}_]*/gu, (word) => ALIASES[word] ?? word);
}
