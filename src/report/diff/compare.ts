/** Two sides compared, place by place. */

import { compareText } from "../../lib/compare.ts";
import { amountOf } from "../../records/figure.ts";
import { DIFF_METRICS, type DiffMetric, type DiffSide, type Place } from "./side.ts";

export type DiffUnit = "total" | "second";

export interface Change {
	before: number;
	after: number;
	/** By how much it rose at least and at most, as parts of before; equal where there is no noise to be told from change. */
	least: number;
	most: number;
}

export interface DiffRow extends Place {
	status: "added" | "gone" | "changed" | "noise" | "same";
	growths: Change;
	bytes: Change;
}

export interface Diff {
	unit: DiffUnit;
	/** Most change in growths first. */
	rows: DiffRow[];
	all: Record<DiffMetric, Change>;
}

/** Fewer windows on a side say nothing about noise. */
export const LEAST_WINDOWS = 6;
/** Standard errors on both sides of a mean: about 95 %. */
const ERRORS = 2;

/** 0.1: a tenth more. From nothing to something is more than any limit. */
function rise(before: number, after: number): number {
	if (before > 0) return after / before - 1;
	return after > 0 ? Number.POSITIVE_INFINITY : 0;
}

function exactChange(before: number, after: number): Change {
	const change = rise(before, after);
	return { before, after, least: change, most: change };
}

function rateChange(base: DiffSide, now: DiffSide, key: string, metric: DiffMetric): Change {
	const [old, fresh] = [base.samples.rateOf(key, metric), now.samples.rateOf(key, metric)];
	const error = ERRORS * Math.hypot(old.error, fresh.error);
	const { mean: before } = old;
	const { mean: after } = fresh;
	if (!Number.isFinite(error)) {
		return { before, after, least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };
	}
	return { before, after, least: rise(before, Math.max(0, after - error)), most: rise(before, after + error) };
}

function statusOf(before: boolean, after: boolean, { growths, bytes }: Record<DiffMetric, Change>): DiffRow["status"] {
	if (!before) return "added";
	if (!after) return "gone";
	if (growths.before === growths.after && bytes.before === bytes.after) return "same";
	return [growths, bytes].some(({ least, most }) => least > 0 || most < 0) ? "changed" : "noise";
}

/** `unit`: totals of the recordings, or rates of their windows. */
export function compareSides(base: DiffSide, now: DiffSide, unit: DiffUnit): Diff {
	const keys = new Set([...now.places.keys(), ...base.places.keys()]);
	const rows = Array.from(keys, (key): DiffRow => {
		const [old, fresh] = [base.places.get(key), now.places.get(key)];
		const place = fresh ?? old;
		if (place === undefined) throw new Error("a place is on one of the sides");
		const changes = Object.fromEntries(
			DIFF_METRICS.map((metric) => [
				metric,
				unit === "second"
					? rateChange(base, now, key, metric)
					: exactChange(amountOf(old?.[metric]), amountOf(fresh?.[metric])),
			]),
		) as Record<DiffMetric, Change>;
		const { fn, map_type, file, line } = place;
		return {
			...{ fn, map_type },
			...(file === undefined ? {} : { file }),
			...(line === undefined ? {} : { line }),
			status: statusOf(amountOf(old?.growths) > 0, amountOf(fresh?.growths) > 0, changes),
			...changes,
		};
	}).filter(({ growths, bytes }) => growths.before + growths.after + bytes.before + bytes.after > 0);
	const weight = ({ growths }: DiffRow) => Math.abs(growths.after - growths.before);
	rows.sort((a, b) => weight(b) - weight(a) || compareText(a.fn, b.fn) || compareText(a.map_type, b.map_type));
	const all = Object.fromEntries(
		DIFF_METRICS.map((metric) => [metric, sumOf(rows.map((row) => row[metric]))]),
	) as Record<DiffMetric, Change>;
	return { unit, rows, all };
}

function sumOf(changes: readonly Change[]): Change {
	return exactChange(
		changes.reduce((sum, { before }) => sum + before, 0),
		changes.reduce((sum, { after }) => sum + after, 0),
	);
}
