/** Which probes are attached and detached together. */
import { mapFunction } from "../gomap/functions.ts";
import type { PlannedProbe } from "../plan/probe-plan.ts";

/** Probes that are attached and detached together: growths of large maps and of small ones, where different functions begin them, growth work, iterations, makes. */
export const STREAMS = ["large", "small", "work", "iteration", "make"] as const;
export type Stream = (typeof STREAMS)[number];
/** A map of up to eight entries grows by growToTable, a larger one by rehash; classic maps have one function for both. */
export function streamOf({ tier, fn }: Pick<PlannedProbe, "tier" | "fn">): Stream {
	if (tier !== "growth") return tier;
	return mapFunction(fn)?.role === "growToTable" ? "small" : "large";
}
