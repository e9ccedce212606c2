const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** The last `columns` values as one row of bars, the highest being full. What was not measured (NaN) is blank; what is no positive number counts as 0. */
export function sparkline(values: readonly number[], columns: number): string {
	const shown = values.slice(-Math.max(1, columns));
	const bounded = (value: number): number => (Number.isFinite(value) && value > 0 ? value : 0);
	const top = Math.max(0, ...shown.map(bounded));
	const bar = (value: number): string =>
		BARS[top > 0 ? Math.round((bounded(value) / top) * (BARS.length - 1)) : 0] ?? BARS[0];
	return shown.map((value) => (Number.isNaN(value) ? " " : bar(value))).join("");
}
