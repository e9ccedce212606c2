/** What `gomapgrow maps --diff --json` prints. Pairs are before and after. */
import {
	constant,
	described,
	flag,
	hex,
	type Infer,
	type JsonSchema,
	list,
	object,
	optional,
	positive,
	type Schema,
	signed,
	text,
	whole,
} from "../records/schema-node.ts";
import { holderRecord } from "./record.ts";

const pair: Schema<[number, number]> = { json: { type: "array", items: whole.json } };

/** Kinds of maps, by type and holder. */
export type MapGroupChange = Infer<typeof groupChange>;
const groupChange = object({
	type: text,
	holder: optional(holderRecord),
	maps: pair,
	bytes: pair,
	per_minute: described(signed, "maps"),
	bytes_per_minute: signed,
	only_grows: described(flag, "more maps than before, and all that were there before"),
});

export type MapChange = Infer<typeof mapChange>;
const mapChange = object({
	address: hex,
	type: text,
	holder: optional(holderRecord),
	entries: pair,
	bytes: pair,
	reclaimable_bytes: optional(whole, "what making the map anew would give back"),
});

export type DiffRecord = Infer<typeof diff>;
const diff = object({
	type: constant("maps-diff"),
	pid: whole,
	seconds: described(positive, "from the first reading to the second"),
	groups: described(list(groupChange), "kinds of maps that changed; largest change first"),
	maps: described(list(mapChange), "maps that grew, then maps that lost entries and kept their memory"),
});

/** By the `type` of each. */
export const DIFF_ANSWERS: Readonly<Record<string, JsonSchema>> = {
	"maps-diff": { ...diff.json, description: "two readings of the maps of a process compared: maps --diff --json" },
};
