/** Stacks without their data: goroutines that stand at the same place share one. */
import { type MapWork, mapWork } from "../gomap/stack-role.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { Frame } from "../records/records.ts";
import type { ProgramCode } from "./program-code.ts";
import type { Walk, WalkEnd } from "./unwind.ts";

export interface StackShape {
	/** Source frames, innermost first, inlined calls expanded. */
	readonly frames: readonly Frame[];
	/** Index of the first source frame of each physical frame. */
	readonly starts: readonly number[];
	/** The function of each physical frame. */
	readonly functions: readonly string[];
	readonly end: WalkEnd;
	readonly work: MapWork | undefined;
}

/** More different stacks than this are not shared. */
const MAX_SHAPES = 1 << 16;

export class StackShapes {
	readonly #code: ProgramCode;
	readonly #shapes = new Map<string, StackShape>();

	constructor(code: ProgramCode) {
		this.#code = code;
	}

	/** The same object for equal stacks. */
	of(walk: Walk): StackShape {
		let key: string = walk.end;
		for (const { pc } of walk.frames) key += `,${pc}`;
		const known = this.#shapes.get(key);
		if (known !== undefined) return known;
		const frames: Frame[] = [];
		const starts: number[] = [];
		const functions: string[] = [];
		for (const { pc } of walk.frames) {
			starts.push(frames.length);
			frames.push(...framesOf(this.#code, pc));
			functions.push(frames.at(-1)?.fn ?? "");
		}
		const shape = { frames, starts, functions, end: walk.end, work: mapWork(frames) };
		if (this.#shapes.size < MAX_SHAPES) this.#shapes.set(key, shape);
		return shape;
	}
}

/** Source frames of an address, safe to print. */
export function framesOf(code: ProgramCode, pc: number): Frame[] {
	return code.framesAt(pc).map((frame) => ({
		...frame,
		fn: sanitize(frame.fn),
		...(frame.file === undefined ? {} : { file: sanitize(frame.file) }),
	}));
}
