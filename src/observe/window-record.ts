import { ledgerComplete } from "../records/ledger.ts";
import type { EndReason, EndRecord, Ledger, WindowRecord } from "../records/records.ts";
import type { WindowTotals } from "../stats/aggregator.ts";
import { recordedSums, type Totals } from "../stats/totals.ts";

/** What a window or end record needs beside the sums. */
export interface RecordContext {
	/** RFC 3339. */
	time: string;
	/** Since the start record. */
	elapsed_ns: number;
	/** Running totals since the start. */
	ledger: Ledger;
}

/** The record of a window. `names`: process names by PID; every process in it is listed, also an idle one. */
export function windowRecord(
	window: WindowTotals,
	names: ReadonlyMap<number, string>,
	{ time, elapsed_ns, ledger }: RecordContext,
): WindowRecord {
	const counts = new Map(window.targets.map((target) => [target.pid, target]));
	const { interval_ns } = window;
	return {
		...{ type: "window", time, elapsed_ns, interval_ns },
		...recordedSums(window, ledger.iteration !== undefined),
		ledger,
		targets: Array.from(names, ([pid, name]) => {
			const count = counts.get(pid);
			return { pid, name, growths: count?.growths ?? 0, work: count?.work ?? 0 };
		}),
	};
}

/** The last record; `complete` follows from the ledger. */
export function endRecord(total: Totals, reason: EndReason, { time, elapsed_ns, ledger }: RecordContext): EndRecord {
	return {
		...{ type: "end", time, elapsed_ns, reason },
		...recordedSums(total, ledger.iteration !== undefined),
		...{ ledger, complete: ledgerComplete(ledger) },
	};
}
