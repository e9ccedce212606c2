/** What a recording says: the sums of its end record, or those of its records when the end is missing. */
import { BoundedTable, OTHER } from "../lib/bounded-table.ts";
import type {
	EndReason,
	EndRecord,
	GomapgrowRecord,
	Ledger,
	LossRecord,
	StartRecord,
	TargetRecord,
	WindowRecord,
} from "../records/records.ts";
import { Aggregator } from "../stats/aggregator.ts";
import { CallSums } from "../stats/call-sums.ts";
import { latencySum } from "../stats/latency.ts";
import type { Totals } from "../stats/totals.ts";

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
	/** Highest growth rate of a window, per second. */
	peakRate: number;
	/** Growths per second of the last windows, oldest first. */
	history: number[];
	/** How often the governor changed what is probed. */
	throttles: number;
	/** The highest share of a target's processor time that probing took in a window; absent when it was not measured. */
	overhead?: { most: number; budget?: number };
	/** What is not there, as sentences. */
	missing: string[];
}

/** Stages and tiers that a loss record can name: a bound for recordings that somebody else wrote. */
export const MAX_LOSSES = 64;
/** More processes are not listed. */
const MAX_TARGETS = 4096;

/** Takes the records of one recording in their order. Memory is bounded as that of the aggregator is. */
export class RecordingReader {
	readonly #aggregator: Aggregator;
	/** Calls of finished windows, and growths since the last of them. */
	readonly #calls = new CallSums();
	#openCalls = new CallSums();
	readonly #losses = new BoundedTable<string, LossRecord>(MAX_LOSSES);
	/** The first ones. */
	readonly #targets = new Map<string, TargetRecord>();
	#start: StartRecord | undefined;
	#end: EndRecord | undefined;
	#window: WindowRecord | undefined;
	#until: string | undefined;
	#elapsedNs = 0;
	#windows = 0;
	#windowGrowths = 0;
	#throttles = 0;
	#overhead: { most: number; budget?: number } | undefined;

	constructor(start: StartRecord | undefined) {
		this.#start = start;
		this.#until = start?.time;
		this.#aggregator = new Aggregator(start === undefined ? {} : { intervalNs: start.interval_ns });
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
				this.#aggregator.addGrowth(record);
				this.#openCalls.addTo(record.fn, record.weight ?? 1);
				return;
			case "overlap":
				this.#aggregator.addOverlap(record);
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
			case "work":
				// Samples: the calls themselves are counted in windows.
				return;
		}
	}

	#closeWindow(window: WindowRecord): void {
		this.#window = window;
		this.#windows++;
		this.#windowGrowths += window.growths;
		for (const { fn, file, line, map_type, work } of window.sites) {
			const place = { fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
			// A window does not tell which process and function of the work tier: that is in `targets` and `calls`.
			this.#aggregator.addWork({ pid: 0, fn: OTHER, map_type, site: fn === "" ? undefined : place, calls: work });
		}
		for (const row of window.latency) this.#aggregator.addLatency(latencySum(row));
		this.#aggregator.closeWindow(window.interval_ns);
		this.#calls.add(window.calls);
		this.#openCalls = new CallSums();
		for (const { overhead, budget } of window.overhead ?? []) {
			if (overhead < (this.#overhead?.most ?? 0)) continue;
			this.#overhead = budget === undefined ? { most: overhead } : { most: overhead, budget };
		}
	}

	finish(): Recording {
		const { peakRate, history } = this.#aggregator.view();
		const total = this.#aggregator.total();
		const end = this.#end;
		const ledger = end?.ledger ?? this.#window?.ledger;
		const recording: Recording = {
			targets: [...this.#targets.values()],
			elapsedNs: this.#elapsedNs,
			sums: end === undefined ? this.#ownSums(total) : endSums(end, total),
			losses: this.#losses.values(),
			peakRate,
			history,
			throttles: this.#throttles,
			missing: this.#missing(total),
		};
		if (this.#start !== undefined) recording.start = this.#start;
		if (end !== undefined) recording.end = { reason: end.reason, complete: end.complete };
		if (ledger !== undefined) recording.ledger = ledger;
		if (this.#overhead !== undefined) recording.overhead = this.#overhead;
		if (this.#until !== undefined) recording.until = this.#until;
		return recording;
	}

	/**
	 * Calls are those of the windows, and the growths since the last of them: the functions of the work tier are not
	 * known otherwise.
	 */
	#ownSums({ overlaps, ...total }: Totals): Totals {
		const calls = new CallSums();
		calls.merge(this.#calls);
		calls.merge(this.#openCalls);
		const watched = this.#window?.overlaps !== undefined || (overlaps ?? 0) > 0;
		return { ...total, calls: calls.sums(), ...(watched ? { overlaps: overlaps ?? 0 } : {}) };
	}

	#missing(total: Totals): string[] {
		const missing: string[] = [];
		const end = this.#end;
		if (this.#start === undefined) missing.push("its beginning is missing");
		if (end === undefined) {
			const until = this.#until === undefined ? "" : `: growths are counted until ${this.#until}`;
			const work =
				this.#window === undefined
					? "work calls and durations are not known"
					: `work calls and durations until ${this.#window.time}`;
			missing.push(`its end is missing${until}, ${work}`);
		}
		// The sums of windows are rounded when growths stand for several.
		const counted = end?.growths ?? this.#windowGrowths - this.#windows;
		if (total.growths < counted) missing.push(`of ${counted} growths only ${total.growths} are in the recording`);
		return missing;
	}
}

/** Kinds, causes and the number of growths with a size are in the growths alone. */
function endSums(end: EndRecord, own: Totals): Totals {
	const { growths, work, bytes, calls, types, sites, latency, maps, goroutines, overlaps } = end;
	const { kinds, causes, bytes_moved, growths_with_moved } = own;
	const folded = sites.find((row) => row.fn === OTHER);
	return {
		...{ growths, work, bytes, bytes_moved, growths_with_moved, kinds, causes },
		growths_with_bytes: own.growths === 0 ? growths : own.growths_with_bytes,
		...{ calls, types, sites, latency: latency.map(latencySum), maps, goroutines },
		...(overlaps === undefined ? {} : { overlaps }),
		targets: [],
		folded: { growths: folded?.growths ?? 0, work: folded?.work ?? 0 },
	};
}
