import { type Figure, isExact } from "../records/figure.ts";
import { ledgerComplete } from "../records/ledger.ts";
import type { Children, EndReason, EndRecord, Ledger, MeasuredTiers, WindowRecord } from "../records/records.ts";
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
	/** What was measured of each tier; for the end. */
	measured?: MeasuredTiers;
	/** Where maps were made; for the end. */
	made?: Pick<EndRecord, "makes" | "makes_omitted" | "growths_unlinked"> | undefined;
	/** Programs that targets have started. */
	children?: Children | undefined;
	/** Some growths are seen by no probe; for the end. */
	unseen?: boolean;
}

/** The record of a window. `names`: process names by PID; every process in it is listed, also an idle one. */
export function windowRecord(
	window: WindowTotals,
	names: ReadonlyMap<number, string>,
	{ time, elapsed_ns, ledger, children }: RecordContext,
): WindowRecord {
	const counts = new Map(window.targets.map((target) => [target.pid, target]));
	const { interval_ns, covers_ns } = window;
	return {
		...{ type: "window", time, elapsed_ns, interval_ns, ...(covers_ns === undefined ? {} : { covers_ns }) },
		...recordedSums(window, ledger.iteration !== undefined),
		ledger,
		...(children === undefined ? {} : { children }),
		targets: Array.from(names, ([pid, name]) => {
			// Of a process without a row nothing was seen; what was measured of it is that of all.
			const { growths, work } = counts.get(pid) ?? nothingSeen(window);
			return { pid, name, ...(growths === undefined ? {} : { growths }), ...(work === undefined ? {} : { work }) };
		}),
	};
}

function nothingSeen({ growths, work }: WindowTotals): { growths?: Figure; work?: Figure } {
	const none = (figure: Figure): Figure => (isExact(figure) ? 0 : { at_least: 0 });
	return {
		...(growths === undefined ? {} : { growths: none(growths) }),
		...(work === undefined ? {} : { work: none(work) }),
	};
}

/** The last record; `complete` follows from the ledger and from what the probes see. */
export function endRecord(total: Totals, reason: EndReason, context: RecordContext): EndRecord {
	const { time, elapsed_ns, ledger, children, measured, made, unseen = false } = context;
	return {
		...{ type: "end", time, elapsed_ns, reason },
		...recordedSums(total, ledger.iteration !== undefined),
		...made,
		...(children === undefined ? {} : { children }),
		...{ ledger, complete: ledgerComplete(ledger) && !unseen, ...(measured === undefined ? {} : { measured }) },
	};
}
