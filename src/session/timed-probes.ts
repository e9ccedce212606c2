/** Which functions of a plan can have their calls timed. */
import type { PlannedProbe, ProbePlan } from "../plan/probe-plan.ts";

/**
 * A call can be timed when the function's exits are known; where it hands its end over to another function, that one's calls must be timed, too. A
 * probe that looks at nothing but registers does not know the goroutine.
 */
export function isTimed(plan: ProbePlan, probe: PlannedProbe): boolean {
	if (plan.goroutine === undefined || probe.exits.length === 0) return false;
	return probe.exits.every(({ handsOverTo }) => {
		if (handsOverTo === undefined) return true;
		const inner = plan.probes.find(({ fn }) => fn === handsOverTo);
		return inner !== undefined && inner !== probe && isTimed(plan, inner);
	});
}

/** Numbers of sites that a target takes. */
export function sitesNeeded(plan: ProbePlan, latency: boolean): number {
	const exits = latency ? plan.probes.filter((probe) => isTimed(plan, probe)).flatMap(({ exits }) => exits) : [];
	return plan.probes.length + exits.length;
}
