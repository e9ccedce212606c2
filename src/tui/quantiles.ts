import { latencyQuantile } from "../report/latency-text.ts";
import type { Durations } from "../stats/durations.ts";

interface Known {
	/** Of how many durations. */
	count: number;
	p50: number | undefined;
	p99: number | undefined;
}

const known = new WeakMap<Durations, Known>();

/** Half and 99 of 100 durations are shorter. Only for rows that are looked at or sorted by: they cost more than the rest of a row. */
export function quantilesOf(durations: Durations): Known {
	const before = known.get(durations);
	if (before?.count === durations.count) return before;
	const row = durations.row("", "");
	const now = { count: durations.count, p50: latencyQuantile(row, 0.5), p99: latencyQuantile(row, 0.99) };
	known.set(durations, now);
	return now;
}
