/** Calls as the kernel counts them, for tests. */
import type { Frame, GrowthRecord } from "../../../src/records/records.ts";
import type { Aggregator } from "../../../src/stats/aggregator.ts";
import { type CallCount, callsOfRecord } from "../../../src/stats/call-count.ts";

/** A growth that is recorded and counted, with its time. */
export function grow(aggregator: Aggregator, record: GrowthRecord): void {
	const { duration_ns, weight = 1 } = record;
	aggregator.addGrowth(record);
	aggregator.addCalls({
		...callsOfRecord(record),
		...(duration_ns === undefined ? {} : { time_ns: weight * duration_ns }),
	});
}

export interface WorkCount {
	pid: number;
	fn: string;
	map_type: string;
	site: Frame | undefined;
	calls: number;
	time_ns?: number;
}

export function workCalls(count: WorkCount): CallCount {
	return { stream: "work", ...count };
}
