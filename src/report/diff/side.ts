/** One side of a comparison: totals of its recordings, and the rates of its windows, by function and map type. */
import { FoldingTable, OTHER } from "../../lib/bounded-table.ts";
import type { MergedRecordings } from "../../recording/merge.ts";
import type { Recording } from "../../recording/summarize.ts";
import { addMeasured, type Figure, isExact } from "../../records/figure.ts";
import type { GomapgrowRecord, SiteRow, WindowRecord } from "../../records/records.ts";

export const DIFF_METRICS = ["growths", "bytes"] as const;
export type DiffMetric = (typeof DIFF_METRICS)[number];

/** A function and a map type: lines shift with every edit. */
export interface Place {
	fn: string;
	map_type: string;
	/** Where it was on this side. */
	file?: string;
	line?: number;
}

/** Rates of windows: how many there are, their sum and the sum of their squares. Windows without the place count as 0. */
interface Samples {
	sum: number;
	squares: number;
}

interface Rates {
	growths: Samples;
	bytes: Samples;
}

/** Places with rates of their own. */
const MAX_PLACES = 4096;
/** A window shorter than this part of the usual one gives no rate. */
const LEAST_WINDOW = 0.5;
const NS = 1e9;

export function placeKey({ fn, map_type }: Pick<Place, "fn" | "map_type">): string {
	return `${fn}\n${map_type}`;
}

/** Collects what `readRecordings` passes on. */
export class WindowSamples {
	readonly #rates = new FoldingTable<string, Rates>(MAX_PLACES, OTHER, newRates);
	#usualNs = 0;
	/** Windows whose growths were counted in full. */
	count = 0;
	/** Windows that were not. */
	unmeasured = 0;

	add(record: GomapgrowRecord): void {
		if (record.type === "window") this.#addWindow(record);
	}

	#addWindow({ interval_ns, growths, sites }: WindowRecord): void {
		this.#usualNs = Math.max(this.#usualNs, interval_ns);
		if (interval_ns <= 0 || interval_ns < LEAST_WINDOW * this.#usualNs) return;
		if (growths === undefined || !isExact(growths)) {
			this.unmeasured++;
			return;
		}
		this.count++;
		for (const [key, rows] of byPlace(sites)) {
			const rates = this.#rates.getOrAdd(key, newRates);
			for (const metric of DIFF_METRICS) {
				const sum = addMeasured(rows.map((row) => row[metric]));
				if (sum === undefined || !isExact(sum)) continue;
				const rate = (sum * NS) / interval_ns;
				rates[metric].sum += rate;
				rates[metric].squares += rate * rate;
			}
		}
	}

	/** Mean rate per second, and the standard error of the mean. */
	rateOf(key: string, metric: DiffMetric): { mean: number; error: number } {
		const { sum, squares } = this.#rates.get(key)?.[metric] ?? { sum: 0, squares: 0 };
		if (this.count === 0) return { mean: 0, error: Number.POSITIVE_INFINITY };
		const mean = sum / this.count;
		const variance =
			this.count < 2 ? Number.POSITIVE_INFINITY : Math.max(0, squares - this.count * mean * mean) / (this.count - 1);
		return { mean, error: Math.sqrt(variance / this.count) };
	}
}

function newRates(): Rates {
	return { growths: { sum: 0, squares: 0 }, bytes: { sum: 0, squares: 0 } };
}

function byPlace(sites: readonly SiteRow[]): Map<string, SiteRow[]> {
	const rows = new Map<string, SiteRow[]>();
	for (const row of sites) {
		const key = placeKey(row);
		const known = rows.get(key);
		if (known === undefined) rows.set(key, [row]);
		else known.push(row);
	}
	return rows;
}

export interface DiffSide {
	/** Totals; the figures of a place are absent where they were not measured. */
	places: ReadonlyMap<string, Place & { growths?: Figure; bytes?: Figure }>;
	samples: WindowSamples;
	seconds: number;
	/** Why it cannot be judged; empty: it is complete, and everything was counted. */
	faults: string[];
	/** Every recording is of a command of `run`, from its first instruction to its end. */
	wholeRuns: boolean;
	/** How many recordings there are of each program. */
	programs: ReadonlyMap<string, number>;
}

export function diffSide(merged: MergedRecordings, notes: readonly string[], samples: WindowSamples): DiffSide {
	const places: [string, Place & { growths?: Figure; bytes?: Figure }][] = [];
	for (const [key, rows] of byPlace(merged.sums.sites)) {
		const at = rows.find(({ file }) => file !== undefined) ?? rows[0];
		if (at === undefined) continue;
		const { fn, map_type, file, line } = at;
		const [growths, bytes] = DIFF_METRICS.map((metric) => addMeasured(rows.map((row) => row[metric])));
		places.push([
			key,
			{
				...{ fn, map_type },
				...(file === undefined ? {} : { file }),
				...(line === undefined ? {} : { line }),
				...(growths === undefined ? {} : { growths }),
				...(bytes === undefined ? {} : { bytes }),
			},
		]);
	}
	const programs = new Map<string, number>();
	for (const recording of merged.recordings) {
		const name = recording.targets[0]?.name ?? "";
		programs.set(name, (programs.get(name) ?? 0) + 1);
	}
	return {
		...{ samples, programs, places: new Map(places), seconds: merged.elapsedNs / NS },
		faults: [...notes, ...merged.recordings.flatMap(faultsOf)],
		wholeRuns: merged.count === merged.recordings.length && merged.recordings.every(isWholeRun),
	};
}

function isWholeRun({ start, end }: Recording): boolean {
	return start?.command[0] === "run" && end?.reason === "target-exit";
}

function faultsOf({ end, sums, measured }: Recording): string[] {
	const faults: string[] = [];
	if (end?.complete === false) faults.push("events were lost");
	if (sums.growths !== undefined && !isExact(sums.growths))
		faults.push("growths are an estimate: record with --budget off");
	else if (measured !== undefined && measured.growth !== "all") faults.push("growths were not counted all the time");
	return faults;
}
