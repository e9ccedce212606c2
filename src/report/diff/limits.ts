/** `--fail-above growths=0%,bytes=5%`: which places rose by more than that, and whether it can be told. */
import { GomapgrowError } from "../../errors/error.ts";
import { type Diff, type DiffRow, LEAST_WINDOWS } from "./compare.ts";
import { DIFF_METRICS, type DiffMetric, type DiffSide } from "./side.ts";

export type Limits = ReadonlyMap<DiffMetric, number>;

export interface Verdict {
	/** Why it cannot be told; absent: it can. */
	cannot?: string;
	above: { row: DiffRow; metric: DiffMetric; limit: number }[];
}

/** Throws E-USAGE. */
export function parseLimits(text: string): Limits {
	const limits = new Map<DiffMetric, number>();
	for (const part of text.split(",")) {
		const match = /^(\w+)=(\d+(?:\.\d+)?)%$/.exec(part.trim());
		const metric = DIFF_METRICS.find((name) => name === match?.[1]);
		if (match === null || metric === undefined || limits.has(metric)) {
			throw new GomapgrowError("E-USAGE", {
				wanted: "limits after --fail-above, each once, like growths=0%,bytes=5%",
				found: JSON.stringify(text),
			});
		}
		limits.set(metric, Number(match[2]) / 100);
	}
	return limits;
}

/** Undefined: both sides can be compared in this unit, and nothing is missing. */
export function obstacle(base: DiffSide, now: DiffSide, unit: Diff["unit"]): string | undefined {
	for (const [name, side] of [
		["the base", base],
		["the new side", now],
	] as const) {
		const [fault] = side.faults;
		if (fault !== undefined) return `${name} is not complete: ${fault}`;
	}
	if (unit === "second") {
		const short = [base, now].find(({ samples }) => samples.count < LEAST_WINDOWS);
		if (short === undefined) return undefined;
		return `${short.samples.count} windows are too few to tell noise from change: record ${LEAST_WINDOWS} and more`;
	}
	if (!base.wholeRuns || !now.wholeRuns) {
		return "totals can be compared of complete recordings of `run` only: compare rates with --per second";
	}
	for (const [program, count] of now.programs) {
		const before = base.programs.get(program);
		if (before !== undefined && before !== count)
			return `${program} was recorded ${before} times before and ${count} times now`;
	}
	return undefined;
}

export function judge(diff: Diff, limits: Limits, base: DiffSide, now: DiffSide): Verdict {
	const cannot = obstacle(base, now, diff.unit);
	if (cannot !== undefined) return { cannot, above: [] };
	const above = diff.rows.flatMap((row) =>
		[...limits].flatMap(([metric, limit]) => (row[metric].least > limit ? [{ row, metric, limit }] : [])),
	);
	return { above };
}
