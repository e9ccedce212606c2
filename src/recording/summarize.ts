/** What a recording says: the sums of its end record, or those of its windows when the end is missing, or those of its growths when there are no windows. */

import { BoundedTable, OTHER } from "../lib/bounded-table.ts";
import { amountOf, type Figure, isExact, lowerEnd } from "../records/figure.ts";
import type {
	EndReason,
	EndRecord,
	GomapgrowRecord,
	GrowthRecord,
	Ledger,
	LossRecord,
	MeasuredTiers,
	StartRecord,
	TargetRecord,
	WindowRecord,
} from "../records/records.ts";
import { Aggregator } from "../stats/aggregator.ts";
import { callsOfRecord } from "../stats/call-count.ts";
import { withInterval } from "../stats/call-sums.ts";
import { latencySum } from "../stats/latency.ts";
import { type Overhead, OverheadSum } from "../stats/overhead-sum.ts";
import type { Totals } from "../stats/totals.ts";
import { TotalsSum } from "../stats/totals-sum.ts";
import { WindowRates } from "../stats/window-rates.ts";
import { missedTexts } from "../text/children-text.ts";

export interface Recording {
	/** Absent when its beginning is missing. */
	start?: StartRecord;
	targets: TargetRecord[];
	/** Absent when it is missing. */
	end?: { reason: EndReason; complete: boolean };
	/** Time of the last record that has one. */
	until?: string;
	elapsedNs: number;
	sums: Totals;
	/** Of the end, or of the last window; absent when there is neither. */
	ledger?: Ledger;
	/** The last loss record of each stage and tier. */
	losses: LossRecord[];
	/** What was measured of each tier; absent in older recordings and without an end. */
	measured?: MeasuredTiers;
	/** Highest growth rate of a window, per second; absent when none was measured. */
	peakRate?: number;
	/** Growths per second of the last windows, oldest first; NaN for one that was not measured. */
	history: number[];
	/** How often the governor changed what is probed. */
	throttles: number;
	/** What probing cost; absent when it was not measured. */
	overhead?: Overhead;
	/** What is not there, as sentences. */
	missing: string[];
}

/** Stages and tiers that a loss record can name: a bound for recordings that somebody else wrote. */
export const MAX_LOSSES = 64;
/** More processes are not listed. */
const MAX_TARGETS = 4096;

/** Windows whose rates are kept. */
const HISTORY = 300;
/** A window shorter than this part of the usual one (the last one) gives no rate. */
const LEAST_WINDOW = 0.5;
/** Growth work of so much of the time may be missing before its sum is taken to be a lower end. */
const UNCOVERED = 0.1;

/** Takes the records of one recording in their order. Memory is bounded as those of the aggregator and of the sums are. */
export class RecordingReader {
	/** Counts the growth records: single maps and goroutines, kinds and causes, and the sums where nothing else tells them. */
	readonly #records = new Aggregator();
	/** Growth records since the last window. */
	#open = new Aggregator();
	readonly #windows = new TotalsSum("elsewhere");
	readonly #rates = new WindowRates(HISTORY);
	readonly #losses = new BoundedTable<string, LossRecord>(MAX_LOSSES);
	/** The first ones. */
	readonly #targets = new Map<string, TargetRecord>();
	readonly #overhead = new OverheadSum();
	#start: StartRecord | undefined;
	#end: EndRecord | undefined;
	#window: WindowRecord | undefined;
	#until: string | undefined;
	#elapsedNs = 0;
	#growthRecords = 0;
	#throttles = 0;
	/** How much of the time growths and growth work were not measured, or belong to a period that is not over. */
	readonly #uncoveredNs = { growths: 0, work: 0 };
	/** Rows say which process they are of; older ones do not. */
	#withPid = false;

	constructor(start: StartRecord | undefined) {
		this.#start = start;
		this.#until = start?.time;
	}

	get ended(): boolean {
		return this.#end !== undefined;
	}

	/** Takes any record but a start. */
	add(record: Exclude<GomapgrowRecord, StartRecord>): void {
		this.#until = record.time;
		if ("elapsed_ns" in record) this.#elapsedNs = Math.max(this.#elapsedNs, record.elapsed_ns);
		switch (record.type) {
			case "target":
				if (this.#targets.size < MAX_TARGETS) this.#targets.set(`${record.pid} ${record.exe}`, record);
				return;
			case "growth":
				this.#addGrowth(record);
				return;
			case "overlap":
				this.#records.addOverlap(record);
				return;
			case "window":
				this.#closeWindow(record);
				return;
			case "loss":
				this.#losses.set(`${record.stage} ${record.tier}`, record);
				return;
			case "throttle":
				this.#throttles++;
				return;
			case "end":
				this.#end = record;
				return;
			case "exit":
				return;
			case "work":
				// Samples: the calls themselves are counted in windows.
				return;
		}
	}

	#addGrowth(record: GrowthRecord): void {
		this.#growthRecords++;
		const count = callsOfRecord(record);
		this.#records.addGrowth(record);
		for (const sums of [this.#records, this.#open]) sums.addCalls(count);
	}

	#closeWindow(window: WindowRecord): void {
		this.#window = window;
		const { interval_ns, covers_ns, growths, work, overhead = [] } = window;
		this.#withPid ||= window.sites.some(({ pid }) => pid !== undefined);
		const totals = windowTotals(window);
		this.#windows.add(totals);
		this.#open = new Aggregator();
		if (interval_ns >= LEAST_WINDOW * (this.#start?.interval_ns ?? 0)) this.#rates.push(totals, interval_ns);
		this.#overhead.add(overhead, interval_ns);
		const uncovered = this.#uncoveredNs;
		if (growths === undefined) uncovered.growths += interval_ns;
		// A period can be longer than a window: it is in the one in which it ended.
		uncovered.work += interval_ns - (work === undefined ? 0 : isExact(work) ? interval_ns : (covers_ns ?? interval_ns));
	}

	finish(): Recording {
		const { peak, history } = this.#rates.values().growths;
		const end = this.#end;
		const ledger = end?.ledger ?? this.#window?.ledger;
		const overhead = this.#overhead.result();
		const recording: Recording = {
			targets: [...this.#targets.values()],
			elapsedNs: this.#elapsedNs,
			sums: end === undefined ? this.#ownSums() : endSums(end, this.#records.total()),
			losses: this.#losses.values(),
			history,
			throttles: this.#throttles,
			missing: this.#missing(ledger),
		};
		if (this.#start !== undefined) recording.start = this.#start;
		if (end !== undefined) recording.end = { reason: end.reason, complete: end.complete };
		if (end?.measured !== undefined) recording.measured = end.measured;
		if (ledger !== undefined) recording.ledger = ledger;
		if (peak !== undefined) recording.peakRate = amountOf(peak);
		if (overhead !== undefined) recording.overhead = overhead;
		if (this.#until !== undefined) recording.until = this.#until;
		return recording;
	}

	/** The sums of the windows, and the growths since the last of them; without windows those of all growths. */
	#ownSums(): Totals {
		const { overlaps = 0, ...records } = growthsOnly(this.#records.total());
		const watched = this.#window?.overlaps !== undefined || overlaps > 0 ? { overlaps } : {};
		if (this.#window === undefined) return { ...records, ...watched };
		const windows = this.#windows.result();
		const exact = windows.growths !== undefined && isExact(windows.growths);
		const { growths: counted, work: worked, overlaps: _, ...sums } = exact ? this.#withOpen(windows) : windows;
		const growths = this.#covered("growths", counted);
		const work = this.#covered("work", worked);
		return {
			...sums,
			...(growths === undefined ? {} : { growths }),
			...(work === undefined ? {} : { work }),
			...recordedDetails(records, growths),
			...{ maps: records.maps, goroutines: records.goroutines },
			...watched,
		};
	}

	#covered(name: "growths" | "work", sum: Figure | undefined): Figure | undefined {
		if (sum === undefined || this.#uncoveredNs[name] <= UNCOVERED * this.#elapsedNs) return sum;
		return { at_least: lowerEnd(sum) };
	}

	/** With the growths since the last window, where each of them is a record. */
	#withOpen(windows: Totals): Totals {
		const sum = new TotalsSum("elsewhere");
		sum.add(windows);
		const { time_ns } = windows;
		const open = growthsOnly(this.#open.total());
		const rows = this.#withPid ? {} : { sites: open.sites.map(withoutPid), types: open.types.map(withoutPid) };
		sum.add({ ...open, ...rows, ...(time_ns === undefined ? {} : { time_ns: 0 }) });
		return sum.result();
	}

	#missing(ledger: Ledger | undefined): string[] {
		const missing: string[] = [];
		const end = this.#end;
		if (this.#start === undefined) missing.push("its beginning is missing");
		if (end === undefined) {
			const until = this.#until === undefined ? "" : `: growths are counted until ${this.#until}`;
			const work =
				this.#window === undefined
					? "growth work and durations are not known"
					: `growth work and durations until ${this.#window.time}`;
			missing.push(`its end is missing${until}, ${work}`);
		}
		const children = (end ?? this.#window)?.children;
		if (children !== undefined) missing.push(...missedTexts(children));
		const recorded = ledger?.growth.recorded ?? 0;
		if (this.#growthRecords < recorded) {
			missing.push(`of ${recorded} recorded growths only ${this.#growthRecords} are in the recording`);
		}
		return missing;
	}
}

function withoutPid<Row extends { pid?: number }>({ pid: _, ...row }: Row): Omit<Row, "pid"> {
	return row;
}

/** What growth records alone say: of growth work they say nothing. */
function growthsOnly({ work: _, ...totals }: Totals): Totals {
	return {
		...totals,
		types: totals.types.map(({ work: __, ...row }) => row),
		sites: totals.sites.map(({ work: __, ...row }) => row),
	};
}

/** Kinds, causes and what is copied are in the growth records alone. */
function recordedDetails(records: Totals, growths: Figure | undefined) {
	const { kinds, causes, bytes_moved, growths_with_moved, growths_with_bytes } = records;
	const [recorded, all] = [amountOf(records.growths), amountOf(growths)];
	return {
		...{ kinds, causes, bytes_moved, growths_with_moved },
		growths_with_bytes: recorded === 0 ? all : Math.round((all * growths_with_bytes) / recorded),
	};
}

type Recorded = Pick<EndRecord, "growths" | "work" | "bytes" | "calls" | "types" | "sites" | "latency">;

/** The sums that a window and the end have in common. */
function recordedTotals(record: Recorded): Omit<Totals, "maps" | "goroutines" | "kinds" | "causes"> {
	const { bytes, calls, types, sites, latency } = record;
	const growths = withInterval(record.growths, calls, "growth");
	const work = withInterval(record.work, calls, "work");
	const folded = sites.find((row) => row.fn === OTHER);
	return {
		...(growths === undefined ? {} : { growths }),
		...(work === undefined ? {} : { work }),
		...(bytes === undefined ? {} : { bytes }),
		...{ growths_with_bytes: amountOf(growths), bytes_moved: 0, growths_with_moved: 0 },
		...timeOf(sites, amountOf(growths)),
		...{ calls, types, sites, latency: latency.map(latencySum), targets: [] },
		folded: {
			...(folded?.growths === undefined ? {} : { growths: folded.growths }),
			...(folded?.work === undefined ? {} : { work: folded.work }),
		},
	};
}

/** Rows add up to the total. In older recordings they have no process, and their time is elapsed time of growths alone. */
function timeOf(sites: EndRecord["sites"], growths: number): Pick<Totals, "time_ns"> {
	const timed = sites.filter(({ duration_ns }) => duration_ns !== undefined);
	if (timed.some(({ pid, fn }) => pid === undefined && fn !== OTHER)) return {};
	if (timed.length === 0 && growths > 0) return {};
	return { time_ns: timed.reduce((sum, { duration_ns = 0 }) => sum + duration_ns, 0) };
}

function windowTotals(window: WindowRecord): Totals {
	const { covers_ns } = window;
	return {
		...recordedTotals(window),
		...(covers_ns === undefined ? {} : { covers_ns }),
		...{ kinds: {}, causes: {}, maps: [], goroutines: [] },
	};
}

function endSums(end: EndRecord, records: Totals): Totals {
	const { maps, goroutines, overlaps } = end;
	const totals = recordedTotals(end);
	return {
		...totals,
		...recordedDetails(records, totals.growths),
		...{ maps, goroutines },
		...(overlaps === undefined ? {} : { overlaps }),
	};
}
