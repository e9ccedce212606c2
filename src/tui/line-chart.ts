import { plot } from "asciichart";
import { alignDecimal, formatRate } from "../output/units.ts";

/** Tick steps that people read without thinking, times a power of ten. */
const NICE = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10] as const;
const SMALLEST_STEP = 0.1;

function niceStep(atLeast: number): number {
	if (atLeast === 0) return 1;
	if (atLeast <= SMALLEST_STEP) return SMALLEST_STEP;
	const power = 10 ** Math.floor(Math.log10(atLeast));
	// Labels have one decimal at most: below 1 a step is a whole number of tenths.
	const factor = NICE.find((step) => step * power >= atLeast && (power >= 1 || Number.isInteger(step))) ?? 10;
	return factor * power;
}

/**
 * Rates (per second, oldest first) as a line chart of exactly `rows` lines, none wider than `columns`. The newest values
 * that fit are drawn, one column each. Empty when there is no room for a chart (fewer than 2 rows or no column).
 *
 * asciichart 1.5.25 throws on an empty series and on values that are not finite, cuts labels of eight digits, and marks
 * the wrong row as zero when the scale begins there: so it gets clean values, its own labels and one axis symbol.
 */
export function lineChart(rates: readonly number[], columns: number, rows: number): string[] {
	if (rows < 2) return [];
	// The scale also covers the few values hidden behind the labels, whose width depends on it.
	const recent = rates.slice(-columns).map((rate) => (rate > 0 && rate <= Number.MAX_SAFE_INTEGER ? rate : 0));
	const step = niceStep(Math.max(0, ...recent) / (rows - 1));
	const texts = labels(step, rows);
	const room = columns - (texts[0]?.length ?? 0) - 2;
	if (room < 1) return [];
	const shown = recent.length > 0 ? recent.slice(-room) : [0];
	const chart = plot(shown, {
		min: 0,
		max: step * (rows - 1),
		height: rows - 1,
		// Labels are one cell to asciichart, whatever their width: the cell before the axis.
		offset: 2,
		format: (_, row) => `${texts[row] ?? ""} `,
		symbols: ["┤", "┤", "╶", "╴", "─", "╰", "╭", "╮", "╯", "│"],
	});
	return chart.split("\n").map((line) => line.trimEnd());
}

/** One label for each row, top first, all of the same width; every other one is blank in a tall chart. */
function labels(step: number, rows: number): string[] {
	const every = rows > 7 ? 2 : 1;
	const numbers = Array.from({ length: rows }, (_, row) => {
		const ticks = rows - 1 - row;
		return row === 0 || ticks % every === 0 ? formatRate(ticks * step) : "";
	});
	const aligned = alignDecimal(numbers);
	const width = (aligned[0]?.length ?? 0) + "/s".length;
	return aligned.map((text, row) => (row === 0 ? `${text.trimEnd()}/s` : text).padEnd(width));
}
