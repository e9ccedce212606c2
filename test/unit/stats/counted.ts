/** Growths as the kernel counts them, beside the records that some of them become. */
import { callSite } from "../../../src/gomap/call-site.ts";
import { amountOf, type Figure } from "../../../src/records/figure.ts";
import type { GrowthRecord } from "../../../src/records/records.ts";
import type { CallCount } from "../../../src/stats/call-count.ts";

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

interface Counting {
	addGrowth(growth: GrowthRecord): void;
	addCalls(count: CallCount): unknown;
}

/** A growth that is counted and becomes a record. */
export function addGrowth(to: Counting, growth: GrowthRecord): void {
	to.addCalls(countOf(growth));
	to.addGrowth(growth);
}

/** A row with figures. */
export type Counted = { growths?: Figure; work?: Figure };

/** Sum of a figure over rows, as far as it is a number. */
export function sumOf(rows: Iterable<Counted>, name: keyof Counted): number {
	let sum = 0;
	for (const row of rows) sum += amountOf(row[name]);
	return sum;
}
