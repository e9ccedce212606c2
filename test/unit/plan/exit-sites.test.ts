/** The choice of exit sites on made-up code: single cases, and random programs that are walked through on all ways. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type FlowGraph, flowGraph, reaching } from "../../../src/isa/flow-graph.ts";
import type { Flow } from "../../../src/isa/instruction.ts";
import { type ChosenExit, chooseExits, type ExitQuestion } from "../../../src/plan/exit-sites.ts";

/** An instruction of one byte. Jumps and branches are emulated, as are calls; "n" is a nop, "i" any other instruction. */
interface Operation {
	flow: Flow;
	target?: number;
	emulated: boolean;
}

const CALLEES: Record<number, string> = {
	101: "measured",
	102: "measured too",
	103: "runtime.advanceEvacuationMark",
	104: "other",
	105: "panics",
};
const calleeTarget = (name: string): number => Number(Object.entries(CALLEES).find(([, other]) => other === name)?.[0]);

const nop: Operation = { flow: "next", emulated: true };
const inert: Operation = { flow: "next", emulated: false };
const ret: Operation = { flow: "return", emulated: false };
const branch = (target: number): Operation => ({ flow: "branch", target, emulated: true });
const jump = (target: number): Operation => ({ flow: "jump", target, emulated: true });
const call = (name: string): Operation => ({ flow: "call", target: calleeTarget(name), emulated: true });

function graphOf(operations: readonly Operation[]): FlowGraph | undefined {
	const graph = flowGraph(
		new Uint8Array(operations.length),
		(_code, offset) => {
			const operation = operations[offset];
			return operation && { offset, length: 1, ...operation };
		},
		{ returns: (target) => CALLEES[target] !== "panics", isFunction: (target) => target >= 100 },
	);
	return "refused" in graph ? undefined : graph;
}

function choose(operations: readonly Operation[], question: Partial<ExitQuestion> = {}): ChosenExit[] | string {
	const graph = graphOf(operations);
	if (graph === undefined) throw new Error("no graph");
	return chooseExits({
		graph,
		entrySite: 0,
		hasOwnFrame: () => true,
		hasEntryStack: () => true,
		calleeAt: (target) => CALLEES[target],
		isMeasured: (callee) => callee.startsWith("measured"),
		conditionOf: () => 4,
		...question,
	});
}

/** "3 taken else measured, tail 2" */
function brief(exits: ChosenExit[] | string): string[] | string {
	if (typeof exits === "string") return exits;
	return exits.map(({ offset, leavesWhen, handsOverTo, tail }) => {
		const outcome = leavesWhen === undefined ? "" : leavesWhen.taken ? " taken" : " not taken";
		const other = handsOverTo === undefined ? "" : ` else ${handsOverTo}`;
		return `${offset}${outcome}${other}, tail ${[tail.instructions, ...tail.calls].join(" ")}`;
	});
}

describe("single cases", () => {
	test.each<[string, Operation[], string[] | string]>([
		[
			"the last emulated instruction behind the last call",
			[nop, call("other"), nop, inert, nop, inert, ret],
			["4, tail 2"],
		],
		["nothing emulated behind the last call: the RET", [nop, call("other"), inert, ret], ["3, tail 0"]],
		["both outcomes leave", [nop, branch(3), ret, inert, ret], ["1, tail 2"]],
		[
			"one outcome leaves, the other goes on",
			[nop, branch(4), call("other"), ret, ret],
			["1 taken, tail 1", "3, tail 0"],
		],
		[
			"the outcome that is not taken leaves",
			[nop, branch(3), ret, call("other"), ret],
			["1 not taken, tail 1", "4, tail 0"],
		],
		[
			"as runtime.growWork: leaves, or ends with its last call",
			[nop, call("measured"), inert, branch(6), inert, call("measured"), inert, ret],
			["3 taken else measured, tail 2"],
		],
		[
			"as rehash: two last calls",
			[nop, inert, branch(6), inert, call("measured"), ret, call("measured too"), ret],
			["4 else measured, tail 1", "6 else measured too, tail 1"],
		],
		[
			"as evacuate: a cheap call may follow",
			[nop, call("other"), inert, branch(6), inert, call("runtime.advanceEvacuationMark"), inert, ret],
			["3, tail 4 runtime.advanceEvacuationMark"],
		],
		[
			"two sites behind a branch: the branch stands for both",
			[nop, call("other"), inert, branch(6), nop, call("runtime.advanceEvacuationMark"), inert, ret],
			["3, tail 4 runtime.advanceEvacuationMark"],
		],
		[
			"but not when much is left out then",
			[nop, call("other"), branch(20), ...Array.from({ length: 16 }, () => inert), nop, inert, ret],
			["2 taken, tail 2", "19, tail 2"],
		],
		[
			"a last call that can also be got at in another way is a site of its own",
			[nop, branch(5), call("other"), branch(6), inert, call("measured"), inert, ret],
			["3 taken, tail 2", "5 else measured, tail 2"],
		],
		[
			"a call before the last one",
			[nop, branch(5), call("other"), call("measured"), inert, ret],
			["1 taken, tail 1", "3 else measured, tail 2"],
		],
		["the branch of a loop is passed again and again: the RET", [nop, inert, branch(1), inert, ret], ["4, tail 0"]],
		["behind a loop", [nop, inert, branch(1), nop, ret], ["3, tail 1"]],
		["an outcome that panics does not leave", [nop, branch(3), ret, call("panics")], ["1 not taken, tail 1"]],
		["a RET that is shared with a way that cannot be cut", [nop, branch(3), call("other"), ret], ["3, tail 0"]],
		["a callee whose end is not seen", [nop, call("other"), ret], ["2, tail 0"]],
		["a tail jump", [nop, branch(3), ret, jump(104)], "it ends by a jump to another function, whose end is not seen"],
		["no return", [nop, call("panics")], "it does not return"],
	])("%s", (_what, operations, expected) => {
		expect(brief(choose(operations))).toEqual(expected);
	});

	test("code that would take forever is given up", () => {
		// Whoever starts at a RET goes through all branches, which cannot be sites, before there is no way out.
		const branches = Array.from({ length: 3000 }, (_, n) => ({ ...branch(3001 + n), emulated: false }));
		const endless = [nop, ...branches, ...branches.map(() => ret), ret];
		const before = process.cpuUsage();
		expect(choose(endless)).toBe("its flow is too entangled to be followed");
		// Processor time: other tests may be running. Without the bound it takes minutes.
		expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10);
		expect(
			brief(choose([nop, ...branches.slice(0, 30).map(() => branch(40)), ...Array.from({ length: 10 }, () => ret)])),
		).toBeArray();
	});

	test("the entry site is no exit", () => {
		expect(brief(choose([nop, inert, ret]))).toEqual(["2, tail 0"]);
		expect(brief(choose([nop, nop, ret], { entrySite: 1 }))).toEqual(["2, tail 0"]);
	});

	test("without the function's own frame an instruction is none", () => {
		const operations = [nop, call("other"), nop, nop, ret];
		expect(brief(choose(operations, { hasOwnFrame: (offset) => offset < 3 }))).toEqual(["2, tail 2"]);
		expect(brief(choose(operations, { hasOwnFrame: () => false }))).toEqual(["4, tail 0"]);
	});

	test("where the stack is not known at a RET there are none", () => {
		const refused = choose([nop, inert, ret], { hasEntryStack: () => false });
		expect(refused).toBe("where the stack begins is not known at the RET at +0x2");
	});
});

interface State {
	offset: number;
	phase: "inside" | "left" | "handed" | "last";
	by: ChosenExit | undefined;
	passed: number;
}

/** The first thing that is wrong on any way through the graph; what panics in the end may leave before. */
function fault(graph: FlowGraph, exits: readonly ChosenExit[]): string | undefined {
	const alive = reaching(graph, graph.returns);
	const seen = new Set<string>();
	const pending: State[] = [{ offset: 0, phase: "inside", by: undefined, passed: 0 }];
	for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
		const { offset, phase, by, passed } = state;
		const key = `${offset} ${phase} ${by?.offset} ${passed}`;
		if (seen.has(key)) continue;
		seen.add(key);
		const index = exits.findIndex((exit) => exit.offset === offset);
		const exit = exits[index];
		if (exit !== undefined && (passed & (1 << index)) !== 0) return `${offset} is passed twice`;
		const node = graph.nodes.get(offset);
		const instruction = node?.instruction;
		if (node === undefined || instruction === undefined) return "lost";
		const outcomes =
			instruction.flow === "return" ? [undefined] : node.successors.filter((successor) => alive.has(successor));
		for (const successor of outcomes) {
			const next = { ...state, passed: exit === undefined ? passed : passed | (1 << index) };
			if (exit !== undefined) {
				const leaves =
					exit.leavesWhen === undefined
						? exit.handsOverTo === undefined
						: exit.leavesWhen.taken === (successor === instruction.target);
				if (leaves || exit.handsOverTo !== undefined) {
					if (phase !== "inside") return `leaves a second time at ${offset}`;
					next.phase = leaves ? "left" : "handed";
					next.by = exit;
				}
			}
			if (instruction.flow === "call" || instruction.flow === "indirect-call") {
				const callee = CALLEES[instruction.target ?? 0] ?? "";
				if (next.phase === "last") return `calls at ${offset} behind the last call`;
				if (next.phase === "left" && !next.by?.tail.calls.includes(callee)) return `calls ${callee} behind an exit`;
				if (next.phase === "handed") {
					if (callee !== next.by?.handsOverTo) return `calls ${callee} instead`;
					next.phase = "last";
				}
			}
			if (successor === undefined) {
				if (next.phase === "inside" || next.phase === "handed") return `returns ${next.phase}`;
			} else pending.push({ ...next, offset: successor });
		}
	}
	return undefined;
}

test("every way through random code leaves exactly once", () => {
	const size = 14;
	const operation = fc.oneof(
		{ arbitrary: fc.constantFrom(nop, inert), weight: 4 },
		{ arbitrary: fc.constantFrom(...Object.values(CALLEES).map(call)), weight: 2 },
		{ arbitrary: fc.nat(size - 1).map(branch), weight: 3 },
		{ arbitrary: fc.nat(size - 1).map(jump), weight: 1 },
		{ arbitrary: fc.constant(ret), weight: 1 },
	);
	let emulated = 0;
	let handedOver = 0;
	let partial = 0;
	fc.assert(
		fc.property(fc.array(operation, { minLength: size, maxLength: size }), fc.nat(size), (operations, noFrame) => {
			const program = [nop, ...operations, ret];
			const graph = graphOf(program);
			if (graph === undefined) return;
			const exits = choose(program, { hasOwnFrame: (offset) => offset !== noFrame });
			if (typeof exits === "string") return;
			expect(fault(graph, exits)).toBeUndefined();
			for (const { offset, leavesWhen, handsOverTo, entrySp } of exits) {
				if (entrySp === "frame-pointer") expect([program[offset]?.emulated, offset === noFrame]).toEqual([true, false]);
				else expect(program[offset]?.flow).toBe("return");
				emulated += Number(entrySp === "frame-pointer");
				handedOver += Number(handsOverTo !== undefined && leavesWhen !== undefined);
				partial += Number(leavesWhen !== undefined && handsOverTo === undefined);
			}
		}),
		{ numRuns: 6000 },
	);
	// All kinds were met, not only the RET.
	expect(emulated).toBeGreaterThan(500);
	expect(partial).toBeGreaterThan(100);
	expect(handedOver).toBeGreaterThan(5);
}, 60_000);
