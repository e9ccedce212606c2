/**
 * Arguments as they were typed: cac's parser makes numbers of what looks like one ("07" becomes 7, 0x10 becomes 16,
 * long ones lose digits), takes "true" and "false" for values of options that have none, and "-" for an option without
 * a name. So such words go through it behind a character that no argument can contain.
 */

const KEPT = "\u0000";
const WORDS = ["-", "true", "false"];

function kept(word: string): string {
	return WORDS.includes(word) || !Number.isNaN(Number(word)) ? `${KEPT}${word}` : word;
}

/** The arguments for the parser. What stands behind -- it leaves alone. */
export function keepTyped(args: readonly string[]): string[] {
	const end = args.includes("--") ? args.indexOf("--") : args.length;
	return args.map((arg, index) => {
		if (index >= end) return arg;
		const [, option, value] = /^(--?\w[^=]*=)(.*)$/s.exec(arg) ?? [];
		return option === undefined || value === undefined ? kept(arg) : `${option}${kept(value)}`;
	});
}

/** A value that the parser gave, as it was typed. */
export function asTyped(value: unknown): string {
	const text = String(value);
	return text.startsWith(KEPT) ? text.slice(KEPT.length) : text;
}
