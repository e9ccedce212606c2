/** What hits cost a target, by the calibrated costs. */
import type { HitCosts } from "../kernel/calibration.ts";
import type { SiteCounts } from "../kernel/counters.ts";
import type { EntrySite } from "../tracer/site-table.ts";

/** Nanoseconds of the target's time. */
export interface HitCost {
	/** The hits that are calls. */
	calls: number;
	/** Of counting all calls, and of timing them. */
	countingNs: number;
	/** Of the growths that became records, in addition; and of all of them, if all had. */
	recordingNs: number;
	allRecordingNs: number;
}

/** The cost of the hits of one function, with those of its exits. */
export function hitCost(site: EntrySite, counts: SiteCounts, costs: HitCosts): HitCost {
	const { probe, timed } = site;
	const each = timed ? costs.timedWorkNs : costs.workNs;
	const entryNs = each + (probe.site.cost === "stepped" ? costs.steppedNs : 0);
	const exitStepped = probe.exits.some((exit) => exit.cost === "stepped") ? costs.steppedNs : 0;
	// Every call leaves, also one whose beginning was not noted down.
	const exitNs = timed ? costs.leaveNs + exitStepped : 0;
	const countingNs = (counts.hits + counts.diverted) * entryNs + counts.hits * exitNs;
	const calls = counts.hits;
	if (probe.tier !== "growth") return { calls, countingNs, recordingNs: 0, allRecordingNs: 0 };
	const more = Math.max(0, costs.growthNs - each);
	return { calls, countingNs, recordingNs: (calls - counts.throttled) * more, allRecordingNs: calls * more };
}
