/** Durations without what the probes took of them. */
import { outerFunctionOf } from "../gomap/functions.ts";

export interface TimedCalls {
	pid: number;
	fn: string;
	map_type: string;
	count: number;
	sum_ns: number;
}

/**
 * Nanoseconds of each row without what the probes took. `pairNs`: what both probes of a call cost, as calibrated. A duration has half of that in it, because
 * the clock is read in the middle of a hit, and all of it for each call inside that is measured, too. Below 0 by chance where calls are short and few.
 */
export function netDurations(rows: readonly TimedCalls[], pairNs: number): number[] {
	const inner = new Map<string, number>();
	for (const { pid, fn, map_type, count } of rows) {
		const outer = outerFunctionOf(fn);
		if (outer === undefined) continue;
		const key = `${pid}\u0000${outer}\u0000${map_type}`;
		inner.set(key, (inner.get(key) ?? 0) + count);
	}
	return rows.map(({ pid, fn, map_type, count, sum_ns }) => {
		const inside = inner.get(`${pid}\u0000${fn}\u0000${map_type}`) ?? 0;
		return sum_ns - (count / 2 + inside) * pairNs;
	});
}
