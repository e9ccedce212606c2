/** A CPU profile beside a recording of the same time: what perf's samples and our durations say of the same functions. */

import { isInnerCall } from "../gomap/functions.ts";
import { compareText } from "../lib/compare.ts";
import type { MergedRecordings } from "../recording/merge.ts";
import { amountOf, type Figure } from "../records/figure.ts";
import { allDurations, type LatencySum } from "../stats/latency.ts";
import type { CpuProfile } from "./cpu-profile.ts";

export interface ComparedFunction {
	fn: string;
	/** Undefined: not measured. */
	calls: Figure | undefined;
	/** Time of all calls; of those that were not measured, as much as of the others on average. Absent when none was. */
	oursNs?: number;
	/** Our durations, by map type. */
	latency: LatencySum[];
	/** Absent when perf's weights are no time. */
	perfNs?: number;
	/** Perf's time by our calls, as if both were of the same length. */
	perfPerCallNs?: number;
	samples: number;
	/** Its time is part of that of another one. */
	inner: boolean;
}

export interface ProfileComparison {
	recordingNs: number;
	/** Time inside map growth, of all goroutines together: by our durations, and by perf's samples. */
	oursNs?: number;
	perfNs?: number;
	functions: ComparedFunction[];
	/** Callers of growth in perf's samples: how many there are, and those that are no call site of the recording. */
	callers: number;
	unknownCallers: string[];
	/** The two are not of the same time. */
	lengthsDiffer: boolean;
}

/** Lengths that differ by more than this share are not of the same time. */
const SAME_LENGTH = 0.25;

/** The time of so many calls, from the durations of some of them. */
function timeOf(calls: number, latency: readonly LatencySum[]): number | undefined {
	const { count, sumNs } = allDurations(latency);
	return count === 0 ? undefined : sumNs * Math.max(1, calls / count);
}

/** Puts the two side by side. Neither is corrected by the other. */
export function compareProfile(profile: CpuProfile, recording: MergedRecordings): ProfileComparison {
	const { clock, spanNs } = profile;
	const samplesOf = new Map(profile.functions.map((row) => [row.fn, row]));
	const names = new Set([...Object.keys(recording.sums.calls), ...samplesOf.keys()]);
	const recordingNs = recording.elapsedNs;
	const functions = [...names].map((fn): ComparedFunction => {
		const counted = recording.sums.calls[fn];
		const calls = amountOf(counted);
		const latency = recording.sums.latency.filter((row) => row.fn === fn);
		const oursNs = timeOf(calls, latency);
		const { samples, weight } = samplesOf.get(fn) ?? { samples: 0, weight: 0 };
		return {
			...{ fn, calls: counted, latency, samples },
			...(oursNs === undefined ? {} : { oursNs }),
			...(clock ? { perfNs: weight } : {}),
			...(clock && calls > 0 && spanNs !== undefined && spanNs > 0
				? { perfPerCallNs: (weight / calls) * (recordingNs / spanNs) }
				: {}),
			inner: isInnerCall(fn),
		};
	});
	const outer = functions.filter(({ inner, oursNs }) => !inner && oursNs !== undefined);
	const oursNs = outer.length === 0 ? undefined : outer.reduce((sum, row) => sum + (row.oursNs ?? 0), 0);
	const sites = new Set(recording.sums.sites.map(({ fn }) => fn));
	return {
		recordingNs,
		...(oursNs === undefined ? {} : { oursNs }),
		...(clock ? { perfNs: profile.growth.weight } : {}),
		functions: functions
			.filter(({ calls, samples }) => amountOf(calls) > 0 || samples > 0)
			.sort((a, b) => (b.oursNs ?? 0) - (a.oursNs ?? 0) || b.samples - a.samples || compareText(a.fn, b.fn)),
		callers: profile.callers.length,
		unknownCallers: profile.callers.filter(({ fn }) => !sites.has(fn)).map(({ fn }) => fn),
		lengthsDiffer: spanNs !== undefined && Math.abs(spanNs - recordingNs) > SAME_LENGTH * Math.max(spanNs, recordingNs),
	};
}
