/** `gomapgrow report`: what is in a recording, as tables, JSON or flame graphs. */
import { Adviser } from "../advise/advise.ts";
import { SHOWN_ADVICE, topAdvice } from "../advise/text.ts";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { asciiFlame } from "../export/flame/ascii.ts";
import { foldedText } from "../export/flame/folded.ts";
import type { FlameMetric } from "../export/flame/metric.ts";
import { flameSvg } from "../export/flame/svg.ts";
import { FlameGraphBuilder } from "../export/flame/tree.ts";
import { flameSubject } from "../export/flame-subject.ts";
import { NewFile } from "../export/new-file.ts";
import type { ProfileRequest } from "../export/pprof/profile-files.ts";
import { type ReadResult, readRecordings } from "../recording/read.ts";
import type { TargetRecord } from "../records/records.ts";
import { reportJson } from "../report/report-json.ts";
import { REPORT_SORTS, type ReportSort, reportText } from "../report/report-text.ts";
import { type ColorFlag, decideColor } from "../text/color.ts";
import { fileName, parseColor, parseMetric, profileRequest } from "./options.ts";
import { perfProfile } from "./perf-profile.ts";
import { type DiffOptions, diffOptions, reportDiff } from "./report-diff.ts";
import {
	benchExport,
	profileExport,
	prometheusExport,
	type RecordingExport,
	speedscopeExport,
} from "./report-exports.ts";
import { writeAll } from "./write-all.ts";

/** What is printed; `nothing` when only a file was asked for. */
type ReportFormat = (typeof FORMATS)[number] | "nothing";

export interface ReportCommandOptions {
	format: ReportFormat;
	flame: string | undefined;
	metric: FlameMetric;
	pprof: ProfileRequest | undefined;
	speedscope: string | undefined;
	diff: DiffOptions | undefined;
	/** Replace files of exports. */
	force: boolean;
	rows: number;
	sort: ReportSort;
	color: ColorFlag;
	/** Output of perf script to be shown instead. */
	fromPerf: string | undefined;
}

const FORMATS = ["table", "json", "folded", "ascii", "bench", "prometheus"] as const;
const DEFAULT_ROWS = 20;

/** The checked options, from cac's. Throws E-USAGE. */
export function reportOptions(options: Record<string, unknown>): ReportCommandOptions {
	const asked = FORMATS.filter((format) => options[format] === true);
	const flame = fileName("--flame", options.flame);
	if (asked.length > 1) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "one of --table, --json, --folded, --ascii, --bench and --prometheus",
			found: asked.map((format) => `--${format}`).join(" and "),
		});
	}
	const askedRows = options.top ?? options.rows;
	const rows = askedRows === undefined ? DEFAULT_ROWS : Number(askedRows);
	if (!Number.isInteger(rows) || rows < 1) {
		throw new GomapgrowError("E-USAGE", {
			wanted: `a whole number from 1 on after ${options.top === undefined ? "--rows" : "--top"}`,
			found: JSON.stringify(askedRows),
		});
	}
	const sort = REPORT_SORTS.find((name) => name === (options.sort ?? "growths"));
	if (sort === undefined) {
		throw new GomapgrowError("E-USAGE", {
			wanted: `${REPORT_SORTS.join(", ")} after --sort`,
			found: JSON.stringify(options.sort),
		});
	}
	const fromPerf = perfScript(options.fromPerf);
	const other = asked.find((format) => format !== "table" && format !== "json");
	const pprof = profileRequest(options);
	const speedscope = fileName("--speedscope", options.speedscope);
	const file = Object.entries({ flame, pprof, speedscope }).find(([, asked]) => asked !== undefined)?.[0];
	const wrong = other ?? file;
	if (fromPerf !== undefined && wrong !== undefined) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a table or --json with --from-perf",
			found: `--${wrong}`,
			mend: "perf script | stackcollapse-perf.pl   # folds the stacks of all samples",
		});
	}
	const metric = parseMetric(options.metric);
	const diff = diffOptions(options, flame === undefined ? undefined : { path: flame, metric });
	const beside = other ?? (pprof !== undefined ? "pprof" : speedscope !== undefined ? "speedscope" : undefined);
	if (diff !== undefined && (beside !== undefined || fromPerf !== undefined)) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a table, --json or --flame with --diff",
			found: `--${beside ?? "from-perf"}`,
		});
	}
	return {
		...{ fromPerf, diff },
		format: asked[0] ?? (file === undefined ? "table" : "nothing"),
		...{ flame, pprof, speedscope, force: options.force === true },
		metric,
		...{ rows, sort },
		color: parseColor(options.color),
	};
}

/** A file, or `-`. Throws E-USAGE. */
function perfScript(value: unknown): string | undefined {
	if (value === undefined) return undefined;
	if (typeof value === "string" && value !== "") return value;
	throw new GomapgrowError("E-USAGE", { wanted: "a file after --from-perf, or -", found: JSON.stringify(value) });
}

/** The same process stands in each recording of it. */
function distinctTargets({ merged }: ReadResult): TargetRecord[] {
	const targets = merged.recordings.flatMap((recording) => recording.targets);
	return [...new Map(targets.map((target) => [`${target.pid} ${target.name}`, target])).values()];
}

function exportsOf({ pprof, speedscope, force, format }: ReportCommandOptions): RecordingExport[] {
	const exports: RecordingExport[] = [];
	if (pprof !== undefined) exports.push(profileExport(pprof));
	if (speedscope !== undefined) exports.push(speedscopeExport(speedscope, force));
	if (format === "bench") exports.push(benchExport());
	if (format === "prometheus") exports.push(prometheusExport());
	return exports;
}

function printed(
	result: ReadResult,
	graph: FlameGraphBuilder,
	adviser: Adviser,
	options: ReportCommandOptions,
): string {
	const { merged, notes } = result;
	const { isTTY, columns = 80 } = process.stdout;
	switch (options.format) {
		case "table":
			return reportText(merged, {
				...{ columns: isTTY ? columns : Number.POSITIVE_INFINITY, notes },
				...{ rows: options.rows, sort: options.sort },
				advice: topAdvice(adviser.result(), SHOWN_ADVICE),
			});
		case "json":
			return reportJson(merged, notes);
		case "folded":
			return foldedText(graph.build());
		case "ascii": {
			const env = { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM };
			const color = decideColor({ flag: options.color, env, isTTY: isTTY === true });
			return asciiFlame(graph.build(), { columns: isTTY ? columns : 100, color });
		}
		case "bench":
		case "prometheus":
		case "nothing":
			return "";
	}
}

/** `paths`: files, or `-` for standard input. Returns the exit code. Throws E-USAGE, E-IO, E-RECORD-…. */
export async function report(paths: readonly string[], options: ReportCommandOptions): Promise<number> {
	if (options.fromPerf !== undefined) {
		const { fromPerf: script, format, rows } = options;
		return await perfProfile({ script, recordings: paths, json: format === "json", rows });
	}
	if (paths.length === 0) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a recording, or - for standard input",
			found: "none",
			mend: "gomapgrow report run.ndjson.gz",
		});
	}
	if (options.diff !== undefined) {
		return await reportDiff(paths, options.diff, { json: options.format === "json", rows: options.rows });
	}
	const file = options.flame === undefined ? undefined : new NewFile(options.flame);
	try {
		const exports = exportsOf(options);
		const graph = new FlameGraphBuilder(options.metric);
		const adviser = new Adviser();
		const result = await readRecordings(paths, (record) => {
			adviser.add(record);
			if (record.type === "growth" || record.type === "work") graph.add(record);
			else if (record.type === "target") graph.addProcess(record.pid, record.name);
			for (const each of exports) each.add(record);
		});
		if (file !== undefined) {
			file.write(
				flameSvg(graph.build(), { subject: flameSubject(distinctTargets(result), result.merged.ledger?.growth) }),
			);
			if (file.failure !== undefined) {
				throw new GomapgrowError("E-IO", { wanted: "to write the flame graph", found: file.failure });
			}
		}
		const exported = exports.map((each) => each.finish(result)).join("");
		writeAll(1, exported + printed(result, graph, adviser, options));
		const inReport = options.format === "table" || options.format === "json";
		if (!inReport) writeAll(2, result.notes.map((note) => `missing: ${note}\n`).join(""));
	} finally {
		file?.close();
	}
	return EXIT.done;
}
