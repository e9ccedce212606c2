/** What a CPU profile says of map growth as one JSON object, in the spelling of the records. */

import { sanitize } from "../lib/sanitize.ts";
import { allDurations } from "../stats/latency.ts";
import type { ComparedFunction, ProfileComparison } from "./compare.ts";
import type { CpuProfile, ProfileRow, Share } from "./cpu-profile.ts";

/** One line with its line feed. `notes`: what is missing or wrong, as sentences. */
export function profileJson(
	profile: CpuProfile,
	comparison: ProfileComparison | undefined,
	notes: readonly string[],
): string {
	const { clock, total } = profile;
	const share = ({ samples, weight }: Share, whole: Share = total): object => ({
		samples,
		...(clock ? { cpu_ns: weight } : {}),
		share: whole.weight > 0 ? weight / whole.weight : 0,
	});
	const row = (whole: Share) => (each: ProfileRow) => ({
		fn: sanitize(each.fn),
		...(each.file === undefined ? {} : { file: sanitize(each.file) }),
		...(each.line === undefined ? {} : { line: each.line }),
		...share(each, whole),
	});
	const object = {
		perf: {
			event: sanitize(profile.event),
			...(profile.spanNs === undefined ? {} : { span_ns: profile.spanNs }),
			threads: profile.threads,
			names: profile.comms.map((comm) => sanitize(comm)),
			total: share(total),
			growth: share(profile.growth),
			other_map_code: share(profile.otherMapCode),
			functions: profile.functions.map(row(total)),
			callers: profile.callers.map(row(profile.growth)),
			nameless: share(profile.nameless),
			without_callers: profile.withoutCallers,
			other_events: profile.otherEvents,
		},
		...(comparison === undefined ? {} : { recording: comparisonObject(comparison) }),
		missing: notes,
	};
	return `${JSON.stringify(object)}\n`;
}

function comparisonObject(comparison: ProfileComparison): object {
	const { recordingNs, oursNs, functions, unknownCallers, lengthsDiffer } = comparison;
	return {
		elapsed_ns: recordingNs,
		...(oursNs === undefined ? {} : { growing_ns: Math.round(oursNs) }),
		...(oursNs === undefined || recordingNs === 0 ? {} : { share_of_time: oursNs / recordingNs }),
		functions: functions.map((row) => ({
			fn: sanitize(row.fn),
			...(row.calls === undefined ? {} : { calls: row.calls }),
			...(row.oursNs === undefined ? {} : { recorded_ns: Math.round(row.oursNs) }),
			...median(row),
			...(row.perfNs === undefined ? {} : { cpu_ns: row.perfNs }),
			...(row.perfPerCallNs === undefined ? {} : { cpu_per_call_ns: Math.round(row.perfPerCallNs) }),
			samples: row.samples,
		})),
		unknown_callers: unknownCallers.map((fn) => sanitize(fn)),
		lengths_differ: lengthsDiffer,
	};
}

function median({ latency }: ComparedFunction): object {
	const p50 = allDurations(latency).quantile(0.5);
	return p50 === undefined ? {} : { p50_ns: Math.round(p50) };
}
