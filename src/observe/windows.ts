/** What a window says: the counters since the previous one, what is estimated beside them, and what probing cost. */

import { callSite } from "../gomap/call-site.ts";
import { Histogram } from "../lib/histogram.ts";
import { lazy } from "../lib/lazy.ts";
import type { CallEstimate, Calls, EndReason, TargetRecord } from "../records/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../records/time.ts";
import type { Aggregator } from "../stats/aggregator.ts";
import type { LatencySum } from "../stats/latency.ts";
import { netDurations } from "../stats/net-latency.ts";
import type { Counters } from "../tracer/counters.ts";
import type { Target } from "../tracer/target.ts";
import { CallTotals } from "./call-totals.ts";
import type { Clock } from "./clock.ts";
import { LossWatch } from "./loss-watch.ts";
import type { Sinks } from "./sinks.ts";
import type { Governing } from "./tracer.ts";
import { endRecord, type RecordContext, windowRecord } from "./window-record.ts";

export interface WindowSources {
	clock: Clock;
	anchor: ClockAnchor;
	sinks: Sinks;
	aggregator: Aggregator;
	governor: Governing;
	/** What both probes of a call that is timed cost; absent when calls are not timed. */
	timedCallNs?: number | undefined;
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
	#startNs: bigint;

	/** The first window begins now. */
	constructor(sources: WindowSources) {
		this.#sources = sources;
		this.#startNs = sources.clock.monotonicNs();
	}

	/** When the window that is open began, by the monotonic clock. */
	get startNs(): bigint {
		return this.#startNs;
	}

	/** The window ends, and the next one begins. `final`: the probes are out, what is estimated goes up to now. */
	close(counters: Counters, watched: Watched, final = false): void {
		const { aggregator, clock, governor, sinks } = this.#sources;
		const time = clock.monotonicNs();
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
		for (const loss of this.#losses.update(counters, context.time)) sinks.write(loss);
		const total = lazy(() => aggregator.total());
		const view = lazy(() => aggregator.view());
		sinks.window(record, {
			targets: watched.records,
			ended: watched.ended,
			elapsedNs: context.elapsed_ns,
			closed: tally,
			get total() {
				return total();
			},
			get view() {
				return view();
			},
			ledger: counters.ledger,
			losses: this.#losses.latest,
			overhead,
		});
	}

	/** The end record, after the last window. */
	end(counters: Counters, { records }: Watched, reason: EndReason): void {
		const { aggregator, clock, sinks } = this.#sources;
		const calls = this.#calls.totals();
		const total = { ...aggregator.total(), ...growthsBy(calls, growthFunctionsOf(records), counters) };
		sinks.write({ ...endRecord(total, reason, this.#context(clock.monotonicNs(), counters)), calls });
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
		const { aggregator, governor, timedCallNs } = this.#sources;
		const net = timedCallNs === undefined ? undefined : netDurations(rows, timedCallNs);
		const growths = new Set(growthFunctions);
		for (const [index, row] of rows.entries()) {
			const factor = growths.has(row.fn) ? governor.growthFactor(row.pid) : scale(row.pid, row.fn);
			const net_ns = net?.[index];
			const { fn, map_type } = row;
			const sum: LatencySum = { fn, map_type, durations: durationsOf(row) };
			if (net_ns !== undefined) sum.net_ns = Math.round(net_ns * factor);
			aggregator.addLatency(sum);
		}
	}

	/** How many calls one that was counted in this window stands for, by process and function. */
	#scale(counters: Counters, targets: readonly Target[], final: boolean): (pid: number, fn: string) => number {
		const { clock, governor } = this.#sources;
		const factors = new Map<string, number>();
		const counted = new Map<string, number>();
		for (const { pid, fn, calls } of counters.work) {
			counted.set(`${pid}:${fn}`, (counted.get(`${pid}:${fn}`) ?? 0) + calls);
		}
		for (const target of targets) {
			const { pid } = target.identity;
			const before = this.#missingBefore.get(target) ?? new Map<string, number>();
			this.#missingBefore.set(target, before);
			const nowNs = Number(clock.monotonicNs());
			for (const [fn, { calls }] of governor.missingOf(target, nowNs, final)) {
				const more = calls - (before.get(fn) ?? 0);
				const seen = counted.get(`${pid}:${fn}`) ?? 0;
				// With nothing counted there are no rows to add it to: it waits for the next window. So does what was
				// estimated too high before.
				if (seen === 0 || more < 0) continue;
				before.set(fn, calls);
				factors.set(`${pid}:${fn}`, 1 + more / seen);
			}
		}
		return (pid, fn) => factors.get(`${pid}:${fn}`) ?? 1;
	}
}

/** The kernel counts durations by powers of two. */
function durationsOf({ buckets, sum_ns, max_ns }: Counters["latency"][number]): Histogram {
	return Histogram.ofOctaves(buckets, sum_ns, max_ns);
}

function growthFunctionsOf(records: readonly TargetRecord[]): string[] {
	const probes = records.flatMap((record) => record.probes);
	return [...new Set(probes.filter(({ tier }) => tier === "growth").map(({ fn }) => fn))];
}

/**
 * The number of growths when not each of them is a record: by the counters of their functions, which tell better than
 * the weights of the records.
 */
function growthsBy(calls: Calls, functions: readonly string[], { ledger }: Counters): { growths?: number } {
	const estimated = functions.some((fn) => typeof calls[fn] === "object");
	if (ledger.growth.throttled === 0 && !estimated) return {};
	const count = (calls: number | CallEstimate | undefined): number =>
		typeof calls === "object" ? calls.estimate : (calls ?? 0);
	return { growths: functions.reduce((sum, fn) => sum + count(calls[fn]), 0) };
}
