/** Metrics as values, whatever format they are written in. */

export type Labels = Readonly<Record<string, string>>;

export interface NumberPoint {
	labels: Labels;
	value: number;
	/** When counting began, in milliseconds of the clock that metrics are given; absent: with the observation. */
	sinceMs?: number;
}

export interface HistogramPoint {
	labels: Labels;
	/** How many values are at most `le`, in ascending order; without the last one, which has all. */
	buckets: readonly { le: number; count: number }[];
	sum: number;
	count: number;
	sinceMs?: number;
}

interface Named {
	/** With the unit, without `_total` and `_info`. */
	name: string;
	help: string;
	unit?: "seconds" | "bytes" | "ratio";
}

export type Family = Named &
	({ type: "counter" | "gauge" | "info"; points: NumberPoint[] } | { type: "histogram"; points: HistogramPoint[] });
