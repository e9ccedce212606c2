/**
 * Walks the stack of a goroutine in a copy of its memory. The size of each frame comes from the program's function table, as in the
 * runtime's own tracebacks (runtime/traceback.go, unwinder.next): the chain of frame pointers lacks the caller of a function that was
 * interrupted in its prologue, and of those that keep no frame pointer.
 */
import { u64 } from "../elf/little-endian.ts";

/** What is known of a place in the code. */
export interface CodePoint {
	/** The address to ask for source frames: for a return address the byte before it, which belongs to the call. */
	readonly at: number;
	/** Distance from the stack pointer to the return address; undefined where it is not known. */
	readonly frameSize: number | undefined;
	/** The function, inlined calls aside. */
	readonly fn: string;
}

/** What the walk asks of the program; addresses as the process has them. */
export interface StackCode {
	/** `exact`: the address is that of the instruction to be executed next, not a return address. Undefined outside the program's code. */
	pointAt(pc: number, exact: boolean): CodePoint | undefined;
}

/** A copy of [address, address + bytes.length). */
export interface StackCopy {
	readonly address: number;
	readonly bytes: Uint8Array;
}

/** A frame as the machine has it: one function call, with what was inlined into it. */
export interface PhysicalFrame {
	/** In the instruction that is being executed: for a return address the byte before it, which belongs to the call. */
	readonly pc: number;
	/** The frame's memory is [sp, end); the return address is at `end`. */
	readonly sp: number;
	readonly end: number;
}

/**
 * bottom: down to runtime.goexit. deep: more frames than are wanted, or than the copy holds. broken: something on the way is no
 * return address.
 */
export type WalkEnd = "bottom" | "deep" | "broken";

export interface Walk {
	readonly frames: readonly PhysicalFrame[];
	readonly end: WalkEnd;
	/** Where to go on when the copy was too short. */
	readonly next?: { pc: number; sp: number };
}

const GOEXIT = "runtime.goexit";
/** Functions that a signal handler made the code below seem to call: what is below stands at an instruction, not behind a call. */
const INJECTED = new Set(["runtime.asyncPreempt", "runtime.sigpanic", "runtime.debugCallV1", "runtime.debugCallV2"]);

/**
 * @param start where the goroutine stands; `exact` says that its pc is not a return address.
 * @param limit most frames.
 */
export function walkStack(
	code: StackCode,
	copy: StackCopy,
	start: { pc: number; sp: number; exact?: boolean },
	limit: number,
): Walk {
	const frames: PhysicalFrame[] = [];
	let { pc, sp } = start;
	let exact = start.exact === true;
	while (frames.length < limit) {
		const point = code.pointAt(pc, exact);
		if (point === undefined) return { frames, end: "broken" };
		if (point.fn === GOEXIT) return { frames, end: "bottom" };
		if (point.frameSize === undefined) return { frames, end: "broken" };
		const end = sp + point.frameSize;
		const offset = end - copy.address;
		if (offset < 0) return { frames, end: "broken" };
		if (offset + 8 > copy.bytes.length) return { frames, end: "deep", next: { pc, sp } };
		frames.push({ pc: point.at, sp, end });
		pc = u64(copy.bytes, offset);
		sp = end + 8;
		exact = INJECTED.has(point.fn);
	}
	return { frames, end: "deep" };
}
