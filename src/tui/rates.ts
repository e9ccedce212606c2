/** How fast maps grow, work and move, and how long that takes: now, at most, and since the start. */

import type { TierName } from "../records/records.ts";
import { movedMeasured } from "../report/measured.ts";
import type { AggregateView } from "../stats/aggregator.ts";
import { toldGrowingNs } from "../stats/latency.ts";
import type { Rate } from "../stats/window-rates.ts";
import { alignDecimal, formatBytes, formatCount, formatRate } from "../text/units.ts";
import { chartSeries } from "./chart-series.ts";
import { DASH, shortDuration } from "./columns.ts";
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

function rateRow(name: string, measured: boolean, rate: Rate, text: (rate: number) => string, total: string): RateRow {
	if (!measured) return { name, now: DASH, peak: DASH, total: DASH };
	const seen = rate.history.length > 0;
	return { name, now: rate.now === undefined ? DASH : text(rate.now), peak: seen ? text(rate.peak) : DASH, total };
}

export interface Measured {
	/** The tiers that have probes. */
	measured: readonly TierName[];
	/** Durations are measured. */
	latency: boolean;
}

function rateRows(view: AggregateView, { measured, latency }: Measured): RateRow[] {
	const { rates, total } = view;
	const moved = measured.includes("growth") && movedMeasured(total);
	const growing = toldGrowingNs(total);
	return [
		rateRow("growth", measured.includes("growth"), rates.growths, formatRate, formatCount(total.growths)),
		rateRow("work", measured.includes("work"), rates.work, formatRate, formatCount(total.work)),
		rateRow("moved", moved, rates.moved, formatBytes, formatBytes(total.bytes_moved)),
		rateRow("growing", latency, rates.growing, percent, growing === undefined ? DASH : shortDuration(growing)),
	];
}

/** With two charts each is as wide as people still look at. */
const TWO_CHARTS_FROM = 132;
const GAP = 3;
/** Narrower numbers would make the chart move when they grow. */
const MIN_NUMBER = 9;

function numberBlock(rows: readonly RateRow[]): { lines: Line[]; width: number } {
	const column = (name: "now" | "peak" | "total", heading: string) => {
		const cells = alignDecimal(rows.map((row) => row[name]));
		const width = Math.max(heading.length, MIN_NUMBER, ...cells.map((cell) => cell.length));
		return { width, heading: heading.padStart(width), cells: cells.map((cell) => cell.padStart(width)) };
	};
	const [now, peak, total] = [column("now", "now/s"), column("peak", "peak/s"), column("total", "in all")];
	const heading: Line = [{ text: ` ${"".padEnd(7)} ${now.heading} ${peak.heading} ${total.heading}`, style: "dim" }];
	const lines = rows.map(
		({ name }, index): Line => [
			{ text: ` ${name.padEnd(7)} `, style: "dim" },
			{ text: now.cells[index] ?? "", style: "strong" },
			{ text: ` ${peak.cells[index] ?? ""} ${total.cells[index] ?? ""}` },
		],
	);
	return { lines: [heading, ...lines], width: now.width + peak.width + total.width + 11 };
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
	const moved = movedMeasured(total) && columns >= TWO_CHARTS_FROM;
	const width = moved ? Math.floor((room - GAP) / 2) : room;
	const intervalNs = window?.interval_ns ?? 0;
	const chart = (name: string, rate: Rate, unit: number) => chartBlock({ name, rate, unit, intervalNs }, width, rows);
	const blocks = [
		{ lines: numbers.lines, width: numbers.width + GAP },
		{ lines: chart("growths", rates.growths, 1), width: moved ? width + GAP : width },
	];
	if (moved) blocks.push({ lines: chart("MB moved", rates.moved, 1e6), width });
	return beside(blocks).slice(0, rows);
}

/** The same in one line: as much as fits, what matters most first. */
export function rateLine(view: AggregateView, measured: Measured, columns: number): Span[] {
	const [growth, work, moved, growing] = rateRows(view, measured);
	const bars = sparkline(view.rates.growths.history, Math.min(30, Math.max(6, Math.floor(columns / 10) - 2)));
	const perSecond = (text = DASH): string => (text === DASH ? DASH : `${text}/s`);
	const now: Span[] = [{ text: " growth " }, { text: perSecond(growth?.now), style: "strong" }];
	if (bars !== "") now.push({ text: ` ${bars}`, style: "accent" });
	return joinFields(
		[
			now,
			[{ text: `moved ${perSecond(moved?.now)}` }],
			[{ text: `growing ${growing?.now ?? DASH}` }],
			[{ text: `peak ${perSecond(growth?.peak)}` }],
			[{ text: `work ${perSecond(work?.now)}` }],
			[{ text: `in all ${growth?.total ?? DASH}` }],
		],
		"  ",
		columns,
	);
}
