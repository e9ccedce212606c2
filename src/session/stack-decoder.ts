/** Turns return addresses into frames. Equal stacks share one array, so a storm of growths from one place costs little. */

import type { Frame } from "../model/records.ts";
import { sanitize } from "../model/sanitize.ts";
import type { PlannedProbe } from "../plan/probe-plan.ts";
import { mayCall } from "./call-check.ts";
import { LruCache } from "./lru-cache.ts";
import type { Target } from "./target.ts";

const MAX_STACKS = 4096;
const MAX_CALLERS = 16_384;
/** Bottom frame of every goroutine; what stands above it on the stack is not a return address. */
const GOEXIT = "runtime.goexit";

/** The frames of one address, innermost first; an address outside the executable's Go code is shown as a number. */
function framesAt(target: Target, pc: number, bias: number): Frame[] {
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
	/** Those that the kernel program took for whole, or for longer, than can be vouched for. */
	readonly #cut = new WeakSet<Frame[]>();

	/** `returns`: return addresses, innermost first. The first frame is the probed function itself. */
	decode(target: Target, probe: PlannedProbe, returns: BigUint64Array, bias: number): Frame[] {
		const bytes = Buffer.from(returns.buffer, returns.byteOffset, returns.byteLength).toString("latin1");
		const key = `${target.identity.pid}:${probe.site.address}:${bytes}`;
		const known = this.#stacks.get(key);
		if (known) return known;
		const stack = framesAt(target, probe.site.address + bias, bias);
		if (!this.#addCallers(stack, target, probe, returns, bias)) this.#cut.add(stack);
		this.#stacks.set(key, stack);
		return stack;
	}

	/** Whether a decoded stack lacks its outer frames although the record calls it whole. */
	isCut(stack: Frame[]): boolean {
		return this.#cut.has(stack);
	}

	/** Whether these are all of them; only of stacks that may be wrong (`ownStackOnly`) it is asked. */
	#addCallers(stack: Frame[], target: Target, probe: PlannedProbe, returns: BigUint64Array, bias: number): boolean {
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
			callee = call - bias;
		}
		return !doubtful;
	}

	/** Frames of one return address: the call sites of the work tier, the go statement of a goroutine. */
	caller(target: Target, returnAddress: number, bias: number): Frame[] {
		if (returnAddress === 0) return [];
		const key = `${target.identity.pid}:${returnAddress}`;
		const known = this.#callers.get(key);
		if (known) return known;
		const frames = framesAt(target, returnAddress - 1, bias);
		this.#callers.set(key, frames);
		return frames;
	}

	/** Name of the function at an address. */
	function(target: Target, address: number, bias: number): string | undefined {
		// As if the call were at the function's first byte.
		return this.caller(target, address + 1, bias).at(-1)?.fn;
	}
}
