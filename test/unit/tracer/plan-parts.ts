/** Parts of a plan, for tests of what only passes them on. */
import type { ExitSite, PlannedProbe, ProbePlan } from "../../../src/plan/probe-plan.ts";

export function exitSite(address: number, fields: Partial<ExitSite> = {}): ExitSite {
	return {
		address,
		fileOffset: address - 0x40_0000,
		instruction: "ret",
		bytes: Uint8Array.of(0xc3),
		cost: "stepped",
		reason: "the return itself",
		entrySp: "stack-pointer",
		tail: { instructions: 0, calls: [] },
		...fields,
	};
}

export function plannedProbe(fn: string, fields: Partial<PlannedProbe> = {}): PlannedProbe {
	return {
		fn,
		role: "growWork",
		tier: "work",
		entry: 0x40_1000,
		site: {
			address: 0x40_1004,
			fileOffset: 0x1004,
			instruction: "jbe +0x10",
			bytes: Uint8Array.of(0x76, 0x0a),
			cost: "emulated",
			reason: "branch of the stack check",
		},
		gRegister: "r14",
		argAbi: "regs",
		exits: [],
		callerDepth: 2,
		...fields,
	};
}

export function probePlan(probes: PlannedProbe[], fields: Partial<ProbePlan> = {}): ProbePlan {
	return {
		impl: "classic",
		goVersion: "go1.23.5",
		goroutine: { goid: 160 },
		probes,
		skipped: [],
		...fields,
	};
}
