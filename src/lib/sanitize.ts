/**
 * Text that comes from an observed process (names of processes, functions, types, files) is data, and a terminal or a
 * log viewer must never take it for commands. What could act on a screen is spelled out or replaced.
 */

/** Longest sanitised text, in code points, unless a caller says otherwise. */
export const MAX_TEXT_LENGTH = 512;

const ELLIPSIS = "…";

/**
 * Cc: control characters (ESC and the one-byte CSI among them). Cf: bidi overrides, zero-width and tag characters.
 * Cs: surrogates without a partner. Zl, Zp: line separators (Unicode 15, general categories).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const CONTROL = /\p{Cc}/u;

function spellOut(character: string): string {
	if (!CONTROL.test(character)) return "\ufffd";
	return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/**
 * Makes text safe to print: control characters become `\xNN`, invisible and reordering characters and lone surrogates
 * become U+FFFD. A result longer than `maxLength` code points keeps its beginning and end around an ellipsis.
 */
export function sanitize(text: string, maxLength: number = MAX_TEXT_LENGTH): string {
	// A code point has at most two units: beyond this the middle can't survive the cut below, so it is not looked at.
	const reach = maxLength * 2;
	const bounded = text.length > reach * 2 ? text.slice(0, reach) + text.slice(-reach) : text;
	const safe = bounded.replace(UNSAFE, spellOut);
	if (safe.length <= maxLength) return safe;
	const points = Array.from(safe);
	return points.length <= maxLength ? safe : cutMiddle(points, maxLength);
}

function cutMiddle(points: string[], maxLength: number): string {
	if (maxLength < 1) return "";
	const head = Math.ceil((maxLength - 1) / 2);
	const tail = maxLength - 1 - head;
	return points.slice(0, head).join("") + ELLIPSIS + (tail > 0 ? points.slice(-tail).join("") : "");
}
