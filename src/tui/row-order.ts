/** Which rows of a table are shown and in what order. */
import { compareText } from "../lib/compare.ts";
import { sanitize } from "../lib/sanitize.ts";
import { amountOf } from "../records/figure.ts";
import type { Column } from "./columns.ts";
import type { Row } from "./rows.ts";

export interface Sorting {
	/** Id of a column. */
	column: string;
	/** Numbers the largest first and names from A on, unless reversed. */
	reversed: boolean;
}

/** Everything of a row that has a name, in lower case. */
function searchText(row: Row, columns: readonly Column[]): string {
	const texts = columns.flatMap((column) => (column.kind === "text" ? [column.value(row)] : []));
	const { site, pid, goid, mapType } = row;
	texts.push(site?.fn ?? "", site?.file ?? "", mapType ?? "");
	if (pid !== undefined) texts.push(`${pid}`);
	if (goid !== undefined) texts.push(`${goid}`);
	return sanitize(texts.join("\n"), 4096).toLowerCase();
}

/** Whether a text passes a word of the filter: a regular expression, or just text where it is none (while it is typed, say); `!` in front: not. */
function passes(word: string): (text: string) => boolean {
	const not = word.length > 1 && word.startsWith("!");
	const pattern = not ? word.slice(1) : word;
	let found = (text: string): boolean => text.includes(pattern.toLowerCase());
	try {
		const expression = new RegExp(pattern, "i");
		found = (text) => expression.test(text) || text.includes(pattern.toLowerCase());
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
	}
	return (text) => found(text) !== not;
}

/** Rows that pass all words of the filter, whatever the case. */
function filtered(rows: readonly Row[], filter: string, columns: readonly Column[]): readonly Row[] {
	const words = filter.split(/\s+/).filter(Boolean).map(passes);
	if (words.length === 0) return rows;
	return rows.filter((row) => {
		const text = searchText(row, columns);
		return words.every((pass) => pass(text));
	});
}

/** Filtered and sorted; what was not measured comes after what was, the row for all the rest last. Equal rows stay in the table's order. */
export function orderRows(
	rows: readonly Row[],
	columns: readonly Column[],
	{ column: id, reversed }: Sorting,
	filter: string,
): Row[] {
	const shown = filtered(rows, filter, columns);
	const column = columns.find((candidate) => candidate.id === id);
	if (column === undefined) return [...shown];
	const sign = reversed ? -1 : 1;
	const keyed = shown.map((row) => ({ row, key: column.value(row) }));
	keyed.sort((a, b) => {
		if (a.row.rest !== b.row.rest) return a.row.rest ? 1 : -1;
		if (a.key === undefined || b.key === undefined) return Number(a.key === undefined) - Number(b.key === undefined);
		if (typeof a.key === "string" || typeof b.key === "string") return sign * compareText(`${a.key}`, `${b.key}`);
		return sign * (amountOf(b.key) - amountOf(a.key));
	});
	return keyed.map(({ row }) => row);
}
