/** runtime.g as its bytes have it. */
import { u8, u32, u64 } from "../elf/little-endian.ts";
import type { GLayout } from "../gobin/layouts/struct-layouts.ts";

/** runtime/runtime2.go, _Gidle … _Gdeadextra (the last two: 1.26+). Dead and idle ones are nothing to show. */
const STATUS = new Map([
	[1, "runnable"],
	[2, "running"],
	[3, "syscall"],
	[4, "waiting"],
	[8, "copystack"],
	[9, "preempted"],
	[10, "leaked"],
] as const);
export type GoroutineStatus = typeof STATUS extends Map<number, infer Name> ? Name : never;
const NO_GOROUTINE = new Set([0, 5, 6, 7, 11]);
/** Set while the garbage collector has the goroutine's stack. */
const SCAN_BIT = 0x1000;

/** User-space addresses of x86-64. */
const MAX_ADDRESS = 2 ** 47;
/** runtime.maxstacksize is 1 GB; a stack grows by doubling. */
const MAX_STACK = 2 ** 31;

export interface GoroutineState {
	/** Of runtime.g itself. */
	address: number;
	goid: number;
	status: GoroutineStatus;
	/** Number of the reason why it waits; of a goroutine that does not, that of the last time. */
	waitReason: number;
	/** CLOCK_MONOTONIC in nanoseconds since which it is known to wait (set by garbage collections only), else 0. */
	waitSince: number;
	stackLo: number;
	stackHi: number;
	/** Where it will go on; sp is 0 while it runs on its own stack. */
	pc: number;
	sp: number;
	/** Where it entered the system call it is in; 0 when in none. */
	syscallPc: number;
	syscallSp: number;
	/** The thread's runtime.m; 0 when it has none. */
	m: number;
	/** Return address of the go statement that made it, and entry of its function. */
	goPc: number;
	startPc: number;
	/** 1.21+. */
	parentGoid?: number;
	/** Changes whenever it stops running (1.17+). */
	runs?: number;
}

/** How many bytes of a runtime.g are looked at. */
export function goroutineBytes(layout: GLayout): number {
	return Math.max(...Object.values(layout)) + 8;
}

/** "none": no goroutine now (dead ones stay in the list to be used again). Undefined when the bytes make no sense for one. */
export function decodeGoroutine(
	bytes: Uint8Array,
	layout: GLayout,
	address: number,
): GoroutineState | "none" | undefined {
	const word = (offset: number): number => u64(bytes, offset);
	const number = u32(bytes, layout.atomicstatus) & ~SCAN_BIT;
	if (NO_GOROUTINE.has(number)) return "none";
	const status = (STATUS as Map<number, GoroutineStatus>).get(number);
	const goid = word(layout.goid);
	const [stackLo, stackHi] = [word(layout.stackLo), word(layout.stackHi)];
	const plausible =
		status !== undefined &&
		Number.isSafeInteger(goid) &&
		goid > 0 &&
		stackLo > 0 &&
		stackLo < stackHi &&
		stackHi < MAX_ADDRESS &&
		stackHi - stackLo <= MAX_STACK;
	if (!plausible) return undefined;
	return {
		...{ address, goid, status, stackLo, stackHi },
		waitReason: u8(bytes, layout.waitreason),
		waitSince: word(layout.waitsince),
		pc: word(layout.schedPc),
		sp: word(layout.schedSp),
		syscallPc: word(layout.syscallpc),
		syscallSp: word(layout.syscallsp),
		m: word(layout.m),
		goPc: word(layout.gopc),
		startPc: word(layout.startpc),
		...(layout.parentGoid === undefined ? {} : { parentGoid: word(layout.parentGoid) }),
		...(layout.trackingSeq === undefined ? {} : { runs: u8(bytes, layout.trackingSeq) }),
	};
}

const STANDS_STILL = new Set<GoroutineStatus>(["runnable", "waiting", "preempted", "leaked"]);

/**
 * Whether the goroutine has not run between two looks, as far as its own fields say: one that ran saved another place, or the same
 * one after another count of runs. Up to Go 1.16 there is no such count.
 */
export function stoodStill(before: GoroutineState, after: GoroutineState): boolean {
	const same = (["goid", "stackLo", "stackHi", "pc", "sp", "syscallPc", "syscallSp", "runs"] as const).every(
		(field) => before[field] === after[field],
	);
	const kind = ({ status }: GoroutineState): string => (STANDS_STILL.has(status) ? "still" : status);
	return same && kind(before) === kind(after);
}
