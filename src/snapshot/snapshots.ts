/** Snapshots of one process: each says what all goroutines do, and which of them did the same the last time. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import type { GLayout } from "../gobin/layouts/struct-layouts.ts";
import { sanitize } from "../lib/sanitize.ts";
import { type Capture, type CapturedGoroutine, captureGoroutines, MAX_GOROUTINES } from "./capture.ts";
import type { GoroutineState } from "./goroutine-state.ts";
import { groupGoroutines, hex, MAX_GOIDS, type SeenGoroutine, startFunction } from "./groups.ts";
import { type Evidence, findUsers, type MapUser } from "./growers.ts";
import { type Iteration, resolveIterators } from "./iterators.ts";
import { type LockKind, type LockWait, lockWaitOf, readLockStates } from "./locks.ts";
import type { MemoryReader } from "./memory-reader.ts";
import { ProgramCode } from "./program-code.ts";
import type { SnapshotCounts, SnapshotLock, SnapshotRecord } from "./record.ts";
import { addRunningStacks, type ThreadReader } from "./running.ts";
import type { FrameWords } from "./stack-notes.ts";
import { type StackShape, StackShapes } from "./stack-shapes.ts";

/** What the text of a snapshot begins with. */
export interface SnapshotIdentity {
	pid: number;
	name: string;
}

/** What is read of the process. */
export interface SnapshotSource {
	memory: MemoryReader;
	threads: ThreadReader;
}

/** When a snapshot was taken. */
export interface SnapshotMoment {
	/** RFC 3339. */
	time: string;
	elapsedNs: number;
	/** CLOCK_MONOTONIC, which the runtime's own times are in. */
	monotonicNs: number;
}

/** Goroutines that loop, of one lock. */
const MAX_LOOPS = 100;

/** What is remembered of a goroutine from one snapshot to the next. */
interface Memory {
	shape: StackShape | undefined;
	waitReason: string | undefined;
	runs: number | undefined;
	/** In how many snapshots on end it had this stack, and whether it did not run in between. */
	streak: number;
	idle: boolean;
}

export class Snapshots {
	readonly #memory: MemoryReader;
	readonly #threads: ThreadReader;
	readonly #code: ProgramCode;
	readonly #shapes: StackShapes;
	readonly #identity: SnapshotIdentity;
	readonly #layout: GLayout;
	readonly #allgs: number;
	#sequence = 0;
	#remembered = new Map<number, Memory>();

	/** Throws E-BIN-ARCH, E-BIN-GO-NEW (layouts of a release that is not known) and E-BIN-MALFORMED (no list of goroutines found). */
	constructor(source: SnapshotSource, binary: GoBinary, bias: number, identity: SnapshotIdentity) {
		this.#memory = source.memory;
		this.#threads = source.threads;
		this.#code = new ProgramCode(binary, bias);
		this.#shapes = new StackShapes(this.#code);
		this.#identity = identity;
		const { layout, allgs } = requirements(binary);
		this.#layout = layout;
		this.#allgs = allgs + bias;
	}

	/** Looks once. `clock` is asked when everything that moves has been read. Throws E-TARGET-GONE, E-TARGET-DENIED, E-BIN-MALFORMED. */
	take(clock: () => SnapshotMoment, durationNs: () => number): SnapshotRecord {
		const context = {
			...{ memory: this.#memory, code: this.#code, shapes: this.#shapes },
			...{ layout: this.#layout, allgs: this.#allgs },
		};
		const capture = captureGoroutines(context);
		const machine = this.#code.binary.layouts.m;
		if (machine !== undefined) addRunningStacks({ ...context, machine, threads: this.#threads }, capture.goroutines);
		const waits = capture.goroutines.map(lockWait);
		const iterations = resolveIterators(
			this.#code,
			this.#memory,
			capture.goroutines.map(({ stack }) => stack?.notes.iterators ?? []),
		);
		const locks = this.#describeLocks(capture.goroutines, waits, iterations);
		const duration = durationNs();
		const moment = clock();
		this.#sequence++;
		const seen = capture.goroutines.map((goroutine, index) =>
			this.#see(goroutine, waits[index], iterations[index] ?? []),
		);
		const changes = this.#remember(seen);
		const { binary } = this.#code;
		return {
			type: "snapshot",
			time: moment.time,
			elapsed_ns: moment.elapsedNs,
			sequence: this.#sequence,
			pid: this.#identity.pid,
			name: sanitize(this.#identity.name),
			go_version: sanitize(binary.version.raw),
			...(binary.mapImpl === undefined ? {} : { map_impl: binary.mapImpl }),
			duration_ns: duration,
			goroutines: countGoroutines(seen),
			groups: groupGoroutines(this.#code, seen, moment.monotonicNs),
			locks,
			...(changes === undefined ? {} : { changes }),
			retried: capture.retried,
			...(capture.leftOut === 0 ? {} : { left_out: capture.leftOut }),
			notes: this.#notes(capture),
		};
	}

	#describeLocks(
		goroutines: readonly CapturedGoroutine[],
		waits: readonly (LockWait | undefined)[],
		iterations: readonly (readonly Iteration[])[],
	): SnapshotLock[] {
		const byLock = new Map<string, { kind: LockKind; address: number; of?: string; waiters: number[] }>();
		waits.forEach((wait, index) => {
			if (wait === undefined) return;
			const { wish: _, ...own } = wait;
			const lock = byLock.get(hex(wait.address)) ?? { ...own, waiters: [] };
			lock.waiters.push(index);
			byLock.set(hex(wait.address), lock);
		});
		const locks = [...byLock.values()];
		const states = readLockStates(this.#memory, locks);
		const growing = growingGoroutines(goroutines);
		const looping = loopingGoroutines(goroutines, iterations);
		return locks
			.map(({ kind, address, of, waiters }, number): SnapshotLock => {
				const goids = waiters.map((index) => goroutines[index]?.state.goid ?? 0).sort((a, b) => a - b);
				const { locked, starving, readers } = states[number] ?? {};
				const pointers = waiters.map((index): readonly FrameWords[] => goroutines[index]?.stack?.notes.pointers ?? []);
				const growers = locked === true ? findUsers(address, pointers, growing) : [];
				// Loops are often under a lock that is shared with other readers.
				const held = locked === true || (readers ?? 0) > 0;
				const own = new Set(waiters.map((index) => goroutines[index]?.state.goid));
				const loopers = held ? findUsers(address, pointers, looping).filter(({ user }) => !own.has(user.goid)) : [];
				return {
					address: hex(address),
					kind,
					...(of === undefined ? {} : { of }),
					waiting: goids.length,
					waiting_goids: goids.slice(0, MAX_GOIDS),
					...(kind === "sync.RWMutex"
						? { waiting_readers: waiters.filter((index) => waits[index]?.wish === "read-lock").length }
						: {}),
					...(locked === undefined ? {} : { locked }),
					...(starving === true ? { starving } : {}),
					...(readers === undefined ? {} : { readers }),
					...(growers.length === 0
						? {}
						: { growers: growers.map((found) => ({ growth_fn: found.user.growthFn, ...evidenceOf(found, address) })) }),
					...(loopers.length === 0
						? {}
						: {
								loops: loopers.slice(0, MAX_LOOPS).map((found) => ({
									...{ map_type: found.user.mapType, map: hex(found.user.map) },
									...evidenceOf(found, address),
								})),
							}),
				};
			})
			.sort((a, b) => b.waiting - a.waiting || a.address.localeCompare(b.address));
	}

	#see(
		{ state, stack, noStack, torn }: CapturedGoroutine,
		lock: LockWait | undefined,
		iterations: SeenGoroutine["iterations"],
	): SeenGoroutine {
		const start = startFunction(this.#code, state) ?? "";
		return {
			state,
			...(stack === undefined ? {} : { shape: stack.shape, origin: stack.origin }),
			...(noStack === undefined ? {} : { noStack }),
			torn: torn === true,
			// runtime/traceback.go, isSystemGoroutine.
			system: start.startsWith("runtime.") && !/^runtime\.(main|handleAsyncEvent)$/.test(start),
			...(state.status === "waiting" ? { waitReason: this.#reasonOf(state) } : {}),
			...(lock === undefined ? {} : { lock }),
			iterations,
		};
	}

	#reasonOf({ waitReason }: GoroutineState): string {
		const text = this.#code.binary.waitReasons?.[waitReason];
		return text === undefined || text === "" ? `reason ${waitReason}` : sanitize(text);
	}

	/** Fills in who stayed, and says what became of the goroutines of the last snapshot. */
	#remember(seen: SeenGoroutine[]): SnapshotRecord["changes"] {
		const first = this.#sequence === 1;
		const now = new Map<number, Memory>();
		const changes = { stayed: 0, moved: 0, started: 0, ended: 0 };
		for (const goroutine of seen) {
			const { state, shape, waitReason } = goroutine;
			const before = this.#remembered.get(state.goid);
			const same =
				before !== undefined && shape !== undefined && before.shape === shape && before.waitReason === waitReason;
			const streak = same ? before.streak + 1 : 1;
			const idle = same ? before.idle && before.runs === state.runs : true;
			now.set(state.goid, { shape, waitReason, runs: state.runs, streak, idle });
			if (first) continue;
			changes[before === undefined ? "started" : same ? "stayed" : "moved"]++;
			goroutine.stayed = streak === this.#sequence;
			goroutine.idle = goroutine.stayed && idle;
		}
		for (const goid of this.#remembered.keys()) {
			if (!now.has(goid)) changes.ended++;
		}
		this.#remembered = now;
		return first ? undefined : changes;
	}

	#notes({ leftOut, implausible }: Capture): string[] {
		const { binary } = this.#code;
		return [
			...(leftOut > 0 ? [`only the first ${MAX_GOROUTINES} goroutines are looked at: ${leftOut} are left out`] : []),
			...(implausible > 0 ? [`${implausible} entries of the list of goroutines made no sense`] : []),
			...(binary.waitReasons === undefined ? ["the names of the wait reasons were not found: they are numbers"] : []),
		];
	}
}

function requirements(binary: GoBinary): { layout: GLayout; allgs: number } {
	if (binary.arch !== "amd64") {
		throw new GomapgrowError("E-BIN-ARCH", {
			wanted: "an amd64 executable",
			found: `${binary.arch}: its stacks cannot be read yet`,
		});
	}
	const { allgs, layouts } = binary;
	if (layouts.g === undefined) {
		throw new GomapgrowError("E-BIN-GO-NEW", {
			wanted: "to know how the runtime of the program describes a goroutine",
			found: `${binary.version.raw}, which is newer than known, without debug information`,
		});
	}
	if (allgs === undefined) {
		throw new GomapgrowError("E-BIN-MALFORMED", {
			wanted: "the list of goroutines (runtime.allgs)",
			found: "no symbol for it, and other code than expected in runtime.allgadd",
		});
	}
	// A patched runtime calls itself by the version it was made from.
	return { layout: { ...layouts.g, goid: binary.goidInCode ?? layouts.g.goid }, allgs };
}

function lockWait({ stack }: CapturedGoroutine): LockWait | undefined {
	return stack?.semaphore === undefined ? undefined : lockWaitOf(stack.shape.frames, stack.semaphore);
}

function growingGoroutines(goroutines: readonly CapturedGoroutine[]): (MapUser & { growthFn: string })[] {
	return goroutines.flatMap(({ state, stack }) =>
		stack?.shape.work?.role === "growth"
			? [
					{
						...{ goid: state.goid, shape: stack.shape, pointers: stack.notes.pointers ?? [] },
						growthFn: stack.shape.work.fn,
					},
				]
			: [],
	);
}

/** With the innermost of their loops. */
function loopingGoroutines(
	goroutines: readonly CapturedGoroutine[],
	iterations: readonly (readonly Iteration[])[],
): (MapUser & { mapType: string; map: number })[] {
	return goroutines.flatMap(({ state, stack }, index) => {
		const [loop] = iterations[index] ?? [];
		if (loop === undefined || stack === undefined) return [];
		const { mapType, map } = loop;
		const pointers = stack.notes.pointers ?? [];
		return [{ goid: state.goid, shape: stack.shape, pointers, mapType: sanitize(mapType), map }];
	});
}

function evidenceOf({ user, frame, evidence, object }: Evidence<MapUser>, lock: number) {
	return {
		...{ goid: user.goid, fn: frame.fn },
		...(frame.file === undefined ? {} : { file: frame.file }),
		...(frame.line === undefined ? {} : { line: frame.line }),
		evidence,
		...(object === undefined ? {} : { object: hex(object), lock_offset: lock - object }),
	};
}

function countGoroutines(seen: readonly SeenGoroutine[]): SnapshotCounts {
	const count = (is: (goroutine: SeenGoroutine) => boolean): number => seen.filter(is).length;
	const [running, runnable, waiting, syscall] = (["running", "runnable", "waiting", "syscall"] as const).map((status) =>
		count(({ state }) => state.status === status),
	) as [number, number, number, number];
	return {
		total: seen.length,
		...{ running, runnable, waiting, syscall },
		other: seen.length - running - runnable - waiting - syscall,
		system: count(({ system }) => system),
		map_code: count(({ shape }) => shape?.work !== undefined),
		map_growth: count(({ shape }) => shape?.work?.role === "growth"),
		iterating: count(({ iterations }) => iterations.length > 0),
		torn: count(({ torn }) => torn),
	};
}
