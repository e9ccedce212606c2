/** Exports of recordings that `report` writes to files or prints. */
import { BenchFormat } from "../export/bench-format.ts";
import { profileComments } from "../export/pprof/comments.ts";
import type { ProfileContext } from "../export/pprof/profile.ts";
import { ProfileFiles, type ProfileRequest } from "../export/pprof/profile-files.ts";
import { checkNewFile, writePrivateFile } from "../export/private-file.ts";
import { SpeedscopeBuilder } from "../export/speedscope.ts";
import { exposition } from "../metrics/exposition.ts";
import { GrowthMetrics } from "../metrics/growth-metrics.ts";
import { targetLabels } from "../metrics/target-series.ts";
import type { ReadResult } from "../recording/read.ts";
import type { GomapgrowRecord } from "../records/records.ts";

/** Takes all records of the recordings but starts. */
export interface RecordingExport {
	add(record: GomapgrowRecord): void;
	/** What is to be printed; files are written. Throws E-USAGE, E-IO. */
	finish(result: ReadResult): string;
}

export function profileExport(request: ProfileRequest): RecordingExport {
	const files = new ProfileFiles(request);
	return {
		add: (record) => files.add(record),
		finish: (result) => {
			files.write(profileContext(result));
			return "";
		},
	};
}

function profileContext({ merged, notes }: ReadResult): ProfileContext {
	const starts = merged.recordings.flatMap(({ start }) => (start === undefined ? [] : [start]));
	const times = starts.map(({ time }) => Date.parse(time)).filter(Number.isFinite);
	return {
		timeNs: times.length === 0 ? 0n : BigInt(Math.min(...times)) * 1_000_000n,
		durationNs: merged.elapsedNs,
		comments: [...profileComments(starts, merged.ledger), ...notes.map((note) => `missing: ${note}`)],
	};
}

export function speedscopeExport(path: string, force: boolean): RecordingExport {
	checkNewFile(path, force);
	const builder = new SpeedscopeBuilder();
	return {
		add: (record) => {
			if (record.type === "growth") builder.add(record);
			else if (record.type === "target") builder.addProcess(record.pid, record.name);
		},
		finish: ({ merged }) => {
			const names = new Set(merged.recordings.flatMap(({ targets }) => targets.map(({ name }) => name)));
			writePrivateFile(path, builder.text(`map growth of ${[...names].slice(0, 5).join(", ")}`), force);
			return "";
		},
	};
}

export function benchExport(): RecordingExport {
	const bench = new BenchFormat();
	return {
		add: (record) => bench.add(record),
		finish: ({ merged }) => bench.text(merged.recordings[0]?.start),
	};
}

/** Sites of a recording are bounded already, by the table of its rows. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export function prometheusExport(): RecordingExport {
	const metrics = new GrowthMetrics({
		...{ maxSites: NO_LIMIT, maxSeries: 100_000 },
		labelsOf: ({ name }) => targetLabels(name, undefined),
	});
	return {
		add: (record) => metrics.add(record, 0),
		finish: ({ merged }) => {
			const start = merged.recordings[0]?.start;
			if (start !== undefined) metrics.add(start, 0);
			return exposition(metrics.families(), "prometheus");
		},
	};
}
