/**
 * Chooses where the beginning of a call is seen in a function without a known stack check: an instruction that every call executes
 * exactly once, with its arguments still in their registers and its return address on top of the stack.
 */
import { type FlowGraph, reachable } from "../isa/flow-graph.ts";

export interface EntryQuestion {
	graph: FlowGraph;
	/** Whether the stack pointer points to the return address before the instruction. */
	hasEntryStack(offset: number): boolean;
	/** Whether the instruction may write a register that holds an argument. */
	clobbersArguments(offset: number): boolean;
	/** Whether the instruction calls morestack, which comes back with all arguments in place, to start the function anew. */
	isMorestack(offset: number): boolean;
}

export interface ChosenEntry {
	offset: number;
	cost: "emulated" | "stepped";
	reason: string;
}

/** Arguments do not stay in their registers for long; damaged code must not take forever. */
const MAX_CANDIDATES = 64;

const EMULATED =
	"no known stack check; every call passes this instruction once, with its arguments in place, and the kernel emulates it";
const STEPPED =
	"no known stack check, and nothing that the kernel emulates; the first instruction that every call passes once, with its arguments in place";

/** The entry site, or why there is none: the first emulated instruction that will do, else the first of any kind. */
export function chooseEntry(question: EntryQuestion): ChosenEntry | string {
	const { graph } = question;
	if (graph.returns.length === 0) return "it does not return";
	const candidates: { offset: number; emulated: boolean; before: number }[] = [];
	let examined = 0;
	// In the order in which they are met, thus the first ones first.
	for (const offset of reachable(graph, [0])) {
		const node = graph.nodes.get(offset);
		if (node === undefined || node.inCycle || !question.hasEntryStack(offset)) continue;
		if (examined++ === MAX_CANDIDATES) break;
		if (!isUnavoidable(graph, offset)) continue;
		const { instruction } = node;
		const before = reachable(graph, [0], (other) => other === offset || question.isMorestack(other));
		before.delete(offset);
		const clobbered = [...before].some((other) => !question.isMorestack(other) && question.clobbersArguments(other));
		if (!clobbered) candidates.push({ offset, emulated: instruction.emulated, before: before.size });
	}
	candidates.sort((a, b) => a.before - b.before);
	const chosen = candidates.find(({ emulated }) => emulated) ?? candidates[0];
	if (chosen === undefined) return "no instruction is passed once by every call with the arguments in place";
	return chosen.emulated
		? { offset: chosen.offset, cost: "emulated", reason: EMULATED }
		: { offset: chosen.offset, cost: "stepped", reason: STEPPED };
}

/** Whether no call returns without passing the instruction. */
function isUnavoidable(graph: FlowGraph, offset: number): boolean {
	const others = offset === 0 ? new Set<number>() : reachable(graph, [0], (other) => other === offset);
	return graph.returns.every((ret) => ret === offset || !others.has(ret));
}
