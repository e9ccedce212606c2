/** Turns return addresses into frames. Equal stacks share one array, so a storm of growths from one place costs little. */
import type { Frame } from "../model/records.ts";
import { sanitize } from "../model/sanitize.ts";
import type { PlannedProbe } from "../plan/probe-plan.ts";
import type { Target } from "./target.ts";

const MAX_STACKS = 4096;
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
	readonly #stacks = new Map<string, Frame[]>();

	/** `returns`: return addresses, innermost first. The first frame is the probed function itself. */
	decode(target: Target, probe: PlannedProbe, returns: BigUint64Array, bias: number): Frame[] {
		const bytes = Buffer.from(returns.buffer, returns.byteOffset, returns.byteLength).toString("latin1");
		const key = `${target.identity.pid}:${probe.site.address}:${bytes}`;
		const known = this.#stacks.get(key);
		if (known) return known;
		const stack = framesAt(target, probe.site.address + bias, bias);
		for (const address of returns) {
			// A return address points behind the call: the byte before it belongs to the call.
			const frames = framesAt(target, Number(address) - 1, bias);
			if (frames.some((frame) => frame.fn === GOEXIT)) break;
			stack.push(...frames);
		}
		if (this.#stacks.size >= MAX_STACKS) {
			const oldest = this.#stacks.keys().next();
			if (!oldest.done) this.#stacks.delete(oldest.value);
		}
		this.#stacks.set(key, stack);
		return stack;
	}

	/** Frames of one return address, for the call sites of the work tier. */
	caller(target: Target, returnAddress: number, bias: number): Frame[] {
		return returnAddress === 0 ? [] : framesAt(target, returnAddress - 1, bias);
	}
}
