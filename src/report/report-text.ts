/** A report on recordings as text: the summary of the live views, what was recorded, and tables. */

import { sanitize } from "../lib/sanitize.ts";
import type { MergedRecordings } from "../recording/merge.ts";
import type { Recording } from "../recording/summarize.ts";
import { amountOf, type Figure } from "../records/figure.ts";
import type { Extent, Frame, GoroutineRow, MapRow, MeasuredTiers, SiteRow, TypeRow } from "../records/records.ts";
import { type LatencySum, mergedLatency } from "../stats/latency.ts";
import type { Overhead } from "../stats/overhead-sum.ts";
import { mergedSites, mergedTypes } from "../stats/row-sums.ts";
import { timeInGrowth } from "../stats/total-figures.ts";
import { targetName } from "../text/container-text.ts";
import { BYTES, COUNT, cellText, DURATION } from "../text/figure-text.ts";
import { shortSite } from "../text/go-names.ts";
import { type TableColumn, textTable } from "../text/text-table.ts";
import { formatCount, formatDuration, formatShare, NOT_MEASURED, plural } from "../text/units.ts";
import { wrapLines } from "../text/wrap.ts";
import { latencyQuantiles, latencyShape } from "./latency-text.ts";
import { measuredTiers } from "./measured.ts";
import { allGrowthsRecorded, summaryText } from "./summary.ts";

export const REPORT_SORTS = ["growths", "bytes", "time"] as const;
export type ReportSort = (typeof REPORT_SORTS)[number];

export interface ReportOptions {
	/** Columns to fit into; Infinity: names are not cut. */
	columns: number;
	/** Most rows of each table, and the figure by which they come, the largest first. */
	rows: number;
	sort: ReportSort;
	/** What is missing or wrong, as sentences. */
	notes: readonly string[];
	/** The best advice on size hints, one line each. */
	advice?: readonly string[];
}

/** The summary, word for word as the live views end with it when there is one recording. */
function summary(merged: MergedRecordings, advice: readonly string[]): string {
	const { sums, elapsedNs, ledger, losses, recordings, count } = merged;
	const targets = recordings.flatMap((recording) => recording.targets);
	const complete = count === recordings.length;
	const tiers = complete ? allTiers(recordings.map(({ measured }) => measured)) : undefined;
	const overhead = mostOverhead(recordings, complete);
	return summaryText({
		elapsedNs,
		total: sums,
		ledger,
		measured: measuredTiers(targets),
		tiers,
		losses,
		overhead,
		advice,
	});
}

/** What was measured of all recordings together; undefined when one of them does not say so. */
function allTiers(parts: readonly (MeasuredTiers | undefined)[]): MeasuredTiers | undefined {
	const known = parts.filter((part) => part !== undefined);
	if (known.length === 0 || known.length < parts.length) return undefined;
	const extent = (of: (part: MeasuredTiers) => Extent | undefined): Extent | undefined => {
		const extents = new Set(known.map(of));
		const [only] = extents;
		return extents.size === 1 ? only : "sampled";
	};
	const iteration = extent((part) => part.iteration);
	return {
		...{ growth: extent((part) => part.growth) ?? "none", work: extent((part) => part.work) ?? "none" },
		latency: extent((part) => part.latency) ?? "none",
		...(iteration === undefined ? {} : { iteration }),
	};
}

/** Of the recording with the highest overhead; the processor time is that of all. */
function mostOverhead(recordings: readonly Recording[], complete: boolean): Overhead | undefined {
	const found = recordings.flatMap(({ overhead }) => (overhead === undefined ? [] : [overhead]));
	const [most] = found.toSorted(
		(a, b) => (b.costNsPerSecond ?? 0) - (a.costNsPerSecond ?? 0) || b.mostShare - a.mostShare,
	);
	if (most === undefined) return undefined;
	const { targetCpuNs: _, ...overhead } = most;
	const known = found.flatMap(({ targetCpuNs }) => (targetCpuNs === undefined ? [] : [targetCpuNs]));
	if (!complete || known.length < recordings.length) return overhead;
	return { ...overhead, targetCpuNs: known.reduce((sum, ns) => sum + ns, 0) };
}

/** `2026-11-23 09:47:10 UTC` */
function dayAndTime(time: string): string {
	return sanitize(`${time.slice(0, 10)} ${time.slice(11, 19)} UTC`);
}

/** `recorded 2026-11-23 09:47:10 UTC on db1, Linux 6.18.0: etcd 4711 (go1.23.5, classic)` */
function recordingLine(recording: Recording): string {
	const { start, targets } = recording;
	const when =
		start === undefined
			? "recorded"
			: `recorded ${dayAndTime(start.time)} on ${sanitize(start.host)}, Linux ${sanitize(start.kernel)}`;
	const names = targets
		.slice(0, 3)
		.map(
			(target) => `${targetName(target)} ${target.pid} (${sanitize(target.go_version)}, ${sanitize(target.map_impl)})`,
		);
	if (targets.length > 3) names.push(`${plural(targets.length - 3, "process")} more`);
	return `${when}: ${names.length === 0 ? "no process is named" : names.join(", ")}`;
}

/** `kinds  double 99 %  same-size 1.0 %`; `~` where not each growth is a record. */
function sharesLine(label: string, counts: Partial<Record<string, number>>, complete: boolean): string[] {
	const entries = Object.entries(counts).map(([name, count]) => [sanitize(name), count ?? 0] as const);
	const total = entries.reduce((sum, [, count]) => sum + count, 0);
	if (total === 0) return [];
	const shares = entries
		.toSorted((a, b) => b[1] - a[1])
		.map(([name, count]) => `${name} ${complete ? "" : "~"}${formatShare(count, total)}`);
	return [`${label}  ${shares.join("  ")}`];
}

/** `overhead  at most 0.6 % of a target's processor time, probing was changed 2 times` */
function overheadLine(recordings: readonly Recording[]): string[] {
	const most = mostOverhead(recordings, false);
	if (most === undefined) return [];
	const throttles = recordings.reduce((sum, recording) => sum + recording.throttles, 0);
	const changed = throttles === 0 ? "" : `, probing was changed ${plural(throttles, "time")}`;
	return [`overhead  at most ${formatShare(most.mostShare, 1)} of a target's processor time${changed}`];
}

/** It matters less than the others: the higher, the sooner it is left out where there is no room. */
function ranked(rank: number, column: TableColumn): TableColumn {
	return { ...column, rank };
}

function number(heading: string, cells: readonly string[]): TableColumn {
	return { heading, kind: "number", cells };
}

function name(heading: string, cells: readonly string[]): TableColumn {
	return { heading, kind: "text", cells };
}

function figures<Row>(
	heading: string,
	rows: readonly Row[],
	of: (row: Row) => Figure | undefined,
	form = COUNT,
): TableColumn {
	return number(
		heading,
		rows.map((row) => cellText(of(row), form)),
	);
}

/** Time of rows whose growths and work have figures. */
function timed(rows: readonly SiteRow[]): TableColumn {
	return figures(
		"TIME",
		rows,
		({ duration_ns: time_ns = 0, ...row }) => (time_ns > 0 ? timeInGrowth({ ...row, time_ns }) : undefined),
		DURATION,
	);
}

function siteTable(rows: readonly SiteRow[]): TableColumn[] {
	return [
		figures("GROWTHS", rows, (row) => row.growths),
		ranked(
			3,
			figures("GROWTH WORK", rows, (row) => row.work),
		),
		figures("BYTES", rows, (row) => row.bytes, BYTES),
		ranked(2, timed(rows)),
		ranked(
			1,
			figures("MAX SLOTS", rows, (row) => row.max_capacity),
		),
		ranked(
			4,
			figures("DURING RANGE", rows, (row) => row.iterating),
		),
		name(
			"TYPE",
			rows.map((row) => sanitize(row.map_type)),
		),
		name("SITE", rows.map(shortSite)),
	];
}

function typeTable(rows: readonly TypeRow[]): TableColumn[] {
	return [
		figures("GROWTHS", rows, (row) => row.growths),
		ranked(
			1,
			figures("GROWTH WORK", rows, (row) => row.work),
		),
		figures("BYTES", rows, (row) => row.bytes, BYTES),
		figures("MAX SLOTS", rows, (row) => row.max_capacity),
		name(
			"TYPE",
			rows.map((row) => sanitize(row.map_type)),
		),
	];
}

function mapTable(rows: readonly MapRow[], seen: Seen): TableColumn[] {
	return [
		figures("GROWTHS", rows, (row) => seen(row.growths)),
		ranked(
			2,
			figures("SLOTS FROM", rows, (row) => row.slots_first),
		),
		figures("SLOTS TO", rows, (row) => row.slots_last),
		ranked(
			1,
			figures("ENTRIES", rows, (row) => row.count),
		),
		figures("BYTES", rows, (row) => seen(row.bytes), BYTES),
		ranked(
			3,
			name(
				"PROCESS",
				rows.map((row) => row.pid.toString()),
			),
		),
		ranked(
			4,
			name(
				"MAP",
				rows.map((row) => sanitize(row.map)),
			),
		),
		name(
			"TYPE",
			rows.map((row) => sanitize(row.map_type)),
		),
		name("SITE", rows.map(shortSite)),
	];
}

/** What was seen of a single map or goroutine: all of it, or no less than this. */
type Seen = (amount: number) => Figure;

function origin(start: string | undefined, createdBy: Frame | undefined): string {
	const runs = start === undefined ? [] : [shortSite({ fn: start })];
	const by = createdBy === undefined ? [] : [`started by ${shortSite(createdBy)}`];
	const parts = [...runs, ...by];
	return parts.length === 0 ? NOT_MEASURED : parts.join(", ");
}

function goroutineTable(rows: readonly GoroutineRow[], seen: Seen): TableColumn[] {
	return [
		figures("GROWTHS", rows, (row) => seen(row.growths)),
		figures("BYTES", rows, (row) => seen(row.bytes), BYTES),
		ranked(
			2,
			figures("TIME", rows, (row) => (row.duration_ns > 0 ? seen(row.duration_ns) : undefined), DURATION),
		),
		ranked(
			1,
			name(
				"PROCESS",
				rows.map((row) => row.pid.toString()),
			),
		),
		name(
			"GOROUTINE",
			rows.map((row) => row.goid.toString()),
		),
		name(
			"RUNS",
			rows.map((row) => origin(row.start_fn, row.created_by)),
		),
	];
}

function latencyTable(rows: readonly LatencySum[]): TableColumn[] {
	const quantiles = rows.map(({ durations }) => latencyQuantiles(durations));
	const column = (key: "p50" | "p90" | "p99" | "max"): TableColumn =>
		number(
			key.toUpperCase(),
			quantiles.map((each) => (each === undefined ? NOT_MEASURED : formatDuration(each[key]))),
		);
	return [
		figures("CALLS", rows, (row) => row.durations.count),
		column("p50"),
		ranked(1, column("p90")),
		column("p99"),
		ranked(2, column("max")),
		ranked(
			4,
			name(
				"FROM",
				rows.map((row) => formatDuration(row.durations.octaves()[0]?.from_ns ?? 0)),
			),
		),
		ranked(
			3,
			name(
				"SHAPE",
				rows.map(({ durations }) => latencyShape(durations)),
			),
		),
		name(
			"FUNCTION",
			rows.map((row) => shortSite({ fn: row.fn })),
		),
		name(
			"TYPE",
			rows.map((row) => sanitize(row.map_type)),
		),
	];
}

/** Quantiles of older recordings are less exact. */
function coarseLine(rows: readonly LatencySum[]): string[] {
	const coarse = rows.some(({ durations }) => durations.coarse);
	return coarse ? ["  durations by powers of two: p50, p90 and p99 are off by less than factor 2"] : [];
}

/** By one figure, the largest first; rows that do not have it keep their order behind the others. */
function sorted<Row extends { growths?: Figure; bytes?: Figure; duration_ns?: number }>(
	rows: readonly Row[],
	sort: ReportSort,
): readonly Row[] {
	if (sort === "growths") return rows;
	const amount = (row: Row): number => (sort === "bytes" ? amountOf(row.bytes) : (row.duration_ns ?? 0));
	return rows.toSorted((a, b) => amount(b) - amount(a));
}

/** A table under its title; nothing without rows. */
function section<Row>(
	title: string,
	rows: readonly Row[],
	make: (rows: readonly Row[]) => TableColumn[],
	options: ReportOptions,
): string[] {
	if (rows.length === 0) return [];
	const shown = rows.slice(0, options.rows);
	const more = rows.length - shown.length;
	const heading =
		more === 0 ? title : `${title}, the first ${formatCount(shown.length)} of ${formatCount(rows.length)}`;
	return ["", heading, ...textTable(make(shown), options.columns - 2).map((line) => `  ${line}`)];
}

/** The report, each line with its line feed. */
export function reportText(merged: MergedRecordings, options: ReportOptions): string {
	const { sums, recordings, count, ledger } = merged;
	const complete = allGrowthsRecorded(sums, ledger);
	const { sort } = options;
	const seen: Seen = (amount) => (complete ? amount : { at_least: amount });
	const lines = [
		...(count === 1 ? [] : [plural(count, "recording")]),
		...recordings.slice(0, 10).map((recording) => wrapLines(recordingLine(recording), options.columns)),
		...(count > 10 ? [`and ${formatCount(count - 10)} more`] : []),
		...options.notes.map((note) => `missing: ${note}`),
		...sharesLine("kinds ", sums.kinds, complete),
		...sharesLine("causes", sums.causes, complete),
		...overheadLine(recordings),
		...(sums.overlaps === undefined ? [] : [`growths that overlapped an iteration: ${formatCount(sums.overlaps)}`]),
		...section("call sites", sorted(mergedSites(sums.sites), sort), siteTable, options),
		...section("map types", sorted(mergedTypes(sums.types), sort), typeTable, options),
		...section("maps", sorted(sums.maps, sort), (rows) => mapTable(rows, seen), options),
		...section("goroutines", sorted(sums.goroutines, sort), (rows) => goroutineTable(rows, seen), options),
		...section("latency", mergedLatency(sums.latency), latencyTable, options),
		...coarseLine(sums.latency),
	];
	return wrapLines(summary(merged, options.advice ?? []), options.columns) + lines.map((line) => `${line}\n`).join("");
}
