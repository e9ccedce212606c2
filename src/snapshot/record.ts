/**
 * What `snapshot` says about the goroutines of a process, in the spelling of its JSON: one object for each time that it looks. The
 * rules are those of the records: addresses are hex strings, nanoseconds end in `_ns`, what is not known is absent, text from the
 * process is sanitised.
 */
import type { Frame, MapImpl } from "../records/records.ts";

/** runtime/runtime2.go, _Grunnable … _Gleaked. copystack: its stack is being moved. leaked (Go 1.26+): found to wait forever. */
export type SnapshotStatus = "running" | "runnable" | "waiting" | "syscall" | "preempted" | "copystack" | "leaked";

/**
 * Where the frames come from. saved: the goroutine was not running, its place is saved in its own structure. system-stack: it runs, its
 * thread on the system stack of the runtime, and the frames are those it left for that. kernel: its thread is inside the kernel.
 * sample: it ran, and a timer interrupted its thread a moment after it was looked at.
 */
export type StackOrigin = "saved" | "system-stack" | "kernel" | "sample";

/** Map code that a goroutine is in. */
export interface SnapshotMapWork {
	/** growth: a map is growing or its entries are moved. iteration: a step of a loop over a map. access: anything else. */
	role: "growth" | "iteration" | "access";
	/** The function that says so. */
	fn: string;
	/** The place that uses the map: the first frame outside map code. */
	site?: Frame;
}

/** A loop over a map that has not come to its end. One that was left by break or return looks the same until its frame is used again. */
export interface SnapshotIteration {
	/** The function that loops. */
	fn: string;
	map_type: string;
	/** How many goroutines of the group. */
	count: number;
	/** The smallest and the largest number of entries of their maps. */
	entries: [number, number];
	/** Classic maps: how many of these maps are growing. */
	growing?: number;
}

/** Goroutines with the same stack that wait for the same kind of thing. */
export interface SnapshotGroup {
	count: number;
	/** Ascending; the first 1000. */
	goids: number[];
	status: SnapshotStatus;
	/** In the words of the program's own runtime; only when waiting. */
	wait_reason?: string;
	/** How long one of them is known to wait, at least: garbage collections take note of it. */
	waiting_ns?: number;
	/** Goroutines of the runtime itself: garbage collector, finalizers. */
	system?: true;
	/** Innermost first; empty when there is none, `no_stack` says why. */
	stack: Frame[];
	stack_origin?: StackOrigin;
	/** The frames beyond the last one were not read. */
	stack_truncated?: true;
	/** The frames beyond the last one make no sense. */
	stack_broken?: true;
	no_stack?: string;
	map_work?: SnapshotMapWork;
	iterations?: SnapshotIteration[];
	/** Addresses of the locks they wait for, as in `locks`. */
	waits_for?: string[];
	created_by?: Frame;
	start_fn?: string;
	/** How many had this stack and this wait in every snapshot so far; absent in the first. */
	stayed?: number;
	/** Of those, how many have not run at all in between; absent when it cannot be known (before Go 1.17). */
	idle?: number;
}

/** A goroutine that grows a map and has a lock's address, or that of the object with the lock, in its frame. */
export interface SnapshotGrower {
	goid: number;
	/** The growing function. */
	growth_fn: string;
	/** The frame that has the address. */
	fn: string;
	file?: string;
	line?: number;
	/** lock-address: of the lock itself. object-address: of the object from which those who wait reach the lock, at this distance from it. */
	evidence: "lock-address" | "object-address";
	object?: string;
	lock_offset?: number;
}

/** A lock that goroutines wait for. */
export interface SnapshotLock {
	address: string;
	kind: "sync.Mutex" | "sync.RWMutex" | "semaphore";
	/** semaphore: the function that waits for it, sync.(*WaitGroup).Wait for instance. */
	of?: string;
	/** Goroutines that wait for it; the first 1000, ascending. */
	waiting: number;
	waiting_goids: number[];
	/** RWMutex: how many of them want to read. */
	waiting_readers?: number;
	/** Whether a goroutine had it for itself a moment after the waiting ones were seen. */
	locked?: boolean;
	starving?: true;
	/** RWMutex: goroutines that read under it. */
	readers?: number;
	growers?: SnapshotGrower[];
}

export interface SnapshotCounts {
	total: number;
	running: number;
	runnable: number;
	waiting: number;
	syscall: number;
	/** preempted, copystack and leaked ones. */
	other: number;
	/** Of the total: goroutines of the runtime itself. */
	system: number;
	/** Of the total: inside map code, and inside the growth of a map. */
	map_code: number;
	map_growth: number;
	/** Of the total: in a loop over a map. */
	iterating: number;
	/** Of the total: they moved whenever they were looked at, so that they have no stack here. */
	torn: number;
}

export interface SnapshotRecord {
	type: "snapshot";
	/** RFC 3339, UTC, nanoseconds. */
	time: string;
	/** Since the first snapshot. */
	elapsed_ns: number;
	/** 1 is the first. */
	sequence: number;
	pid: number;
	name: string;
	go_version: string;
	map_impl?: MapImpl;
	/** How long reading took. */
	duration_ns: number;
	goroutines: SnapshotCounts;
	/** Most goroutines first. */
	groups: SnapshotGroup[];
	/** Most waiting goroutines first. */
	locks: SnapshotLock[];
	/** Since the snapshot before: what became of its goroutines. Absent in the first. */
	changes?: { stayed: number; moved: number; started: number; ended: number };
	/** Goroutines that were read again because they moved. */
	retried: number;
	/** Goroutines beyond the most that are looked at. */
	left_out?: number;
	/** What cannot be shown, and why. */
	notes: string[];
}
