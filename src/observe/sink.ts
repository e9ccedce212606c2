/** What takes the records of an observation while it runs: a file, a pipe, lines, the screen, an exporter. */
import type {
	GomapgrowRecord,
	Ledger,
	LossRecord,
	OverheadRow,
	TargetRecord,
	WindowRecord,
} from "../records/records.ts";
import type { AggregateView, WindowTotals } from "../stats/aggregator.ts";
import type { Totals } from "../stats/totals.ts";

/**
 * Everything known at the end of a window. `total` and `view` are computed for the first who asks, as of that moment.
 */
export interface WindowState {
	/** Those that are observed; the last ones when all have ended. */
	readonly targets: readonly TargetRecord[];
	/** PIDs of processes that have ended. */
	readonly ended: ReadonlySet<number>;
	readonly elapsedNs: number;
	/** The window that has ended, however short it was. */
	readonly closed: WindowTotals;
	/** Sums since the start. */
	readonly total: Totals;
	readonly view: AggregateView;
	readonly ledger: Ledger;
	/** The last one of each tier. */
	readonly losses: readonly LossRecord[];
	/** What probing costs each target, against the budget. Empty when it is not measured. */
	readonly overhead: readonly OverheadRow[];
}

/**
 * One of the places that all records go to. It never waits for a reader: what cannot be written now waits in it until
 * `flush`.
 */
export interface Sink {
	/** Takes a record: `start`, then targets and events, windows, and `end` as the last one. */
	write(record: GomapgrowRecord): void;
	/** After the record of a window, for sinks that show more than what is in it. */
	window?(record: WindowRecord, state: WindowState): void;
	/** It shows the newest growth and the durations of each row: they are kept then. */
	readonly details?: boolean;
	/** Writes what waits, as far as the reader takes it; called often. */
	flush(): void;
	/** Gives files and the terminal back; safe to call at any time and more than once. */
	close(): void;
	/** Of sinks that someone reads: how far the reader is. */
	readonly reader?: BackPressure;
}

/** How far the reader of an output is. */
export interface BackPressure {
	/** False while the reader is behind: growths then stay in the kernel's ring, where a loss is counted. */
	readonly ready: boolean;
	/** Bytes that wait for the reader. */
	readonly queued: number;
	/** Nothing more can be written. */
	readonly closed: boolean;
	/** Why writing ended, when it was no closed pipe. */
	readonly failure: string | undefined;
}

/** Text for a reader who may be slow: it waits until `flush`, and `flush` never blocks (kernel/output-fd.ts). */
export interface TextOutput extends Omit<BackPressure, "ready"> {
	write(text: string): void;
	flush(): void;
}

/** An output whose reader never holds up the observation: what is written to it is little. */
export function neverBehind(output: Omit<BackPressure, "ready">): BackPressure {
	return readyWhile(output, () => true);
}

/** An output whose reader is behind when more bytes than these wait for it. */
export function behindAbove(output: Omit<BackPressure, "ready">, maxQueued: number): BackPressure {
	return readyWhile(output, () => output.queued < maxQueued);
}

function readyWhile(output: Omit<BackPressure, "ready">, ready: () => boolean): BackPressure {
	return {
		get ready() {
			return ready();
		},
		get queued() {
			return output.queued;
		},
		get closed() {
			return output.closed;
		},
		get failure() {
			return output.failure;
		},
	};
}
