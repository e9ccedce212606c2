/**
 * The records that everything downstream of the tracer speaks (NDJSON, schema version 1), as schemas and as the
 * types that follow from them. Rules: `type` first; addresses and 64-bit identities are hex strings; counts and
 * nanoseconds are numbers below 2^53; durations end in `_ns`, sizes in `_bytes` (and `bytes`); a field that was not
 * measured is absent; text from the observed process is sanitised.
 */
import { makeOfGrowth, makesOfEnd } from "./makes.ts";
import * as part from "./parts.ts";
import {
	constant,
	described,
	flag,
	hex,
	type Infer,
	list,
	moment,
	object,
	oneOf,
	only,
	optional,
	positive,
	type Schema,
	text,
	whole,
} from "./schema-node.ts";

export type { MadeAt, MakeRow } from "./makes.ts";
export type {
	Calls,
	Children,
	ContainerRecord,
	EndReason,
	Extent,
	Frame,
	GoroutineRow,
	GrowthCause,
	GrowthKind,
	LatencyRow,
	Ledger,
	MapImpl,
	MapNow,
	MapRow,
	MeasuredTiers,
	OverheadRow,
	ProbeInfo,
	SiteRow,
	TierLedger,
	TierName,
	TypeRow,
	UnpairedReason,
} from "./parts.ts";

export const SCHEMA_VERSION = 1;

const { elapsed, share, stack, stackTruncated } = part;
const schemaVersion: Schema<number> = {
	json: { type: "integer", minimum: 1, description: `version of this schema: ${SCHEMA_VERSION}` },
};

export type StartRecord = Infer<typeof start>;
const start = object({
	type: constant("start"),
	time: moment,
	schema: schemaVersion,
	tool: constant("gomapgrow"),
	version: text,
	command: list(text),
	host: text,
	kernel: text,
	arch: text,
	clock: constant("monotonic"),
	interval_ns: described(whole, "length of a window"),
});

export type TargetRecord = Infer<typeof target>;
const target = object({
	type: constant("target"),
	time: moment,
	pid: whole,
	name: text,
	exe: text,
	command: optional(list(text), "the arguments with which it was started"),
	build_id: optional(text),
	container: optional(part.containerRecord, "the container that the process is in"),
	go_version: text,
	module: optional(text, "path of the main module, for programs built in one"),
	map_impl: part.impl,
	arch: text,
	pie: flag,
	stripped: flag,
	probes: list(part.probe),
	not_probed: list(part.notProbed),
	/** Absent when everything can be shown. */
	limits: optional(list(text), "what cannot be shown of this program, and why"),
});

/** An observed process has ended. */
export type ExitRecord = Infer<typeof exit>;
const exit = object({
	type: constant("exit"),
	time: moment,
	elapsed_ns: elapsed,
	pid: whole,
	/** One of the two, where it is known how it ended. */
	code: optional(whole, "its exit code"),
	signal: optional(whole, "the number of the signal that killed it"),
});

export type GrowthRecord = Infer<typeof growth>;
const growth = object({
	type: constant("growth"),
	time: moment,
	elapsed_ns: elapsed,
	pid: whole,
	tid: whole,
	/** Absent when the goroutine could not be read. */
	goid: optional(whole),
	impl: part.impl,
	fn: described(text, "the probed function of the runtime"),
	kind: part.kind,
	cause: part.cause,
	map_type: part.mapType,
	map: part.mapIdentity,
	/** A header on a goroutine's stack moves with it. */
	address: optional(hex, "where the map's header was, as `gomapgrow maps` prints it"),
	/** 1 is the first. */
	nth: described(whole, "which growth of this map it is, counted since it was first seen"),
	weight: optional(positive, "how many growths this one stands for; absent: one"),
	count: described(whole, "entries in the whole map when it began to grow"),
	capacity_before: described(whole, "slots of what grows: the whole map, or one table (table-double, split)"),
	capacity_after: whole,
	/** Before rounding to an allocation size class. */
	bytes: optional(whole, "size of the new bucket array or groups"),
	/** Copied now (swiss), or step by step by the calls of the work tier (classic). */
	bytes_moved: optional(whole, "size of the entries that are copied"),
	b_before: optional(whole, "classic maps: log2 of the number of buckets"),
	b_after: optional(whole),
	/** Classic: overflow buckets in use (hmap.noverflow, an estimate from 65,536 buckets on). */
	overflow_buckets: optional(whole),
	local_depth: optional(whole, "swiss maps: bits of the hash that choose the table"),
	global_depth: optional(whole, "swiss maps: bits of the hash that index the directory"),
	directory_length: optional(whole),
	directory_doubles: optional(only, "swiss maps: a split makes the directory double"),
	...makeOfGrowth,
	/** hmap.flags. */
	iterating: optional(flag, "classic maps: an iterator may be active"),
	/** Absent when it was not seen to return. */
	duration_ns: optional(whole, "from entering the function to leaving it"),
	/** Go 1.21 and newer. */
	parent_goid: optional(whole, "the goroutine that started this one"),
	/** The go statement that did, and the function that it runs. */
	created_by: optional(part.frame),
	start_fn: optional(text),
	stack,
	stack_truncated: stackTruncated,
});

/** A sample of the work tier: one call with its stack. */
export type WorkRecord = Infer<typeof work>;
const work = object({
	type: constant("work"),
	time: moment,
	elapsed_ns: elapsed,
	pid: whole,
	tid: whole,
	goid: optional(whole),
	fn: text,
	map_type: part.mapType,
	/** All samples' weights add up to about all calls. */
	weight: described(positive, "of how many calls this one stands for"),
	duration_ns: optional(whole),
	slow: optional(only, "recorded because it took long, whatever the sampling"),
	/** Classic: the map was iterated before this growth began and still may be (hmap.flags, oldIterator). */
	iterating: optional(flag),
	stack,
	stack_truncated: stackTruncated,
});

/** With --iter: a map grew, and an iteration of it that had begun before took a further step afterwards. */
export type OverlapRecord = Infer<typeof overlap>;
const overlap = object({
	type: constant("overlap"),
	/** Of the step. */
	time: moment,
	elapsed_ns: elapsed,
	pid: whole,
	map_type: part.mapType,
	map: part.mapIdentity,
	growth: object({ elapsed_ns: elapsed, nth: whole, kind: part.kind, goid: optional(whole), stack }),
	/** `elapsed_ns` of its beginning. */
	iteration: object({ elapsed_ns: elapsed, goid: optional(whole), stack, stack_truncated: stackTruncated }),
});

export type WindowRecord = Infer<typeof window>;
const window = object({
	type: constant("window"),
	time: moment,
	elapsed_ns: elapsed,
	/** Length of this window. */
	interval_ns: whole,
	growths: optional(part.figure),
	work: optional(part.figure),
	bytes: optional(part.figure),
	covers_ns: optional(
		whole,
		"of growth work that was sampled: how long the periods are that ended in this window, for which its figures hold",
	),
	/** In this window. */
	calls: part.calls,
	/** Those of this window; `maps` and `goroutines`: with the most growths in it. */
	...part.tables,
	/** Absent as long as the cost of a hit is not known. */
	overhead: part.overheads,
	ledger: part.ledger,
	children: part.children,
	targets: list(object({ pid: whole, name: text, growths: optional(part.figure), work: optional(part.figure) })),
});

/** The governor changes how much is probed, to keep the overhead within the budget. */
export type ThrottleRecord = Infer<typeof throttle>;
const throttle = object({
	type: constant("throttle"),
	time: moment,
	elapsed_ns: elapsed,
	pid: whole,
	tier: oneOf("work", "growth", "iteration", "make"),
	what: described(
		oneOf("probed", "recorded", "timed"),
		"the share of the time in which the tier is probed or its calls are timed, or the share of the growths that become records",
	),
	from: share,
	to: share,
	/** Overhead that was found, and the budget. */
	overhead: share,
	budget: share,
	reason: text,
});

export type LossRecord = Infer<typeof loss>;
const loss = object({
	type: constant("loss"),
	time: moment,
	stage: described(
		oneOf("ring", "site-table", "unreadable", "unknown-record"),
		"ring: the ring buffer was full; site-table: the table of call sites was full; unreadable: the map's header could not be read, or made no sense; unknown-record: the kernel programs wrote a record of an unknown kind",
	),
	tier: part.tier,
	lost: described(whole, "since the previous loss record of this stage and tier"),
	total: whole,
	hint: text,
});

export type EndRecord = Infer<typeof end>;
const end = object({
	type: constant("end"),
	time: moment,
	elapsed_ns: elapsed,
	reason: part.endReason,
	growths: optional(part.figure),
	work: optional(part.figure),
	bytes: optional(part.figure),
	calls: part.calls,
	...part.tables,
	...makesOfEnd,
	ledger: part.ledger,
	children: part.children,
	measured: optional(part.measured),
	complete: described(flag, "every ledger sums and nothing was lost; `measured` says what was sampled"),
});

/** By the `type` of each. */
export const RECORDS = { start, target, exit, growth, work, overlap, window, throttle, loss, end } as const;

export type RecordType = keyof typeof RECORDS;
export type GomapgrowRecord = { [T in RecordType]: Infer<(typeof RECORDS)[T]> }[RecordType];
