/** What `advise --json` prints, as a schema and as the types that follow from it. */
import { madeAt } from "../records/makes.ts";
import {
	constant,
	described,
	flag,
	type Infer,
	list,
	object,
	oneOf,
	only,
	optional,
	positive,
	signed,
	text,
	whole,
} from "../records/schema-node.ts";

export type Advice = Infer<typeof advice>;
export type AdviceKind = Advice["kind"];
const advice = object({
	kind: described(
		oneOf("presize", "pass-number", "leave", "smaller", "rebuild", "reuse"),
		"presize: give make this hint. pass-number: give it the number of entries, which differs. leave: a hint would cost more than it saves. smaller: give it a smaller hint. rebuild: entries come and go, and the map is rebuilt again and again. reuse: keep the map and clear it",
	),
	make_at: described(madeAt, "the line to change"),
	grows_at: optional(madeAt, "where most of its growths happen, when that is another line"),
	map_type: text,
	hint: optional(whole, "leave: the best constant that was weighed"),
	made: described(whole, "maps that the line made"),
	known: described(whole, "of those, how many have a known size"),
	grew: described(whole, "of those, how many grew"),
	growths: described(whole, "growths of its maps"),
	growths_saved: described(signed, "total over observed_ns"),
	bytes_saved: described(signed, "allocated bytes, total over observed_ns; negative: what it would cost"),
	share_saved: optional(positive, "part of the bytes that the maps of the line allocate now"),
	constant_bytes_saved: optional(signed, "pass-number: what the best constant would save"),
	entries_saved: optional(signed, "entries that need not be copied, total over observed_ns"),
	held_bytes_change: optional(signed, "bytes that one of its maps holds more, on average; negative: less"),
	per: described(oneOf("second", "run"), "second: made again and again; run: made once in each process"),
	cpu_saved_at_least: optional(positive, "share of the program's processor time"),
	sampled: optional(only, "makes were watched in windows: counts and savings are estimates"),
	module: optional(text, "what the line belongs to: a module, or the standard library (std)"),
	own: described(flag, "whether the line belongs to the program itself, not to a dependency"),
});

export type AdviceRecord = Infer<typeof adviceRecord>;
export const adviceRecord = object({
	type: constant("advice"),
	observed_ns: described(whole, "how long was observed, all recordings together"),
	complete: described(flag, "nothing was lost, and all makes were seen"),
	lines: described(whole, "lines that made maps"),
	undecided: described(whole, "of those: lines whose maps grew, but of which too little is known for any advice"),
	growths_unlinked: described(whole, "growths of maps whose making was not seen: made before the start, or cloned"),
	notes: list(text),
	advice: described(list(advice), "best first, at most one for a line and type"),
});
