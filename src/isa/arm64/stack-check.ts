/**
 * Decodes the stack check at the start of a Go function on arm64, instruction by instruction from its first one.
 *
 * The compiler (cmd/internal/obj/arm64/obj7.go, stacksplit) emits: load g.stackguard0 (g is X28), compare the stack pointer with it (for frames over
 * StackSmall, the stack pointer less the excess), b.ls to the call of morestack at the function's end. Frames over StackBig first
 * branch to the same place when that difference wraps around. Up to Go 1.15 in X1 and X2, today in X16 and X17.
 */
import type { FlagsTest, StackCheck } from "../stack-check.ts";
import { decode } from "./decoder.ts";
import { hasBits, WORD_BYTES, wordAt } from "./word.ts";

/** Longest form: a frame over StackBig in Go 1.15, with two constants of up to four instructions. */
export const MAX_STACK_CHECK_BYTES = 16 * WORD_BYTES;

/** b.ls is taken when Z is set or C is clear (PSTATE bits 30 and 29). */
export const STACK_CHECK_TAKEN: FlagsTest = { word: "pstate", set: 2 ** 30, clear: 2 ** 29 };

interface Registers {
	/** Holds g.stackguard0. */
	guard: number;
	/** Holds the stack pointer, or what it would be. */
	work: number;
}

const REGISTERS: readonly Registers[] = [
	{ guard: 16, work: 17 },
	{ guard: 1, work: 2 },
];

/** Loads large constants for the assembler. */
const REGTMP = 27;
/** Loads the frame size in the form of 1.15. */
const SIZE = 3;

const CONDITION = { eq: 0, lo: 3, ls: 9 } as const;

/**
 * The stack check of the function whose code starts at `code[0]`; undefined when it does not begin with one of the known forms.
 * `code` needs the first MAX_STACK_CHECK_BYTES of the function, `size` is the function's length in bytes: the branch must stay inside it.
 */
export function findStackCheck(code: Uint8Array, size: number): StackCheck | undefined {
	for (const registers of REGISTERS) {
		const reader = new Reader(code);
		if (!readsUpToBranch(reader, registers)) continue;
		const branchOffset = reader.offset;
		const target = reader.branch(CONDITION.ls);
		// The slow path stands behind the function's body; anything else is not a stack check.
		if (target === undefined || target <= branchOffset || target >= size) return undefined;
		// The branch of the wrap-around, if any, leads to the same place.
		if (reader.targets.some((other) => other !== target)) return undefined;
		return { branchOffset, branchLength: WORD_BYTES, target, gRegister: "x28" };
	}
	return undefined;
}

function readsUpToBranch(reader: Reader, { guard, work }: Registers): boolean {
	// ldr guard, [x28, #16]
	if (!reader.take(0xffff_ffff, 0xf940_0b80 + guard)) return false;
	// cmp sp, guard
	if (reader.take(0xffff_ffff, 0xeb20_63ff + guard * 2 ** 16)) return true;
	const compareWork = (): boolean => reader.take(0xffff_ffff, compare(work, guard));
	// mov work, sp
	if (reader.take(0xffff_ffff, 0x9100_03e0 + work)) return compareWork();
	// sub work, sp, #excess
	if (reader.take(0xff80_03ff, 0xd100_03e0 + work)) return compareWork();
	return takesSubtraction(reader, work)
		? reader.branch(CONDITION.lo) !== undefined && compareWork()
		: takesOldWrapAround(reader, { guard, work });
}

/** subs work, sp, #excess, or the excess from REGTMP */
function takesSubtraction(reader: Reader, work: number): boolean {
	if (reader.take(0xff80_03ff, 0xf100_03e0 + work)) return true;
	const start = reader.offset;
	// subs work, sp, x27
	if (reader.takeConstant(REGTMP) && reader.take(0xffff_ffff, 0xeb20_63e0 + REGTMP * 2 ** 16 + work)) return true;
	reader.offset = start;
	return false;
}

/**
 * Go 1.15: mov x27, #StackPreempt; cmp guard, x27; b.eq slow; add work, sp, #StackGuard; sub work, work, guard; mov x3, #size; cmp work, x3
 */
function takesOldWrapAround(reader: Reader, { guard, work }: Registers): boolean {
	return (
		reader.takeConstant(REGTMP) &&
		reader.take(0xffff_ffff, compare(guard, REGTMP)) &&
		reader.branch(CONDITION.eq) !== undefined &&
		reader.take(0xff80_03ff, 0x9100_03e0 + work) &&
		reader.take(0xffff_ffff, 0xcb00_0000 + guard * 2 ** 16 + work * 2 ** 5 + work) &&
		reader.takeConstant(SIZE) &&
		reader.take(0xffff_ffff, compare(work, SIZE))
	);
}

/** cmp first, second */
function compare(first: number, second: number): number {
	return 0xeb00_001f + second * 2 ** 16 + first * 2 ** 5;
}

/** Takes instructions off the start of the code, one after another. */
class Reader {
	offset = 0;
	/** Of the branches taken off so far, as offsets in the code. */
	readonly targets: number[] = [];
	readonly #code: Uint8Array;

	constructor(code: Uint8Array) {
		this.#code = code;
	}

	/** Steps over the instruction when its bits under `mask` are those of `value`. */
	take(mask: number, value: number): boolean {
		const word = wordAt(this.#code, this.offset);
		if (word === undefined || !hasBits(word, mask, value)) return false;
		this.offset += WORD_BYTES;
		return true;
	}

	/** mov register, #constant: movz, movn or orr with a bit pattern, and up to three movk. */
	takeConstant(register: number): boolean {
		const loaded =
			this.take(0xff80_001f, 0xd280_0000 + register) ||
			this.take(0xff80_001f, 0x9280_0000 + register) ||
			this.take(0xff80_03ff, 0xb200_03e0 + register);
		for (let more = 0; loaded && more < 3; more++) if (!this.take(0xff80_001f, 0xf280_0000 + register)) break;
		return loaded;
	}

	/** b.cond: its target. */
	branch(condition: number): number | undefined {
		const at = this.offset;
		if (!this.take(0xff00_001f, 0x5400_0000 + condition)) return undefined;
		const target = decode(this.#code, at)?.target;
		if (target !== undefined) this.targets.push(target);
		return target;
	}
}
