/**
 * The records that everything downstream of the session speaks (NDJSON, schema version 1). Rules: `type` first; addresses and
 * 64-bit identities are hex strings; counts and nanoseconds are numbers below 2^53; durations end in `_ns`, sizes in `_bytes`
 * (and `bytes`); a field that was not measured is absent; text from the observed process is sanitised.
 */

export const SCHEMA_VERSION = 1;

export type MapImpl = "classic" | "swiss";
export type GrowthKind = "double" | "same-size" | "small-to-table" | "table-double" | "split";
export type GrowthCause = "load" | "overflow" | "tombstones";
export type TierName = "growth" | "work";

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
	/** Entries in the whole map when it began to grow. */
	count: number;
	/** Slots of what grows: the whole map (classic, small-to-table) or the one table (table-double, split). */
	capacity_before: number;
	capacity_after: number;
	/** Bytes of the new bucket array or groups, before rounding to an allocation size class. */
	bytes?: number;
	/** Classic only: whether an iterator may be active (hmap.flags). */
	iterating?: boolean;
	stack: Frame[];
	/** True when the stack was deeper than what is recorded. */
	stack_truncated?: true;
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
}

export interface TierLedger {
	hits: number;
	recorded: number;
	sampled_out: number;
	throttled: number;
	lost: number;
	/** Hit, but still on its way to us; only in windows, absent when 0. At the end nothing is. */
	pending?: number;
}
export type Ledger = Record<TierName, TierLedger>;

export interface WindowRecord {
	type: "window";
	time: string;
	elapsed_ns: number;
	/** Length of this window. */
	interval_ns: number;
	growths: number;
	work: number;
	bytes: number;
	/** Function -> calls in this window. */
	calls: Record<string, number>;
	types: TypeRow[];
	sites: SiteRow[];
	/** Running totals since the start. */
	ledger: Ledger;
	targets: { pid: number; name: string; growths: number; work: number }[];
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
	calls: Record<string, number>;
	types: TypeRow[];
	sites: SiteRow[];
	ledger: Ledger;
	/** True only if every ledger sums and nothing was lost. */
	complete: boolean;
}

export type GomapgrowRecord = StartRecord | TargetRecord | GrowthRecord | WindowRecord | LossRecord | EndRecord;
