/** Which instruction of an inlined copy every passage executes once: made-up flows, an instruction a letter. */
import { describe, expect, test } from "bun:test";
import type { FlowGraph, FlowNode } from "../../../src/isa/flow-graph.ts";
import { passedOnce } from "../../../src/plan/copy-flow.ts";

/** "a b c>e" is: a, then b, then c, then e or what is next. Capitals are the copy's; "." ends: it returns; "!" ends in a panic. */
function question(flow: string, moves = "") {
	const steps = flow.split(" ");
	const letters = steps.map((step) => step[0] ?? "");
	const at = (letter: string): number => letters.findIndex((other) => other.toLowerCase() === letter.toLowerCase());
	const nodes = new Map<number, FlowNode & { predecessors: number[]; successors: number[] }>();
	for (const [offset, step] of steps.entries()) {
		const isReturn = step.endsWith(".");
		const isEnd = isReturn || step.endsWith("!");
		const targets = [.../>(\w)/g[Symbol.matchAll](step)].map(([, letter]) => at(letter ?? ""));
		const jumps = step.includes(">>");
		const successors = isEnd ? [] : jumps ? [at(step.at(-1) ?? "")] : [...targets, offset + 1];
		nodes.set(offset, {
			instruction: { offset, length: 1, flow: isReturn ? "return" : isEnd ? "stop" : "next", emulated: true },
			...{ successors, predecessors: [], inCycle: false },
		});
	}
	for (const [offset, { successors }] of nodes) for (const to of successors) nodes.get(to)?.predecessors.push(offset);
	const graph: FlowGraph = { nodes, returns: [], tailJumps: [] };
	const site = passedOnce({
		graph,
		isCopy: (offset) => letters[offset] !== letters[offset]?.toLowerCase(),
		isMove: (offset) => moves.includes(letters[offset] ?? ""),
		canBeSite: () => true,
	});
	return typeof site === "number" ? letters[site] : undefined;
}

describe("a site", () => {
	test("is the first instruction of a straight copy", () => expect(question("a B C d.")).toBe("B"));
	test("is before a branch, not on one of its ways", () => expect(question("a B>D C D e.")).toBe("B"));
	test("is where ways meet again when nothing before is the copy's", () =>
		expect(question("a>d B c>>e D E f.")).toBe("E"));
	test("is none where one way goes around every instruction", () =>
		expect(question("a>c B>e C>d d e.")).toBeUndefined());
	test("is not in a loop of the copy", () => expect(question("a B C>C D e.")).toBe("B"));
	test("is none in a copy that is nothing but a loop without a beginning", () =>
		expect(question("a b>D C D>C e.")).toBeUndefined());
	test("may be in a loop of the function around it", () => expect(question("a B C d>f e>>B f.")).toBe("B"));
	test("need not be passed on the way to a panic", () => expect(question("a b>E C D>>F E! F g.")).toBe("C"));
	test("is not misled by moves elsewhere", () => {
		expect(question("a>D b M>c c>>f D E f.", "M")).toBe("D");
	});
	test("is found across a block of moves within the copy", () => {
		expect(question("a B>e c>>D D>>f e>>D f.", "")).toBeUndefined();
		expect(question("a B>e c>>D D>>f e>>D f.", "ce")).toBe("B");
	});
});
