/** Durations per function and map type. */

import { movesEntries, startsGrowth } from "../gomap/functions.ts";
import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { compareText } from "../lib/compare.ts";
import { Histogram, mergedHistogram } from "../lib/histogram.ts";
import type { LatencyRow } from "../records/records.ts";

/** Durations of one function for maps of one type. */
export interface LatencySum {
	fn: string;
	map_type: string;
	durations: Histogram;
	/** What the calls took without the probes, also those of the time in which the function was not probed. Absent: not known. */
	net_ns?: number;
}

export function latencyRow({ fn, map_type, durations, net_ns }: LatencySum): LatencyRow {
	const { count, sumNs: sum_ns, maxNs: max_ns } = durations;
	const net = net_ns === undefined ? {} : { net_ns };
	return { fn, map_type, count, sum_ns, max_ns, ...net, buckets: durations.octaves() };
}

export function latencySum({ fn, map_type, count, sum_ns, max_ns, net_ns, buckets }: LatencyRow): LatencySum {
	const sum: LatencySum = { fn, map_type, durations: Histogram.ofRecord(buckets, count, sum_ns, max_ns) };
	if (net_ns !== undefined) sum.net_ns = net_ns;
	return sum;
}

/** Durations of all rows together. */
export function allDurations(rows: readonly LatencySum[]): Histogram {
	return mergedHistogram(rows.map(({ durations }) => durations));
}

/** Most time first, then most calls, then by name. */
export function compareLatency(a: LatencySum, b: LatencySum): number {
	return (
		b.durations.sumNs - a.durations.sumNs ||
		b.durations.count - a.durations.count ||
		compareText(a.fn, b.fn) ||
		compareText(a.map_type, b.map_type)
	);
}

/**
 * Rows of their own; what is beyond goes to one row for each function, and of functions beyond their own limit to one
 * row together.
 */
const MAX_ROWS = 4096;
const MAX_FUNCTIONS = 256;
const SEPARATOR = "\u0000";

/** Adds durations up by function and map type: of a window, a run or several recordings. */
export class LatencySums {
	readonly #rows: FoldingTable<string, LatencySum>;
	readonly #functions: FoldingTable<string, LatencySum>;

	constructor(maxRows = MAX_ROWS, maxFunctions = MAX_FUNCTIONS) {
		this.#rows = new FoldingTable(maxRows, OTHER, () => emptySum(OTHER, OTHER));
		this.#functions = new FoldingTable(maxFunctions, OTHER, () => emptySum(OTHER, OTHER));
	}

	add(count: LatencySum): void {
		const sum = this.#rowOf(count);
		if (sum.net_ns !== undefined || count.net_ns !== undefined) {
			sum.net_ns = (sum.net_ns ?? sum.durations.sumNs) + (count.net_ns ?? count.durations.sumNs);
		}
		sum.durations.merge(count.durations);
	}

	#rowOf({ fn, map_type }: LatencySum): LatencySum {
		const key = `${fn}${SEPARATOR}${map_type}`;
		if (map_type !== OTHER && this.#rows.accepts(key)) return this.#rows.getOrAdd(key, () => emptySum(fn, map_type));
		return this.#functions.getOrAdd(fn, () => emptySum(fn, OTHER));
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

function emptySum(fn: string, map_type: string): LatencySum {
	return { fn, map_type, durations: new Histogram() };
}

/** Durations of growths: of all of it in swiss maps, of the allocation only in classic ones, whose entries move later. */
export function growthLatency<Row extends { fn: string }>(rows: readonly Row[]): Row[] {
	return rows.filter(({ fn }) => startsGrowth(fn));
}

/** Durations of calls that move entries of a growing classic map, in the time of whoever uses it; none of swiss maps. */
export function moveLatency<Row extends { fn: string }>(rows: readonly Row[]): Row[] {
	return rows.filter(({ fn }) => movesEntries(fn));
}
