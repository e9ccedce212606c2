/**
 * What `snapshot` reports about the goroutines of a process, in the spelling of its JSON: one object for each time
 * that it looks. Schemas, and the types that follow from them. The rules are those of the records: addresses are
 * hex strings, nanoseconds end in `_ns`, what is not known is absent, text from the process is sanitised.
 */
import { frame, impl, stack } from "../records/parts.ts";
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
	type Schema,
	text,
	whole,
} from "../records/schema-node.ts";

/**
 * runtime/runtime2.go, _Grunnable … _Gleaked. copystack: its stack is being moved. leaked (Go 1.26+): found to wait
 * forever.
 */
export type SnapshotStatus = Infer<typeof status>;
const status = oneOf("running", "runnable", "waiting", "syscall", "preempted", "copystack", "leaked");

/**
 * Where the frames come from. saved: the goroutine was not running, its place is saved in its own structure.
 * system-stack: it runs, its thread on the system stack of the runtime, and the frames are those it left for that.
 * kernel: its thread is inside the kernel. sample: it ran, and a timer interrupted its thread a moment after it was
 * looked at.
 */
export type StackOrigin = Infer<typeof stackOrigin>;
const stackOrigin = oneOf("saved", "system-stack", "kernel", "sample");

/** Map code that a goroutine is in. */
const mapWork = object({
	/**
	 * growth: a map is growing or its entries are moved. iteration: a step of a loop over a map. access: anything
	 * else.
	 */
	role: oneOf("growth", "iteration", "access"),
	/** The function that says so. */
	fn: text,
	/** The place that uses the map. */
	site: optional(frame, "first frame outside map code"),
});

const range: Schema<[number, number]> = { json: { type: "array", items: whole.json } };

/**
 * A loop over a map that has not come to its end. One that was left by break or return looks the same until its
 * frame is used again.
 */
export type SnapshotIteration = Infer<typeof iteration>;
const iteration = object({
	/** The function that loops. */
	fn: text,
	map_type: text,
	/** How many goroutines of the group. */
	count: whole,
	entries: described(range, "the smallest and the largest number of entries of their maps"),
	slots: optional(range, "the same of their slots, as far as they could be read"),
	/** Classic maps: how many of these maps are growing. */
	growing: optional(whole),
	/** The first 16. */
	half_grown: optional(
		list(
			object({
				map: hex,
				evacuated: described(whole, "old buckets whose entries have been moved"),
				of: whole,
				written: described(
					flag,
					"whether somebody wrote to it at that moment: without writes its growth never comes to an end",
				),
			}),
		),
		"classic maps in whose growth not all buckets have been evacuated",
	),
});

/** Goroutines with the same stack that wait for the same kind of thing. */
export type SnapshotGroup = Infer<typeof group>;
const group = object({
	count: whole,
	goids: described(list(whole), "ascending; the first 1000"),
	status,
	/** Only when waiting. */
	wait_reason: optional(text, "in the words of the program's runtime"),
	/** Garbage collections take note of it. */
	waiting_ns: optional(whole, "how long one of them is known to wait, at least"),
	/** Garbage collector, finalizers. */
	system: optional(only, "the runtime's own"),
	/** Empty when there is none, `no_stack` says why. */
	stack,
	stack_origin: optional(stackOrigin),
	/** The frames beyond the last one were not read. */
	stack_truncated: optional(only),
	/** The frames beyond the last one make no sense. */
	stack_broken: optional(only),
	no_stack: optional(text, "why there is none"),
	map_work: optional(mapWork),
	iterations: optional(list(iteration)),
	/** As in `locks`. */
	waits_for: optional(list(hex), "addresses of locks"),
	created_by: optional(frame),
	start_fn: optional(text),
	/** Absent in the first snapshot. */
	stayed: optional(whole, "how many had this stack in every snapshot so far"),
	/** Absent when it cannot be known (before Go 1.17). */
	idle: optional(whole, "of those: how many have not run at all in between"),
});

const evidence = {
	/** The frame that has the address. */
	fn: text,
	file: optional(text),
	line: optional(whole),
	/**
	 * lock-address: of the lock itself. object-address: of the object from which those who wait reach the lock, at
	 * this distance from it.
	 */
	evidence: oneOf("lock-address", "object-address"),
	object: optional(hex),
	lock_offset: optional(whole),
};

/** A goroutine that grows a map and has a lock's address, or that of the object with the lock, in its frame. */
const grower = object({
	goid: whole,
	/** The growing function. */
	growth_fn: text,
	...evidence,
});

/** The same of one that loops over a map. */
const looper = object({ goid: whole, map_type: text, map: hex, ...evidence });

/** A lock that goroutines wait for. */
export type SnapshotLock = Infer<typeof lock>;
const lock = object({
	address: hex,
	kind: oneOf("sync.Mutex", "sync.RWMutex", "semaphore"),
	/** semaphore: the function that waits for it, sync.(*WaitGroup).Wait for instance. */
	of: optional(text),
	/** Goroutines that wait for it; the first 1000, ascending. */
	waiting: whole,
	waiting_goids: list(whole),
	/** RWMutex: how many of them want to read. */
	waiting_readers: optional(whole),
	/** Whether a goroutine had it for itself a moment after the waiting ones were seen. */
	locked: optional(flag),
	starving: optional(only),
	/** RWMutex: goroutines that read under it. */
	readers: optional(whole),
	growers: optional(
		list(grower),
		"goroutines that grow a map and have the lock's address, or that of its object, in their frames",
	),
	loops: optional(list(looper), "the same of goroutines that loop over a map; the first 100"),
});

export type SnapshotCounts = Infer<typeof counts>;
const counts = object({
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

export type SnapshotRecord = Infer<typeof snapshotSchema>;
export const snapshotSchema = described(
	object({
		type: constant("snapshot"),
		time: moment,
		elapsed_ns: described(whole, "since the first snapshot"),
		/** 1 is the first. */
		sequence: whole,
		pid: whole,
		name: text,
		go_version: text,
		map_impl: optional(impl),
		duration_ns: described(whole, "how long reading took"),
		goroutines: counts,
		groups: described(list(group), "goroutines with equal stacks, most of them first"),
		/** Most waiting goroutines first. */
		locks: list(lock),
		/** Since the snapshot before: what became of its goroutines. Absent in the first. */
		changes: optional(object({ stayed: whole, moved: whole, started: whole, ended: whole })),
		/** Goroutines that were read again because they moved. */
		retried: whole,
		/** Goroutines beyond the most that are looked at. */
		left_out: optional(whole),
		/** What cannot be shown, and why. */
		notes: list(text),
	}),
	"all goroutines of a process at one time: snapshot --json",
);
