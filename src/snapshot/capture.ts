/**
 * Reads all goroutines of a running process. Nothing is stopped, so whatever is read may change meanwhile: goroutines are read in small
 * batches, each goroutine's own fields before and after its stack, and one that moved is read again.
 */
import { u64 } from "../elf/little-endian.ts";
import { GomapgrowError } from "../errors/error.ts";
import type { GLayout } from "../gobin/layouts/struct-layouts.ts";
import { decodeGoroutine, type GoroutineState, goroutineBytes, stoodStill } from "./goroutine-state.ts";
import { resolveSemaphores } from "./locks.ts";
import type { MemoryRange, MemoryReader } from "./memory-reader.ts";
import type { ProgramCode } from "./program-code.ts";
import type { StackOrigin } from "./record.ts";
import { type StackNotes, takeNotes } from "./stack-notes.ts";
import type { StackShape, StackShapes } from "./stack-shapes.ts";
import { walkStack } from "./unwind.ts";

/** Most goroutines that are looked at. */
export const MAX_GOROUTINES = 1 << 18;
/** Most frames of one stack (before inlined calls are counted). */
export const MAX_FRAMES = 256;
const BATCH = 256;
/** Of most stacks a few hundred bytes are in use. */
const FIRST_STACK_BYTES = 16 << 10;
const MAX_STACK_BYTES = 1 << 20;
/** How often a goroutine that moves is looked at again. */
const RETRIES = 3;
/** Lists longer than this are no lists of goroutines. */
const MAX_LIST = 2 ** 32;

export interface CapturedStack {
	shape: StackShape;
	notes: StackNotes;
	origin: StackOrigin;
	/** Address of the semaphore that the goroutine waits for. */
	semaphore?: number;
}

export interface CapturedGoroutine {
	state: GoroutineState;
	/** Absent for one that runs on its own stack, and for one that was torn. */
	stack?: CapturedStack;
	/** Why one that runs has none. */
	noStack?: string;
	/** It moved whenever it was looked at: its fields are from the last look, and there is no stack. */
	torn?: true;
}

export interface Capture {
	goroutines: CapturedGoroutine[];
	/** Goroutines beyond the most that are looked at. */
	leftOut: number;
	/** Entries of the list that made no sense. */
	implausible: number;
	/** How many had to be read again because they moved. */
	retried: number;
}

/** What a capture is made of. */
export interface CaptureContext {
	memory: MemoryReader;
	code: ProgramCode;
	shapes: StackShapes;
	layout: GLayout;
	/** Run-time address of runtime.allgs. */
	allgs: number;
}

/** Throws E-TARGET-GONE, E-TARGET-DENIED, and E-BIN-MALFORMED when there is no list of goroutines where it should be. */
export function captureGoroutines(context: CaptureContext): Capture {
	const { addresses, leftOut } = listGoroutines(context);
	const capture: Capture = { goroutines: [], leftOut, implausible: 0, retried: 0 };
	for (let from = 0; from < addresses.length; from += BATCH) {
		captureBatch(context, addresses.slice(from, from + BATCH), capture);
	}
	if (capture.goroutines.length === 0) {
		throw noGoroutines(`${addresses.length} entries, none of them a goroutine`);
	}
	return capture;
}

function noGoroutines(found: string, cause?: unknown): GomapgrowError {
	return new GomapgrowError("E-BIN-MALFORMED", { wanted: "the list of goroutines (runtime.allgs)", found, cause });
}

/** runtime.allgs is a slice that grows: its words may be from two moments, so they are read until they agree. */
function listGoroutines({ memory, allgs }: CaptureContext): { addresses: number[]; leftOut: number } {
	for (let attempt = 0; attempt <= RETRIES; attempt++) {
		const [slice] = memory.read([{ address: allgs, length: 24 }]);
		if (slice === undefined) throw noGoroutines(`nothing mapped at 0x${allgs.toString(16)}`);
		const [address, length, capacity] = [u64(slice, 0), u64(slice, 8), u64(slice, 16)];
		if (address === 0 && length === 0) throw noGoroutines("an empty list: the program has only just started");
		const plausible = length > 0 && length <= capacity && capacity < MAX_LIST && address % 8 === 0;
		const taken = Math.min(length, MAX_GOROUTINES);
		const [list, again] = plausible
			? memory.read([
					{ address, length: taken * 8 },
					{ address: allgs, length: 8 },
				])
			: [];
		if (list === undefined || again === undefined || u64(again, 0) !== address) continue;
		const addresses = Array.from({ length: taken }, (_, index) => u64(list, index * 8));
		return { addresses, leftOut: length - taken };
	}
	throw noGoroutines(`no plausible slice at 0x${allgs.toString(16)}`);
}

function captureBatch(context: CaptureContext, addresses: readonly number[], capture: Capture): void {
	const first = capture.goroutines.length;
	let left = addresses;
	const deep: number[] = [];
	for (let attempt = 0; left.length > 0; attempt++) {
		const again: number[] = [];
		for (const look of lookAt(context, left, FIRST_STACK_BYTES)) {
			if (look === "none") continue;
			if (look === undefined) capture.implausible++;
			else if (!look.moved && look.stack?.shape.end === "deep" && look.inUse > FIRST_STACK_BYTES) {
				deep.push(look.state.address);
			} else if (attempt < RETRIES && isUncertain(look)) again.push(look.state.address);
			else capture.goroutines.push(asCaptured(look));
		}
		capture.retried += again.length;
		left = again;
	}
	for (const address of deep) captureDeep(context, address, capture);
	findSemaphores(context, capture.goroutines.slice(first));
}

/** What goroutines wait for is looked up at once: under contention they wait for something else in a moment. */
function findSemaphores(context: CaptureContext, goroutines: readonly CapturedGoroutine[], again = true): void {
	const layout = context.code.binary.layouts.sudog;
	const waiting = goroutines.flatMap((goroutine) => {
		const { state, stack } = goroutine;
		const words = stack?.notes.semaphore;
		return stack === undefined || words === undefined
			? []
			: [{ goroutine: state.address, words, stack, captured: goroutine }];
	});
	if (layout === undefined || waiting.length === 0) return;
	resolveSemaphores(context.memory, layout, waiting).forEach((semaphore, index) => {
		const each = waiting[index];
		if (each === undefined) return;
		if (semaphore !== undefined) each.stack.semaphore = semaphore;
		// It has been woken up since: it is looked at once more.
		else if (again && each.captured.state.status === "waiting") {
			refresh(each.captured, captureAgain(context, each.goroutine));
		}
	});
}

/** A goroutine whose stack is longer than the first read. */
function captureDeep(context: CaptureContext, address: number, capture: Capture): void {
	for (let attempt = 0; attempt <= RETRIES; attempt++) {
		const [look] = lookAt(context, [address], MAX_STACK_BYTES);
		if (look === "none") return;
		if (look === undefined) {
			capture.implausible++;
			return;
		}
		if (attempt === RETRIES || !isUncertain(look)) {
			capture.goroutines.push(asCaptured(look));
			return;
		}
		capture.retried++;
	}
}

/** What is known now takes the place of what was known; nothing does when it moved again. */
function refresh(goroutine: CapturedGoroutine, now: CapturedGoroutine | undefined): void {
	if (now === undefined) return;
	delete goroutine.stack;
	Object.assign(goroutine, now);
}

/** Looks once more at one goroutine; undefined when it has ended or moves. */
export function captureAgain(context: CaptureContext, address: number): CapturedGoroutine | undefined {
	const [look] = lookAt(context, [address], FIRST_STACK_BYTES);
	if (look === undefined || look === "none" || isUncertain(look)) return undefined;
	const captured = asCaptured(look);
	findSemaphores(context, [captured], false);
	return captured;
}

interface Look {
	state: GoroutineState;
	/** It ran between the two looks at its fields. */
	moved: boolean;
	/** Bytes of its stack. */
	inUse: number;
	stack?: CapturedStack;
}

/** A stack that does not lead to its bottom may have been read while it changed, however its fields look. */
function isUncertain({ moved, stack }: Look): boolean {
	return moved || stack?.shape.end === "broken";
}

function asCaptured({ state, moved, stack }: Look): CapturedGoroutine {
	if (moved) return { state, torn: true };
	return stack === undefined ? { state } : { state, stack };
}

type Decoded = GoroutineState | "none" | undefined;

/**
 * One look at some goroutines: their fields, their stacks (this many bytes of each at most), their fields again. Nothing else is
 * done in between, so that they have little time to move.
 */
function lookAt(
	{ memory, layout, code, shapes }: CaptureContext,
	addresses: readonly number[],
	stackBytes: number,
): (Look | "none" | undefined)[] {
	const length = goroutineBytes(layout);
	const ranges = addresses.map((address) => ({ address, length }));
	const decode = (bytes: Uint8Array | undefined, index: number): Decoded =>
		bytes === undefined ? undefined : decodeGoroutine(bytes, layout, addresses[index] ?? 0);
	const bytesBefore = memory.read(ranges);
	const before = bytesBefore.map(decode);
	const starts = before.map((state) => (isGoroutine(state) ? startOf(state, code) : undefined));
	const stacks = memory.read(starts.map((start) => stackRange(start, stackBytes)));
	const bytesAfter = memory.read(ranges);
	return before.map((state, index) => {
		if (!isGoroutine(state)) return state;
		const same = sameBytes(bytesBefore[index], bytesAfter[index]);
		const now = same ? state : decode(bytesAfter[index], index);
		if (!isGoroutine(now)) return now;
		const moved = state.status === "copystack" || !stoodStill(state, now);
		const [start, bytes] = [starts[index], stacks[index]];
		const inUse = start === undefined ? 0 : start.hi - start.sp;
		if (moved || start === undefined || bytes === undefined) return { state: now, moved, inUse };
		const copy = { address: start.sp, bytes };
		const walk = walkStack(code, copy, start, MAX_FRAMES);
		const shape = shapes.of(walk);
		const notes = takeNotes(code, shape, walk, copy);
		return { state, moved, inUse, stack: { shape, notes, origin: start.origin } };
	});
}

function isGoroutine(decoded: Decoded): decoded is GoroutineState {
	return decoded !== undefined && decoded !== "none";
}

function stackRange(start: Start | undefined, most: number): MemoryRange {
	return start === undefined
		? { address: 0, length: 0 }
		: { address: start.sp, length: Math.min(start.hi - start.sp, most) };
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
	return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

interface Start {
	pc: number;
	sp: number;
	/** End of the stack. */
	hi: number;
	origin: StackOrigin;
}

/** Function in which a goroutine seems to stand while its thread works on the system stack (runtime/asm_amd64.s, systemstack). */
const ON_SYSTEM_STACK = "runtime.systemstack_switch";

/** Where the walk begins; undefined while it runs on its own stack, or when the saved place is outside it. */
function startOf(state: GoroutineState, code: ProgramCode): Start | undefined {
	const inside = (sp: number): boolean => sp >= state.stackLo && sp < state.stackHi && sp % 8 === 0;
	// As the runtime's own traceback prefers it.
	if (state.syscallSp !== 0 && state.status !== "running" && inside(state.syscallSp)) {
		return { pc: state.syscallPc, sp: state.syscallSp, hi: state.stackHi, origin: "saved" };
	}
	if (!inside(state.sp)) return undefined;
	if (state.status !== "running") return { pc: state.pc, sp: state.sp, hi: state.stackHi, origin: "saved" };
	// gogo clears sp when it lets a goroutine run, systemstack when it returns.
	return code.pointAt(state.pc, true)?.fn === ON_SYSTEM_STACK
		? { pc: state.pc, sp: state.sp, hi: state.stackHi, origin: "system-stack" }
		: undefined;
}
