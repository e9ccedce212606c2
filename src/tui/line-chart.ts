import { plot } from "asciichart";
import { alignDecimal, formatRate } from "../text/units.ts";

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

/** Above this, numbers are spelled with a prefix: whole ones would take the chart's room. */
const MAX_WHOLE = 1e10;
/** Beyond this there is no prefix that people know. */
const HUGEST = 1e21;

/** A finite rate within what labels can spell; undefined for what was not measured. */
function clean(rate: number, most: number): number | undefined {
	if (Number.isNaN(rate)) return undefined;
	return Math.min(Math.max(rate, 0), most);
}

/**
 * Rates (per second, oldest first) as a line chart of exactly `rows` lines, none wider than `columns`. The newest values
 * that fit are drawn, one column each. What was not measured (NaN) is a gap, infinity is the top of the scale, and a negative
 * rate is 0. Empty when there is no room for a chart (fewer than 2 rows or no column).
 *
 * asciichart 1.5.25 throws on an empty series and on values that are not finite, cuts labels of eight digits, and marks
 * the wrong row as zero when the scale begins there: so it gets clean values, its own labels and one axis symbol.
 */
export function lineChart(rates: readonly number[], columns: number, rows: number): string[] {
	if (rows < 2 || columns < 1) return [];
	// The scale also covers the few values hidden behind the labels, whose width depends on it.
	const recent = rates.slice(-columns);
	const step = niceStep(
		Math.max(0, ...recent.filter(Number.isFinite).map((rate) => clean(rate, HUGEST) ?? 0)) / (rows - 1),
	);
	const texts = labels(step, rows);
	const room = columns - (texts[0]?.length ?? 0) - 2;
	if (room < 1) return [];
	const top = step * (rows - 1);
	const shown = recent.slice(-room).map((rate) => clean(rate, top));
	const chart = plot(shown.length > 0 ? shown.map((rate) => rate ?? 0) : [0], {
		min: 0,
		max: top,
		height: rows - 1,
		// Labels are one cell to asciichart, whatever their width: the cell before the axis.
		offset: 2,
		format: (_, row) => `${texts[row] ?? ""} `,
		symbols: ["┤", "┤", "╶", "╴", "─", "╰", "╭", "╮", "╯", "│"],
	});
	const before = (texts[0]?.length ?? 0) + 2;
	return chart.split("\n").map((line) => withGaps(line, before, shown).trimEnd());
}

/** The line of a chart whose column for the step from one value to the next is blank when either was not measured. */
function withGaps(line: string, before: number, values: readonly (number | undefined)[]): string {
	if (!values.includes(undefined)) return line;
	return Array.from(line, (cell, column) => {
		const index = column - before;
		const gap = index >= 0 && (values[index] === undefined || values[index + 1] === undefined);
		return gap ? " " : cell;
	}).join("");
}

/** One label for each row, top first, all of the same width; every other one is blank in a tall chart. */
function labels(step: number, rows: number): string[] {
	const every = rows > 7 ? 2 : 1;
	const top = step * (rows - 1);
	const numbers = Array.from({ length: rows }, (_, row) => {
		const ticks = rows - 1 - row;
		return row === 0 || ticks % every === 0 ? labelText(ticks * step, top) : "";
	});
	const aligned = alignDecimal(numbers);
	const width = (aligned[0]?.length ?? 0) + "/s".length;
	return aligned.map((text, row) => (row === 0 ? `${text.trimEnd()}/s` : text).padEnd(width));
}

const PREFIXES = [
	[1e18, "E"],
	[1e15, "P"],
	[1e12, "T"],
	[1e9, "G"],
] as const;

function labelText(rate: number, top: number): string {
	if (top < MAX_WHOLE || rate === 0) return formatRate(rate);
	// The same prefix in all rows, so that the numbers can be compared.
	const [unit, prefix] = PREFIXES.find(([value]) => top >= value * 2) ?? [1e9, "G"];
	return `${formatRate(Math.round((rate / unit) * 10) / 10)} ${prefix}`;
}
