/** Where the calls of the probed functions end: reads their code, chooses the sites, and describes them. */
import type { GoBinary } from "../gobin/go-binary.ts";
import { conditionOf, instructionText } from "../isa/amd64/text.ts";
import { type ChosenExit, chooseExits } from "./exit-sites.ts";
import { FunctionCode } from "./function-code.ts";
import type { ExitSite, PlannedProbe } from "./probe-plan.ts";

/** The exits of a function; none with the reason. */
export interface ExitPlan {
	exits: ExitSite[];
	exitsMissing?: string;
}

const none = (exitsMissing: string): ExitPlan => ({ exits: [], exitsMissing });

/** Plans the exits of all probes; `ends` gives the end of each function's code by its name. */
export function planExits(
	binary: GoBinary,
	probes: readonly PlannedProbe[],
	ends: ReadonlyMap<string, number>,
): Map<string, ExitPlan> {
	const plans = new Map<string, ExitPlan>();
	const byName = new Map(probes.map((probe) => [probe.fn, probe]));
	const underWay = new Set<string>();
	// A function whose last call stands for its own end needs to know that function's exits first.
	const isMeasured = (fn: string): boolean => {
		const probe = byName.get(fn);
		return probe !== undefined && !underWay.has(fn) && planOf(probe).exits.length > 0;
	};
	const planOf = (probe: PlannedProbe): ExitPlan => {
		const known = plans.get(probe.fn);
		if (known !== undefined) return known;
		underWay.add(probe.fn);
		const plan = exitsOf(binary, probe, ends.get(probe.fn) ?? probe.entry, isMeasured);
		underWay.delete(probe.fn);
		plans.set(probe.fn, plan);
		return plan;
	};
	for (const probe of probes) planOf(probe);
	return plans;
}

function exitsOf(
	binary: GoBinary,
	{ entry, fsOffset, site }: PlannedProbe,
	end: number,
	isMeasured: (fn: string) => boolean,
): ExitPlan {
	const fn = FunctionCode.read(binary, entry, end);
	if (typeof fn === "string") return none(fn);
	// The register that is watched for is g's only since Go 1.17.
	const other = fsOffset === undefined ? fn.otherUseOfG() : undefined;
	if (other !== undefined) return none(`the goroutine's register is written at +0x${other.toString(16)}`);
	const chosen = chooseExits({
		graph: fn.graph,
		entrySite: site.address - entry,
		hasOwnFrame: (offset) => fn.hasOwnFrame(offset),
		hasEntryStack: (offset) => fn.hasEntryStack(offset),
		calleeAt: (target) => fn.calleeAt(target),
		isMeasured,
		conditionOf: (offset) => conditionOf(fn.code, offset),
	});
	if (typeof chosen === "string") return none(chosen);
	const fileOffset = binary.fileOffset(entry);
	if (fileOffset === undefined) return none("its code is not in the file");
	return { exits: chosen.map((exit) => described(exit, fn, fileOffset)) };
}

function described({ offset, reason, ...exit }: ChosenExit, fn: FunctionCode, fileOffset: number): ExitSite {
	const instruction = fn.graph.nodes.get(offset)?.instruction;
	return {
		address: fn.entry + offset,
		fileOffset: fileOffset + offset,
		instruction: instructionText(fn.code, offset, (target) => fn.calleeAt(target)),
		bytes: fn.code.slice(offset, offset + (instruction?.length ?? 0)),
		cost: instruction?.emulated === true ? "emulated" : "stepped",
		reason,
		...exit,
	};
}
