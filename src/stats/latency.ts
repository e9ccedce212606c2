/** Durations per function and map type. */

import { movesEntries, startsGrowth } from "../gomap/functions.ts";
import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { compareText } from "../lib/compare.ts";
import { Histogram, mergedHistogram } from "../lib/histogram.ts";
import type { LatencyRow } from "../records/records.ts";

/** Durations of one function for maps of one type, in one process. */
export interface LatencySum {
	/** Absent: of several processes, or of one that is not known. */
	pid?: number;
	fn: string;
	map_type: string;
	durations: Histogram;
	/** What the calls took without the probes, also those of the time in which the function was not probed. Absent: not known. */
	net_ns?: number;
}

export function latencyRow({ pid, fn, map_type, durations, net_ns }: LatencySum): LatencyRow {
	const { count, sumNs: sum_ns, maxNs: max_ns } = durations;
	const net = net_ns === undefined ? {} : { net_ns };
	const process = pid === undefined ? {} : { pid };
	return { ...process, fn, map_type, count, sum_ns, max_ns, ...net, buckets: durations.octaves() };
}

export function latencySum({ pid, fn, map_type, count, sum_ns, max_ns, net_ns, buckets }: LatencyRow): LatencySum {
	const sum = emptySum(pid, fn, map_type, Histogram.ofRecord(buckets, count, sum_ns, max_ns));
	if (net_ns !== undefined) sum.net_ns = net_ns;
	return sum;
}

/** Durations of all rows together. */
export function allDurations(rows: readonly LatencySum[]): Histogram {
	return mergedHistogram(rows.map(({ durations }) => durations));
}

/** Most time first, then most calls, then by name and process. */
export function compareLatency(a: LatencySum, b: LatencySum): number {
	return (
		b.durations.sumNs - a.durations.sumNs ||
		b.durations.count - a.durations.count ||
		compareText(a.fn, b.fn) ||
		compareText(a.map_type, b.map_type) ||
		(a.pid ?? 0) - (b.pid ?? 0)
	);
}

/**
 * Rows of their own; what is beyond goes to one row for each function, and of functions beyond their own limit to one
 * row together.
 */
const MAX_ROWS = 4096;
const MAX_FUNCTIONS = 256;
const SEPARATOR = "\u0000";

/** Adds durations up by process, function and map type: of a window, a run or several recordings. */
export class LatencySums {
	readonly #rows: FoldingTable<string, LatencySum>;
	readonly #functions: FoldingTable<string, LatencySum>;

	constructor(maxRows = MAX_ROWS, maxFunctions = MAX_FUNCTIONS) {
		this.#rows = new FoldingTable(maxRows, OTHER, () => emptySum(undefined, OTHER, OTHER));
		this.#functions = new FoldingTable(maxFunctions, OTHER, () => emptySum(undefined, OTHER, OTHER));
	}

	add(count: LatencySum): void {
		const sum = this.#rowOf(count);
		if (sum.net_ns !== undefined || count.net_ns !== undefined) {
			sum.net_ns = (sum.net_ns ?? sum.durations.sumNs) + (count.net_ns ?? count.durations.sumNs);
		}
		sum.durations.merge(count.durations);
	}

	#rowOf({ pid, fn, map_type }: LatencySum): LatencySum {
		const key = `${pid ?? ""}${SEPARATOR}${fn}${SEPARATOR}${map_type}`;
		if (map_type !== OTHER && this.#rows.accepts(key))
			return this.#rows.getOrAdd(key, () => emptySum(pid, fn, map_type));
		return this.#functions.getOrAdd(fn, () => emptySum(undefined, fn, OTHER));
	}

	addAll(counts: Iterable<LatencySum>): void {
		for (const count of counts) this.add(count);
	}

	merge(other: LatencySums): void {
		this.addAll(other.#rows.values());
		this.addAll(other.#functions.values());
	}

	/** Copies, most time first. */
	rows(): LatencySum[] {
		const rows = [...this.#rows.values(), ...this.#functions.values()];
		return rows.map((row) => ({ ...row, durations: row.durations.clone() })).sort(compareLatency);
	}
}

function emptySum(pid: number | undefined, fn: string, map_type: string, durations = new Histogram()): LatencySum {
	return pid === undefined ? { fn, map_type, durations } : { pid, fn, map_type, durations };
}

/** A view, not the data: rows that are equal but for the process, as one. */
export function mergedLatency(rows: readonly LatencySum[]): readonly LatencySum[] {
	if (rows.every(({ pid }) => pid === rows[0]?.pid)) return rows;
	const sums = new LatencySums();
	for (const { pid: _, ...row } of rows) sums.add(row);
	return sums.rows();
}

/** Durations of growths: of all of it in swiss maps, of the allocation only in classic ones, whose entries move later. */
export function growthLatency<Row extends { fn: string }>(rows: readonly Row[]): Row[] {
	return rows.filter(({ fn }) => startsGrowth(fn));
}

/** Durations of calls that move entries of a growing classic map, in the time of whoever uses it; none of swiss maps. */
export function moveLatency<Row extends { fn: string }>(rows: readonly Row[]): Row[] {
	return rows.filter(({ fn }) => movesEntries(fn));
}
