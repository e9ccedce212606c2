/** Time in growth: as a part of the target's processor time where that is known, else per second. */

import type { NumberForm } from "../text/figure-text.ts";
import { formatShare } from "../text/units.ts";
import { msPerSecond } from "./overhead-text.ts";

/** Spells nanoseconds per second. `cpuNsPerSecond`: processor time of the target. */
export function growthTimeForm(cpuNsPerSecond: number | undefined): NumberForm {
	const text = (ns: number): string =>
		cpuNsPerSecond === undefined ? msPerSecond(ns) : formatShare(ns, cpuNsPerSecond);
	return { exact: text, rough: text };
}
