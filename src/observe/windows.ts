/** What a window says: the counters since the previous one, what is estimated beside them, and what probing cost. */

import type { Governor } from "../budget/governor.ts";
import { callSite } from "../gomap/call-site.ts";
import type { HitCosts } from "../kernel/calibration.ts";
import { monotonicNs } from "../kernel/libc.ts";
import type { CallEstimate, Calls, EndReason, TargetRecord } from "../records/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../records/time.ts";
import type { Aggregator } from "../stats/aggregator.ts";
import { netDurations } from "../stats/net-latency.ts";
import type { Counters } from "../tracer/counters.ts";
import type { Target } from "../tracer/target.ts";
import { CallTotals } from "./call-totals.ts";
import { LossWatch } from "./loss-watch.ts";
import type { LiveView } from "./sink.ts";
import { endRecord, type RecordContext, windowRecord } from "./window-record.ts";

export interface WindowSources {
	anchor: ClockAnchor;
	view: LiveView;
	aggregator: Aggregator;
	governor: Governor;
	/** Of hits; absent when calls are not timed. */
	costs?: HitCosts | undefined;
}

/** Who was watched. */
export interface Watched {
	/** Those that are attached. */
	targets: readonly Target[];
	/** The same as records; the last ones when all have ended. */
	records: readonly TargetRecord[];
	/** PIDs of those that have ended. */
	ended: ReadonlySet<number>;
}

export class WindowReports {
	readonly #sources: WindowSources;
	readonly #calls = new CallTotals();
	readonly #losses = new LossWatch();
	/** Calls that were not counted, by function, at the previous reading. */
	readonly #missingBefore = new WeakMap<Target, Map<string, number>>();
	#startNs = monotonicNs();
	/** Whether a target has, or had, growths that no probe sees. */
	#unseen = false;

	/** The first window begins now. */
	constructor(sources: WindowSources) {
		this.#sources = sources;
	}

	/** When the window that is open began, by the monotonic clock. */
	get startNs(): bigint {
		return this.#startNs;
	}

	/** The window ends, and the next one begins. `final`: the probes are out, what is estimated goes up to now. */
	close(counters: Counters, watched: Watched, final = false): void {
		const { aggregator, governor, view } = this.#sources;
		const time = monotonicNs();
		this.#lookForUnseen(watched);
		for (const { pid, fn, map_type } of counters.work) governor.addWork(pid, fn, map_type);
		const scale = this.#scale(counters, watched.targets, final);
		for (const { pid, fn, map_type, caller, calls } of counters.work) {
			aggregator.addWork({ pid, fn, map_type, site: callSite(caller), calls: calls * scale(pid, fn) });
		}
		const growthFunctions = growthFunctionsOf(watched.records);
		this.#addLatency(counters.latency, growthFunctions, scale);
		const tally = aggregator.closeWindow(Number(time - this.#startNs));
		this.#startNs = time;
		const names = new Map(watched.records.map((record) => [record.pid, record.name]));
		const context = this.#context(time, counters);
		const overhead = governor.report(Number(time));
		const calls = this.#calls.update(counters, governor.missing(Number(time), final));
		const record = {
			...windowRecord(tally, names, context),
			...growthsBy(calls, growthFunctions, counters),
			...{ calls, overhead },
		};
		for (const loss of this.#losses.update(counters.ledger, context.time)) view.loss(loss);
		view.window(record, {
			targets: watched.records,
			ended: watched.ended,
			elapsedNs: context.elapsed_ns,
			closed: tally,
			view: aggregator.view(),
			ledger: counters.ledger,
			losses: this.#losses.latest,
			overhead,
		});
	}

	/** The end record, after the last window. */
	end(counters: Counters, watched: Watched, reason: EndReason): void {
		const { aggregator, view } = this.#sources;
		const { records } = watched;
		this.#lookForUnseen(watched);
		const calls = this.#calls.totals();
		const total = { ...aggregator.total(), ...growthsBy(calls, growthFunctionsOf(records), counters) };
		const end = endRecord(total, reason, this.#context(monotonicNs(), counters));
		const record = { ...end, calls, complete: end.complete && !this.#unseen };
		view.end(record, { targets: records, total, losses: this.#losses.latest });
	}

	#lookForUnseen({ targets }: Watched): void {
		this.#unseen ||= targets.some(({ plan }) => plan.unseen !== undefined);
	}

	#context(time: bigint, { ledger }: Counters): RecordContext {
		const { anchor } = this.#sources;
		return { time: timeOf(anchor, time), elapsed_ns: elapsedNs(anchor, time), ledger };
	}

	#addLatency(
		rows: Counters["latency"],
		growthFunctions: readonly string[],
		scale: (pid: number, fn: string) => number,
	): void {
		const { aggregator, costs, governor } = this.#sources;
		// What both probes of a call that is timed cost.
		const net = costs && netDurations(rows, costs.timedWorkNs + costs.leaveNs);
		const growths = new Set(growthFunctions);
		for (const [index, row] of rows.entries()) {
			const factor = growths.has(row.fn) ? governor.growthFactor(row.pid) : scale(row.pid, row.fn);
			const net_ns = net?.[index];
			aggregator.addLatency(net_ns === undefined ? row : { ...row, net_ns: Math.round(net_ns * factor) });
		}
	}

	/** How many calls one that was counted in this window stands for, by process and function. */
	#scale(counters: Counters, targets: readonly Target[], final: boolean): (pid: number, fn: string) => number {
		const factors = new Map<string, number>();
		const counted = new Map<string, number>();
		for (const { pid, fn, calls } of counters.work) {
			counted.set(`${pid}:${fn}`, (counted.get(`${pid}:${fn}`) ?? 0) + calls);
		}
		for (const target of targets) {
			const { pid } = target.identity;
			const before = this.#missingBefore.get(target) ?? new Map<string, number>();
			this.#missingBefore.set(target, before);
			for (const [fn, { calls }] of this.#sources.governor.missingOf(target, Number(monotonicNs()), final)) {
				const more = calls - (before.get(fn) ?? 0);
				const seen = counted.get(`${pid}:${fn}`) ?? 0;
				// With nothing counted there are no rows to add it to: it waits for the next window. So does what was estimated too high before.
				if (seen === 0 || more < 0) continue;
				before.set(fn, calls);
				factors.set(`${pid}:${fn}`, 1 + more / seen);
			}
		}
		return (pid, fn) => factors.get(`${pid}:${fn}`) ?? 1;
	}
}

function growthFunctionsOf(records: readonly TargetRecord[]): string[] {
	const probes = records.flatMap((record) => record.probes);
	return [...new Set(probes.filter(({ tier }) => tier === "growth").map(({ fn }) => fn))];
}

/** The number of growths when not each of them is a record: by the counters of their functions, which tell better than the weights of the records. */
function growthsBy(calls: Calls, functions: readonly string[], { ledger }: Counters): { growths?: number } {
	const estimated = functions.some((fn) => typeof calls[fn] === "object");
	if (ledger.growth.throttled === 0 && !estimated) return {};
	const count = (calls: number | CallEstimate | undefined): number =>
		typeof calls === "object" ? calls.estimate : (calls ?? 0);
	return { growths: functions.reduce((sum, fn) => sum + count(calls[fn]), 0) };
}
