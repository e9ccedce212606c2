import type { LatencyRow } from "../records/records.ts";

/** Adds the durations of `row` to `sum`: counts, sums and the longest are exact. */
export function addLatencyRow(sum: LatencyRow, row: LatencyRow): void {
	if (sum.net_ns !== undefined || row.net_ns !== undefined) {
		sum.net_ns = (sum.net_ns ?? sum.sum_ns) + (row.net_ns ?? row.sum_ns);
	}
	sum.count += row.count;
	sum.sum_ns += row.sum_ns;
	sum.max_ns = Math.max(sum.max_ns, row.max_ns);
	const counts = new Map(sum.buckets.map(({ from_ns, count }) => [from_ns, count]));
	for (const { from_ns, count } of row.buckets) counts.set(from_ns, (counts.get(from_ns) ?? 0) + count);
	sum.buckets = Array.from(counts, ([from_ns, count]) => ({ from_ns, count })).sort((a, b) => a.from_ns - b.from_ns);
}

/** Most time first. */
export function compareLatencyRows(a: LatencyRow, b: LatencyRow): number {
	return b.sum_ns - a.sum_ns || b.count - a.count || (a.fn < b.fn ? -1 : 1);
}

/** Durations by function and map type, of several windows or recordings. */
export class LatencySums {
	readonly #rows = new Map<string, LatencyRow>();

	add(rows: readonly LatencyRow[]): void {
		for (const row of rows) {
			const key = `${row.fn}\u0000${row.map_type}`;
			const sum = this.#rows.get(key) ?? {
				fn: row.fn,
				map_type: row.map_type,
				count: 0,
				sum_ns: 0,
				max_ns: 0,
				buckets: [],
			};
			this.#rows.set(key, sum);
			addLatencyRow(sum, row);
		}
	}

	rows(): LatencyRow[] {
		return [...this.#rows.values()].sort(compareLatencyRows);
	}
}
