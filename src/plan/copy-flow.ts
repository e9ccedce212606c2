/**
 * An instruction that control passes exactly once on its way through the inlined copy of a function: on all ways
 * from where it enters the copy to where it leaves it. Blocks belong to the copy as a whole, because the
 * instructions of caller and callee are mixed within them. Moves between registers and stack say nothing of that:
 * the register allocator puts them anywhere, with the position of what uses the value.
 */
import { type FlowGraph, reachable } from "../isa/flow-graph.ts";

/** Damaged code must not take forever. */
const MAX_CANDIDATES = 256;

export interface CopyQuestion {
	graph: FlowGraph;
	/** Whether an instruction has a position in the copy. */
	isCopy(offset: number): boolean;
	/** Whether it does nothing but move a value that exists already. */
	isMove(offset: number): boolean;
	/** Whether it may be probed. */
	canBeSite(offset: number): boolean;
}

/** The first such instruction, or why there is none. */
export function passedOnce({ graph, isCopy, isMove, canBeSite }: CopyQuestion): number | string {
	const copy = blocksOf(graph, isCopy, isMove);
	const successorsOf = (offset: number): readonly number[] => graph.nodes.get(offset)?.successors ?? [];
	const entries = [...copy].filter(
		(offset) => offset === 0 || graph.nodes.get(offset)?.predecessors.some((from) => !copy.has(from)),
	);
	// Ways that end in a panic do not leave it.
	const leaves = (offset: number): boolean => {
		const flow = graph.nodes.get(offset)?.instruction.flow;
		return flow === "return" || graph.tailJumps.includes(offset) || successorsOf(offset).some((to) => !copy.has(to));
	};
	if (entries.length === 0) return "no way leads into it";
	const within = (from: readonly number[], site: number): Set<number> =>
		reachable(graph, from, (offset) => offset === site || !copy.has(offset));
	let examined = 0;
	for (const site of [...copy].sort((a, b) => a - b)) {
		if (!isCopy(site) || !canBeSite(site)) continue;
		if (examined++ === MAX_CANDIDATES) break;
		const bypassed = within(
			entries.filter((offset) => offset !== site),
			site,
		);
		bypassed.delete(site);
		if ([...bypassed].some((offset) => copy.has(offset) && leaves(offset))) continue;
		const again = within(
			successorsOf(site).filter((to) => copy.has(to)),
			-1,
		);
		if (!again.has(site)) return site;
	}
	return "none of its instructions that can be probed is passed once on each way through it";
}

/** The blocks of the copy, and those between them that only move values. */
function blocksOf(
	graph: FlowGraph,
	isCopy: (offset: number) => boolean,
	isMove: (offset: number) => boolean,
): Set<number> {
	const found = new Set<number>();
	for (const offset of graph.nodes.keys()) {
		if (found.has(offset) || !isCopy(offset) || isMove(offset)) continue;
		for (const member of blockAround(graph, offset)) found.add(member);
	}
	for (const offset of graph.nodes.keys()) {
		if (found.has(offset)) continue;
		const block = blockAround(graph, offset);
		const first = graph.nodes.get(block[0] ?? offset);
		const last = graph.nodes.get(block.at(-1) ?? offset);
		const between = [...(first?.predecessors ?? []), ...(last?.successors ?? [])];
		const isJump = (member: number): boolean => graph.nodes.get(member)?.instruction.flow === "jump";
		if (between.length < 2 || !between.every((other) => found.has(other))) continue;
		if (block.every((member) => isMove(member) || isJump(member))) for (const member of block) found.add(member);
	}
	return found;
}

/** The instructions that are always executed together with one, in their order. */
function blockAround(graph: FlowGraph, offset: number): number[] {
	const only = (offsets: readonly number[] | undefined): number | undefined =>
		offsets?.length === 1 ? offsets[0] : undefined;
	const block = [offset];
	for (let last = offset; ; ) {
		const next = only(graph.nodes.get(last)?.successors);
		if (next === undefined || next === offset || only(graph.nodes.get(next)?.predecessors) !== last) break;
		block.push(next);
		last = next;
	}
	for (let first = offset; ; ) {
		const before = only(graph.nodes.get(first)?.predecessors);
		if (before === undefined || before === block.at(-1) || only(graph.nodes.get(before)?.successors) !== first) break;
		block.unshift(before);
		first = before;
	}
	return block;
}
