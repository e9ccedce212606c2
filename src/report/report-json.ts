/** A report on recordings as one JSON object: the totals that the views show. */

import { sanitize } from "../lib/sanitize.ts";
import type { MergedRecordings } from "../recording/merge.ts";
import type { Recording } from "../recording/summarize.ts";
import type { Calls } from "../records/records.ts";
import { latencyRow } from "../stats/latency.ts";
import type { Overhead } from "../stats/overhead-sum.ts";
import { latencyQuantiles } from "./latency-text.ts";

/** Longer than any text of a record. */
const MAX_TEXT = 1 << 20;

/** Text of recordings can be anybody's; JSON.stringify escapes some of what acts on a terminal, but not all. */
function safe(_key: string, value: unknown): unknown {
	return typeof value === "string" ? sanitize(value, MAX_TEXT) : value;
}

function safeNames(counts: Partial<Calls>): object {
	return Object.fromEntries(Object.entries(counts).map(([name, count]) => [sanitize(name, MAX_TEXT), count]));
}

function rounded(ns: number): number {
	return Math.round(ns);
}

function overheadFields({ last, costNsPerSecond, mostShare }: Overhead): object {
	const { budget, limit_ns_per_second } = last;
	return {
		overhead_max: mostShare,
		...(costNsPerSecond === undefined ? {} : { cost_ns_per_second: Math.round(costNsPerSecond) }),
		...(limit_ns_per_second === undefined ? {} : { limit_ns_per_second }),
		...(budget === undefined ? {} : { budget }),
	};
}

function recordingObject(recording: Recording): object {
	const { start, targets, end, elapsedNs, sums, missing, measured, overhead } = recording;
	return {
		...(start === undefined
			? {}
			: {
					time: start.time,
					host: start.host,
					kernel: start.kernel,
					arch: start.arch,
					version: start.version,
					command: start.command,
					interval_ns: start.interval_ns,
				}),
		elapsed_ns: elapsedNs,
		...(end === undefined ? {} : { reason: end.reason, complete: end.complete }),
		growths: sums.growths,
		work: sums.work,
		bytes: sums.bytes,
		peak_growths_per_s: recording.peakRate,
		throttles: recording.throttles,
		...(measured === undefined ? {} : { measured }),
		...(overhead === undefined ? {} : overheadFields(overhead)),
		targets: targets.map(({ pid, name, exe, go_version, map_impl, limits }) => ({
			...{ pid, name, exe, go_version, map_impl },
			...(limits === undefined ? {} : { limits }),
		})),
		missing,
	};
}

/** One line with its line feed. `notes`: what is missing or wrong, as sentences. */
export function reportJson(merged: MergedRecordings, notes: readonly string[]): string {
	const { recordings, count, elapsedNs, sums, ledger, losses } = merged;
	const { growths, work, bytes, kinds, causes, calls, types, sites, maps, goroutines, overlaps } = sums;
	const report = {
		schema: 1,
		elapsed_ns: elapsedNs,
		...{ growths, work, bytes, kinds: safeNames(kinds), causes: safeNames(causes), calls: safeNames(calls) },
		...{ types, sites },
		latency: sums.latency.map((row) => {
			const record = latencyRow(row);
			const quantiles = latencyQuantiles(row.durations);
			if (quantiles === undefined) return record;
			const { p50, p90, p99 } = quantiles;
			return { ...record, p50_ns: rounded(p50), p90_ns: rounded(p90), p99_ns: rounded(p99) };
		}),
		...{ maps, goroutines },
		...(overlaps === undefined ? {} : { overlaps }),
		...(ledger === undefined ? {} : { ledger }),
		losses,
		complete: notes.length === 0 && recordings.every((recording) => recording.end?.complete === true),
		missing: notes,
		recording_count: count,
		recordings: recordings.map(recordingObject),
	};
	return `${JSON.stringify(report, safe)}\n`;
}
