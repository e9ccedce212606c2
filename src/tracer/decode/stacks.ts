/** Turns return addresses into frames. Equal stacks share one array, so a storm of growths from one place costs little. */

import { LruCache } from "../../lib/lru-cache.ts";
import { sanitize } from "../../lib/sanitize.ts";
import { isInMiddle, type PlannedProbe } from "../../plan/probe-plan.ts";
import type { Frame } from "../../records/records.ts";
import type { Target } from "../target.ts";
import { mayCall } from "./call-check.ts";

const MAX_STACKS = 4096;
const MAX_CALLERS = 16_384;
/** Bottom frame of every goroutine; what stands above it on the stack is not a return address. */
const GOEXIT = "runtime.goexit";
/** First function of the first goroutine; nothing else calls it. */
const MAIN = "runtime.main";

/** What a target knows of its code. */
export type Symbols = Pick<Target, "identity" | "plan" | "binary">;

/** The frames of one address, innermost first; an address outside the executable's Go code is shown as a number. */
function framesAt(target: Symbols, pc: number, bias: number): Frame[] {
	const frames = target.binary.symbolize(pc - bias);
	if (frames.length === 0) return [{ fn: `[0x${pc.toString(16)}]` }];
	return frames.map((frame) => ({
		...frame,
		fn: sanitize(frame.fn),
		...(frame.file === undefined ? {} : { file: sanitize(frame.file) }),
	}));
}

export class StackDecoder {
	readonly #stacks = new LruCache<string, Frame[]>(MAX_STACKS);
	readonly #callers = new LruCache<string, Frame[]>(MAX_CALLERS);
	/** Those of programs with stale frame pointers that do not go down to a goroutine's first function. */
	readonly #cut = new WeakSet<Frame[]>();

	/** `returns`: return addresses, innermost first. The first frame is the probed function itself. */
	decode(target: Symbols, probe: PlannedProbe, returns: BigUint64Array, bias: number): Frame[] {
		const bytes = Buffer.from(returns.buffer, returns.byteOffset, returns.byteLength).toString("latin1");
		const key = `${target.identity.pid}:${probe.site.address}:${bytes}`;
		const known = this.#stacks.get(key);
		if (known) return known;
		const here = framesAt(target, probe.site.address + bias, bias);
		// In the middle of a function the top of the stack is no return address; in an inlined copy its frames begin with it.
		const first = isInMiddle(probe)
			? Math.max(
					0,
					here.findIndex(({ fn }) => fn === probe.fn),
				)
			: 0;
		const stack = here.slice(first);
		const callers = isInMiddle(probe) ? returns.subarray(1) : returns;
		if (!this.#addCallers(stack, target, probe, callers, bias)) this.#cut.add(stack);
		this.#stacks.set(key, stack);
		return stack;
	}

	/** Whether outer frames are missing in what `decode` returned; `inRecord`: what the kernel program says of it. */
	isTruncated(target: Symbols, stack: Frame[], inRecord: boolean): boolean {
		return target.plan.ownStackOnly === true ? this.#cut.has(stack) : inRecord;
	}

	/** Whether these are all of them; only of stacks that may be wrong (`ownStackOnly`) it is asked. */
	#addCallers(stack: Frame[], target: Symbols, probe: PlannedProbe, returns: BigUint64Array, bias: number): boolean {
		const doubtful = target.plan.ownStackOnly === true;
		let callee = probe.site.address;
		for (const address of returns) {
			// The stack could not be read.
			if (address === 0n) break;
			// A return address points behind the call: the byte before it belongs to the call.
			const call = Number(address) - 1;
			const frames = framesAt(target, call, bias);
			if (frames.some((frame) => frame.fn === GOEXIT)) return true;
			if (doubtful && !mayCall(target.binary, Number(address) - bias, callee)) return false;
			stack.push(...frames);
			if (frames.some((frame) => frame.fn === MAIN)) return true;
			callee = call - bias;
		}
		return !doubtful;
	}

	/** Frames of one return address: the call sites of the work tier, the go statement of a goroutine. */
	caller(target: Symbols, returnAddress: number, bias: number): Frame[] {
		if (returnAddress === 0) return [];
		const key = `${target.identity.pid}:${returnAddress}`;
		const known = this.#callers.get(key);
		if (known) return known;
		const frames = framesAt(target, returnAddress - 1, bias);
		this.#callers.set(key, frames);
		return frames;
	}

	/** Name of the function at an address. */
	function(target: Symbols, address: number, bias: number): string | undefined {
		// As if the call were at the function's first byte.
		return this.caller(target, address + 1, bias).at(-1)?.fn;
	}
}
