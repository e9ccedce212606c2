/** Which functions of a plan can have their calls timed. */
import type { PlannedProbe, ProbePlan } from "../plan/probe-plan.ts";

/** What there is to time calls with. */
export interface Timing {
	/** Whether calls are to be timed at all. */
	latency: boolean;
	/** Where the running kernel keeps a thread's FS base (kernel/btf.ts). */
	fsBase?: number | undefined;
}

/** Whether timing any of its calls takes the FS base of the thread: Go before 1.17. */
export function needsFsBase({ probes }: ProbePlan): boolean {
	return probes.some(({ fsOffset }) => fsOffset !== undefined);
}

/**
 * A call can be timed when the function's exits are known and the goroutine that leaves; where it hands its end over to another function, that one's calls
 * must be timed, too. A probe that looks at nothing but registers does not know the goroutine.
 */
export function isTimed(plan: ProbePlan, probe: PlannedProbe, timing: Timing): boolean {
	if (!timing.latency || plan.goroutine === undefined || probe.exits.length === 0) return false;
	if (probe.fsOffset !== undefined && timing.fsBase === undefined) return false;
	return probe.exits.every(({ handsOverTo }) => {
		if (handsOverTo === undefined) return true;
		const inner = plan.probes.find(({ fn }) => fn === handsOverTo);
		return inner !== undefined && inner !== probe && isTimed(plan, inner, timing);
	});
}

/** Which calls are not timed although calls are to be, and why: a sentence for each reason. */
export function untimed(plan: ProbePlan, timing: Timing): string[] {
	// That goes without saying where nothing is known of goroutines: the plan says so itself.
	if (!timing.latency || plan.goroutine === undefined) return [];
	const reasons = new Map<string, Set<string>>();
	for (const probe of plan.probes) {
		if (probe.tier === "iteration" || probe.tier === "make" || isTimed(plan, probe, timing)) continue;
		const reason =
			probe.exitsMissing ??
			(probe.fsOffset === undefined
				? "it ends with a call of a function that is not timed"
				: "where the kernel keeps a thread's FS base is not known (/sys/kernel/btf/vmlinux says it, if lockdown permits, when watching begins)");
		reasons.set(reason, (reasons.get(reason) ?? new Set()).add(probe.fn));
	}
	return [...reasons].map(([reason, fns]) => `durations of ${[...fns].join(", ")} are not measured: ${reason}`);
}

/** Numbers of sites that a target takes. */
export function sitesNeeded(plan: ProbePlan, timing: Timing): number {
	const exits = plan.probes.filter((probe) => isTimed(plan, probe, timing)).flatMap((probe) => probe.exits);
	return plan.probes.length + exits.length;
}
