/** The control flow of one function, instruction by instruction, of any architecture. */
import type { Decoder, Instruction } from "./instruction.ts";

/** What the code itself does not say about the destinations of its calls and jumps; offsets as those of instructions. */
export interface Surroundings {
	/** Whether a call of that address comes back. "No" for one that does is an error that nothing else finds out. */
	returns(target: number): boolean;
	/** Whether a function starts at that address outside: a jump there is a tail call. */
	isFunction(target: number): boolean;
}

export interface FlowNode {
	instruction: Instruction;
	/** Offsets of what may be executed next; empty at the function's ends. Of a branch: first the target, then the instruction behind it. */
	successors: readonly number[];
	predecessors: readonly number[];
	/** Whether control can come back to it. */
	inCycle: boolean;
}

/** What can be reached from the first instruction, in the order of addresses. */
export interface FlowGraph {
	nodes: ReadonlyMap<number, FlowNode>;
	/** Offsets of the instructions that return to the caller. */
	returns: readonly number[];
	/** Offsets of jumps to other functions: they leave the function without a return of its own. */
	tailJumps: readonly number[];
}

/** Why there is no graph. */
export interface Refusal {
	refused: string;
}

type Building = { instruction: Instruction; successors: number[]; predecessors: number[]; inCycle: boolean };

const at = (offset: number): string => `at +0x${offset.toString(16)}`;

/**
 * Decodes the function whose code is `code` from its first byte and follows every way that control can take. A jump to the first
 * instruction of another function ends the way like a return (`tailJumps`). Refused are bytes that the decoder does not know,
 * indirect jumps, instructions that overlap, ways that run over the end, and any other jump or branch that leaves the function.
 */
export function flowGraph(code: Uint8Array, decode: Decoder, around: Surroundings): FlowGraph | Refusal {
	const found = new Map<number, Building>();
	const tailJumps: number[] = [];
	const pending = [0];
	for (let offset = pending.pop(); offset !== undefined; offset = pending.pop()) {
		if (found.has(offset)) continue;
		if (offset >= code.length) return { refused: "runs over its end" };
		const instruction = decode(code, offset);
		if (instruction === undefined) return { refused: `unknown instruction ${at(offset)}` };
		const next = nextOf(instruction, code.length, around);
		if (typeof next === "string") return { refused: next };
		if (next.tailJump) tailJumps.push(offset);
		found.set(offset, { instruction, successors: next.successors, predecessors: [], inCycle: false });
		// The instruction behind goes last onto the stack, so that it is decoded first.
		for (const successor of next.successors) pending.push(successor);
	}
	const nodes = new Map<number, Building>();
	for (const offset of Uint32Array.from(found.keys()).sort()) nodes.set(offset, found.get(offset) as Building);
	const returns: number[] = [];
	let end = 0;
	for (const [offset, { instruction, successors }] of nodes) {
		if (offset < end) return { refused: `overlapping instructions ${at(offset)}` };
		end = offset + instruction.length;
		if (instruction.flow === "return") returns.push(offset);
		for (const successor of successors) nodes.get(successor)?.predecessors.push(offset);
	}
	markCycles(nodes, code.length);
	return { nodes, returns, tailJumps: tailJumps.sort((a, b) => a - b) };
}

/** Where an instruction passes control to within the function, or why that cannot be told. */
function nextOf(
	{ offset, length, flow, target }: Instruction,
	size: number,
	around: Surroundings,
): { successors: number[]; tailJump?: boolean } | string {
	const behind = offset + length;
	const isInside = target !== undefined && target >= 0 && target < size;
	switch (flow) {
		case "next":
		case "indirect-call":
			return { successors: [behind] };
		case "return":
		case "stop":
			return { successors: [] };
		case "indirect-jump":
			return `indirect jump ${at(offset)}`;
		case "call":
			// A call of itself starts at the first byte; any other into the function is no call of a function.
			if (isInside && target !== 0) return `call into itself ${at(offset)}`;
			return { successors: target === undefined || around.returns(target) ? [behind] : [] };
		case "jump":
			if (isInside) return { successors: [target] };
			if (target !== undefined && around.isFunction(target)) return { successors: [], tailJump: true };
			return `jump out of the function ${at(offset)}`;
		case "branch":
			if (!isInside) return `branch out of the function ${at(offset)}`;
			return { successors: target === behind ? [behind] : [target, behind] };
	}
}

/** Marks what lies on a cycle: strongly connected components after Tarjan, without recursion. Offsets are below `size`. */
function markCycles(nodes: ReadonlyMap<number, Building>, size: number): void {
	/** By offset: in which order it was met, from 1 on, and the earliest one that it leads back to. */
	const index = new Uint32Array(size);
	const low = new Uint32Array(size);
	const isOpen = new Uint8Array(size);
	const open: number[] = [];
	const path: { offset: number; node: Building; child: number }[] = [];
	let met = 0;
	const enter = (offset: number, node: Building): void => {
		met++;
		index[offset] = met;
		low[offset] = met;
		isOpen[offset] = 1;
		open.push(offset);
		path.push({ offset, node, child: 0 });
	};
	const lower = (offset: number, value: number): void => {
		if (value < (low[offset] as number)) low[offset] = value;
	};
	for (const [root, first] of nodes) {
		if (index[root] !== 0) continue;
		enter(root, first);
		for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
			const { offset, node } = top;
			const successor = node.successors[top.child++];
			if (successor !== undefined) {
				const next = nodes.get(successor);
				if (index[successor] === 0 && next !== undefined) enter(successor, next);
				else if (isOpen[successor] === 1) lower(offset, index[successor] as number);
				continue;
			}
			path.pop();
			const parent = path.at(-1);
			if (parent !== undefined) lower(parent.offset, low[offset] as number);
			if (low[offset] !== index[offset]) continue;
			const alone = open.at(-1) === offset;
			for (let member = open.pop(); member !== undefined; member = open.pop()) {
				isOpen[member] = 0;
				const marked = member === offset ? node : nodes.get(member);
				if (marked !== undefined) marked.inCycle = !alone || node.successors.includes(offset);
				if (member === offset) break;
			}
		}
	}
}

/** Everything that can be reached from the given offsets, they included, without going on behind those in `barrier`. */
export function reachable(
	graph: FlowGraph,
	from: Iterable<number>,
	barrier?: (offset: number) => boolean,
): Set<number> {
	return spread(from, (offset) => (barrier?.(offset) === true ? [] : (graph.nodes.get(offset)?.successors ?? [])));
}

/** Everything from which one of the given offsets can be reached, they included. */
export function reaching(graph: FlowGraph, to: Iterable<number>): Set<number> {
	return spread(to, (offset) => graph.nodes.get(offset)?.predecessors ?? []);
}

function spread(from: Iterable<number>, next: (offset: number) => readonly number[]): Set<number> {
	const found = new Set(from);
	const pending = [...found];
	for (let offset = pending.pop(); offset !== undefined; offset = pending.pop()) {
		for (const other of next(offset)) {
			if (found.has(other)) continue;
			found.add(other);
			pending.push(other);
		}
	}
	return found;
}
