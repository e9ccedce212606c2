import type { AggregateView } from "../analyze/aggregator.ts";
import type { Ledger, LossRecord, TargetRecord, TierName } from "../model/records.ts";
import { bytesMeasured, measuredTiers } from "../output/measured.ts";
import { plural } from "../output/units.ts";
import { headerLine, rateLine, sharesLine } from "./header.ts";
import { clipLine, createPainter, type Line } from "./line.ts";
import { lineChart } from "./line-chart.ts";
import { siteTable } from "./site-table.ts";
import { latestLine, ledgerLine } from "./status.ts";

/** Everything that the screen shows, as values. */
export interface ScreenState {
	targets: readonly TargetRecord[];
	elapsedNs: number;
	view: AggregateView;
	/** Running totals since the start. */
	ledger: Ledger;
	/** The last loss record of each stage and tier. */
	losses: readonly LossRecord[];
}

export interface ScreenSize {
	columns: number;
	rows: number;
}

export interface ScreenOptions extends ScreenSize {
	color: boolean;
}

const FOOTER: Line = [
	{ text: " q", style: "strong" },
	{ text: " quit", style: "dim" },
];
const BLANK: Line = [];

/** Lines of the chart: a fifth of the screen, none on a small one. */
function chartRows(columns: number, rows: number): number {
	if (rows < 18 || columns < 50) return 0;
	return Math.min(14, Math.floor(rows / 5) + 1);
}

function topLines(state: ScreenState, tiers: readonly TierName[], { columns, rows }: ScreenSize): Line[] {
	const lines: Line[] = [headerLine(state.targets, state.elapsedNs, columns), rateLine(state.view, tiers, columns)];
	const chart = lineChart(state.view.history, columns - 2, chartRows(columns, rows));
	lines.push(...chart.map((text): Line => [{ text: `  ${text}`, style: "accent" }]));
	if (rows >= 16) lines.push(sharesLine(state.view, columns));
	if (rows >= 24) lines.push(BLANK);
	return lines;
}

function bottomLines(
	state: ScreenState,
	tiers: ReturnType<typeof measuredTiers>,
	{ columns, rows }: ScreenSize,
): Line[] {
	const lines: Line[] = [
		latestLine(state.view.latest, columns),
		ledgerLine(state.ledger, tiers, state.losses, columns),
		FOOTER,
	];
	return rows >= 14 ? [BLANK, ...lines] : lines;
}

/** The table, or what stands in its place before the first growth. */
function middleLines(state: ScreenState, work: boolean, columns: number, rows: number): Line[] {
	if (rows < 1) return [];
	if (state.view.total.sites.length === 0) {
		const probes = state.targets.reduce((sum, target) => sum + target.probes.length, 0);
		return [[{ text: ` no map has grown yet, ${plural(probes, "probe")} ready` }]];
	}
	return siteTable(state.view, {
		columns,
		rows: rows - 1,
		workMeasured: work,
		bytesMeasured: bytesMeasured(state.view.total),
	});
}

/**
 * The whole screen: exactly `rows` lines, none wider than `columns`, without trailing line feeds. With colour the same
 * text plus SGR sequences. On a screen too small for everything the end of the list of sections is left out.
 */
export function renderScreen(state: ScreenState, options: ScreenOptions): string[] {
	const columns = Math.max(0, Math.floor(options.columns) || 0);
	const rows = Math.max(0, Math.floor(options.rows) || 0);
	const tiers = measuredTiers(state.targets);
	const work = tiers.includes("work");
	const top = topLines(state, tiers, { columns, rows });
	const bottom = bottomLines(state, tiers, { columns, rows });
	const room = rows - top.length - bottom.length;
	const middle = middleLines(state, work, columns, room).slice(0, Math.max(0, room));
	const filler = Array.from({ length: Math.max(0, room - middle.length) }, () => BLANK);
	const paint = createPainter(options.color);
	return [...top, ...middle, ...filler, ...bottom]
		.slice(0, rows)
		.map((line) => clipLine(line, columns).map(paint).join(""));
}
