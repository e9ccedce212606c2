/** What shows an observation while it runs: records as NDJSON, a line per window, or the screen. */

import type {
	EndRecord,
	GrowthRecord,
	Ledger,
	LossRecord,
	OverheadRow,
	OverlapRecord,
	StartRecord,
	TargetRecord,
	ThrottleRecord,
	WindowRecord,
	WorkRecord,
} from "../records/records.ts";
import type { AggregateView, WindowTotals } from "../stats/aggregator.ts";
import type { Totals } from "../stats/totals.ts";

/** Everything known at the end of a window. */
export interface LiveState {
	/** Those that are observed; the last ones when all have ended. */
	targets: readonly TargetRecord[];
	/** PIDs of processes that have ended. */
	ended: ReadonlySet<number>;
	elapsedNs: number;
	/** The window that has ended, however short it was. */
	closed: WindowTotals;
	view: AggregateView;
	ledger: Ledger;
	losses: readonly LossRecord[];
	/** What probing costs each target, against the budget. Empty when it is not measured. */
	overhead: readonly OverheadRow[];
}

export interface EndState {
	targets: readonly TargetRecord[];
	total: Totals;
	losses: readonly LossRecord[];
}

export interface LiveView {
	/** False while the reader of the output is behind: growths then stay in the kernel's ring, where a loss is counted. */
	ready(): boolean;
	/** The reader has gone. */
	closed(): boolean;
	/** The errno for which writing ended, when it was no closed pipe. */
	failure(): string | undefined;
	/** Probes are about to be attached to so many processes, which can take some seconds. */
	attaching?(processes: number): void;
	start(record: StartRecord): void;
	target(record: TargetRecord): void;
	growth(record: GrowthRecord): void;
	work(record: WorkRecord): void;
	overlap(record: OverlapRecord): void;
	window(record: WindowRecord, state: LiveState): void;
	loss(record: LossRecord): void;
	throttle(record: ThrottleRecord): void;
	end(record: EndRecord, state: EndState): void;
	/** Writes what waits; called often. */
	flush(): void;
	/** Bytes that wait for the reader. */
	queued(): number;
	/** Gives the terminal back; safe to call at any time and more than once. */
	restore(): void;
}
