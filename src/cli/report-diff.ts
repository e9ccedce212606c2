/** `gomapgrow report NEW --diff BASE`: what changed, and whether it is within limits. */
import { appendFileSync } from "node:fs";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { differenceGraph } from "../export/flame/difference.ts";
import type { FlameMetric } from "../export/flame/metric.ts";
import { flameSvg } from "../export/flame/svg.ts";
import { FlameGraphBuilder } from "../export/flame/tree.ts";
import { NewFile } from "../export/new-file.ts";
import { sanitize } from "../lib/sanitize.ts";
import { readRecordings } from "../recording/read.ts";
import { compareSides, type Diff, type DiffUnit } from "../report/diff/compare.ts";
import { judge, type Limits, parseLimits, type Verdict } from "../report/diff/limits.ts";
import { type DiffSide, diffSide, WindowSamples } from "../report/diff/side.ts";
import { annotations, diffMarkdown, diffText, verdictText } from "../report/diff/text.ts";
import { writeAll } from "./write-all.ts";

export interface DiffOptions {
	base: string;
	/** Absent: totals of complete recordings of `run`, and with limits; rates otherwise. */
	unit: DiffUnit | undefined;
	limits: Limits | undefined;
	/** A flame graph of the new side, red where it rose and blue where it fell. */
	flame: { path: string; metric: FlameMetric } | undefined;
}

/** The checked --diff, with --per and --fail-above that belong to it. Throws E-USAGE. */
export function diffOptions(options: Record<string, unknown>, flame: DiffOptions["flame"]): DiffOptions | undefined {
	const { diff, per, failAbove } = options;
	if (diff === undefined) {
		if (per === undefined && failAbove === undefined) return undefined;
		throw new GomapgrowError("E-USAGE", {
			wanted: "--diff <base> with --per and --fail-above",
			found: "none",
			mend: "gomapgrow report new.ndjson.gz --diff base.ndjson.gz --fail-above growths=0%",
		});
	}
	if (per !== undefined && per !== "second" && per !== "total") {
		throw new GomapgrowError("E-USAGE", {
			wanted: "second or total after --per",
			found: JSON.stringify(per) ?? "nothing",
		});
	}
	return {
		base: String(diff),
		unit: per,
		flame,
		limits: failAbove === undefined ? undefined : parseLimits(String(failAbove)),
	};
}

interface Read {
	side: DiffSide;
	notes: string[];
	graph: FlameGraphBuilder;
}

async function readSide(paths: readonly string[], metric: FlameMetric): Promise<Read> {
	const samples = new WindowSamples();
	const graph = new FlameGraphBuilder(metric);
	const { merged, notes } = await readRecordings(paths, (record) => {
		samples.add(record);
		if (record.type === "growth" || record.type === "work") graph.add({ ...record, pid: 0 });
	});
	return { side: diffSide(merged, notes, samples), notes, graph };
}

function writeFlame(file: NewFile, before: Read, now: Read, unit: DiffUnit): void {
	const scale = unit === "second" && before.side.seconds > 0 ? now.side.seconds / before.side.seconds : 1;
	const graph = differenceGraph(before.graph.build(), now.graph.build(), scale);
	file.write(flameSvg(graph, { subject: "compared with the base" }));
	if (file.failure !== undefined)
		throw new GomapgrowError("E-IO", { wanted: "to write the flame graph", found: file.failure });
}

/** Returns the exit code: 5 above a limit, 1 where it cannot be judged. Throws E-USAGE, E-IO, E-RECORD-…. */
export async function reportDiff(
	paths: readonly string[],
	{ base, unit: asked, limits, flame }: DiffOptions,
	{ json, rows }: { json: boolean; rows: number },
): Promise<number> {
	const file = flame === undefined ? undefined : new NewFile(flame.path);
	const metric = flame?.metric ?? "growths";
	const [before, now] = [await readSide([base], metric), await readSide(paths, metric)];
	const whole = before.side.wholeRuns && now.side.wholeRuns;
	const unit = asked ?? (whole || limits !== undefined ? "total" : "second");
	const diff = compareSides(before.side, now.side, unit);
	if (file !== undefined) writeFlame(file, before, now, unit);
	file?.close();
	const verdict = limits === undefined ? undefined : judge(diff, limits, before.side, now.side);
	const { isTTY, columns = 80 } = process.stdout;
	const notes = [...before.notes, ...now.notes];
	writeAll(
		1,
		json
			? diffJson(diff, verdict, notes)
			: diffText(diff, verdict, { columns: isTTY ? columns : Number.POSITIVE_INFINITY, rows, notes }),
	);
	forGithub(diff, verdict, rows, json ? 2 : 1);
	if (verdict === undefined) return EXIT.done;
	if (verdict.cannot !== undefined) {
		writeAll(2, `gomapgrow: ${verdictText(verdict)}\n`);
		return EXIT.failed;
	}
	return verdict.above.length > 0 ? EXIT.check : EXIT.done;
}

function diffJson(diff: Diff, verdict: Verdict | undefined, notes: readonly string[]): string {
	const above = verdict?.above.map(({ row, metric, limit }) => ({ fn: row.fn, map_type: row.map_type, metric, limit }));
	const change = ({ before, after }: { before: number; after: number }) => [before, after];
	const report = {
		...{ schema: 1, per: diff.unit },
		...{ growths: change(diff.all.growths), bytes: change(diff.all.bytes) },
		rows: diff.rows.map(({ growths, bytes, ...row }) => ({ ...row, growths: change(growths), bytes: change(bytes) })),
		...(verdict === undefined
			? {}
			: { above, ...(verdict.cannot === undefined ? {} : { cannot_judge: verdict.cannot }) }),
		missing: notes,
	};
	const safe = (_key: string, value: unknown) => (typeof value === "string" ? sanitize(value, 1 << 20) : value);
	return `${JSON.stringify(report, safe)}\n`;
}

/** Annotations and the summary of a step, where GitHub Actions runs us. */
function forGithub(diff: Diff, verdict: Verdict | undefined, rows: number, fd: number): void {
	const { GITHUB_ACTIONS, GITHUB_STEP_SUMMARY, GITHUB_WORKSPACE } = process.env;
	if (GITHUB_ACTIONS !== "true") return;
	if (verdict !== undefined) writeAll(fd, annotations(diff, verdict, GITHUB_WORKSPACE));
	if (GITHUB_STEP_SUMMARY === undefined || GITHUB_STEP_SUMMARY === "") return;
	try {
		appendFileSync(GITHUB_STEP_SUMMARY, diffMarkdown(diff, verdict, rows));
	} catch (error) {
		throw new GomapgrowError("E-IO", {
			wanted: "to write the summary of the step",
			found: String(error),
			cause: error,
		});
	}
}
