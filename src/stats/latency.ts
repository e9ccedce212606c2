/** Durations per function and map type, summed up from the kernel's histograms. */
import { isInnerCall, movesEntries, startsGrowth } from "../gomap/functions.ts";
import type { LatencyRow } from "../records/records.ts";
import type { Tally } from "./tally.ts";

/** Durations that ended since the previous report of the same function, type and process. */
export interface LatencyCount {
	fn: string;
	map_type: string;
	count: number;
	sum_ns: number;
	/** Since the start. */
	max_ns: number;
	/** Bucket 0: below 64 ns; n: from 2^(n+5) to below 2^(n+6) ns; the last one has no upper end. */
	buckets: readonly number[];
	/** What the calls took without the probes, also those of the time in which the function was not probed. Absent: not known. */
	net_ns?: number;
}

const FIRST_LOG2 = 6;

/** Lower end of a bucket in nanoseconds. */
function bucketFrom(index: number): number {
	return index === 0 ? 0 : 2 ** (index + FIRST_LOG2 - 1);
}

interface Sum {
	fn: string;
	map_type: string;
	count: number;
	sum_ns: number;
	max_ns: number;
	buckets: number[];
	net_ns?: number;
}

/** Adds up one window or a whole run. Bounded by the rows of the kernel's table. */
export class LatencyTally {
	readonly #rows = new Map<string, Sum>();

	add(count: LatencyCount): void {
		const key = `${count.fn}\u0000${count.map_type}`;
		const row = this.#rows.get(key) ?? {
			...{ fn: count.fn, map_type: count.map_type, count: 0, sum_ns: 0, max_ns: 0, buckets: [] },
		};
		this.#rows.set(key, row);
		if (count.net_ns !== undefined) row.net_ns = (row.net_ns ?? row.sum_ns) + count.net_ns;
		row.count += count.count;
		row.sum_ns += count.sum_ns;
		for (const [i, n] of count.buckets.entries()) row.buckets[i] = (row.buckets[i] ?? 0) + n;
		// The highest duration since the start may be of an earlier window: no bucket of this one may be below it.
		const highest = count.buckets.findLastIndex((n) => n > 0);
		const above = highest === count.buckets.length - 1 ? Number.POSITIVE_INFINITY : bucketFrom(highest + 1);
		row.max_ns = Math.max(row.max_ns, Math.min(count.max_ns, above));
	}

	/** Most time first. */
	rows(): LatencyRow[] {
		return Array.from(
			this.#rows.values(),
			({ buckets, ...row }): LatencyRow => ({
				...row,
				buckets: buckets.flatMap((count, i) => (count > 0 ? [{ from_ns: bucketFrom(i), count }] : [])),
			}),
		).sort((a, b) => b.sum_ns - a.sum_ns || b.count - a.count || (a.fn < b.fn ? -1 : 1));
	}
}

/** Time spent growing maps: the calls from outside the growth code, without what the probes took of it, as far as that is known. */
export function growingNs(rows: readonly LatencyRow[]): number {
	const sum = rows.filter(({ fn }) => !isInnerCall(fn)).reduce((sum, row) => sum + (row.net_ns ?? row.sum_ns), 0);
	return Math.max(0, sum);
}

/** Few windows may have been costly ones: where fewer calls were timed, the costs of the probes taken off, and the rest multiplied, that says nothing. */
const TELLING_SHARE = 0.05;

/** The same of a window or a run; undefined where too few of its calls were timed to tell. */
export function toldGrowingNs({
	work,
	growths,
	latency,
}: Pick<Tally, "work" | "growths" | "latency">): number | undefined {
	const timed = latency.reduce((sum, { count }) => sum + count, 0);
	return timed < TELLING_SHARE * (work + growths) ? undefined : growingNs(latency);
}

/** Durations of growths: of all of it in swiss maps, of the allocation only in classic ones, whose entries move later. */
export function growthLatency(rows: readonly LatencyRow[]): LatencyRow[] {
	return rows.filter(({ fn }) => startsGrowth(fn));
}

/** Durations of calls that move entries of a growing classic map, in the time of whoever uses it; none of swiss maps. */
export function moveLatency(rows: readonly LatencyRow[]): LatencyRow[] {
	return rows.filter(({ fn }) => movesEntries(fn));
}
