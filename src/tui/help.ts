/** What the keys and the columns are. */
import { wrap } from "../text/wrap.ts";
import { columnsOf } from "./columns.ts";
import type { Line } from "./line.ts";
import type { TableName } from "./rows.ts";

const KEYS: readonly (readonly [string, string])[] = [
	["1 to 6, tab", "call sites, map types, single maps, goroutines, processes; the largest maps in the heap"],
	["↑ ↓ j k", "move the cursor; page up and down, home and end too"],
	["enter", "freeze the row: its newest growth, stack and durations; again: the newest of now"],
	["s S ← →", "sort by the next or previous column"],
	["r", "reverse the order"],
	[
		"/",
		"show only rows that match these words or regular expressions, !word: only others; enter keeps the filter, esc clears it",
	],
	["p", "stop the screen, or let it go on; everything is recorded meanwhile"],
	["c", "read anew which maps are in the heap, also of large and of many processes"],
	["f", "write a flame graph of all growths so far to the current folder"],
	["esc", "back; in the table: clear the filter, then let the cursor go to the first row"],
	["Ctrl-Z Ctrl-L", "suspend; draw anew"],
	["q Ctrl-C", "quit"],
];

const WORDS: readonly (readonly [string, string])[] = [
	["growth", "a map gets more room: a larger array of slots is made, and its entries move there"],
	["growth work", "evacuations: calls that copy entries, in later writes of classic maps; rehashes of swiss maps"],
	["copied", "bytes of the entries that growths copy"],
	["time in growth", "processor time in growths and growth work, of the processor time of the target or per second"],
	["overhead", "processor time that the probes cost the target, and its limit: --budget changes it"],
	["exact, sampled", "measured all the time, or part of it: then ~ marks an estimate and ±12 % is its width"],
	["no events lost", "every hit of every probe that was attached is accounted for"],
];

const LABEL = 15;

function entry([label, text]: readonly [string, string], columns: number): Line[] {
	return wrap(text, Math.max(12, columns - LABEL - 2)).map(
		(line, index): Line => [{ text: ` ${(index === 0 ? label : "").padEnd(LABEL)}`, style: "strong" }, { text: line }],
	);
}

const heading = (text: string): Line => [{ text: ` ${text}`, style: "accent" }];

/** All of it; longer than most screens. */
export function helpLines(table: TableName, columns: number): Line[] {
	return [
		heading("keys"),
		...KEYS.flatMap((key) => entry(key, columns)),
		[],
		heading(`columns of ${table}`),
		...columnsOf(table, true).flatMap((column) => entry([column.heading, column.meaning], columns)),
		[],
		heading("words"),
		...WORDS.flatMap((word) => entry(word, columns)),
		[],
		[{ text: " ~ an estimate · ≥ at least, what was seen · – not measured", style: "dim" }],
	];
}
