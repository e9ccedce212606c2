/**
 * Where the stack pointer and the frame pointer of a Go function on x86-64 are at each of its instructions, told from the code alone.
 *
 * Go's prologue is `push rbp; mov rbp,rsp; sub rsp,N` since 1.21 and `sub rsp,N; mov [rsp+N-8],rbp; lea rbp,[rsp+N-8]` before
 * (cmd/internal/obj/x86/obj6.go, preprocess). Callees leave RSP and RBP as they were (src/cmd/compile/abi-internal.md, "amd64 architecture": RBP is
 * callee-save). When a stack moves, the saved frame pointers and RBP move with it (runtime/stack.go, adjustframe and adjustctxt).
 */
import type { FlowGraph } from "../flow-graph.ts";
import { type Encoding, PREFIX } from "./decode.ts";
import { RBP, RSP, regField, rmRegister, setOf, writtenRegisters } from "./registers.ts";

/** In bytes from where the stack pointer was at the function's entry; undefined when it is not the same on every way, or not known. */
export interface FrameState {
	stackPointer: number | undefined;
	framePointer: number | undefined;
}

/** RBP when it is the frame pointer of the function itself: it points to the saved one, right below the return address. */
export const OWN_FRAME = -8;

const REX_W = 8;

const SP = setOf(RSP);
const BP = setOf(RBP);
const UNKNOWN: FrameState = { stackPointer: undefined, framePointer: undefined };

/** The state before each instruction; `encodingAt` has the fields of those of the graph. */
export function frameStates(
	graph: FlowGraph,
	encodingAt: (offset: number) => Encoding | undefined,
): ReadonlyMap<number, FrameState> {
	const states = new Map<number, FrameState>([[0, { stackPointer: 0, framePointer: undefined }]]);
	const pending = [0];
	for (let offset = pending.pop(); offset !== undefined; offset = pending.pop()) {
		const before = states.get(offset);
		const node = graph.nodes.get(offset);
		if (before === undefined || node === undefined) continue;
		const { flow } = node.instruction;
		// Whatever a callee pushes, it takes away again.
		const after = flow === "call" || flow === "indirect-call" ? before : step(before, encodingAt(offset));
		for (const successor of node.successors) {
			const old = states.get(successor);
			if (old !== undefined && same(old, after)) continue;
			const joined = old === undefined ? after : join(old, after);
			if (old !== undefined && same(old, joined)) continue;
			states.set(successor, joined);
			pending.push(successor);
		}
	}
	return states;
}

function same(a: FrameState, b: FrameState): boolean {
	return a === b || (a.stackPointer === b.stackPointer && a.framePointer === b.framePointer);
}

function join(a: FrameState, b: FrameState): FrameState {
	return {
		stackPointer: a.stackPointer === b.stackPointer ? a.stackPointer : undefined,
		framePointer: a.framePointer === b.framePointer ? a.framePointer : undefined,
	};
}

const plus = (value: number | undefined, distance: number): number | undefined =>
	value === undefined ? undefined : value + distance;

/** Most instructions leave everything as it was: then it is the same object. */
function step(before: FrameState, encoding: Encoding | undefined): FrameState {
	if (encoding === undefined) return UNKNOWN;
	const after = known(before, encoding);
	if (after !== undefined) return after;
	const written = writtenRegisters(encoding);
	if ((written & (SP | BP)) === 0) return before;
	return {
		stackPointer: (written & SP) === 0 ? before.stackPointer : undefined,
		framePointer: (written & BP) === 0 ? before.framePointer : undefined,
	};
}

/** The instructions of which it is known what they do to RSP and RBP. */
function known(before: FrameState, encoding: Encoding): FrameState | undefined {
	const { kind, map, opcode, rex, prefixes } = encoding;
	if (kind !== "legacy" || map !== 0 || (prefixes & (PREFIX.operandSize | PREFIX.addressSize)) !== 0) return undefined;
	const { stackPointer, framePointer } = before;
	const low = (opcode & 7) | ((rex & 1) << 3);
	if ((opcode >= 0x50 && opcode <= 0x57) || opcode === 0x68 || opcode === 0x6a) {
		return { stackPointer: plus(stackPointer, -8), framePointer };
	}
	if (opcode >= 0x58 && opcode <= 0x5f && low !== RSP) {
		return { stackPointer: plus(stackPointer, 8), framePointer: low === RBP ? undefined : framePointer };
	}
	if (opcode === 0xc9) return { stackPointer: plus(framePointer, 8), framePointer: undefined };
	if ((rex & REX_W) === 0) return undefined;
	if (opcode === 0x81 || opcode === 0x83) {
		const extension = (encoding.modrm >> 3) & 7;
		if (rmRegister(encoding) !== RSP || (extension !== 0 && extension !== 5)) return undefined;
		const distance = extension === 0 ? encoding.immediate : -encoding.immediate;
		return { stackPointer: plus(stackPointer, distance), framePointer };
	}
	const copy = copied(encoding);
	if (copy === undefined) return undefined;
	const value = plus(copy.from === RSP ? stackPointer : framePointer, copy.distance);
	return copy.to === RSP ? { stackPointer: value, framePointer } : { stackPointer, framePointer: value };
}

/** `mov` and `lea` from RSP or RBP to RSP or RBP. */
function copied(encoding: Encoding): { to: number; from: number; distance: number } | undefined {
	const { opcode, modrm, sib, rex } = encoding;
	const isPointer = (register: number | undefined): register is number => register === RSP || register === RBP;
	const reg = regField(encoding);
	const rm = rmRegister(encoding);
	if (opcode === 0x89) return isPointer(reg) && isPointer(rm) ? { to: rm, from: reg, distance: 0 } : undefined;
	if (opcode === 0x8b) return isPointer(reg) && isPointer(rm) ? { to: reg, from: rm, distance: 0 } : undefined;
	if (opcode !== 0x8d || !isPointer(reg) || (rex & 3) !== 0 || modrm >> 6 === 0) return undefined;
	// A base of RSP needs the SIB byte 0x24: no index, no scale.
	const base = modrm & 7;
	if (base !== RBP && !(base === RSP && sib === 0x24)) return undefined;
	return { to: reg, from: base, distance: encoding.displacement };
}
