/**
 * What is picked out of the copy of a stack before it is thrown away: words that may be a semaphore's waiter, an iterator, or
 * pointers into an object with a lock. They are candidates: `locks.ts` and `iterators.ts` look at what they point to.
 */
import { u64 } from "../elf/little-endian.ts";
import type { ProgramCode } from "./program-code.ts";
import type { StackShape } from "./stack-shapes.ts";
import type { StackCopy, Walk } from "./unwind.ts";

/** Most words and iterators that are kept of one stack. */
const MAX_WORDS = 512;
const MAX_ITERATORS = 16;
const SEMACQUIRE = "runtime.semacquire1";
const MAX_ADDRESS = 2 ** 47;
const TWO_32 = 4294967296;

/** The memory of something that looks like an iterator. */
export interface IteratorCandidate {
	readonly frame: number;
	readonly bytes: Uint8Array;
}

/** Pointers in the frame with that number, counted from the innermost. */
export interface FrameWords {
	readonly frame: number;
	readonly words: readonly number[];
}

export interface StackNotes {
	/** Pointers in the frame of runtime.semacquire1, one of which is its sudog; absent when the goroutine is not in it. */
	readonly semaphore?: readonly number[];
	/** Pointers in the frames around: of one that waits for a semaphore, is inside map code or may loop over a map. */
	readonly pointers?: readonly FrameWords[];
	readonly iterators?: readonly IteratorCandidate[];
}

export function takeNotes(code: ProgramCode, shape: StackShape, walk: Walk, copy: StackCopy): StackNotes {
	const waiting = walk.frames[shape.functions.indexOf(SEMACQUIRE)];
	const iterators = findIterators(code, shape, walk, copy);
	const matters = waiting !== undefined || shape.work !== undefined || iterators.length > 0;
	return {
		...(waiting === undefined ? {} : { semaphore: pointersIn(copy, waiting.sp, waiting.end) }),
		...(matters ? { pointers: framePointers(shape, walk, copy) } : {}),
		...(iterators.length === 0 ? {} : { iterators }),
	};
}

function pointersIn(copy: StackCopy, from: number, to: number): number[] {
	const words = new Set<number>();
	for (let at = from - copy.address; at + 8 <= copy.bytes.length && at < to - copy.address; at += 8) {
		const word = u64(copy.bytes, at);
		if (word >= 4096 && word < MAX_ADDRESS) words.add(word);
	}
	return [...words];
}

/** Pointers in the frames outside the runtime, which is where the objects of the program are worked with. */
function framePointers(shape: StackShape, { frames }: Walk, copy: StackCopy): FrameWords[] {
	const found: FrameWords[] = [];
	let left = MAX_WORDS;
	frames.forEach(({ sp, end }, frame) => {
		if (left <= 0 || isRuntime(shape, frame)) return;
		const words = pointersIn(copy, sp, end).slice(0, left);
		left -= words.length;
		found.push({ frame, words });
	});
	return found;
}

function isRuntime({ functions }: StackShape, frame: number): boolean {
	const fn = functions[frame] ?? "";
	return fn.startsWith("runtime.") || fn.startsWith("internal/runtime/maps.");
}

/** The same memory as 32-bit numbers, the lower half of each word first; what is left over at the end is not in it. */
function halfWords(bytes: Uint8Array): Uint32Array {
	const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
	return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
}

/** A range loop has its iterator in its frame: a word that points to the type of a map, between the key and the map. */
function findIterators(code: ProgramCode, shape: StackShape, { frames }: Walk, copy: StackCopy): IteratorCandidate[] {
	const { hiter, swissIter } = code.binary.layouts;
	const layout = code.mapImpl === "swiss" ? swissIter : hiter;
	if (layout === undefined) return [];
	const { start, end } = code.types;
	const halves = halfWords(copy.bytes);
	const [lowest, highest] = [Math.floor(start / TWO_32), Math.floor(end / TWO_32)];
	const found: IteratorCandidate[] = [];
	for (const [index, frame] of frames.entries()) {
		if (isRuntime(shape, index)) continue;
		const [first, limit] = [frame.sp - copy.address, Math.min(frame.end - copy.address, copy.bytes.length)];
		for (let at = first; at + 8 <= limit; at += 8) {
			// Nearly all words are refused by their upper half.
			const upper = halves[at / 4 + 1] ?? 0;
			if (upper < lowest || upper > highest) continue;
			const word = (halves[at / 4] ?? 0) + upper * TWO_32;
			if (word < start || word >= end || code.mapTypeAt(word) === undefined) continue;
			const from = at - layout.type;
			const inFrame = from >= first && from + layout.bytes <= limit;
			if (inFrame && found.length < MAX_ITERATORS) {
				found.push({ frame: index, bytes: copy.bytes.slice(from, from + layout.bytes) });
			}
		}
	}
	return found;
}
