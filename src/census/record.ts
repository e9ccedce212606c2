/**
 * What `gomapgrow maps --json` prints. Addresses are hex strings, sizes are bytes; a field that is not known is
 * absent.
 */
import {
	constant,
	described,
	flag,
	hex,
	type JsonSchema,
	list,
	moment,
	object,
	oneOf,
	only,
	optional,
	type Schema,
	text,
	whole,
} from "../records/schema-node.ts";
import type { HolderKind } from "./holders.ts";

export interface HolderRecord {
	kind: HolderKind;
	path: string;
	goid?: number;
}

export interface MapRecord {
	address: string;
	type?: string;
	certainty: "exact" | "fits" | "candidates";
	candidates?: string[];
	key?: string;
	elem?: string;
	entries: number;
	slots: number;
	bytes: number;
	reclaimable_bytes?: number;
	tombstones?: number;
	overflow_buckets?: number;
	growing?: { evacuated: number; of: number; since?: string };
	changing?: true;
	referenced?: boolean;
	holder?: HolderRecord;
}

export interface MapGroupRecord {
	type: string;
	holder?: HolderRecord;
	maps: number;
	entries: number;
	slots: number;
	bytes: number;
}

/** What a census begins with. */
export interface CensusHead {
	type: "maps";
	time: string;
	pid: number;
	name: string;
	/** Clock ticks since boot. */
	start_time: number;
	build_id?: string;
	go_version: string;
	map_impl: "classic" | "swiss";
	duration_ns: number;
	heap_bytes: number;
	maps_bytes: number;
	maps_total: number;
	/** Maps that are not in the list: --top, --min or --type left them out. */
	omitted: number;
	limits: string[];
	garbage: { at_most_bytes?: number; unreferenced_maps?: number; unreferenced_bytes?: number };
}

export interface CensusRecord extends CensusHead {
	maps?: MapRecord[];
	groups?: MapGroupRecord[];
}

export const holderRecord = object<HolderRecord>({
	kind: oneOf<HolderKind>({ global: true, field: true, stack: true, map: true, other: true }),
	path: described(text, "innermost holder first: (index.MemPostings).lvs <- (tsdb.Head).postings"),
	goid: optional(whole),
});

export const mapRecord: Schema<MapRecord> = object<MapRecord>({
	address: hex,
	type: optional(text, "absent when several may be meant"),
	certainty: described(
		oneOf<MapRecord["certainty"]>({ exact: true, fits: true, candidates: true }),
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
		object<NonNullable<MapRecord["growing"]>>({ evacuated: whole, of: whole, since: optional(moment) }),
		"buckets that a growth has evacuated, of all; since: the first reading of --every in which it were as many",
	),
	changing: optional(only, "it changed whenever it was looked at: its numbers are from different moments"),
	referenced: optional(flag, "false: nothing refers to it, so that it is garbage"),
	holder: optional(holderRecord),
});

const groupRecord = object<MapGroupRecord>({
	type: text,
	holder: optional(holderRecord),
	maps: whole,
	entries: whole,
	slots: whole,
	bytes: whole,
});

const census = object<CensusRecord>({
	type: constant("maps"),
	time: moment,
	pid: whole,
	name: text,
	start_time: described(whole, "of the process, in clock ticks since boot"),
	build_id: optional(text),
	go_version: text,
	map_impl: oneOf<CensusHead["map_impl"]>({ classic: true, swiss: true }),
	duration_ns: whole,
	heap_bytes: described(whole, "spans in use"),
	maps_bytes: whole,
	maps_total: whole,
	omitted: whole,
	limits: described(list(text), "what could not be found out"),
	garbage: object<CensusHead["garbage"]>({
		at_most_bytes: optional(whole, "bytes of maps to which no chain that is known leads from a global variable"),
		unreferenced_maps: optional(whole),
		unreferenced_bytes: optional(whole),
	}),
	maps: optional(list(mapRecord), "largest first, one a line"),
	groups: optional(list(groupRecord), "with --by type or --by holder"),
});

/** By the `type` of each. */
export const CENSUS_ANSWERS: Readonly<Record<string, JsonSchema>> = {
	maps: { ...census.json, description: "all maps of a process at one time: maps --json" },
};
