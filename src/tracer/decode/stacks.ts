/**
 * Turns return addresses into frames. It belongs to an executable: what is remembered is found by addresses in the
 * file, so that all processes that execute it share it, wherever it was loaded, and none is left with what another
 * program has at the same address. Equal stacks share one array, so a storm of growths from one place costs little.
 */
import type { GoBinary } from "../../gobin/go-binary.ts";
import { BoundedTable } from "../../lib/bounded-table.ts";
import { sanitize } from "../../lib/sanitize.ts";
import { isInMiddle, type PlannedProbe, type ProbePlan } from "../../plan/probe-plan.ts";
import type { Frame } from "../../records/records.ts";
import { mayCall } from "./call-check.ts";

const MAX_STACKS = 4096;
const MAX_CALLERS = 16_384;
/** Bottom frame of every goroutine; what stands above it on the stack is not a return address. */
const GOEXIT = "runtime.goexit";
/** First function of the first goroutine; nothing else calls it. */
const MAIN = "runtime.main";
/** In place of a return address that could not be read. */
const UNREAD = Number.POSITIVE_INFINITY;

/** What an executable knows of its code. */
export interface Code {
	binary: Pick<GoBinary, "symbolize" | "functionAt" | "bytesAt">;
	plan: Pick<ProbePlan, "ownStackOnly">;
}

interface Located {
	frames: Frame[];
	/**
	 * All are in the executable. Else an address is shown as the process has it, which says nothing of another process.
	 */
	named: boolean;
}

export class StackDecoder {
	readonly #code: Code;
	/** Of the stack that is being looked at: the return addresses in the file. Grows when a stack needs more. */
	#inFile = new Float64Array(128);
	#inFileBytes = Buffer.from(this.#inFile.buffer);
	/** By the probe and the return addresses in the file; those with numbers among their frames by the load bias, too. */
	readonly #stacks = new BoundedTable<string, Frame[]>(MAX_STACKS);
	/** By the address in the file; those outside the executable by what the process has, as text. */
	readonly #callers = new BoundedTable<number | string, Frame[]>(MAX_CALLERS);
	/** Those of programs with stale frame pointers that do not go down to a goroutine's first function. */
	readonly #cut = new WeakSet<Frame[]>();

	constructor(code: Code) {
		this.#code = code;
	}

	/**
	 * `returns`: return addresses as the process has them, innermost first; `bias` is subtracted. The first frame is the
	 * probed function itself. Addresses outside the executable are shown as numbers.
	 */
	decode(probe: PlannedProbe, returns: BigUint64Array, bias: number): Frame[] {
		this.#read(returns, bias);
		const key = `${probe.site.address}:${this.#inFileBytes.toString("latin1", 0, 8 * returns.length)}`;
		const known = this.#stacks.get(key) ?? this.#stacks.get(`${bias}:${key}`);
		if (known !== undefined) return known;
		// As if the call were at the function's first byte.
		const first = this.#locate(probe.site.address + 1, bias);
		// In the middle of a function the top of the stack is no return address; the frames of an inlined copy begin with it.
		const middle = isInMiddle(probe);
		const stack = middle ? from(first.frames, probe.fn) : [...first.frames];
		const callers = this.#inFile.subarray(middle ? 1 : 0, returns.length);
		const { whole, named } = this.#addCallers(stack, probe, callers, bias);
		if (!whole) this.#cut.add(stack);
		this.#stacks.set(first.named && named ? key : `${bias}:${key}`, stack);
		return stack;
	}

	/**
	 * Every growth and sample passes here: addresses are read by halves, as a bigint for each would be expensive, and to the
	 * same place.
	 */
	#read({ buffer, byteOffset, length }: BigUint64Array, bias: number): void {
		if (length > this.#inFile.length) {
			this.#inFile = new Float64Array(2 * length);
			this.#inFileBytes = Buffer.from(this.#inFile.buffer);
		}
		const inFile = this.#inFile;
		const halves = new Uint32Array(buffer, byteOffset, 2 * length);
		for (let i = 0; i < length; i++) {
			const address = (halves[2 * i] ?? 0) + (halves[2 * i + 1] ?? 0) * 2 ** 32;
			inFile[i] = address === 0 ? UNREAD : address - bias;
		}
	}

	/** Whether outer frames are missing in what `decode` returned; `inRecord`: what the kernel program says of it. */
	isTruncated(stack: Frame[], inRecord: boolean): boolean {
		return this.#code.plan.ownStackOnly === true ? this.#cut.has(stack) : inRecord;
	}

	/** `whole`: these are all of them; only of stacks that may be wrong (`ownStackOnly`) it is asked. */
	#addCallers(
		stack: Frame[],
		probe: PlannedProbe,
		returns: Float64Array,
		bias: number,
	): { whole: boolean; named: boolean } {
		const { binary, plan } = this.#code;
		const doubtful = plan.ownStackOnly === true;
		let named = true;
		let callee = probe.site.address;
		for (const address of returns) {
			if (address === UNREAD) break;
			const found = this.#locate(address, bias);
			if (found.frames.some((frame) => frame.fn === GOEXIT)) return { whole: true, named };
			// That it is none of the program's calls does not depend on where the program was loaded.
			if (doubtful && !mayCall(binary, address, callee)) return { whole: false, named };
			named &&= found.named;
			stack.push(...found.frames);
			if (found.frames.some((frame) => frame.fn === MAIN)) return { whole: true, named };
			callee = address - 1;
		}
		return { whole: !doubtful, named };
	}

	/** The frames of one return address in the file, shared by all stacks that it is in: do not change them. */
	#locate(returnAddress: number, bias: number): Located {
		const known = this.#callers.get(returnAddress);
		if (known !== undefined) return { frames: known, named: true };
		const own = String(returnAddress + bias);
		const unnamed = this.#callers.get(own);
		if (unnamed !== undefined) return { frames: unnamed, named: false };
		// It points behind the call: the byte before it belongs to the call.
		const located = this.#framesAt(returnAddress - 1, bias);
		this.#callers.set(located.named ? returnAddress : own, located.frames);
		return located;
	}

	/** The frames of one address in the file, innermost first. */
	#framesAt(inFile: number, bias: number): Located {
		const frames = this.#code.binary.symbolize(inFile);
		if (frames.length === 0) return { frames: [{ fn: `[0x${(inFile + bias).toString(16)}]` }], named: false };
		const safe = frames.map((frame) => ({
			...frame,
			fn: sanitize(frame.fn),
			...(frame.file === undefined ? {} : { file: sanitize(frame.file) }),
		}));
		return { frames: safe, named: true };
	}

	/**
	 * Frames of one return address as the process has it: the call sites of the work tier, the go statement of a
	 * goroutine.
	 */
	caller(returnAddress: number, bias: number): Frame[] {
		if (returnAddress === 0) return [];
		return this.#locate(returnAddress - bias, bias).frames;
	}

	/** Name of the function at an address as the process has it. */
	function(address: number, bias: number): string | undefined {
		// As if the call were at the function's first byte.
		return this.caller(address + 1, bias).at(-1)?.fn;
	}
}

/** The frames from that of `fn` on; all when it is not among them. */
function from(frames: Frame[], fn: string): Frame[] {
	return frames.slice(
		Math.max(
			0,
			frames.findIndex((frame) => frame.fn === fn),
		),
	);
}
