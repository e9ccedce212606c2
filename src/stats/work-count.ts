/** What the work tier counts. */
import type { Frame } from "../records/records.ts";

/** Calls of one work-tier function for one map type from one place, since the previous report of the same four. */
export interface WorkCount {
	pid: number;
	fn: string;
	map_type: string;
	/** Undefined when the stack could not be read. */
	site: Frame | undefined;
	calls: number;
}
