/** Advice for people: text and Markdown. */
import { sanitize } from "../lib/sanitize.ts";
import { formatDuration, plural } from "../text/units.ts";
import type { Advice, AdviceRecord } from "./record.ts";
import { editText, KIND_NAMES, placeText, sentences } from "./wording.ts";

/** Width of the first column. */
const KIND_WIDTH = 13;

/** `source`: lines to be shown below an advice. */
export function adviceText(record: AdviceRecord, rows: number, source?: (advice: Advice) => readonly string[]): string {
	const { advice, observed_ns } = record;
	const shown = advice.slice(0, rows);
	const blocks = shown.map((item) => itemText(item, observed_ns, source?.(item) ?? []));
	const more = advice.length - shown.length;
	return [
		headText(record),
		...blocks,
		...(more > 0 ? [`and ${more} more: --rows ${advice.length}, or --json for all`] : []),
		...(record.notes.length > 0 ? [record.notes.map((note) => `note: ${sanitize(note)}`).join("\n")] : []),
	].join("\n\n");
}

function headText({ advice, lines, undecided, observed_ns }: AdviceRecord): string {
	const unknown = undecided === 0 ? "" : ` · too little known of ${plural(undecided, "line")} whose maps grow`;
	return `${advice.length === 1 ? "one line to look at" : `${advice.length} lines to look at`} · ${formatDuration(observed_ns)} observed · ${plural(lines, "line")} that made maps${unknown}`;
}

function itemText(item: Advice, observedNs: number, source: readonly string[]): string {
	const indent = " ".repeat(KIND_WIDTH);
	const first = `${KIND_NAMES[item.kind].padEnd(KIND_WIDTH)}${placeText(item)}  ${editText(item)}`;
	return [first, ...[...sentences(item, observedNs), ...source].map((line) => indent + line)].join("\n");
}

/** So much advice stands in a summary. */
export const SHOWN_ADVICE = 3;

/** The best few, one line each, for summaries. */
export function topAdvice({ advice }: AdviceRecord, most: number): string[] {
	return advice
		.filter(({ kind }) => kind !== "leave")
		.slice(0, most)
		.map((item) => `${KIND_NAMES[item.kind]}  ${placeText(item)}  ${editText(item)}`);
}

/** A table for a pull request or an issue. */
export function adviceMarkdown(record: AdviceRecord): string {
	const rows = record.advice.map((item) =>
		[
			KIND_NAMES[item.kind],
			code(placeText(item)),
			code(editText(item)),
			escaped(sentences(item, record.observed_ns).join("; ")),
		].join(" | "),
	);
	return [
		`**${escaped(headText(record))}**`,
		"",
		...(rows.length === 0
			? []
			: ["| advice | line | edit | why |", "|---|---|---|---|", ...rows.map((row) => `| ${row} |`)]),
		...record.notes.map((note) => `\n${escaped(note)}`),
		"",
	].join("\n");
}

const SPECIAL = /[\\`*_{}[\]()#+!|<>&~$@]/g;

/** Text in which nothing means anything to Markdown or HTML. */
function escaped(text: string): string {
	return sanitize(text).replace(SPECIAL, (character) => `&#${character.charCodeAt(0)};`);
}

/** As code: HTML, because text between backticks may hold backticks itself. */
function code(text: string): string {
	return `<code>${escaped(text)}</code>`;
}
