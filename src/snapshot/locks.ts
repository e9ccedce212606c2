/**
 * Which lock a goroutine waits for. It is queued with a sudog that holds the address of the lock's semaphore (runtime/sema.go,
 * semaRoot.queue), and that sudog is in the frame of runtime.semacquire1, which needs it when it goes on.
 */
import { u32, u64 } from "../elf/little-endian.ts";
import type { SudogLayout } from "../gobin/layouts/struct-layouts.ts";
import type { Frame } from "../gobin/pclntab/inline-tree.ts";
import type { MemoryReader } from "./memory-reader.ts";

/**
 * sync.Mutex: state, sema. sync.RWMutex: w (a Mutex), writerSem, readerSem, readerCount, readerWait; 32 bits each
 * (sync/mutex.go, rwmutex.go, internal/sync/mutex.go; the same from Go 1.15 to 1.27).
 */
const MUTEX = { sema: 4, bytes: 8 };
const RWMUTEX = { writerSem: 8, readerSem: 12, readerCount: 16, readerWait: 20, bytes: 24 };
const MUTEX_LOCKED = 1;
const MUTEX_STARVING = 4;
export type LockKind = "sync.Mutex" | "sync.RWMutex" | "semaphore";
/** What a goroutine wants of a lock. */
export type LockWish = "lock" | "read-lock" | "acquire";

/** What a goroutine waits for. */
export interface LockWait {
	kind: LockKind;
	wish: LockWish;
	/** Address of the lock; of the semaphore where it belongs to something else. */
	address: number;
	/** For a semaphore, the function that waits for it. */
	of?: string;
}

/** What the lock's own words say. */
export interface LockState {
	/** Whether a goroutine has it for itself; absent where it cannot be told. */
	locked?: boolean;
	/** Mutex: a goroutine has waited for more than a millisecond and gets it next. */
	starving?: boolean;
	/** RWMutex: goroutines that read under it. */
	readers?: number;
}

/** Semaphore addresses by owner; undefined where no word of the frame is a sudog of the goroutine. One read for all. */
export function resolveSemaphores(
	memory: MemoryReader,
	layout: SudogLayout,
	waiting: readonly { goroutine: number; words: readonly number[] }[],
): (number | undefined)[] {
	const length = Math.max(layout.g, layout.elem) + 8;
	const flat = waiting.flatMap(({ words }, owner) => words.map((address) => ({ owner, address })));
	const found: (number | undefined)[] = waiting.map(() => undefined);
	memory.read(flat.map(({ address }) => ({ address, length }))).forEach((bytes, index) => {
		const owner = flat[index]?.owner ?? -1;
		if (bytes === undefined || u64(bytes, layout.g) !== waiting[owner]?.goroutine) return;
		const semaphore = u64(bytes, layout.elem);
		if (semaphore !== 0 && semaphore % 4 === 0) found[owner] ??= semaphore;
	});
	return found;
}

const MUTEX_SLOW = /^(internal\/)?sync\.\(\*Mutex\)\.(lockSlow|Lock)$/;
/** The runtime's functions under the names that other packages link to. */
const SEMACQUIRE = /^runtime\.semacquire$|^(internal\/)?(sync|poll)\.runtime_Semacquire/;
const RW_LOCK = "sync.(*RWMutex).Lock";
const RW_RLOCK = "sync.(*RWMutex).RLock";

/** What kind of lock the semaphore belongs to, by the functions on the stack (innermost first). */
export function lockWaitOf(stack: readonly Frame[], semaphore: number): LockWait {
	const names = stack.map(({ fn }) => fn);
	const first = names.findIndex((name) => MUTEX_SLOW.test(name) || name === RW_LOCK || name === RW_RLOCK);
	// Only what called semacquire1: its linkname stands between.
	const between = names.slice(names.indexOf("runtime.semacquire1") + 1, first);
	if (first < 0 || !between.every((name) => SEMACQUIRE.test(name))) {
		const of = stack.slice(names.indexOf("runtime.semacquire1") + 1).find(({ fn }) => !SEMACQUIRE.test(fn))?.fn;
		return { kind: "semaphore", wish: "acquire", address: semaphore, ...(of === undefined ? {} : { of }) };
	}
	if (names[first] === RW_RLOCK) {
		return { kind: "sync.RWMutex", wish: "read-lock", address: semaphore - RWMUTEX.readerSem };
	}
	if (names[first] === RW_LOCK) {
		return { kind: "sync.RWMutex", wish: "lock", address: semaphore - RWMUTEX.writerSem };
	}
	const rest = names.slice(first);
	const outer = rest.find((name) => !MUTEX_SLOW.test(name));
	// The writers of an RWMutex queue at the Mutex it begins with.
	return { kind: outer === RW_LOCK ? "sync.RWMutex" : "sync.Mutex", wish: "lock", address: semaphore - MUTEX.sema };
}

/** The state of locks; one read for all. */
export function readLockStates(
	memory: MemoryReader,
	locks: readonly { kind: LockKind; address: number }[],
): LockState[] {
	const ranges = locks.map(({ kind, address }) => {
		const length = kind === "semaphore" ? 0 : kind === "sync.Mutex" ? MUTEX.bytes : RWMUTEX.bytes;
		return { address, length };
	});
	return memory.read(ranges).map((bytes, index) => stateOf(locks[index]?.kind ?? "semaphore", bytes));
}

function stateOf(kind: LockKind, bytes: Uint8Array | undefined): LockState {
	if (bytes === undefined || kind === "semaphore") return {};
	const state = u32(bytes, 0);
	const [locked, starving] = [(state & MUTEX_LOCKED) !== 0, (state & MUTEX_STARVING) !== 0];
	if (kind === "sync.Mutex") return { locked, starving };
	const count = u32(bytes, RWMUTEX.readerCount) | 0;
	if (count >= 0) return { locked: false, readers: count };
	// A writer has or wants it: rwmutexMaxReaders is subtracted, and readerWait says how many readers it still waits for.
	const readers = Math.max(0, u32(bytes, RWMUTEX.readerWait) | 0);
	return { locked: readers === 0, readers };
}
