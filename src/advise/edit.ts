/** The edit that an advice asks for, where it is mechanical; or why there is none. */
import { codeOnly, lineStart, type MapMake, mapMakes, plainType } from "./go-source.ts";
import type { Advice } from "./record.ts";

/** A line as it is and, where it can be edited, as it should be. */
export interface SourceLine {
	line: number;
	text: string;
	edited?: string;
	/** Why it is not edited. */
	because?: string;
}

export const DIFFERS = "the source differs from the binary";

/** Files of a few thousand lines are asked for again and again. */
const parsed = new WeakMap<object, string>();

/** A file's text. */
export interface SourceText {
	readonly text: string;
}

/** The line of an advice; a string says why it is not shown. */
export function sourceLine(source: SourceText, advice: Advice): SourceLine | string {
	const { line } = advice.make_at;
	if (line === undefined) return "the line is not known";
	let code = parsed.get(source);
	if (code === undefined) {
		code = codeOnly(source.text);
		parsed.set(source, code);
	}
	const makes = mapMakes(source.text, code, line);
	const wanted = plainType(advice.map_type);
	const matching = makes.filter(({ type }) => plainType(type) === wanted);
	const [make] = matching;
	if (make === undefined) return DIFFERS;
	const from = lineStart(source.text, line) as number;
	const newline = source.text.indexOf("\n", from);
	const text = source.text.slice(from, newline < 0 ? undefined : newline);
	const shown = { line, text };
	if (makes.length > 1) return { ...shown, because: "the line makes several maps" };
	if (/\bfunc\s+make\b|(?<![.\w])make\s*(?::=|=[^=])|\bvar\s+make\b/.test(code))
		return { ...shown, because: "the file has a make of its own" };
	const edited = edit(text, from, make, advice);
	return typeof edited === "string" ? { ...shown, because: edited } : { ...shown, edited: edited.line };
}

function edit(text: string, from: number, make: MapMake, { kind, hint }: Advice): { line: string } | string {
	if (hint === undefined || kind === "leave" || kind === "reuse" || kind === "pass-number")
		return "it is for you to write";
	if (make.fixed !== undefined) return make.fixed;
	const at = (offset: number): number => offset - from;
	if (make.form === "literal") {
		return { line: `${text.slice(0, at(make.from))}make(${make.type}, ${hint})${text.slice(at(make.to))}` };
	}
	if (make.hint === undefined) return "it is not understood";
	const before = text.slice(0, at(make.hint.from));
	const insert = make.hint.text === "" ? `, ${hint}` : `${hint}`;
	return { line: `${before}${insert}${text.slice(at(make.hint.to))}` };
}
