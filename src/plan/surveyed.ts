/** What a search for probed functions finds. */
import type { GoFunction } from "../gobin/pclntab/function-table.ts";
import type { MapFunction } from "../gomap/functions.ts";
import type { PlannedProbe } from "./probe-plan.ts";

/** A function of interest: where it is and how it is probed, or why not. */
export interface SurveyedFunction {
	wanted: MapFunction;
	/** Absent when it is not linked in. */
	found?: GoFunction;
	/** A probe, or the reason why there is none. */
	probe: PlannedProbe | string;
}
