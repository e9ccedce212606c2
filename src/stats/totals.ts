/** The sums of a window, of an observation and of recordings: one type for records, reports and screen. */

import type { Figure } from "../records/figure.ts";
import type {
	Calls,
	GoroutineRow,
	GrowthCause,
	GrowthKind,
	MapRow,
	SiteRow,
	TypeRow,
	WindowRecord,
} from "../records/records.ts";
import { type LatencySum, latencyRow } from "./latency.ts";

/** Growths and work calls that have no row of their own because the row limit was reached. */
export interface Folded {
	growths?: Figure;
	work?: Figure;
}

export interface TargetCount {
	pid: number;
	growths?: Figure;
	work?: Figure;
}

/** What is counted of all growths together. */
export interface TotalCounts {
	/** Absent, as the next two: not measured. */
	growths?: Figure;
	/** Calls of the work tier. */
	work?: Figure;
	/** Bytes of the new arrays of all growths whose type's sizes are known. */
	bytes?: Figure;
	/** Growths whose bytes are known; fewer than `growths` means that `bytes` is a lower bound. */
	growths_with_bytes: number;
	/** Bytes of the entries that growths copy, at once (swiss) or step by step (classic). */
	bytes_moved: number;
	/** Growths of which that is known. */
	growths_with_moved: number;
	/** Processor time spent in growths and growth work, net of the probes; absent: not known. */
	time_ns?: number;
	/** Of growth work that was sampled: how long the periods are that the figures of a window hold for. */
	covers_ns?: number;
	kinds: Partial<Record<GrowthKind, number>>;
	causes: Partial<Record<GrowthCause, number>>;
	/** Durations per function and map type, most time first; empty when none were measured. */
	latency: LatencySum[];
	/** Growths that overlapped an iteration, one for each iteration; absent where it is known that none was watched. */
	overlaps?: number;
}

/** With the tables. Values, not views: later events don't change them. */
export interface Totals extends TotalCounts {
	/** Function -> calls. */
	calls: Calls;
	types: TypeRow[];
	sites: SiteRow[];
	/** The longest chains of growths, and the goroutines with most growths; only so many. */
	maps: MapRow[];
	goroutines: GoroutineRow[];
	/** By PID; those beyond the limit of the table have 0. Empty in recordings that have no windows. */
	targets: TargetCount[];
	folded: Folded;
}

/** The fields that window and end records have in common, from sums. */
export type RecordedSums = Pick<
	WindowRecord,
	"growths" | "work" | "bytes" | "calls" | "types" | "sites" | "latency" | "maps" | "goroutines" | "overlaps"
>;

/** `iterations`: whether they were watched. */
export function recordedSums(totals: Totals, iterations: boolean): RecordedSums {
	const { growths, work, bytes, calls, types, sites, latency, maps, goroutines, overlaps = 0 } = totals;
	const rows = { types, sites, latency: latency.map(latencyRow), maps, goroutines };
	const sums = {
		...(growths === undefined ? {} : { growths }),
		...(work === undefined ? {} : { work }),
		...(bytes === undefined ? {} : { bytes }),
		...{ calls, ...rows },
	};
	return iterations ? { ...sums, overlaps } : sums;
}
