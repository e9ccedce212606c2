/** A chart of a few columns that reaches back minutes: one column stands for several windows. */

/** Windows per column, from 1 on. */
const STEPS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 60] as const;
/** So many windows are shown when there are as many. */
const REACH = 120;

export interface ChartSeries {
	/** Means of what was measured, oldest first; NaN where nothing was. No more than `columns`. */
	values: number[];
	/** Windows that they stand for. */
	windows: number;
}

/**
 * The last `columns` means of equally many windows each. Windows are put together by their number since the start (`dropped` of them come before
 * the history), so that a mean does not change any more once its windows are over; the newest may still lack some.
 */
export function chartSeries(history: readonly number[], dropped: number, columns: number): ChartSeries {
	if (columns < 1) return { values: [], windows: 0 };
	const step = STEPS.find((windows) => windows * columns >= Math.min(history.length, REACH)) ?? REACH;
	const sums: { sum: number; measured: number; windows: number }[] = [];
	for (const [index, rate] of history.entries()) {
		if (sums.length === 0 || (dropped + index) % step === 0) sums.push({ sum: 0, measured: 0, windows: 0 });
		const last = sums.at(-1);
		if (last === undefined) continue;
		last.windows++;
		if (Number.isNaN(rate)) continue;
		last.sum += rate;
		last.measured++;
	}
	const shown = sums.slice(-columns);
	return {
		values: shown.map(({ sum, measured }) => (measured === 0 ? Number.NaN : sum / measured)),
		windows: shown.reduce((all, { windows }) => all + windows, 0),
	};
}
