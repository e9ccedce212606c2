/**
 * The records that everything downstream of the session speaks (NDJSON, schema version 1). Rules: `type` first; addresses and
 * 64-bit identities are hex strings; counts and nanoseconds are numbers below 2^53; durations end in `_ns`, sizes in `_bytes`
 * (and `bytes`); a field that was not measured is absent; text from the observed process is sanitised.
 */

export const SCHEMA_VERSION = 1;

export type MapImpl = "classic" | "swiss";
export type GrowthKind = "double" | "same-size" | "small-to-table" | "table-double" | "split";
export type GrowthCause = "load" | "overflow" | "tombstones";
/**
 * growth: every one is a record. work: every call is counted. sample: calls of the work tier, some of which are records. latency: calls whose duration is measured.
 * iteration: steps of iterators, only with --iter.
 */
export type TierName = "growth" | "work" | "sample" | "latency" | "iteration";

/** One frame, innermost first in a stack. `inlined` is present (true) for a function inlined into the frame that follows it. */
export interface Frame {
	fn: string;
	file?: string;
	line?: number;
	inlined?: true;
}

export interface StartRecord {
	type: "start";
	/** RFC 3339, UTC, nanoseconds. */
	time: string;
	schema: number;
	tool: "gomapgrow";
	version: string;
	command: string[];
	host: string;
	kernel: string;
	arch: string;
	clock: "monotonic";
	interval_ns: number;
}

export interface ProbeInfo {
	fn: string;
	tier: TierName;
	address: string;
	file_offset: number;
	instruction: string;
	cost: "emulated" | "stepped";
	/** The site is in a copy of the function that the compiler has inlined into this one. */
	inlined_into?: string;
}

export interface TargetRecord {
	type: "target";
	time: string;
	pid: number;
	name: string;
	exe: string;
	build_id?: string;
	go_version: string;
	map_impl: MapImpl;
	arch: string;
	pie: boolean;
	stripped: boolean;
	probes: ProbeInfo[];
	not_probed: { fn: string; reason: string }[];
	/** What cannot be shown of this program, and why; absent when everything can. */
	limits?: string[];
}

export interface GrowthRecord {
	type: "growth";
	time: string;
	/** Nanoseconds since the start record. */
	elapsed_ns: number;
	pid: number;
	tid: number;
	/** Absent when the goroutine could not be read. */
	goid?: number;
	impl: MapImpl;
	/** The probed runtime function. */
	fn: string;
	kind: GrowthKind;
	cause: GrowthCause;
	/** Go type of the map, e.g. "map[string]*main.node". */
	map_type: string;
	/** Identity of the map: its hash seed; survives moves of the header, unlike an address. */
	map: string;
	/** Which growth of this map it is, counted since it was first seen: 1 is the first. */
	nth: number;
	/** How many growths this one stands for, when they alone broke the budget and not each of them became a record; absent: one. */
	weight?: number;
	/** Entries in the whole map when it began to grow. */
	count: number;
	/** Slots of what grows: the whole map (classic, small-to-table) or the one table (table-double, split). */
	capacity_before: number;
	capacity_after: number;
	/** Bytes of the new bucket array or groups, before rounding to an allocation size class. */
	bytes?: number;
	/** Bytes of the entries that are copied: now (swiss), or step by step by the calls of the work tier (classic). */
	bytes_moved?: number;
	/** Classic: log2 of the number of buckets, and overflow buckets in use (hmap.noverflow, an estimate from 65,536 buckets on). */
	b_before?: number;
	b_after?: number;
	overflow_buckets?: number;
	/** Swiss: bits of the hash that choose the table that grows, bits that index the directory, entries of the directory. */
	local_depth?: number;
	global_depth?: number;
	directory_length?: number;
	/** Swiss, present (true) when a split makes the directory double. */
	directory_doubles?: true;
	/** Classic only: whether an iterator may be active (hmap.flags). */
	iterating?: boolean;
	/** From entering the growth function to leaving it; absent when it was not seen to return. */
	duration_ns?: number;
	/** The goroutine that started this one (Go 1.21 and newer), the go statement that did, and the function that it runs. */
	parent_goid?: number;
	created_by?: Frame;
	start_fn?: string;
	stack: Frame[];
	/** True when the stack was deeper than what is recorded. */
	stack_truncated?: true;
}

/** A sample of the work tier: one call with its stack. */
export interface WorkRecord {
	type: "work";
	time: string;
	elapsed_ns: number;
	pid: number;
	tid: number;
	goid?: number;
	fn: string;
	map_type: string;
	/** Of how many calls this one stands for: all samples' weights add up to about all calls. */
	weight: number;
	duration_ns?: number;
	/** Present (true) when it is recorded because it took long, whatever the sampling. */
	slow?: true;
	/** Classic only: whether the map was iterated before this growth began and still may be (hmap.flags, oldIterator). */
	iterating?: boolean;
	stack: Frame[];
	stack_truncated?: true;
}

/** With --iter: a map grew, and an iteration of it that had begun before took a further step afterwards. */
export interface OverlapRecord {
	type: "overlap";
	/** Of the step. */
	time: string;
	elapsed_ns: number;
	pid: number;
	map_type: string;
	map: string;
	growth: { elapsed_ns: number; nth: number; kind: GrowthKind; goid?: number; stack: Frame[] };
	/** `elapsed_ns` of its beginning. */
	iteration: { elapsed_ns: number; goid?: number; stack: Frame[]; stack_truncated?: true };
}

/** Durations of one function for maps of one type. */
export interface LatencyRow {
	fn: string;
	map_type: string;
	count: number;
	sum_ns: number;
	max_ns: number;
	/** What the calls took without the probes, by the calibrated costs, also those of the time in which the function was not probed. Can be below 0 where calls are short and few. */
	net_ns?: number;
	/** Powers of two: how many durations from `from_ns` (0 in the first) to below the double; empty ones are left out. */
	buckets: { from_ns: number; count: number }[];
}

/** One map: the chain of its growths, as far as it was seen. */
export interface MapRow {
	pid: number;
	map_type: string;
	/** As in growth records. */
	map: string;
	growths: number;
	/** Slots of the whole map before the first and after the last growth. */
	slots_first: number;
	slots_last: number;
	/** Entries at the last growth. */
	count: number;
	bytes: number;
	/** Call site of the last growth. */
	fn: string;
	file?: string;
	line?: number;
}

/** Growths by one goroutine. */
export interface GoroutineRow {
	pid: number;
	goid: number;
	growths: number;
	bytes: number;
	duration_ns: number;
	created_by?: Frame;
	start_fn?: string;
}

export interface TypeRow {
	map_type: string;
	growths: number;
	/** Calls of the work tier for maps of this type. */
	work: number;
	bytes: number;
	max_capacity: number;
}

export interface SiteRow {
	/** First frame outside the runtime's map code. */
	fn: string;
	file?: string;
	line?: number;
	map_type: string;
	growths: number;
	work: number;
	bytes: number;
	max_capacity: number;
	/** Growths of this row during which an iterator may have been active; absent where it cannot be known (swiss). */
	iterating?: number;
	/** Time spent in growths, as far as it was measured. */
	duration_ns: number;
}

export interface TierLedger {
	hits: number;
	recorded: number;
	sampled_out: number;
	throttled: number;
	lost: number;
	/** Latency only: calls without a duration, by reason; the reasons are part of the sum. */
	unpaired?: Partial<Record<UnpairedReason, number>>;
	/** Hit, but still on its way to us; only in windows, absent when 0. At the end nothing is. */
	pending?: number;
}
/** Tiers that are not measured are absent. */
export type Ledger = Record<"growth" | "work", TierLedger> & Partial<Record<TierName, TierLedger>>;

/**
 * Why a call has no duration. left: it was still running, or had ended in a panic or with its goroutine, when the goroutine's next call began or
 * the observation ended. evicted: there was no room in the kernel's tables: more goroutines at once than are remembered, or more functions and types than
 * have histograms.
 */
export type UnpairedReason = "left" | "evicted";

export interface WindowRecord {
	type: "window";
	time: string;
	elapsed_ns: number;
	/** Length of this window. */
	interval_ns: number;
	growths: number;
	work: number;
	bytes: number;
	/** In this window. */
	calls: Calls;
	types: TypeRow[];
	sites: SiteRow[];
	/** Durations in this window; empty when none were measured. */
	latency: LatencyRow[];
	/** The longest chains of growths among the maps that grew in this window, and the goroutines with the most growths in it. */
	maps: MapRow[];
	goroutines: GoroutineRow[];
	/** Growths that overlapped an iteration; absent without --iter. */
	overlaps?: number;
	/** Absent as long as the cost of a hit is not known. */
	overhead?: OverheadRow[];
	/** Running totals since the start. */
	ledger: Ledger;
	targets: { pid: number; name: string; growths: number; work: number }[];
}

/** A number of calls that was not counted in full: probed part of the time. The truth is between `low` and `high` with 95 % confidence. */
export interface CallEstimate {
	estimate: number;
	low: number;
	high: number;
}

/** Function -> calls: exact, or estimated. */
export type Calls = Record<string, number | CallEstimate>;

/** What probing costs a target in a window: share of the processor time that it used (0.01 is 1 %). */
export interface OverheadRow {
	pid: number;
	overhead: number;
	/** Absent with --budget off. */
	budget?: number;
	/** Share of the time in which the tier is probed, when it is not 1. */
	work_probed?: number;
	growth_probed?: number;
	iteration_probed?: number;
	/** Share of the growths that become records, when it is not 1. */
	growth_recorded?: number;
}

/** The governor changes how much is probed, to keep the overhead within the budget. */
export interface ThrottleRecord {
	type: "throttle";
	time: string;
	elapsed_ns: number;
	pid: number;
	tier: "work" | "growth" | "iteration";
	/** What changes: the share of the time in which the tier is probed, or the share of the growths that become records. */
	what: "probed" | "recorded";
	from: number;
	to: number;
	/** Overhead that was found, and the budget. */
	overhead: number;
	budget: number;
	reason: string;
}

export interface LossRecord {
	type: "loss";
	time: string;
	/** Where it was lost: the ring buffer was full, or the table of (type, call site) counters was. */
	stage: "ring" | "site-table";
	tier: TierName;
	/** Since the previous loss record of this stage and tier. */
	lost: number;
	total: number;
	hint: string;
}

export type EndReason = "duration" | "interrupt" | "terminate" | "hangup" | "pipe-closed" | "target-exit" | "error";

export interface EndRecord {
	type: "end";
	time: string;
	elapsed_ns: number;
	reason: EndReason;
	growths: number;
	work: number;
	bytes: number;
	calls: Calls;
	types: TypeRow[];
	sites: SiteRow[];
	latency: LatencyRow[];
	maps: MapRow[];
	goroutines: GoroutineRow[];
	overlaps?: number;
	ledger: Ledger;
	/** True only if every ledger sums and nothing was lost. */
	complete: boolean;
}

export type GomapgrowRecord =
	| StartRecord
	| TargetRecord
	| GrowthRecord
	| WorkRecord
	| OverlapRecord
	| WindowRecord
	| ThrottleRecord
	| LossRecord
	| EndRecord;
