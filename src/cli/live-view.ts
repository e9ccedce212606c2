/** What shows an observation while it runs: records as NDJSON, a line per window, or the screen. */
import type { AggregateView } from "../analyze/aggregator.ts";
import type { Tally } from "../analyze/tally.ts";
import type {
	EndRecord,
	GrowthRecord,
	Ledger,
	LossRecord,
	StartRecord,
	TargetRecord,
	WindowRecord,
} from "../model/records.ts";

/** Everything known at the end of a window. */
export interface LiveState {
	targets: readonly TargetRecord[];
	elapsedNs: number;
	view: AggregateView;
	ledger: Ledger;
	losses: readonly LossRecord[];
}

export interface EndState {
	targets: readonly TargetRecord[];
	total: Tally;
	losses: readonly LossRecord[];
}

export interface LiveView {
	/** False while the reader of the output is behind: growths then stay in the kernel's ring, where a loss is counted. */
	ready(): boolean;
	/** The reader has gone. */
	closed(): boolean;
	/** The errno for which writing ended, when it was no closed pipe. */
	failure(): string | undefined;
	start(record: StartRecord): void;
	target(record: TargetRecord): void;
	growth(record: GrowthRecord): void;
	window(record: WindowRecord, state: LiveState): void;
	loss(record: LossRecord): void;
	end(record: EndRecord, state: EndState): void;
	/** Writes what waits; called often. */
	flush(): void;
	/** Bytes that wait for the reader. */
	queued(): number;
	/** Gives the terminal back; safe to call at any time and more than once. */
	restore(): void;
}
