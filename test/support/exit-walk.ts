/**
 * Walks through a function on all ways that its disassembly by objdump allows, and checks that its planned exits see each call end
 * exactly once. Shares nothing with the planner: instructions are read as text, and so are stack and frame pointer followed.
 */
import type { ExitSite } from "../../src/plan/probe-plan.ts";
import type { ListedInstruction } from "./objdump.ts";

/** Calls of these do not come back; by the names that objdump shows. */
const NO_RETURN = /^runtime\.(throw|gopanic|panic\w+|goPanic\w+)(\.abi0)?$/;

export interface Walked {
	fn: string;
	entry: number;
	exits: readonly ExitSite[];
}

interface State {
	address: number;
	/** "left": an exit was passed; "handed": the next call has to be the last one; "last": it was made. */
	phase: "inside" | "left" | "handed" | "last";
	/** Index of the exit that decided the phase. */
	by: number;
	/** Instructions executed since then, or since the last call came back. */
	steps: number;
	/** Bits of the exits that were passed. */
	passed: number;
	/** Distance from the stack pointer at the entry; undefined: not known. */
	rsp: number | undefined;
	rbp: number | undefined;
}

const signed = (text: string): number => Number(BigInt.asIntN(64, BigInt(text)));

/** What the instruction does to RSP and RBP, by its text in AT&T syntax. */
function moveStack(text: string, { rsp, rbp }: State): Pick<State, "rsp" | "rbp"> {
	const moved = (value: number | undefined, by: number): number | undefined =>
		value === undefined ? undefined : value + by;
	if (/^push +/.test(text)) return { rsp: moved(rsp, -8), rbp };
	if (/^pop +%rbp$/.test(text)) return { rsp: moved(rsp, 8), rbp: undefined };
	if (/^pop +/.test(text)) return { rsp: moved(rsp, 8), rbp };
	if (/^mov +%rsp,%rbp$/.test(text)) return { rsp, rbp: rsp };
	const sum = /^(sub|add) +\$(0x[0-9a-f]+),%rsp$/.exec(text);
	if (sum !== null) return { rsp: moved(rsp, (sum[1] === "sub" ? -1 : 1) * signed(sum[2] ?? "0")), rbp };
	const lea = /^lea +(0x[0-9a-f]+)\(%rsp\),%rbp$/.exec(text);
	if (lea !== null) return { rsp, rbp: moved(rsp, signed(lea[1] ?? "0")) };
	if (/^(cmp|test)/.test(text)) return { rsp, rbp };
	return { rsp: /%[er]?spl?$/.test(text) ? undefined : rsp, rbp: /%[er]?bpl?$/.test(text) ? undefined : rbp };
}

/**
 * Everything that is wrong with the exits of the function; nothing when each call that returns leaves exactly once. `code`: its instructions
 * and those around it, by address.
 */
export function exitFaults(
	{ fn, entry, exits }: Walked,
	code: ReadonlyMap<number, ListedInstruction & { end: number }>,
): string[] {
	const faults = new Set<string>();
	const longest = exits.map(() => 0);
	let returns = 0;
	const seen = new Set<string>();
	const pending: State[] = [{ address: entry, phase: "inside", by: -1, steps: 0, passed: 0, rsp: 0, rbp: undefined }];
	for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
		const key = JSON.stringify(state);
		if (seen.has(key)) continue;
		seen.add(key);
		const { address, phase, by } = state;
		const fault = (text: string): void => void faults.add(`${fn}+0x${(address - entry).toString(16)}: ${text}`);
		const instruction = code.get(address);
		if (instruction === undefined || state.steps > 1000 || seen.size > 200_000) {
			fault("lost");
			break;
		}
		const { text, flow, target, end } = instruction;
		const index = exits.findIndex((exit) => exit.address === address);
		const exit = exits[index];
		if (exit !== undefined) {
			if ((state.passed & (1 << index)) !== 0) fault("passed twice");
			const own = exit.entrySp === "frame-pointer" ? state.rbp === -8 : state.rsp === 0;
			if (!own) fault("the entry's stack pointer is not there");
		}
		const next: State = { ...state, passed: exit === undefined ? state.passed : state.passed | (1 << index) };
		if (phase === "left" || phase === "last") next.steps++;

		/** The state after the exit, if there is one, by the outcome of the branch. */
		const after = (taken: boolean): State => {
			if (exit === undefined) return next;
			const { leavesWhen, handsOverTo } = exit;
			const leaves = leavesWhen === undefined ? handsOverTo === undefined : leavesWhen.taken === taken;
			if (!leaves && handsOverTo === undefined) return next;
			if (phase !== "inside") fault("left a second time");
			return { ...next, phase: leaves ? "left" : "handed", by: index, steps: 0 };
		};
		const deciding = exits[by];
		switch (flow) {
			case "return": {
				const final = after(false);
				returns++;
				if (final.phase === "inside" || final.phase === "handed") fault(`returns ${final.phase}`);
				if (state.rsp !== 0) fault("returns with another stack pointer");
				if (final.by >= 0) longest[final.by] = Math.max(longest[final.by] ?? 0, final.steps);
				break;
			}
			case "stop":
				break;
			case "call":
			case "indirect-call": {
				const callee = /<(.+?)>$/.exec(text)?.[1] ?? "";
				if (NO_RETURN.test(callee)) break;
				const behind: State = { ...after(false), address: end };
				if (behind.phase === "handed") {
					if (callee !== exits[behind.by]?.handsOverTo) fault(`calls ${callee} instead of the last function`);
					pending.push({ ...behind, phase: "last", steps: 0 });
					break;
				}
				const allowed = phase === "inside" || (phase === "left" && deciding?.tail.calls.includes(callee) === true);
				if (!allowed) fault(`calls ${callee} when it was ${phase}`);
				pending.push(behind);
				break;
			}
			case "jump":
			case "branch":
				if (target === undefined) fault("jumps anywhere");
				else pending.push({ ...after(true), address: target });
				if (flow === "branch") pending.push({ ...after(false), address: end });
				break;
			case "indirect-jump":
				fault("jumps anywhere");
				break;
			case "next":
				pending.push({ ...after(false), ...moveStack(text, state), address: end });
		}
	}
	if (returns === 0) faults.add(`${fn}: never returns`);
	for (const [index, { address, tail }] of exits.entries()) {
		if (longest[index] !== tail.instructions) {
			faults.add(`${fn}+0x${(address - entry).toString(16)}: a tail of ${longest[index]}, not ${tail.instructions}`);
		}
	}
	return [...faults];
}
