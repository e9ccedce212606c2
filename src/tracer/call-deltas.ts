/** What has been added to rows of the kernel's tables since they were read before. */
import type { Tier } from "../gomap/functions.ts";
import type { GrowthShape } from "../gomap/growth-shape.ts";
import type { Frame } from "../records/records.ts";
import type { EntrySite } from "./site-table.ts";

/** Calls of one function for maps of one type and, of growths, one shape, from one place, since the previous reading. */
export interface CallDelta {
	site: EntrySite;
	pid: number;
	fn: string;
	tier: Tier;
	map_type: string;
	/** Frames of the place that called into the map code, innermost first; empty when it could not be read. */
	caller: Frame[];
	calls: number;
	/** Which of the site's two windows they began in. */
	window: 0 | 1;
	/** Of growths whose map could be read. */
	growth?: GrowthDelta;
	/** Part of them that became records while they ran: of growths. */
	recorded: number;
	/** Calls whose end was seen, and how long they took in all, the probes' own time included. */
	timed: number;
	elapsed_ns: number;
	/** Of those: calls whose processor time is known, and that. */
	on_cpu: number;
	cpu_ns: number;
}

/** What the growths of a delta do. */
export interface GrowthDelta extends GrowthShape {
	/** Of all of them; absent where the type's sizes are not known. */
	bytes?: number;
	bytes_moved?: number;
}

/** Durations of calls of one function for maps of one type that ended since the previous reading. */
export interface LatencyDelta {
	site: EntrySite;
	pid: number;
	fn: string;
	map_type: string;
	count: number;
	sum_ns: number;
	/** Since the start. */
	max_ns: number;
	/** By BUCKETS of kernel/wire.ts. */
	buckets: Float64Array;
}
