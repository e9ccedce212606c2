/**
 * Rows that are shown because they are the largest, with intervals that allow for that: of many rows that are nearly equal, those on top are there because their windows
 * happened to see much. The lower ends are those of Benjamini and Yekutieli (2005), for as many rows as are comparable; the estimates stay, so that rows add up.
 */

import { type Figure, isPrintable } from "../records/figure.ts";
import type { WindowedSum, WindowsSoFar } from "./estimate.ts";

/** Rows down to this part of a row are comparable with it: they might have been seen in its place. */
const COMPARABLE = 0.4;

export interface LargeRow<Row> {
	row: Row;
	figure: Figure;
}

/** The `most` rows with the largest estimates, largest first. */
export function largestRows<Row>(
	rows: Iterable<Row>,
	sumOf: (row: Row) => WindowedSum,
	most: number,
	soFar: Omit<WindowsSoFar, "selection">,
): LargeRow<Row>[] {
	const sorted = Array.from(rows, (row) => ({ row, sum: sumOf(row), estimate: sumOf(row).estimate }));
	sorted.sort((a, b) => b.estimate - a.estimate);
	const shown = sorted.slice(0, most);
	let rivals = 0;
	const rivalsOf = shown.map(({ estimate }) => {
		while (rivals < sorted.length && (sorted[rivals]?.estimate ?? 0) >= COMPARABLE * estimate) rivals++;
		return rivals;
	});
	// The fewer of them are printed, the more these are chosen: until those that remain are printed with intervals for as few.
	for (let printed = shown.length; ; ) {
		const figures = shown.map(({ row, sum }, at) => {
			const selection = { printed, rivals: rivalsOf[at] ?? 1 };
			return { row, figure: sum.read({ ...soFar, selection }) };
		});
		const remaining = figures.filter(({ figure }) => isPrintable(figure)).length;
		if (remaining >= printed || remaining === 0) return figures;
		printed = remaining;
	}
}
