/** What a CPU profile says of map growth, as text for people, with the figures of a recording beside it. */

import { sanitize } from "../lib/sanitize.ts";
import { type Figure, inProportion } from "../records/figure.ts";
import { allDurations } from "../stats/latency.ts";
import { COUNT, cellText, DURATION } from "../text/figure-text.ts";
import { shortFunction, shortSite } from "../text/go-names.ts";
import { type TableColumn, textTable } from "../text/text-table.ts";
import { formatCount, formatDuration, formatShare, NOT_MEASURED, plural } from "../text/units.ts";
import { wrap } from "../text/wrap.ts";
import type { ComparedFunction, ProfileComparison } from "./compare.ts";
import type { CpuProfile, ProfileRow, Share } from "./cpu-profile.ts";

export interface ProfileTextOptions {
	/** Columns to fit into; Infinity: names are not cut. */
	columns: number;
	/** Most rows of the table of callers. */
	rows: number;
	/** What is missing or wrong, as sentences. */
	notes: readonly string[];
}

const WIDTH = 100;

/** The whole text, ending in a line feed. */
export function profileText(
	profile: CpuProfile,
	comparison: ProfileComparison | undefined,
	options: ProfileTextOptions,
): string {
	const sections = [
		headLines(profile),
		comparison === undefined ? functionTable(profile, options) : comparisonTable(comparison, options),
		comparison === undefined ? [] : comparisonLines(profile, comparison),
		callerTable(profile, options),
		[...profileNotes(profile), ...options.notes].flatMap((note) => wrap(`missing: ${note}`, WIDTH)),
	];
	return `${sections
		.filter((lines) => lines.length > 0)
		.map((lines) => lines.join("\n"))
		.join("\n\n")}\n`;
}

function amount(share: Share, { clock }: CpuProfile): string {
	const samples = plural(share.samples, "sample");
	return clock ? `${samples}, ${formatDuration(share.weight)} of processor time` : samples;
}

function headLines(profile: CpuProfile): string[] {
	const { event, spanNs, threads, comms, total, growth, otherMapCode } = profile;
	const names = comms.length === 0 ? "" : `${comms.map((comm) => sanitize(comm)).join(", ")}: `;
	const during = spanNs === undefined ? "" : ` in ${formatDuration(spanNs)}`;
	const share = (part: Share): string => formatShare(part.weight, total.weight);
	return [
		`perf  ${names}${amount(total, profile)} of ${plural(threads, "thread")}${during}, event ${sanitize(event)}`,
		`map growth  ${share(growth)}: ${amount(growth, profile)}`,
		`other map code  ${share(otherMapCode)}: ${amount(otherMapCode, profile)}`,
	];
}

function shares(rows: readonly Share[], total: Share): TableColumn[] {
	return [
		{ heading: "SHARE", kind: "number", cells: rows.map(({ weight }) => formatShare(weight, total.weight)) },
		{ heading: "SAMPLES", kind: "number", cells: rows.map(({ samples }) => formatCount(samples)) },
	];
}

function times(rows: readonly Share[], { clock }: CpuProfile): TableColumn[] {
	return clock ? [{ heading: "TIME", kind: "number", cells: rows.map(({ weight }) => formatDuration(weight)) }] : [];
}

function functionTable(profile: CpuProfile, { columns }: ProfileTextOptions): string[] {
	const rows = profile.functions;
	if (rows.length === 0) return [];
	const names: TableColumn = { heading: "FUNCTION", kind: "text", cells: rows.map(({ fn }) => shortFunction(fn)) };
	return textTable([...shares(rows, profile.total), ...times(rows, profile), names], columns);
}

function callerTable(profile: CpuProfile, { columns, rows: most }: ProfileTextOptions): string[] {
	const rows: readonly ProfileRow[] = profile.callers.slice(0, most);
	if (rows.length === 0) return [];
	const names: TableColumn = { heading: "CALLER OF MAP GROWTH", kind: "text", cells: rows.map(shortSite) };
	const lines = textTable([...shares(rows, profile.growth), ...times(rows, profile), names], columns);
	const more = profile.callers.length - rows.length;
	return more === 0 ? lines : [...lines, `and ${formatCount(more)} more`];
}

function duration(ns: number | undefined): string {
	return ns === undefined ? NOT_MEASURED : formatDuration(ns);
}

/** As uncertain as the number of calls is. */
function recorded({ oursNs, calls }: ComparedFunction): Figure | undefined {
	return oursNs === undefined || calls === undefined ? oursNs : inProportion(oursNs, calls);
}

/** Of all map types together. */
function median({ latency }: ComparedFunction): number | undefined {
	return allDurations(latency).quantile(0.5);
}

function comparisonTable({ functions }: ProfileComparison, { columns }: ProfileTextOptions): string[] {
	if (functions.length === 0) return [];
	const column = (heading: string, of: (row: ComparedFunction) => string): TableColumn => ({
		...{ heading, kind: "number", cells: functions.map(of) },
	});
	const names = functions.map(({ fn, inner }) => `${inner ? "  " : ""}${shortFunction(fn)}`);
	return textTable(
		[
			column("CALLS", ({ calls }) => cellText(calls, COUNT)),
			column("RECORDED", (row) => cellText(recorded(row), DURATION)),
			column("MEDIAN", (row) => duration(median(row))),
			column("PERF", ({ perfNs }) => duration(perfNs)),
			column("PER CALL", ({ perfPerCallNs }) => duration(perfPerCallNs)),
			column("SAMPLES", ({ samples }) => formatCount(samples)),
			{ heading: "FUNCTION", kind: "text", cells: names },
		],
		columns,
	);
}

/** `78 ms in 3.65 s (2.1 %)` */
function part(ns: number | undefined, ofNs: number | undefined): string {
	if (ns === undefined) return "not measured";
	return ofNs === undefined
		? formatDuration(ns)
		: `${formatDuration(ns)} in ${formatDuration(ofNs)} (${formatShare(ns, ofNs)})`;
}

function comparisonLines(profile: CpuProfile, comparison: ProfileComparison): string[] {
	const { recordingNs, oursNs, perfNs, callers, unknownCallers, lengthsDiffer } = comparison;
	const lines = [
		`inside map growth  recording ${part(oursNs, recordingNs)}, perf ${part(perfNs, profile.spanNs)}`,
		...wrap(
			"What is recorded is from a call's beginning to its end, with what the kernel did meanwhile: page faults, the probes inside, other threads that had the processor. Perf's samples of a user-space clock are without that: PER CALL is near MEDIAN where calls are much alike and seldom interrupted.",
			WIDTH,
		),
	];
	if (callers > 0) {
		const known = callers - unknownCallers.length;
		const rest = unknownCallers.slice(0, 3).map(shortFunction).join(", ");
		const more = unknownCallers.length > 3 ? " and others" : "";
		lines.push(
			`callers  ${formatCount(known)} of ${formatCount(callers)} in perf's samples are call sites of the recording${rest === "" ? "" : `; not ${rest}${more}`}`,
		);
	}
	if (lengthsDiffer)
		lines.push(
			`not of the same time: perf's samples span ${duration(profile.spanNs)}, the recording ${formatDuration(recordingNs)}`,
		);
	return lines;
}

function profileNotes({ nameless, withoutCallers, otherEvents, total }: CpuProfile): string[] {
	const notes: string[] = [];
	if (withoutCallers * 2 > total.samples)
		notes.push(
			`${plural(withoutCallers, "sample")} without callers: record with -g, or what map growth calls is not seen as part of it`,
		);
	if (nameless.samples > 0)
		notes.push(
			`${plural(nameless.samples, "sample")} (${formatShare(nameless.weight, total.weight)}) in code without names: run this where the executable is`,
		);
	if (otherEvents > 0) notes.push(`${plural(otherEvents, "sample")} of other events left out`);
	return notes;
}
