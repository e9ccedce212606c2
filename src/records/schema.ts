/** The JSON Schema of the records of recordings, tied to their types. */
import type {
	CallEstimate,
	Calls,
	EndReason,
	EndRecord,
	Frame,
	GomapgrowRecord,
	GoroutineRow,
	GrowthCause,
	GrowthKind,
	GrowthRecord,
	LatencyRow,
	Ledger,
	LossRecord,
	MapImpl,
	MapRow,
	OverheadRow,
	OverlapRecord,
	ProbeInfo,
	SiteRow,
	StartRecord,
	TargetRecord,
	ThrottleRecord,
	TierLedger,
	TierName,
	TypeRow,
	UnpairedReason,
	WindowRecord,
	WorkRecord,
} from "./records.ts";
import { SCHEMA_VERSION } from "./records.ts";
import {
	constant,
	described,
	dictionary,
	either,
	flag,
	hex,
	type JsonSchema,
	list,
	moment,
	object,
	oneOf,
	only,
	optional,
	positive,
	reference,
	type Schema,
	signed,
	text,
	whole,
} from "./schema-node.ts";

export const endReason = oneOf<EndReason>({
	duration: true,
	interrupt: true,
	terminate: true,
	hangup: true,
	"pipe-closed": true,
	"target-exit": true,
	error: true,
});
export const impl = oneOf<MapImpl>({ classic: true, swiss: true });
const kind = oneOf<GrowthKind>({
	double: true,
	"same-size": true,
	"small-to-table": true,
	"table-double": true,
	split: true,
});
const cause = oneOf<GrowthCause>({ load: true, overflow: true, tombstones: true });
export const tier = oneOf<TierName>({ growth: true, work: true, sample: true, latency: true, iteration: true });
const mapIdentity = described(hex, "identity of the map: its hash seed, which stays when the map's header moves");
const mapType = described(text, 'Go type of the map, like "map[string]*main.node"');
const elapsed = described(whole, "nanoseconds since the start record");

const frameNode = object<Frame>({
	fn: described(text, "full name of the function"),
	file: optional(text),
	line: optional(whole),
	inlined: optional(only, "the function is inlined into the frame that follows"),
});
export const frame = reference("frame", frameNode);
export const stack = described(list(frame), "innermost frame first");
const stackTruncated = optional(only, "the stack was deeper than what is recorded");

const probe = object<ProbeInfo>({
	fn: text,
	tier,
	address: hex,
	file_offset: whole,
	instruction: text,
	cost: oneOf<ProbeInfo["cost"]>({ emulated: true, stepped: true }),
	inlined_into: optional(text, "the site is in a copy of the function that the compiler has inlined into this one"),
});

const unpaired = oneOf<UnpairedReason>({ left: true, evicted: true });
const tierLedgerNode = object<TierLedger>({
	hits: whole,
	recorded: whole,
	sampled_out: whole,
	throttled: whole,
	lost: whole,
	unpaired: optional(
		object<Partial<Record<UnpairedReason, number>>>({ left: optional(whole), evicted: optional(whole) }),
		`calls without a duration, by reason (${unpaired.json.enum?.join(", ")}); part of the sum`,
	),
	pending: optional(whole, "hit, but still on its way to the recording; only in windows"),
});
const tierLedger = reference("tier_ledger", tierLedgerNode);
const ledgerNode = object<Ledger>({
	growth: tierLedger,
	work: tierLedger,
	sample: optional(tierLedger),
	latency: optional(tierLedger),
	iteration: optional(tierLedger),
});
const ledger = described(
	reference("ledger", ledgerNode),
	"totals since the start: hits = recorded + sampled_out + throttled + lost",
);

const typeRowNode = object<TypeRow>({ map_type: text, growths: whole, work: whole, bytes: whole, max_capacity: whole });
const siteRowNode = object<SiteRow>({
	fn: described(text, "first frame outside Go's map code; empty when it is not known"),
	file: optional(text),
	line: optional(whole),
	map_type: text,
	growths: whole,
	work: whole,
	bytes: whole,
	max_capacity: whole,
	iterating: optional(whole, "growths during which an iterator may have been active; classic maps only"),
	duration_ns: described(whole, "time spent in growths, as far as it was measured"),
});
const latencyRowNode = object<LatencyRow>({
	fn: text,
	map_type: text,
	count: whole,
	sum_ns: whole,
	max_ns: whole,
	net_ns: optional(
		described(signed, "what the calls took without the probes, also those of the time in which they were not probed"),
	),
	buckets: described(
		list(object<LatencyRow["buckets"][number]>({ from_ns: whole, count: whole })),
		"how many durations from from_ns (0 in the first) to below the double; empty ones are left out",
	),
});
const mapRowNode = object<MapRow>({
	pid: whole,
	map_type: text,
	map: mapIdentity,
	growths: whole,
	slots_first: described(whole, "slots of the whole map before the first growth that was seen"),
	slots_last: described(whole, "slots of the whole map after the last growth"),
	count: described(whole, "entries at the last growth"),
	bytes: whole,
	fn: described(text, "call site of the last growth"),
	file: optional(text),
	line: optional(whole),
});
const goroutineRowNode = object<GoroutineRow>({
	pid: whole,
	goid: whole,
	growths: whole,
	bytes: whole,
	duration_ns: whole,
	created_by: optional(frame),
	start_fn: optional(text),
});

const estimateNode = object<CallEstimate>({ estimate: positive, low: positive, high: positive });
const calls: Schema<Calls> = described(
	dictionary(either(whole, reference("call_estimate", estimateNode))),
	"calls of every probed function, by its full name: exact, or estimated when it was probed part of the time",
);
const share = positive;
const overheadNode = object<OverheadRow>({
	pid: whole,
	overhead: described(share, "share of the target's processor time that probing costs: 0.01 is 1 %"),
	budget: optional(share),
	work_probed: optional(share, "share of the time in which the tier is probed, when it is not 1"),
	growth_probed: optional(share),
	iteration_probed: optional(share),
	growth_recorded: optional(share, "share of the growths that become records, when it is not 1"),
});
const tables = {
	types: list(reference("type_row", typeRowNode)),
	sites: list(reference("site_row", siteRowNode)),
	latency: described(list(reference("latency_row", latencyRowNode)), "durations; empty when none were measured"),
	maps: described(list(reference("map_row", mapRowNode)), "single maps with the longest chains of growths"),
	goroutines: list(reference("goroutine_row", goroutineRowNode)),
	overlaps: optional(whole, "growths that overlapped an iteration; absent without --iter"),
};

const records = {
	start: object<StartRecord>({
		type: constant("start"),
		time: moment,
		schema: { json: { type: "integer", minimum: 1, description: `version of this schema: ${SCHEMA_VERSION}` } },
		tool: constant("gomapgrow"),
		version: text,
		command: list(text),
		host: text,
		kernel: text,
		arch: text,
		clock: constant("monotonic"),
		interval_ns: described(whole, "length of a window"),
	}),
	target: object<TargetRecord>({
		type: constant("target"),
		time: moment,
		pid: whole,
		name: text,
		exe: text,
		build_id: optional(text),
		go_version: text,
		map_impl: impl,
		arch: text,
		pie: flag,
		stripped: flag,
		probes: list(probe),
		not_probed: list(object<TargetRecord["not_probed"][number]>({ fn: text, reason: text })),
		limits: optional(list(text), "what cannot be shown of this program, and why"),
	}),
	growth: object<GrowthRecord>({
		type: constant("growth"),
		time: moment,
		elapsed_ns: elapsed,
		pid: whole,
		tid: whole,
		goid: optional(whole),
		impl,
		fn: described(text, "the probed function of the runtime"),
		kind,
		cause,
		map_type: mapType,
		map: mapIdentity,
		nth: described(whole, "which growth of this map it is, counted since it was first seen"),
		weight: optional(positive, "how many growths this one stands for; absent: one"),
		count: described(whole, "entries in the whole map when it began to grow"),
		capacity_before: described(whole, "slots of what grows: the whole map, or one table (table-double, split)"),
		capacity_after: whole,
		bytes: optional(whole, "size of the new bucket array or groups"),
		bytes_moved: optional(whole, "size of the entries that are copied"),
		b_before: optional(whole, "classic maps: log2 of the number of buckets"),
		b_after: optional(whole),
		overflow_buckets: optional(whole),
		local_depth: optional(whole, "swiss maps: bits of the hash that choose the table"),
		global_depth: optional(whole, "swiss maps: bits of the hash that index the directory"),
		directory_length: optional(whole),
		directory_doubles: optional(only, "swiss maps: a split makes the directory double"),
		iterating: optional(flag, "classic maps: an iterator may be active"),
		duration_ns: optional(whole, "from entering the function to leaving it"),
		parent_goid: optional(whole, "the goroutine that started this one"),
		created_by: optional(frame),
		start_fn: optional(text),
		stack,
		stack_truncated: stackTruncated,
	}),
	work: object<WorkRecord>({
		type: constant("work"),
		time: moment,
		elapsed_ns: elapsed,
		pid: whole,
		tid: whole,
		goid: optional(whole),
		fn: text,
		map_type: mapType,
		weight: described(positive, "of how many calls this one stands for"),
		duration_ns: optional(whole),
		slow: optional(only, "recorded because it took long, whatever the sampling"),
		iterating: optional(flag),
		stack,
		stack_truncated: stackTruncated,
	}),
	overlap: object<OverlapRecord>({
		type: constant("overlap"),
		time: moment,
		elapsed_ns: elapsed,
		pid: whole,
		map_type: mapType,
		map: mapIdentity,
		growth: object<OverlapRecord["growth"]>({ elapsed_ns: elapsed, nth: whole, kind, goid: optional(whole), stack }),
		iteration: object<OverlapRecord["iteration"]>({
			elapsed_ns: elapsed,
			goid: optional(whole),
			stack,
			stack_truncated: stackTruncated,
		}),
	}),
	window: object<WindowRecord>({
		type: constant("window"),
		time: moment,
		elapsed_ns: elapsed,
		interval_ns: whole,
		growths: whole,
		work: whole,
		bytes: whole,
		calls,
		...tables,
		overhead: optional(list(reference("overhead_row", overheadNode)), "what probing costs each target"),
		ledger,
		targets: list(object<WindowRecord["targets"][number]>({ pid: whole, name: text, growths: whole, work: whole })),
	}),
	throttle: object<ThrottleRecord>({
		type: constant("throttle"),
		time: moment,
		elapsed_ns: elapsed,
		pid: whole,
		tier: oneOf<ThrottleRecord["tier"]>({ work: true, growth: true, iteration: true }),
		what: described(
			oneOf<ThrottleRecord["what"]>({ probed: true, recorded: true }),
			"the share of the time in which the tier is probed, or the share of the growths that become records",
		),
		from: share,
		to: share,
		overhead: share,
		budget: share,
		reason: text,
	}),
	loss: object<LossRecord>({
		type: constant("loss"),
		time: moment,
		stage: oneOf<LossRecord["stage"]>({ ring: true, "site-table": true }),
		tier,
		lost: described(whole, "since the previous loss record of this stage and tier"),
		total: whole,
		hint: text,
	}),
	end: object<EndRecord>({
		type: constant("end"),
		time: moment,
		elapsed_ns: elapsed,
		reason: endReason,
		growths: whole,
		work: whole,
		bytes: whole,
		calls,
		...tables,
		ledger,
		complete: described(flag, "every ledger sums and nothing was lost"),
	}),
} satisfies { [T in GomapgrowRecord["type"]]: Schema<Extract<GomapgrowRecord, { type: T }>> };

export type RecordType = keyof typeof records;

const DESCRIPTIONS: Record<RecordType, string> = {
	start: "the first record of a recording",
	target: "an observed process and what is probed in it",
	growth: "a map begins to grow",
	work: "a sample of the calls that move entries of growing maps",
	overlap: "a map grew while it was being iterated",
	window: "sums of one interval",
	throttle: "how much is probed changes, to keep the overhead within the budget",
	loss: "something was lost",
	end: "the last record: sums since the start, and whether they are complete",
};

const shared: Record<string, JsonSchema> = {
	frame: frameNode.json,
	tier_ledger: tierLedgerNode.json,
	ledger: ledgerNode.json,
	type_row: typeRowNode.json,
	site_row: siteRowNode.json,
	latency_row: latencyRowNode.json,
	map_row: mapRowNode.json,
	goroutine_row: goroutineRowNode.json,
	call_estimate: estimateNode.json,
	overhead_row: overheadNode.json,
};

/** What the schema calls each thing: records by their type, and the parts that several of them have. */
export const DEFINITIONS: Readonly<Record<string, JsonSchema>> = {
	...Object.fromEntries(
		Object.entries(records).map(([type, { json }]) => [
			type,
			{ ...json, description: DESCRIPTIONS[type as RecordType] },
		]),
	),
	...shared,
};

export const RECORD_TYPES: readonly string[] = Object.keys(records);
