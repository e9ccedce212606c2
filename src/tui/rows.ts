/** Rows of the five tables as values: what is undefined was not measured. */

import type { MapState } from "../gomap/map-state.ts";
import type { Histogram } from "../lib/histogram.ts";
import type { Figure } from "../records/figure.ts";
import type { Frame, GrowthRecord } from "../records/records.ts";

export const TABLES = ["sites", "types", "maps", "goroutines", "processes", "heap"] as const;
export type TableName = (typeof TABLES)[number];

/** What is known of the growths of a row beyond its figures. */
export interface RowDetail {
	newest: GrowthRecord | undefined;
	/** Absent before the first one was measured. */
	durations: Histogram | undefined;
}

export interface Row {
	/** Stays the same from window to window. */
	key: string;
	/** Everything that has no row of its own: always the last. */
	rest: boolean;
	pid: number | undefined;
	goid: number | undefined;
	/** Per second, mean of the last windows. */
	growRate: Figure | undefined;
	workRate: Figure | undefined;
	movedRate: Figure | undefined;
	/** Since the start. */
	growths: Figure | undefined;
	work: Figure | undefined;
	moved: Figure | undefined;
	allocated: Figure | undefined;
	/** Time spent in growths, and how long they took. */
	timeNs: Figure | undefined;
	maxNs: number | undefined;
	/** Largest of what grew; of the map before its first and after its last growth. */
	maxSlots: number | undefined;
	slotsFirst: number | undefined;
	slotsLast: number | undefined;
	/** Of a map at its last growth. */
	entries: number | undefined;
	/** Of a map, or of the largest one that grew here, as it was when the window ended; undefined: it is not there any more. */
	now: MapState | undefined;
	/** Growths that met an iteration. */
	iterating: Figure | undefined;
	/** When it grew last, since the start. */
	lastNs: number | undefined;
	mapType: string | undefined;
	/** Of a map that a census has found: who holds it, what else is to be said, and when that was. */
	found: { heldBy: string; note: string; time: string } | undefined;
	site: { fn: string; file?: string; line?: number } | undefined;
	startFn: string | undefined;
	createdBy: Frame | undefined;
	processName: string | undefined;
	goVersion: string | undefined;
	/** Of a process: it has ended. */
	ended: boolean;
	/** Absent where nothing has grown. */
	detail: RowDetail | undefined;
}

const EMPTY: Omit<Row, "key"> = {
	...{ rest: false, pid: undefined, goid: undefined, growRate: undefined, workRate: undefined, movedRate: undefined },
	...{ growths: undefined, work: undefined, moved: undefined, allocated: undefined, timeNs: undefined },
	...{ maxNs: undefined, maxSlots: undefined, slotsFirst: undefined, slotsLast: undefined },
	...{
		entries: undefined,
		now: undefined,
		iterating: undefined,
		lastNs: undefined,
		mapType: undefined,
		found: undefined,
		site: undefined,
	},
	...{ startFn: undefined, createdBy: undefined, processName: undefined, goVersion: undefined, ended: false },
	detail: undefined,
};

/** A row with nothing but what is given. */
export function newRow(key: string, fields: Partial<Row>): Row {
	return { ...EMPTY, key, ...fields };
}
