const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** The last `columns` values as one row of bars, the highest being full. What is not a positive number counts as 0. */
export function sparkline(values: readonly number[], columns: number): string {
	const shown = values.slice(-Math.max(1, columns)).map((value) => (Number.isFinite(value) && value > 0 ? value : 0));
	const top = Math.max(0, ...shown);
	return shown.map((value) => BARS[top > 0 ? Math.round((value / top) * (BARS.length - 1)) : 0] ?? BARS[0]).join("");
}
