/** Flow graphs of a machine with one-byte instructions, and the refusals. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type FlowGraph, flowGraph, reachable, reaching, type Surroundings } from "../../../src/isa/flow-graph.ts";
import type { Decoder, Flow } from "../../../src/isa/instruction.ts";

interface Operation {
	flow: Flow;
	target?: number;
	length?: number;
}

/** A program as its instructions by offset. */
type Program = Record<number, Operation>;

const decoderOf =
	(program: Program): Decoder =>
	(_code, offset) => {
		const operation = program[offset];
		if (operation === undefined) return undefined;
		const { flow, target, length = 1 } = operation;
		return { offset, length, flow, emulated: false, ...(target === undefined ? {} : { target }) };
	};

/** Outside, 1000 never comes back, and functions start at multiples of 100. */
const AROUND: Surroundings = {
	returns: (target) => target !== 1000,
	isFunction: (target) => target % 100 === 0,
};

const graphOf = (program: Program, size: number) => flowGraph(new Uint8Array(size), decoderOf(program), AROUND);

function built(program: Program, size: number): FlowGraph {
	const graph = graphOf(program, size);
	if ("refused" in graph) throw new Error(graph.refused);
	return graph;
}

const edges = (graph: FlowGraph): string[] =>
	[...graph.nodes].map(([offset, { successors }]) => `${offset}:${successors.join(",")}`);
const cycles = (graph: FlowGraph): number[] =>
	[...graph.nodes].filter(([, { inCycle }]) => inCycle).map(([offset]) => offset);

describe("flow", () => {
	test("branches have the target first; what nothing leads to is left out", () => {
		const graph = built(
			{
				0: { flow: "branch", target: 3 },
				1: { flow: "jump", target: 4 },
				2: { flow: "return" },
				3: { flow: "next" },
				4: { flow: "return" },
			},
			5,
		);
		expect(edges(graph)).toEqual(["0:3,1", "1:4", "3:4", "4:"]);
		expect(graph.returns).toEqual([4]);
		expect(graph.nodes.get(4)?.predecessors).toEqual([1, 3]);
		expect(cycles(graph)).toEqual([]);
	});

	test("calls come back unless their function never does", () => {
		const graph = built(
			{
				0: { flow: "branch", target: 3 },
				1: { flow: "call", target: 700 },
				2: { flow: "return" },
				3: { flow: "call", target: 1000 },
			},
			5,
		);
		expect(edges(graph)).toEqual(["0:3,1", "1:2", "2:", "3:"]);
	});

	test("a branch to the instruction behind it has one successor", () => {
		expect(edges(built({ 0: { flow: "branch", target: 1 }, 1: { flow: "return" } }, 2))).toEqual(["0:1", "1:"]);
	});

	test("loops, also of one instruction and one in another", () => {
		const graph = built(
			{
				0: { flow: "next" },
				1: { flow: "next" },
				2: { flow: "branch", target: 2 },
				3: { flow: "branch", target: 1 },
				4: { flow: "branch", target: 7 },
				5: { flow: "return" },
				7: { flow: "stop" },
			},
			8,
		);
		expect(cycles(graph)).toEqual([1, 2, 3]);
	});

	test("a jump to another function is a tail call", () => {
		const graph = built(
			{ 0: { flow: "branch", target: 2 }, 1: { flow: "return" }, 2: { flow: "jump", target: 300 } },
			3,
		);
		expect(graph.tailJumps).toEqual([2]);
		expect(graph.returns).toEqual([1]);
	});

	test("a call of itself is a call", () => {
		expect(edges(built({ 0: { flow: "call", target: 0 }, 1: { flow: "return" } }, 2))).toEqual(["0:1", "1:"]);
	});
});

test.each<[string, Program, string]>([
	["unknown bytes", { 0: { flow: "next" } }, "unknown instruction at +0x1"],
	["an indirect jump", { 0: { flow: "next" }, 1: { flow: "indirect-jump" } }, "indirect jump at +0x1"],
	[
		"a jump into the middle of another function",
		{ 0: { flow: "jump", target: 301 } },
		"jump out of the function at +0x0",
	],
	["a branch to another function", { 0: { flow: "branch", target: 300 } }, "branch out of the function at +0x0"],
	["a branch backwards out of it", { 0: { flow: "branch", target: -1 } }, "branch out of the function at +0x0"],
	["a call into itself", { 0: { flow: "call", target: 2 }, 1: { flow: "return" } }, "call into itself at +0x0"],
	[
		"overlapping instructions",
		{ 0: { flow: "branch", target: 3 }, 1: { flow: "next", length: 3 }, 3: { flow: "return" }, 4: { flow: "return" } },
		"overlapping instructions at +0x3",
	],
	["no end", { 0: { flow: "next" }, 1: { flow: "next", length: 7 } }, "runs over its end"],
])("refuses %s", (_what, program, refused) => {
	expect(graphOf(program, 8)).toEqual({ refused });
});

describe("reachability", () => {
	const graph = built(
		{ 0: { flow: "branch", target: 3 }, 1: { flow: "next" }, 2: { flow: "return" }, 3: { flow: "jump", target: 3 } },
		4,
	);

	test("forwards, up to barriers", () => {
		expect([...reachable(graph, [0])].sort()).toEqual([0, 1, 2, 3]);
		expect([...reachable(graph, [0], (offset) => offset === 1)].sort()).toEqual([0, 1, 3]);
	});

	test("backwards", () => {
		expect([...reaching(graph, [2])].sort()).toEqual([0, 1, 2]);
	});
});

test("cycles of random programs are where control can come back to", () => {
	const size = 12;
	const operation = fc.oneof(
		fc.record({ flow: fc.constantFrom<Flow>("next", "return", "stop", "indirect-call") }),
		fc.record({ flow: fc.constantFrom<Flow>("jump", "branch"), target: fc.nat(size - 1) }),
	);
	fc.assert(
		fc.property(fc.array(operation, { minLength: size, maxLength: size }), (operations) => {
			const program: Program = { ...operations, [size - 1]: { flow: "return" } };
			const graph = built(program, size);
			for (const [offset, { inCycle, successors }] of graph.nodes) {
				expect(inCycle).toBe(reachable(graph, successors).has(offset));
			}
		}),
		{ numRuns: 3000 },
	);
});
