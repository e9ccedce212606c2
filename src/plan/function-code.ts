/** The code of one function as the choice of probe sites needs it: its flow, and where its stack frame is. */
import type { GoBinary } from "../gobin/go-binary.ts";
import { type Encoding, instructionOf, PREFIX, parse } from "../isa/amd64/decode.ts";
import { type FrameState, frameStates, OWN_FRAME } from "../isa/amd64/frame.ts";
import { R14, type RegisterSet, regField, setOf, writtenRegisters } from "../isa/amd64/registers.ts";
import { type FlowGraph, flowGraph } from "../isa/flow-graph.ts";
import type { Decoder } from "../isa/instruction.ts";

/** Growth functions have some KiB at most, even when they are not optimised. */
const MAX_CODE_BYTES = 1 << 15;

/**
 * Functions that never come back, so that the code behind their call belongs to something else. Those that the compiler itself takes for such
 * (cmd/compile/internal/ssagen/ssa.go of Go 1.17 to 1.27: `s.call` for the names, `rtcall` with returns = false, BoundsCheckFunc).
 */
const NEVER_RETURNS =
	/^runtime\.(throw|throwinit|gopanic|panic(wrap|shift|divide|overflow|float|mem|dottype[EI]|nildottype|makeslice(len|cap)|unsafe(slice|string)(len|nilptr)|rangestate|Bounds|Index\w*|Slice\w*)|goPanic(Index|Slice)\w*)$/;

/** Where g is. */
const G = setOf(R14);

export class FunctionCode {
	readonly entry: number;
	readonly code: Uint8Array;
	readonly graph: FlowGraph;
	readonly #binary: GoBinary;
	/** The fields of the graph's instructions, which are asked for several times. */
	readonly #encodings: ReadonlyMap<number, Encoding>;
	readonly #frames: ReadonlyMap<number, FrameState>;

	private constructor(
		binary: GoBinary,
		entry: number,
		code: Uint8Array,
		graph: FlowGraph,
		encodings: ReadonlyMap<number, Encoding>,
	) {
		this.#binary = binary;
		this.entry = entry;
		this.code = code;
		this.graph = graph;
		this.#encodings = encodings;
		this.#frames = frameStates(graph, (offset) => encodings.get(offset));
	}

	/** Reads and decodes the function, or says why it cannot be followed. */
	static read(binary: GoBinary, entry: number, end: number): FunctionCode | string {
		if (end - entry > MAX_CODE_BYTES) return `its code is longer than ${MAX_CODE_BYTES} bytes`;
		const code = binary.bytesAt(entry, end - entry);
		const encodings = new Map<number, Encoding>();
		const decode: Decoder = (bytes, offset) => {
			const encoding = parse(bytes, offset);
			if (encoding === undefined) return undefined;
			encodings.set(offset, encoding);
			return instructionOf(encoding);
		};
		const graph = flowGraph(code, decode, {
			returns: (target) => !NEVER_RETURNS.test(binary.functionAt(entry + target)?.name ?? ""),
			isFunction: (target) => binary.functionAt(entry + target)?.entry === entry + target,
		});
		return "refused" in graph ? graph.refused : new FunctionCode(binary, entry, code, graph, encodings);
	}

	/** Name of the function that starts at an offset of this one: where its calls lead. */
	calleeAt(target: number): string | undefined {
		const callee = this.#binary.functionAt(this.entry + target);
		return callee?.entry === this.entry + target ? callee.name : undefined;
	}

	/** Whether RBP is the function's own frame pointer before the instruction: the stack pointer at its entry was RBP + 8. */
	hasOwnFrame(offset: number): boolean {
		return this.#frames.get(offset)?.framePointer === OWN_FRAME;
	}

	/** Whether RSP is where it was at the entry, pointing to the return address. */
	hasEntryStack(offset: number): boolean {
		return this.#frames.get(offset)?.stackPointer === 0;
	}

	/** How far RSP is from where it was at the entry before the instruction, 0 or negative; undefined when it is not known. */
	stackPointerAt(offset: number): number | undefined {
		return this.#frames.get(offset)?.stackPointer;
	}

	/** The same of RBP. */
	framePointerAt(offset: number): number | undefined {
		return this.#frames.get(offset)?.framePointer;
	}

	/** The fields of an instruction of the graph. */
	encodingAt(offset: number): Encoding | undefined {
		return this.#encodings.get(offset);
	}

	/** Whether the instruction calls the runtime for a bigger stack, upon which the function starts anew. */
	isMorestack(offset: number): boolean {
		const { flow, target } = this.graph.nodes.get(offset)?.instruction ?? {};
		if (flow !== "call" || target === undefined) return false;
		return /^runtime\.morestack(_noctxt)?$/.test(this.calleeAt(target) ?? "");
	}

	/** The registers that an instruction may write; a call all of them. */
	writes(offset: number): RegisterSet {
		const encoding = this.#encodings.get(offset);
		return encoding === undefined ? ~0 : writtenRegisters(encoding);
	}

	/**
	 * The first instruction that may put something else than g into R14, if there is one. Callees leave g there (src/cmd/compile/abi-internal.md); behind calls of
	 * assembly code it is loaded anew from thread-local storage.
	 */
	otherUseOfG(): number | undefined {
		for (const [offset, { instruction }] of this.graph.nodes) {
			if (instruction.flow === "call" || instruction.flow === "indirect-call") continue;
			if ((this.writes(offset) & G) === 0 || this.#loadsG(offset)) continue;
			return offset;
		}
		return undefined;
	}

	/** `mov r14, fs:…` */
	#loadsG(offset: number): boolean {
		const encoding = this.#encodings.get(offset);
		if (encoding === undefined || encoding.kind !== "legacy" || encoding.map !== 0) return false;
		return encoding.opcode === 0x8b && encoding.prefixes === PREFIX.fsGs && regField(encoding) === R14;
	}
}
