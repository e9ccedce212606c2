/** The JSON Schema of the records of recordings, by their names. */
import { makeRowFields } from "./makes.ts";
import { SHARED_PARTS } from "./parts.ts";
import { RECORDS, type RecordType } from "./records.ts";
import type { JsonSchema } from "./schema-node.ts";

const DESCRIPTIONS: Record<RecordType, string> = {
	start: "the first record of a recording",
	target: "an observed process and what is probed in it",
	exit: "an observed process has ended",
	growth: "a map begins to grow",
	work: "a sample of the calls that move entries of growing maps",
	overlap: "a map grew while it was being iterated",
	window: "sums of one interval",
	throttle: "how much is probed changes, to keep the overhead within the budget",
	loss: "something was lost",
	end: "the last record: sums since the start, and whether they are complete",
};

export const RECORD_TYPES: readonly string[] = Object.keys(RECORDS);

/** What the schema calls each thing: records by their type, and the parts that several of them have. */
export const DEFINITIONS: Readonly<Record<string, JsonSchema>> = {
	...Object.fromEntries(
		Object.entries(RECORDS).map(([type, { json }]) => [
			type,
			{ ...json, description: DESCRIPTIONS[type as RecordType] },
		]),
	),
	...Object.fromEntries(
		Object.entries({ ...SHARED_PARTS, make_row: makeRowFields }).map(([name, { json }]) => [name, json]),
	),
};
