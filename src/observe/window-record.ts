import { ledgerComplete } from "../records/ledger.ts";
import type { EndReason, EndRecord, Ledger, WindowRecord } from "../records/records.ts";
import type { WindowTally } from "../stats/aggregator.ts";
import type { Tally } from "../stats/tally.ts";

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
	window: WindowTally,
	names: ReadonlyMap<number, string>,
	context: RecordContext,
): WindowRecord {
	const counts = new Map(window.targets.map((target) => [target.pid, target]));
	return {
		type: "window",
		time: context.time,
		elapsed_ns: context.elapsed_ns,
		interval_ns: window.interval_ns,
		growths: window.growths,
		work: window.work,
		bytes: window.bytes,
		calls: window.calls,
		types: window.types,
		sites: window.sites,
		latency: window.latency,
		maps: window.maps,
		goroutines: window.goroutines,
		...(context.ledger.iteration === undefined ? {} : { overlaps: window.overlaps }),
		ledger: context.ledger,
		targets: Array.from(names, ([pid, name]) => {
			const count = counts.get(pid);
			return { pid, name, growths: count?.growths ?? 0, work: count?.work ?? 0 };
		}),
	};
}

/** The last record; `complete` follows from the ledger. */
export function endRecord(total: Tally, reason: EndReason, context: RecordContext): EndRecord {
	return {
		type: "end",
		time: context.time,
		elapsed_ns: context.elapsed_ns,
		reason,
		growths: total.growths,
		work: total.work,
		bytes: total.bytes,
		calls: total.calls,
		types: total.types,
		sites: total.sites,
		latency: total.latency,
		maps: total.maps,
		goroutines: total.goroutines,
		...(context.ledger.iteration === undefined ? {} : { overlaps: total.overlaps }),
		ledger: context.ledger,
		complete: ledgerComplete(context.ledger),
	};
}
