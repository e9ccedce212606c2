/**
 * What `gomapgrow maps --json` prints. Addresses are hex strings, sizes are bytes; a field that is not known is
 * absent.
 */
import {
	constant,
	described,
	flag,
	hex,
	type Infer,
	type JsonSchema,
	list,
	moment,
	type ObjectOf,
	object,
	oneOf,
	only,
	optional,
	text,
	whole,
} from "../records/schema-node.ts";

export type HolderRecord = Infer<typeof holderRecord>;
export const holderRecord = object({
	kind: oneOf("global", "field", "stack", "map", "other"),
	path: described(text, "innermost holder first: (index.MemPostings).lvs <- (tsdb.Head).postings"),
	goid: optional(whole),
});

export type MapRecord = Infer<typeof mapRecord>;
export const mapRecord = object({
	address: hex,
	type: optional(text, "absent when several may be meant"),
	certainty: described(
		oneOf("exact", "fits", "candidates"),
		"exact: from a header or from a holder of known type; fits: the only type of the program that it can have",
	),
	candidates: optional(list(text), "types that it can have; the first 12"),
	key: optional(text, "when all candidates agree"),
	elem: optional(text, "when all candidates agree"),
	entries: whole,
	slots: described(whole, "in the buckets or groups that are in use now"),
	bytes: described(whole, "header, buckets, overflow buckets, groups, tables and directory, as they are allocated"),
	reclaimable_bytes: optional(whole, "what making the map anew for its entries would give back"),
	tombstones: optional(whole, "slots of deleted entries that a swiss map cannot use"),
	overflow_buckets: optional(whole, "of a classic map; an estimate from 65,536 buckets on"),
	growing: optional(
		object({ evacuated: whole, of: whole, since: optional(moment) }),
		"buckets that a growth has evacuated, of all; since: the first reading of --every in which it were as many",
	),
	changing: optional(only, "it changed whenever it was looked at: its numbers are from different moments"),
	referenced: optional(flag, "false: nothing refers to it, so that it is garbage"),
	holder: optional(holderRecord),
});

export type MapGroupRecord = Infer<typeof groupRecord>;
const groupRecord = object({
	type: text,
	holder: optional(holderRecord),
	maps: whole,
	entries: whole,
	slots: whole,
	bytes: whole,
});

const head = {
	type: constant("maps"),
	time: moment,
	pid: whole,
	name: text,
	start_time: described(whole, "of the process, in clock ticks since boot"),
	build_id: optional(text),
	go_version: text,
	map_impl: oneOf("classic", "swiss"),
	duration_ns: whole,
	heap_bytes: described(whole, "spans in use"),
	maps_bytes: whole,
	maps_total: whole,
	/** --top, --min or --type left them out. */
	omitted: described(whole, "maps that are not in the list"),
	limits: described(list(text), "what could not be found out"),
	garbage: object({
		at_most_bytes: optional(whole, "bytes of maps to which no chain that is known leads from a global variable"),
		unreferenced_maps: optional(whole),
		unreferenced_bytes: optional(whole),
	}),
};

/** What a census begins with. */
export type CensusHead = ObjectOf<typeof head>;
export type CensusRecord = Infer<typeof census>;
const census = object({
	...head,
	maps: optional(list(mapRecord), "largest first, one a line"),
	groups: optional(list(groupRecord), "with --by type or --by holder"),
});

/** By the `type` of each. */
export const CENSUS_ANSWERS: Readonly<Record<string, JsonSchema>> = {
	maps: { ...census.json, description: "all maps of a process at one time: maps --json" },
};
