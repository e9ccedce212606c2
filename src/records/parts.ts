/**
 * What several records have in common: names of things, frames, ledgers and rows, as schemas and as the types that
 * follow from them.
 */
import {
	described,
	dictionary,
	either,
	hex,
	type Infer,
	list,
	object,
	oneOf,
	only,
	optional,
	positive,
	reference,
	signed,
	text,
	whole,
} from "./schema-node.ts";

export type MapImpl = Infer<typeof impl>;
export const impl = oneOf("classic", "swiss");

export type GrowthKind = Infer<typeof kind>;
export const kind = oneOf("double", "same-size", "small-to-table", "table-double", "split");

export type GrowthCause = Infer<typeof cause>;
export const cause = oneOf("load", "overflow", "tombstones");

/**
 * growth: every one is a record. work: every call is counted. sample: calls of the work tier, some of which are
 * records. latency: calls whose duration is measured. iteration: steps of iterators, only with --iter. make: maps that are made, only with --makes.
 */
export type TierName = Infer<typeof tier>;
export const tier = oneOf("growth", "work", "sample", "latency", "iteration", "make");

export type EndReason = Infer<typeof endReason>;
export const endReason = oneOf(
	...(["duration", "interrupt", "terminate", "hangup", "pipe-closed", "target-exit", "error"] as const),
);

/** Whether the kernel emulates the probed instruction or steps over it. */
export const cost = oneOf("emulated", "stepped");

export const mapIdentity = described(
	hex,
	"identity of the map: its hash seed, which stays when the map's header moves",
);
export const mapType = described(text, 'Go type of the map, like "map[string]*main.node"');
export const elapsed = described(whole, "nanoseconds since the start record");

/** One frame, innermost first in a stack. */
export type Frame = Infer<typeof frameFields>;
const frameFields = object({
	fn: described(text, "full name of the function"),
	file: optional(text),
	line: optional(whole),
	inlined: optional(only, "the function is inlined into the frame that follows"),
});
export const frame = reference("frame", frameFields);
export const stack = described(list(frame), "innermost frame first");
export const stackTruncated = optional(only, "the stack was deeper than what is recorded");

export type ProbeInfo = Infer<typeof probe>;
export const probe = object({
	...{ fn: text, tier, address: hex, file_offset: whole, instruction: text, cost },
	inlined_into: optional(text, "the site is in a copy of the function that the compiler has inlined into this one"),
});

/** A function that cannot be probed. */
export const notProbed = object({ fn: text, reason: text });

/**
 * Why a call has no duration. left: it was still running, or had ended in a panic or with its goroutine, when the
 * goroutine's next call began or the observation ended. evicted: there was no room in the kernel's tables: more
 * goroutines at once than are remembered, or more functions and types than have histograms. withdrawn: the probes of
 * its end were detached before it ended, to keep the budget.
 */
export type UnpairedReason = keyof Infer<typeof unpaired>;
const unpaired = object({ left: optional(whole), evicted: optional(whole), withdrawn: optional(whole) });

export type TierLedger = Infer<typeof tierLedgerFields>;
const tierLedgerFields = object({
	hits: whole,
	recorded: whole,
	sampled_out: whole,
	throttled: whole,
	lost: whole,
	/** Latency only. */
	unpaired: optional(unpaired, "calls without a duration, by reason (left, evicted, withdrawn); part of the sum"),
	/** Absent when 0. At the end nothing is. */
	pending: optional(whole, "hit, but still on its way to the recording; only in windows"),
});
const tierLedger = reference("tier_ledger", tierLedgerFields);

/** Tiers that are not measured are absent. */
export type Ledger = Infer<typeof ledgerFields>;
const ledgerFields = object({
	growth: tierLedger,
	work: tierLedger,
	sample: optional(tierLedger),
	latency: optional(tierLedger),
	iteration: optional(tierLedger),
	make: optional(tierLedger),
});
export const ledger = described(
	reference("ledger", ledgerFields),
	"totals since the start: hits = recorded + sampled_out + throttled + lost",
);

const estimate = described(
	object({ estimate: positive, low: positive, high: positive }),
	"measured part of the time: between low and high with 95 % confidence",
);
const atLeast = described(
	object({ at_least: positive }),
	"too little was seen for an estimate: no less than this, which is what was seen",
);
/** A number that was measured in full, or part of the time. Absent: not measured at all. */
export const figure = either(whole, reference("estimate", estimate), reference("at_least", atLeast));

/** As it is when the record is written. */
const now = {
	entries: whole,
	slots: described(whole, "in the buckets or groups that are in use"),
	bytes: optional(
		whole,
		"header, buckets, groups, tables and directory, as they are allocated; absent: the sizes of its type are not known",
	),
};
export type MapNow = Infer<typeof mapNow>;
const mapNow = object(now);

/** `work`: calls of the work tier for maps of this type. */
const maxCapacity = described(
	whole,
	"slots of the largest map that grew; of a swiss map whose header was not read again at least so many",
);
export type TypeRow = Infer<typeof typeRow>;
const typeRow = object({
	pid: optional(whole),
	map_type: text,
	growths: optional(figure),
	work: optional(figure),
	bytes: optional(figure),
	max_capacity: maxCapacity,
});

export type SiteRow = Infer<typeof siteRow>;
const siteRow = object({
	pid: optional(whole),
	fn: described(text, "first frame outside Go's map code; empty when it is not known"),
	file: optional(text),
	line: optional(whole),
	map_type: text,
	growths: optional(figure),
	work: optional(figure),
	bytes: optional(figure),
	max_capacity: maxCapacity,
	iterating: optional(whole, "growths during which an iterator may have been active; classic maps only"),
	duration_ns: optional(whole, "processor time spent in growths and growth work, net of the probes"),
	now: optional(
		object({ map: mapIdentity, ...now }),
		"the largest map that grew here last, as far as it is still there",
	),
});

/** Durations of one function for maps of one type, in one process. */
export type LatencyRow = Infer<typeof latencyRow>;
const latencyRow = object({
	pid: optional(whole),
	fn: text,
	map_type: text,
	count: whole,
	sum_ns: whole,
	max_ns: whole,
	/** By the calibrated costs. Can be below 0 where calls are short and few. */
	net_ns: optional(
		signed,
		"what the calls took without the probes, also those of the time in which they were not probed",
	),
	/** Powers of two. */
	buckets: described(
		list(
			object({
				from_ns: whole,
				count: whole,
				/** Absent in the first and the last one, and in older recordings. */
				parts: optional(list(whole), "how many in each of 16 equal parts of it, without zeros at the end"),
			}),
		),
		"how many durations from from_ns (0 in the first) to below the double; empty ones are left out",
	),
});

/** One map: the chain of its growths, as far as it was seen. */
export type MapRow = Infer<typeof mapRow>;
const mapRow = object({
	pid: whole,
	map_type: text,
	map: mapIdentity,
	growths: whole,
	slots_first: described(whole, "slots of the whole map before the first growth that was seen"),
	slots_last: described(whole, "slots of the whole map after the last growth"),
	count: described(whole, "entries at the last growth"),
	bytes: whole,
	now: optional(mapNow, "absent: it is not there any more, or could not be read"),
	fn: described(text, "call site of the last growth"),
	file: optional(text),
	line: optional(whole),
});

/** Growths by one goroutine. */
export type GoroutineRow = Infer<typeof goroutineRow>;
const goroutineRow = object({
	pid: whole,
	goid: whole,
	growths: whole,
	bytes: whole,
	duration_ns: whole,
	created_by: optional(frame),
	start_fn: optional(text),
});

/** Function -> calls: exact, or estimated. */
export type Calls = Infer<typeof calls>;
export const calls = described(
	dictionary(figure),
	"calls of every probed function that was measured, by its full name",
);

export const share = positive;

/** What probing costs a target in a window. */
export type OverheadRow = Infer<typeof overheadRow>;
const overheadRow = object({
	pid: whole,
	overhead: described(share, "share of the target's processor time that probing costs: 0.01 is 1 %"),
	cost_ns_per_second: optional(whole, "the same in nanoseconds of processor time per second"),
	/** Absent with --budget off. */
	budget: optional(share, "part of a processor that probing may cost"),
	limit_ns_per_second: optional(whole, "what probing may cost this target now"),
	work_probed: optional(share, "share of the time in which the tier is probed, when it is not 1"),
	growth_probed: optional(share),
	iteration_probed: optional(share),
	growth_recorded: optional(share, "share of the growths that become records, when it is not 1"),
});
export const overheads = optional(list(reference("overhead_row", overheadRow)), "what probing costs each target");

/** The container that a process is in; `id` is the runtime's, the other names are those that it wrote down. */
export type ContainerRecord = Infer<typeof containerRecord>;
export const containerRecord = object({
	id: text,
	name: optional(text),
	pod: optional(text),
	namespace: optional(text, "of the pod"),
	image: optional(text),
});

/** How much of the time something was measured. */
export type Extent = Infer<typeof extent>;
const extent = oneOf("all", "sampled", "none");
export type MeasuredTiers = Infer<typeof measured>;
export const measured = described(
	object({ growth: extent, work: extent, latency: extent, iteration: optional(extent), make: optional(extent) }),
	"what was measured of each tier: all of it, part of the time, or nothing",
);

/** Programs that observed processes have started. */
export type Children = Infer<typeof childrenFields>;
const childrenFields = object({
	executed: described(whole, "programs that were executed, Go's and others"),
	observed: described(whole, "Go programs among them that were observed"),
	late: described(whole, "of these: programs that had begun to run when their probes were attached"),
	missed: described(
		list(object({ reason: text, count: whole })),
		"programs that were not observed although they are, or may be, Go's, by reason",
	),
});
export const children = optional(
	reference("children", childrenFields),
	"programs that observed processes have started, since the start; absent where they are not followed",
);

/** The tables of windows and of the end. */
export const tables = {
	types: list(reference("type_row", typeRow)),
	sites: list(reference("site_row", siteRow)),
	latency: described(list(reference("latency_row", latencyRow)), "durations; empty when none were measured"),
	maps: described(list(reference("map_row", mapRow)), "single maps with the longest chains of growths"),
	goroutines: list(reference("goroutine_row", goroutineRow)),
	overlaps: optional(whole, "growths that overlapped an iteration; absent without --iter"),
};

/** By the names that references call them. */
export const SHARED_PARTS = {
	frame: frameFields,
	tier_ledger: tierLedgerFields,
	ledger: ledgerFields,
	type_row: typeRow,
	site_row: siteRow,
	latency_row: latencyRow,
	map_row: mapRow,
	goroutine_row: goroutineRow,
	estimate,
	at_least: atLeast,
	overhead_row: overheadRow,
	children: childrenFields,
} as const;
