/** What `gomapgrow maps --diff --json` prints. Pairs are before and after. */
import {
	constant,
	described,
	flag,
	hex,
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
import { type HolderRecord, holderRecord } from "./record.ts";

export interface MapGroupChange {
	type: string;
	holder?: HolderRecord;
	maps: [number, number];
	bytes: [number, number];
	/** Maps a minute. */
	per_minute: number;
	bytes_per_minute: number;
	/** More maps than before, and all that were there before. */
	only_grows: boolean;
}

export interface MapChange {
	address: string;
	type: string;
	holder?: HolderRecord;
	entries: [number, number];
	bytes: [number, number];
	reclaimable_bytes?: number;
}

export interface DiffRecord {
	type: "maps-diff";
	pid: number;
	seconds: number;
	groups: MapGroupChange[];
	maps: MapChange[];
}

const pair: Schema<[number, number]> = { json: { type: "array", items: whole.json } };

const diff = object<DiffRecord>({
	type: constant("maps-diff"),
	pid: whole,
	seconds: described(positive, "from the first reading to the second"),
	groups: described(
		list(
			object<MapGroupChange>({
				type: text,
				holder: optional(holderRecord),
				maps: pair,
				bytes: pair,
				per_minute: described(signed, "maps"),
				bytes_per_minute: signed,
				only_grows: described(flag, "more maps than before, and all that were there before"),
			}),
		),
		"kinds of maps, by type and holder, that changed; largest change first",
	),
	maps: described(
		list(
			object<MapChange>({
				address: hex,
				type: text,
				holder: optional(holderRecord),
				entries: pair,
				bytes: pair,
				reclaimable_bytes: optional(whole, "what making the map anew would give back"),
			}),
		),
		"maps that grew, then maps that lost entries and kept their memory",
	),
});

/** By the `type` of each. */
export const DIFF_ANSWERS: Readonly<Record<string, JsonSchema>> = {
	"maps-diff": { ...diff.json, description: "two readings of the maps of a process compared: maps --diff --json" },
};
