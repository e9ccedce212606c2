/** The planned exits of a program's growth functions, checked against its disassembly. */
import type { GoBinary } from "../../src/gobin/go-binary.ts";
import type { ExitSite, ProbePlan } from "../../src/plan/probe-plan.ts";
import { exitFaults } from "./exit-walk.ts";
import { type ListedInstruction, listing } from "./objdump.ts";

export type Code = Map<number, ListedInstruction & { end: number }>;

/** The instructions of all probed functions and of what lies between them; `symbols` is a file with a symbol table. */
export async function disassemble(binary: GoBinary, plan: ProbePlan, symbols: string): Promise<Code> {
	const functions = binary.functionsByName(plan.probes.map(({ fn }) => fn));
	const start = Math.min(...plan.probes.map(({ entry }) => entry));
	const stop = Math.max(...[...functions.values()].map(({ end }) => end));
	const code: Code = new Map();
	let previous: ListedInstruction | undefined;
	for await (const instruction of listing(`--start-address=${start}`, `--stop-address=${stop}`, symbols)) {
		if (previous !== undefined) code.set(previous.address, { ...previous, end: instruction.address });
		previous = instruction;
	}
	if (previous !== undefined) code.set(previous.address, { ...previous, end: stop });
	return code;
}

/** All faults of all functions. */
export function planFaults(plan: ProbePlan, code: Code): string[] {
	return plan.probes.flatMap((probe) => {
		const handedTo = probe.exits.flatMap(({ handsOverTo }) => handsOverTo ?? []);
		const unseen = handedTo.filter((fn) => !plan.probes.some((other) => other.fn === fn && other.exits.length > 0));
		return [
			...exitFaults(probe, code),
			...unseen.map((fn) => `${probe.fn} hands over to ${fn}, whose end is not seen`),
		];
	});
}

/** An exit without its place, which differs from one patch release to the next: "je taken, else runtime.evacuate: emulated, 3". */
export function exitSummary({ instruction, cost, leavesWhen, handsOverTo, tail }: ExitSite): string {
	const outcome = leavesWhen === undefined ? "" : leavesWhen.taken ? " taken" : " not taken";
	const other = handsOverTo === undefined ? "" : leavesWhen === undefined ? " hands over" : `, else ${handsOverTo}`;
	const name = instruction.replace(/ \+0x.*/, "");
	return `${name}${outcome}${other}: ${[cost, tail.instructions, ...tail.calls].join(", ")}`;
}
