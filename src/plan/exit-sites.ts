/**
 * Chooses where the end of a call is seen: a set of instructions of which every call that returns passes exactly one, once.
 *
 * Behind a site nothing may be called any more, but for a few cheap functions, so that the rest of the call is some instructions only. The
 * sites are a cut through the flow graph: a set of instructions that control does not leave again before it returns ("the tail"), and every
 * way into it leads over a site. That is what makes them exact; which cut is taken is a matter of cost alone. The tail is
 * grown backwards from the RET until all ways into it lead over instructions that the kernel emulates when they are probed.
 * Where that fails, the RET itself is the site, single-stepped.
 */
import { type FlowGraph, type FlowNode, reachable, reaching } from "../isa/flow-graph.ts";

/** What the chooser has to know about a function; offsets as those of its instructions. */
export interface ExitQuestion {
	graph: FlowGraph;
	/** The probed instruction at the beginning; exits lie behind it. */
	entrySite: number;
	/** Whether the frame pointer is the function's own before the instruction. */
	hasOwnFrame(offset: number): boolean;
	/** Whether the stack pointer is where it was at the entry before the instruction. */
	hasEntryStack(offset: number): boolean;
	/** Name of the function at a call's target. */
	calleeAt(target: number): string | undefined;
	/** Whether the end of that function is seen, so that a call of it can stand for the end of the caller. */
	isMeasured(callee: string): boolean;
	/** The low four bits of a conditional branch's opcode. */
	conditionOf(offset: number): number;
}

export interface ChosenExit {
	offset: number;
	entrySp: "frame-pointer" | "stack-pointer";
	leavesWhen?: { condition: number; taken: boolean };
	handsOverTo?: string;
	tail: { instructions: number; calls: string[] };
	reason: string;
}

/**
 * Functions that may still be called behind a site, as they do next to nothing. runtime.advanceEvacuationMark (runtime/map.go, Go 1.8 to 1.25) moves a
 * counter over at most 1,024 buckets that are done already, and is left out by evacuate unless its bucket was the lowest one to do. runtime.gcWriteBarrier
 * (runtime/asm_amd64.s; one for each number of pointers since Go 1.21) puts pointers into a buffer, and is only called while the collector marks.
 */
function isCheap(callee: string): boolean {
	return callee === "runtime.advanceEvacuationMark" || /^runtime\.gcWriteBarrier\d?$/.test(callee);
}

/** Visits of instructions: growth functions take some thousands, and damaged code must not take forever. */
const MAX_VISITS = 200_000;

/** A branch stands for the sites on both of its ways when no more instructions than these are left out behind it: some nanoseconds. */
const SHORT_TAIL = 16;

/** The exit sites, in the order of addresses, or why there are none. */
export function chooseExits(question: ExitQuestion): ChosenExit[] | string {
	const { graph } = question;
	if (graph.tailJumps.length > 0) return "it ends by a jump to another function, whose end is not seen";
	if (graph.returns.length === 0) return "it does not return";
	const cut = new Cut(question);
	const stepped = graph.returns.filter((offset) => !cut.extend(offset));
	if (cut.exhausted) return "its flow is too entangled to be followed";
	const wrong = stepped.find((offset) => !question.hasEntryStack(offset));
	if (wrong !== undefined) return `where the stack begins is not known at the RET at +0x${wrong.toString(16)}`;
	cut.joinOutcomes();
	const exits = [...cut.sites(), ...stepped.map(steppedReturn)];
	if (cut.exhausted) return "its flow is too entangled to be followed";
	return exits.sort((a, b) => a.offset - b.offset);
}

function steppedReturn(offset: number): ChosenExit {
	return {
		offset,
		entrySp: "stack-pointer",
		tail: { instructions: 0, calls: [] },
		reason: "RET: no way to it leads, behind the last call, over one instruction that is emulated and passed once",
	};
}

/** The instructions of all tails, and the ways into them. */
class Cut {
	readonly #question: ExitQuestion;
	readonly #graph: FlowGraph;
	/** From where a RET can be reached: the rest ends in a panic. */
	readonly #alive: ReadonlySet<number>;
	/** What is executed before the entry site. */
	readonly #early: ReadonlySet<number>;
	#tail = new Set<number>();
	/** From where a call can be reached that does not end in a panic, the calls themselves included. */
	readonly #beforeCalls: ReadonlySet<number>;
	/** By instruction of a tail: the longest way from it to the RET. */
	readonly #lengths = new Map<number, number>();
	#visits = 0;

	constructor(question: ExitQuestion) {
		this.#question = question;
		this.#graph = question.graph;
		this.#alive = reaching(question.graph, question.graph.returns);
		this.#early = reachable(question.graph, [0], (offset) => offset === question.entrySite);
		const calls: number[] = [];
		for (const [offset, { instruction }] of question.graph.nodes) {
			const isCall = instruction.flow === "call" || instruction.flow === "indirect-call";
			if (isCall && this.#alive.has(offset)) calls.push(offset);
		}
		this.#beforeCalls = reaching(question.graph, calls);
	}

	/** Whether the work was given up: what was found until then is incomplete. */
	get exhausted(): boolean {
		return this.#visits > MAX_VISITS;
	}

	/** Adds the tail that ends with this RET, or begins with this instruction; false when there is none. */
	extend(part: number): boolean {
		const tail = new Set<number>();
		const pending = [part];
		for (let offset = pending.pop(); offset !== undefined; offset = pending.pop()) {
			this.#visits++;
			if (tail.has(offset)) continue;
			if (this.exhausted || !this.#canBeInTail(offset)) return false;
			tail.add(offset);
			for (const successor of this.#successors(offset)) pending.push(successor);
			for (const from of this.#node(offset).predecessors) if (!this.#canBeSite(from)) pending.push(from);
		}
		// The union of two tails is one: what leads into either of them is in it or can be a site.
		this.#visits += this.#tail.size;
		this.#tail = this.#tail.union(tail);
		return true;
	}

	/**
	 * Lets branches that leave by one outcome leave by both, where the other one soon leaves too without a call: two hits become one, and the later
	 * one may be a nop that the next release does not have.
	 */
	joinOutcomes(): void {
		const candidates = [...this.#graph.nodes.keys()].reverse();
		for (const offset of candidates) {
			if (this.#node(offset).successors.length < 2 || this.#tail.has(offset) || !this.#canBeSite(offset)) continue;
			const successors = this.#successors(offset);
			const others = successors.filter((successor) => !this.#tail.has(successor));
			const [other] = others;
			if (other === undefined || others.length === successors.length) continue;
			const before = this.#tail;
			if (this.exhausted) return;
			if (this.extend(other) && this.#longest(successors).instructions > SHORT_TAIL) this.#tail = before;
		}
	}

	#node(offset: number): FlowNode {
		const node = this.#graph.nodes.get(offset);
		if (node === undefined) throw new RangeError(`no instruction at +0x${offset.toString(16)}`);
		return node;
	}

	/** Successors that do not end in a panic. */
	#successors(offset: number): readonly number[] {
		const { successors } = this.#node(offset);
		for (const successor of successors) {
			if (!this.#alive.has(successor)) return successors.filter((other) => this.#alive.has(other));
		}
		return successors;
	}

	#callee(offset: number): string | undefined {
		const { flow, target } = this.#node(offset).instruction;
		return flow === "call" && target !== undefined ? this.#question.calleeAt(target) : undefined;
	}

	#canBeInTail(offset: number): boolean {
		const { inCycle, instruction } = this.#node(offset);
		if (inCycle || this.#early.has(offset)) return false;
		if (instruction.flow === "call") return isCheap(this.#callee(offset) ?? "");
		return instruction.flow !== "indirect-call";
	}

	/** Whether a probe there sees each pass once, knows whose call it is, and tells its outcomes apart. */
	#canBeSite(offset: number): boolean {
		const { instruction, inCycle } = this.#node(offset);
		if (!instruction.emulated || inCycle || this.#early.has(offset) || !this.#question.hasOwnFrame(offset))
			return false;
		if (instruction.flow !== "call") return true;
		const callee = this.#callee(offset);
		return callee !== undefined && this.#question.isMeasured(callee) && this.#isLastCall(offset);
	}

	/** Whether nothing that returns is called behind it. */
	#isLastCall(offset: number): boolean {
		return !this.#successors(offset).some((successor) => this.#beforeCalls.has(successor));
	}

	/** The instructions over which the ways into the tails lead. */
	sites(): ChosenExit[] {
		const offsets = new Set<number>();
		for (const offset of this.#tail) {
			for (const from of this.#node(offset).predecessors) if (!this.#tail.has(from)) offsets.add(from);
		}
		const handedOver = new Set<number>();
		const sites = [...offsets].flatMap((offset) => (this.exhausted ? [] : this.#siteAt(offset, offsets, handedOver)));
		return sites.filter(({ offset }) => !handedOver.has(offset));
	}

	#siteAt(offset: number, sites: ReadonlySet<number>, handedOver: Set<number>): ChosenExit {
		const { instruction, successors } = this.#node(offset);
		const leaving = successors.filter((successor) => this.#tail.has(successor));
		const callee = this.#callee(offset);
		const site: ChosenExit = {
			offset,
			entrySp: "frame-pointer",
			tail: this.#longest(leaving),
			reason: "the last emulated instruction on its way to RET; no call behind it",
		};
		if (callee !== undefined) {
			site.handsOverTo = callee;
			site.reason = "the last call, of a function whose end is seen";
			return site;
		}
		if (site.tail.calls.length > 0) {
			site.reason = `the last emulated instruction before RET and before the only call left, of ${site.tail.calls.join(", ")}`;
		}
		const [other] = successors.filter((successor) => !this.#tail.has(successor));
		if (instruction.flow !== "branch" || other === undefined) return site;
		site.leavesWhen = { condition: this.#question.conditionOf(offset), taken: other !== instruction.target };
		const last = this.#alive.has(other) ? this.#lastCalls(offset, other, sites) : undefined;
		if (last === undefined) {
			site.reason += this.#alive.has(other) ? "; its other outcome goes on" : "; its other outcome ends in a panic";
			return site;
		}
		for (const call of last.calls) handedOver.add(call);
		site.handsOverTo = last.callee;
		site.tail = longer(site.tail, this.#longest(last.calls.flatMap((call) => this.#successors(call))));
		site.reason = `leaves without a call, or calls ${last.callee} last, whose end is seen`;
		return site;
	}

	/**
	 * The sites that the other outcome of a branch leads to, when that branch can stand for them: each way from `first` on leads to one that hands over to
	 * the same function, calls nothing before, and can only be got onto by the branch.
	 */
	#lastCalls(
		branch: number,
		first: number,
		sites: ReadonlySet<number>,
	): { callee: string; calls: number[] } | undefined {
		const calls = new Set<number>();
		const region = reachable(this.#graph, [first], (offset) => {
			const isCall = sites.has(offset) && this.#callee(offset) !== undefined;
			if (isCall) calls.add(offset);
			return isCall;
		});
		this.#visits += region.size;
		const callees = new Set([...calls].map((call) => this.#callee(call)));
		const [callee] = callees;
		if (callees.size !== 1 || callee === undefined) return undefined;
		for (const offset of region) {
			const { instruction, inCycle, predecessors } = this.#node(offset);
			if (inCycle || !this.#alive.has(offset) || this.#tail.has(offset)) return undefined;
			if (predecessors.some((from) => from !== branch && !region.has(from))) return undefined;
			if (calls.has(offset)) continue;
			if (sites.has(offset) || instruction.flow === "call" || instruction.flow === "indirect-call") return undefined;
			if (instruction.flow === "return") return undefined;
		}
		return { callee, calls: [...calls] };
	}

	/** The longest way through the tail from one of these instructions on, and the functions that may be called on any. */
	#longest(from: readonly number[]): ChosenExit["tail"] {
		const instructions = from.reduce((longest, offset) => Math.max(longest, this.#lengthFrom(offset)), 0);
		const calls = new Set<string>();
		const withCalls = from.filter((offset) => this.#beforeCalls.has(offset));
		for (const offset of reachable(this.#graph, withCalls, (other) => !this.#beforeCalls.has(other))) {
			const callee = this.#alive.has(offset) ? this.#callee(offset) : undefined;
			if (callee !== undefined) calls.add(callee);
		}
		return { instructions, calls: [...calls] };
	}

	/** Instructions on the longest way from this one of a tail to the RET, both included. */
	#lengthFrom(first: number): number {
		const lengths = this.#lengths;
		const pending = [first];
		for (let offset = pending.at(-1); offset !== undefined; offset = pending.at(-1)) {
			let longest = 0;
			let isKnown = true;
			for (const successor of this.#successors(offset)) {
				const length = lengths.get(successor);
				if (length === undefined) {
					pending.push(successor);
					isKnown = false;
				} else {
					longest = Math.max(longest, length);
				}
			}
			if (!isKnown) continue;
			pending.pop();
			this.#visits++;
			lengths.set(offset, 1 + longest);
		}
		return lengths.get(first) ?? 0;
	}
}

function longer(a: ChosenExit["tail"], b: ChosenExit["tail"]): ChosenExit["tail"] {
	return { instructions: Math.max(a.instructions, b.instructions), calls: [...new Set([...a.calls, ...b.calls])] };
}
