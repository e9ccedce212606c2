/** The JSON Schema of what commands that look once print with --json, tied to its types; it is in no recording. */
import { endReason, frame, impl, stack, tier } from "../records/schema.ts";
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
import type {
	SnapshotCounts,
	SnapshotGroup,
	SnapshotGrower,
	SnapshotIteration,
	SnapshotLock,
	SnapshotMapWork,
	SnapshotRecord,
	SnapshotStatus,
	StackOrigin,
} from "../snapshot/record.ts";
import type { Verdict, VerificationRecord, VerifiedFunction } from "../verify/record.ts";

const integer: Schema<number> = { json: { type: "integer" } };
const range: Schema<[number, number]> = { json: { type: "array", items: whole.json } };

const counts = object<SnapshotCounts>({
	total: whole,
	running: whole,
	runnable: whole,
	waiting: whole,
	syscall: whole,
	other: described(whole, "preempted, copystack and leaked ones"),
	system: described(whole, "of the total: the runtime's own"),
	map_code: described(whole, "of the total: inside map code"),
	map_growth: described(whole, "of the total: inside the growth of a map"),
	iterating: described(whole, "of the total: in a loop over a map"),
	torn: described(whole, "of the total: they moved whenever they were looked at, and have no stack"),
});

const group = object<SnapshotGroup>({
	count: whole,
	goids: described(list(whole), "ascending; the first 1000"),
	status: oneOf<SnapshotStatus>({
		running: true,
		runnable: true,
		waiting: true,
		syscall: true,
		preempted: true,
		copystack: true,
		leaked: true,
	}),
	wait_reason: optional(text, "in the words of the program's runtime"),
	waiting_ns: optional(whole, "how long one of them is known to wait, at least"),
	system: optional(only, "the runtime's own"),
	stack,
	stack_origin: optional(oneOf<StackOrigin>({ saved: true, "system-stack": true, kernel: true, sample: true })),
	stack_truncated: optional(only),
	stack_broken: optional(only),
	no_stack: optional(text, "why there is none"),
	map_work: optional(
		object<SnapshotMapWork>({
			role: oneOf<SnapshotMapWork["role"]>({ growth: true, iteration: true, access: true }),
			fn: text,
			site: optional(frame, "first frame outside map code"),
		}),
	),
	iterations: optional(
		list(
			object<SnapshotIteration>({
				fn: text,
				map_type: text,
				count: whole,
				entries: described(range, "the smallest and the largest number of entries of their maps"),
				growing: optional(whole),
			}),
		),
	),
	waits_for: optional(list(hex), "addresses of locks"),
	created_by: optional(frame),
	start_fn: optional(text),
	stayed: optional(whole, "how many had this stack in every snapshot so far"),
	idle: optional(whole, "of those: how many have not run at all in between"),
});

const lock = object<SnapshotLock>({
	address: hex,
	kind: oneOf<SnapshotLock["kind"]>({ "sync.Mutex": true, "sync.RWMutex": true, semaphore: true }),
	of: optional(text),
	waiting: whole,
	waiting_goids: list(whole),
	waiting_readers: optional(whole),
	locked: optional(flag),
	starving: optional(only),
	readers: optional(whole),
	growers: optional(
		list(
			object<SnapshotGrower>({
				goid: whole,
				growth_fn: text,
				fn: text,
				file: optional(text),
				line: optional(whole),
				evidence: oneOf<SnapshotGrower["evidence"]>({ "lock-address": true, "object-address": true }),
				object: optional(hex),
				lock_offset: optional(whole),
			}),
		),
		"goroutines that grow a map and have the lock's address, or that of its object, in their frames",
	),
});

const snapshot = object<SnapshotRecord>({
	type: constant("snapshot"),
	time: moment,
	elapsed_ns: described(whole, "since the first snapshot"),
	sequence: whole,
	pid: whole,
	name: text,
	go_version: text,
	map_impl: optional(impl),
	duration_ns: described(whole, "how long reading took"),
	goroutines: counts,
	groups: described(list(group), "goroutines with equal stacks, most of them first"),
	locks: list(lock),
	changes: optional(
		object<NonNullable<SnapshotRecord["changes"]>>({ stayed: whole, moved: whole, started: whole, ended: whole }),
	),
	retried: whole,
	left_out: optional(whole),
	notes: list(text),
});

const verdict = described(
	oneOf<Verdict>({ equal: true, explained: true, unexplained: true }),
	"equal: to the last pass; explained: the reason for the difference is known; unexplained: one of the two counted wrongly",
);

const verification = object<VerificationRecord>({
	type: constant("verification"),
	time: moment,
	duration_ns: whole,
	reason: endReason,
	pid: whole,
	name: text,
	exe: text,
	go_version: text,
	map_impl: impl,
	scope: oneOf<VerificationRecord["scope"]>({ processors: true, threads: true }),
	threads_started: optional(whole),
	other_processes: optional(whole),
	migrations: optional(whole),
	functions: list(
		object<VerifiedFunction>({
			fn: text,
			tier,
			address: hex,
			file_offset: whole,
			instruction: text,
			cost: oneOf<VerifiedFunction["cost"]>({ emulated: true, stepped: true }),
			calls: whole,
			restarts: described(whole, "passes that were sent to morestack and came again"),
			passes: object<VerifiedFunction["passes"]>({ bpf: whole, perf: whole }),
			difference: described(
				object<VerifiedFunction["difference"]>({ low: integer, high: integer }),
				"what perf has counted more lies between these, both included",
			),
			verdict,
			explanation: optional(text),
		}),
	),
	not_probed: list(object<VerificationRecord["not_probed"][number]>({ fn: text, reason: text })),
	verdict,
	by_hand: optional(
		object<NonNullable<VerificationRecord["by_hand"]>>({ bpftrace: text, perf: list(text) }),
		"commands that count the same with other tools",
	),
});

/** By the `type` of each. */
export const ANSWERS: Readonly<Record<string, JsonSchema>> = {
	snapshot: { ...snapshot.json, description: "all goroutines of a process at one time: snapshot --json" },
	verification: { ...verification.json, description: "the same calls, counted twice: verify --json" },
};
