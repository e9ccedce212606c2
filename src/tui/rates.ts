/** How fast maps grow, how much growth work they cause and how much is copied, and how long that takes: now, at most, and since the start. */

import type { OverheadRow, TierName } from "../records/records.ts";
import { growthTimeForm } from "../report/growth-time.ts";
import type { AggregateView } from "../stats/aggregator.ts";
import { targetCpuNsPerSecond } from "../stats/overhead-sum.ts";
import { copiedBytes, timeInGrowth } from "../stats/total-figures.ts";
import type { Rate } from "../stats/window-rates.ts";
import { BYTES, COUNT, cellText, type NumberForm, RATE, shortText } from "../text/figure-text.ts";
import { formatCount, formatRate } from "../text/units.ts";
import { chartSeries } from "./chart-series.ts";
import { DASH, SHORT_DURATION } from "./columns.ts";
import { beside, joinFields, type Line, type Span } from "./line.ts";
import { lineChart } from "./line-chart.ts";
import { sparkline } from "./sparkline.ts";

interface RateRow {
	name: string;
	now: string;
	peak: string;
	total: string;
}

/** A share: whole from 10 % on, never 0 % for what is not 0. */
export function percent(share: number): string {
	return `${share < 0.0995 ? formatRate(share * 100) : formatCount(share * 100)} %`;
}

export interface Measured {
	/** The tiers that have probes. */
	measured: readonly TierName[];
	/** What probing costs, which tells how much processor time the targets use. */
	overhead: readonly OverheadRow[];
}

function rateRow(name: string, measured: boolean, rate: Rate, form: NumberForm, total: string): RateRow {
	if (!measured) return { name, now: DASH, peak: DASH, total: DASH };
	return { name, now: shortText(rate.now, form), peak: shortText(rate.peak, form), total };
}

function rateRows(view: AggregateView, { measured, overhead }: Measured): RateRow[] {
	const { rates, total } = view;
	const growth = measured.includes("growth");
	const work = measured.includes("work");
	const form = growthTimeForm(targetCpuNsPerSecond(overhead));
	return [
		rateRow("growths", growth, rates.growths, RATE, cellText(total.growths, COUNT)),
		rateRow("growth work", work, rates.work, RATE, cellText(total.work, COUNT)),
		rateRow("copied", growth, rates.copied, BYTES, cellText(copiedBytes(total), BYTES)),
		rateRow("time in growth", growth, rates.time, form, cellText(timeInGrowth(total), SHORT_DURATION)),
	];
}

/** With two charts each is as wide as people still look at. */
const TWO_CHARTS_FROM = 132;
const GAP = 3;
/** Narrower numbers would make the chart move when they grow. */
const MIN_NUMBER = 9;

function numberBlock(rows: readonly RateRow[]): { lines: Line[]; width: number } {
	const column = (name: "now" | "peak" | "total", heading: string) => {
		const cells = rows.map((row) => row[name]);
		const width = Math.max(heading.length, MIN_NUMBER, ...cells.map((cell) => cell.length));
		return { width, heading: heading.padStart(width), cells: cells.map((cell) => cell.padStart(width)) };
	};
	const [now, peak, total] = [column("now", "now/s"), column("peak", "peak/s"), column("total", "total")];
	const names = Math.max(...rows.map(({ name }) => name.length));
	const heading: Line = [
		{ text: ` ${"".padEnd(names)} ${now.heading} ${peak.heading} ${total.heading}`, style: "dim" },
	];
	const lines = rows.map(
		({ name }, index): Line => [
			{ text: ` ${name.padEnd(names)} `, style: "dim" },
			{ text: now.cells[index] ?? "", style: "strong" },
			{ text: ` ${peak.cells[index] ?? ""} ${total.cells[index] ?? ""}` },
		],
	);
	return { lines: [heading, ...lines], width: now.width + peak.width + total.width + names + 4 };
}

interface Series {
	name: string;
	rate: Rate;
	/** What a unit of the chart is. */
	unit: number;
	/** Of a window. */
	intervalNs: number;
}

/** Room for labels, which the chart chooses by its values. */
const LABELS = 9;

/** A chart under its caption, which says how far back it reaches. */
function chartBlock({ name, rate, unit, intervalNs }: Series, columns: number, rows: number): Line[] {
	const { values, windows } = chartSeries(rate.history, rate.dropped, columns - LABELS);
	const chart = lineChart(
		values.map((value) => value / unit),
		columns,
		rows - 1,
	);
	if (chart.length === 0) return [];
	const seconds = Math.round((windows * intervalNs) / 1e9);
	const reach = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
	const caption = seconds > 0 ? `${name}, last ${reach}` : name;
	return [[{ text: caption, style: "dim" }], ...chart.map((text): Line => [{ text, style: "accent" }])];
}

/** Numbers with one or two charts beside them, `rows` lines (5 or more). */
export function rateBlock(view: AggregateView, measured: Measured, columns: number, rows: number): Line[] {
	const { rates, total, window } = view;
	const numbers = numberBlock(rateRows(view, measured));
	const room = columns - numbers.width - GAP - 1;
	const two = copiedBytes(total) !== undefined && columns >= TWO_CHARTS_FROM;
	const width = two ? Math.floor((room - GAP) / 2) : room;
	const intervalNs = window?.interval_ns ?? 0;
	const chart = (name: string, rate: Rate, unit: number) => chartBlock({ name, rate, unit, intervalNs }, width, rows);
	const blocks = [
		{ lines: numbers.lines, width: numbers.width + GAP },
		{ lines: chart("growths", rates.growths, 1), width: two ? width + GAP : width },
	];
	if (two) blocks.push({ lines: chart("MB copied", rates.copied, 1e6), width });
	return beside(blocks).slice(0, rows);
}

/** The same in one line: as much as fits, what matters most first. */
export function rateLine(view: AggregateView, measured: Measured, columns: number): Span[] {
	const [growth, work, copied, time] = rateRows(view, measured);
	const bars = sparkline(view.rates.growths.history, Math.min(30, Math.max(6, Math.floor(columns / 10) - 2)));
	const perSecond = (text = DASH): string => (text === DASH ? DASH : `${text}/s`);
	const now: Span[] = [{ text: " growths " }, { text: perSecond(growth?.now), style: "strong" }];
	if (bars.trim() !== "") now.push({ text: ` ${bars}`, style: "accent" });
	return joinFields(
		[
			now,
			[{ text: `copied ${perSecond(copied?.now)}` }],
			[{ text: `time in growth ${time?.now ?? DASH}` }],
			[{ text: `peak ${perSecond(growth?.peak)}` }],
			[{ text: `growth work ${perSecond(work?.now)}` }],
			[{ text: `total ${growth?.total ?? DASH}` }],
		],
		"  ",
		columns,
	);
}
