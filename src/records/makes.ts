/** Where maps are made: the rows of `end.makes`, and what growths say of the making of their map. */
import { figure } from "./parts.ts";
import {
	described,
	flag,
	type Infer,
	list,
	object,
	oneOf,
	only,
	optional,
	reference,
	text,
	whole,
} from "./schema-node.ts";

/** A place in the program. */
export type MadeAt = Infer<typeof madeAt>;
export const madeAt = described(
	object({ fn: text, file: optional(text), line: optional(whole) }),
	"first frame outside Go's map code",
);

const pairs = (what: string) => described(list(list(whole)), what);

/** Of one line, for maps of one type. Numbers without a figure count the maps that were seen being made. */
export type MakeRow = Infer<typeof makeRowFields>;
export const makeRowFields = object({
	pid: whole,
	map_type: optional(text, "absent: neither the make nor a growth tells it"),
	key_bytes: optional(whole, "size of a key as it is stored"),
	elem_bytes: optional(whole, "size of an element as it is stored"),
	storage_bytes: optional(whole, "size of one bucket (classic) or one group (swiss)"),
	has_pointers: optional(flag, "whether buckets or groups hold pointers"),
	made_at: madeAt,
	clone: optional(only, "made by maps.Clone; made_at is its caller"),
	on: described(oneOf("heap", "stack"), "where the map's header is"),
	made: described(figure, "maps that the line has made"),
	seen: described(whole, "maps that were seen being made: all, or those of windows"),
	hints: pairs("[hint, maps], ascending; 0: none. Above 32 the mean of a class of 1/16 of a power of two"),
	sizes: pairs("[entries, maps], ascending, in the same classes: when the line made its next map"),
	unknown: described(whole, "maps whose size is not known"),
	grew: described(whole, "maps that grew"),
	growths: described(whole, "growths of those"),
	growth_classes: pairs("[slots before, growths], ascending: of what grows, a map or a table"),
	grows_at: described(
		list(object({ fn: text, file: optional(text), line: optional(whole), growths: whole })),
		"where they grow, most growths first",
	),
});
export const makeRow = reference("make_row", makeRowFields);

/** Of the end record; absent without --makes. */
export const makesOfEnd = {
	makes: optional(list(makeRow), "where maps were made, most made first; only with --makes"),
	makes_omitted: optional(whole, "maps made at lines for which there was no room"),
	growths_unlinked: optional(whole, "growths of maps whose making was not seen"),
};

/** Of growth records. */
export const makeOfGrowth = {
	made_at: optional(madeAt, "where the map was made; only with --makes"),
	made_hint: optional(whole, "the hint that it was made with"),
	age_ns: optional(whole, "from making the map to this growth"),
	on_stack: optional(only, "the map's header lies on the goroutine's stack"),
	storage_bytes: optional(whole, "size of one bucket (classic) or one group (swiss)"),
	has_pointers: optional(flag, "whether buckets or groups hold pointers"),
	tombstones: optional(whole, "swiss maps: deleted slots of the table that grows"),
};
