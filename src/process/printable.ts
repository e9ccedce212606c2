/**
 * Text from another process, safe to print on a terminal and in one line: control characters (C0, C1, DEL) and characters that
 * reorder or hide text become "?", and more than `limit` characters are cut.
 */
export function printable(text: string, limit: number): string {
	const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, "?");
	const characters = [...clean];
	return characters.length <= limit ? clean : `${characters.slice(0, limit - 1).join("")}…`;
}
