/** Calls as the kernel counts them, for tests. */
import { callSite } from "../../../src/gomap/call-site.ts";
import { amountOf, type Figure } from "../../../src/records/figure.ts";
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

/** What the kernel has counted of a growth. */
export function countOf(growth: GrowthRecord, fields: Partial<CallCount> = {}): CallCount {
	const { pid, fn, map_type, kind, cause, stack, duration_ns, iterating, bytes, bytes_moved, capacity_after } = growth;
	return {
		...{ pid, fn, map_type, stream: "large", site: callSite(stack), calls: 1 },
		growth: {
			...{ kind, cause, capacityAfter: capacity_after },
			...(iterating === undefined ? {} : { iterating }),
			...(bytes === undefined ? {} : { bytes }),
			...(bytes_moved === undefined ? {} : { bytes_moved }),
		},
		...(duration_ns === undefined ? {} : { time_ns: duration_ns }),
		...fields,
	};
}

/** A row with figures. */
export type Counted = { growths?: Figure; work?: Figure };

/** Sum of a figure over rows, as far as it is a number. */
export function sumOf(rows: Iterable<Counted>, name: keyof Counted): number {
	let sum = 0;
	for (const row of rows) sum += amountOf(row[name]);
	return sum;
}
