/**
 * Goroutines that run have their place in the registers of a thread. Where the operating system can say what is in them without stopping
 * it, they get a stack too: from a moment after they were looked at.
 */
import { u64 } from "../elf/little-endian.ts";
import type { MLayout } from "../gobin/layouts/struct-layouts.ts";
import {
	type CaptureContext,
	type CapturedGoroutine,
	type CapturedStack,
	captureAgain,
	MAX_FRAMES,
} from "./capture.ts";
import { decodeGoroutine, type GoroutineState, goroutineBytes } from "./goroutine-state.ts";
import { takeNotes } from "./stack-notes.ts";
import { walkStack } from "./unwind.ts";

/** Registers of a thread in user space. */
export interface ThreadPlace {
	pc: number;
	sp: number;
	/** kernel: it sleeps there, and its stack stands still. sample: taken by a timer interrupt, together with its stack. */
	origin: "kernel" | "sample";
	/** Memory from `sp` on, when it was taken in the same moment. */
	stack?: Uint8Array;
}

export interface ThreadReader {
	/** By thread id as the process knows it: where the thread is, or the reason why that is not known. */
	places(tids: readonly number[]): ReadonlyMap<number, ThreadPlace | string>;
	/** Whether a thread that slept in the kernel still sleeps at the same place. */
	isStill(tid: number, place: ThreadPlace): boolean;
}

export interface RunningContext extends CaptureContext {
	machine: MLayout;
	threads: ThreadReader;
}

const STACK_BYTES = 64 << 10;
const NO_THREAD = "it has left its thread meanwhile";
const OTHER_STACK = "its thread is on the runtime's own stack";

/** A thread may be on the runtime's own stack, or the goroutine between two threads: it is tried again. */
const ATTEMPTS = 3;

/** Gives stacks to those of the goroutines that run; where there is none `noStack` says why. */
export function addRunningStacks(context: RunningContext, goroutines: readonly CapturedGoroutine[]): void {
	let left = goroutines.filter(({ state, stack, torn }) => {
		return state.status === "running" && stack === undefined && torn !== true;
	});
	for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt++) {
		// Some have come to rest meanwhile: those have saved their place.
		for (const goroutine of left) Object.assign(goroutine, captureAgain(context, goroutine.state.address));
		left = left.filter(({ state, stack }) => state.status === "running" && stack === undefined);
		const before = threadsOf(context, left);
		const places = context.threads.places([...new Set(before.flatMap((seat) => seat?.tid ?? []))]);
		const after = threadsOf(context, left);
		left.forEach((goroutine, index) => {
			const outcome = stackOf(context, before[index], after[index], places);
			if (typeof outcome === "string") goroutine.noStack = outcome;
			else goroutine.stack = outcome;
		});
		left = left.filter(({ stack }) => stack === undefined);
	}
}

/** A goroutine and the thread that runs it. */
interface Seat {
	state: GoroutineState;
	tid: number | undefined;
}

/** As it is now: the goroutine may have left its thread, run on another one, or ended. */
function threadsOf(
	{ memory, machine, layout }: RunningContext,
	running: readonly CapturedGoroutine[],
): (Seat | undefined)[] {
	const addresses = running.map(({ state }) => state.address);
	const states = memory
		.read(addresses.map((address) => ({ address, length: goroutineBytes(layout) })))
		.map((bytes, index) => {
			const state = bytes === undefined ? undefined : decodeGoroutine(bytes, layout, addresses[index] ?? 0);
			return state === "none" || state?.goid !== running[index]?.state.goid ? undefined : state;
		});
	const length = Math.max(machine.procid, machine.curg) + 8;
	const machines = memory.read(
		states.map((state) => ({ address: state?.m ?? 0, length: (state?.m ?? 0) === 0 ? 0 : length })),
	);
	return states.map((state, index): Seat | undefined => {
		const bytes = machines[index];
		if (state === undefined) return undefined;
		if (bytes === undefined || bytes.length === 0 || u64(bytes, machine.curg) !== state.address)
			return { state, tid: undefined };
		const tid = u64(bytes, machine.procid);
		return { state, tid: tid > 0 && tid < 2 ** 31 ? tid : undefined };
	});
}

/**
 * A thread whose stack pointer is in a goroutine's stack runs that goroutine, if the stack was its own before and after: no matter what
 * it was doing by then.
 */
function stackOf(
	context: RunningContext,
	before: Seat | undefined,
	after: Seat | undefined,
	places: ReadonlyMap<number, ThreadPlace | string>,
): CapturedStack | string {
	const { memory, code, shapes, threads } = context;
	if (before?.tid === undefined || after === undefined) return NO_THREAD;
	const { stackLo, stackHi } = before.state;
	const place = places.get(before.tid) ?? NO_THREAD;
	if (typeof place === "string") return place;
	if (place.sp < stackLo || place.sp >= stackHi) return OTHER_STACK;
	if (after.state.stackLo !== stackLo || after.state.stackHi !== stackHi) return NO_THREAD;
	const length = Math.min(stackHi - place.sp, STACK_BYTES);
	const bytes = place.stack?.subarray(0, length) ?? memory.read([{ address: place.sp, length }])[0];
	if (bytes === undefined || (place.stack === undefined && !threads.isStill(before.tid, place))) return NO_THREAD;
	const copy = { address: place.sp, bytes };
	const walk = walkStack(code, copy, { pc: place.pc, sp: place.sp, exact: true }, MAX_FRAMES);
	if (walk.frames.length === 0) return "its registers are outside Go code";
	const shape = shapes.of(walk);
	return { shape, notes: takeNotes(code, shape, walk, copy), origin: place.origin };
}
