/** Reports windows: what was counted since the previous one, and what probing cost. */

import { lazy } from "../lib/lazy.ts";
import type { Children, EndReason, Extent, MeasuredTiers, TargetRecord } from "../records/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../records/time.ts";
import type { Aggregator } from "../stats/aggregator.ts";
import type { MakeSums } from "../stats/makes.ts";
import type { Sampling, Stream } from "../stats/sampling.ts";
import type { Counters } from "../tracer/counters.ts";
import type { Target } from "../tracer/target.ts";
import type { Clock } from "./clock.ts";
import { LossWatch } from "./loss-watch.ts";
import type { Measurements } from "./measurements.ts";
import type { Sinks } from "./sinks.ts";
import type { Governing, Tracer } from "./tracer.ts";
import { endRecord, type RecordContext, windowRecord } from "./window-record.ts";

export interface WindowSources {
	tracer: Pick<Tracer, "readMaps">;
	clock: Clock;
	anchor: ClockAnchor;
	sinks: Sinks;
	aggregator: Aggregator;
	governor: Governing;
	measurements: Measurements;
	sampling: Sampling;
	/** Where maps are made; absent when that is not watched. */
	makes?: MakeSums | undefined;
	intervalMs: number;
}

/**
 * A reading must not take longer than this part of a window, or what was read first and what was read last are not of the same one. Where others keep the processors
 * busy it can: then the rest, which is little, is read again, so many times at most.
 */
const QUICK_PART = 50n;
const MOST_READINGS = 3;
/** Maps that are looked at again at the end of a window: those of its rows, and of the screen's. Some milliseconds. */
const MOST_MAPS = 512;

/** Who was watched. */
export interface Watched {
	/** Those that are attached. */
	targets: readonly Target[];
	/** The same as records; the last ones when all have ended. */
	records: readonly TargetRecord[];
	/** PIDs of those that have ended. */
	ended: ReadonlySet<number>;
	/** Programs that they have started; absent where they are not followed. */
	children: Children | undefined;
	/** Whether one of them has, or had, growths that no probe sees. */
	unseen: boolean;
}

export class WindowReports {
	readonly #sources: WindowSources;
	readonly #losses = new LossWatch();
	#startNs: bigint;
	#dueNs: bigint;
	readonly #intervalNs: bigint;

	/** The first window begins now. */
	constructor(sources: WindowSources) {
		this.#sources = sources;
		this.#startNs = sources.clock.monotonicNs();
		this.#intervalNs = BigInt(Math.round(sources.intervalMs * 1e6));
		this.#dueNs = this.#startNs + this.#intervalNs;
	}

	/** When the open window is to be closed. Windows keep to a grid, however late one is. */
	get dueNs(): bigint {
		return this.#dueNs;
	}

	/** When the window that is open began, by the monotonic clock. */
	get startNs(): bigint {
		return this.#startNs;
	}

	/** The window ends, and the next one begins. `last`: the probes are detached, and nothing will come any more. */
	close(counters: Counters, watched: Watched, last = false): void {
		const { tracer, aggregator, governor, sinks } = this.#sources;
		const time = this.#takeFull(watched, last);
		aggregator.readMaps(MOST_MAPS, (maps) => tracer.readMaps(maps), last);
		const totals = aggregator.closeWindow(Number(time - this.#startNs));
		this.#startNs = time;
		while (this.#dueNs <= time) this.#dueNs += this.#intervalNs;
		const names = new Map(watched.records.map((record) => [record.pid, record.name]));
		const context = { ...this.#context(time, counters), children: watched.children };
		const overhead = governor.report(Number(time));
		const record = { ...windowRecord(totals, names, context), overhead };
		for (const loss of this.#losses.update(counters, context.time)) sinks.write(loss);
		const total = lazy(() => aggregator.total());
		const view = lazy(() => aggregator.view());
		sinks.window(record, {
			targets: watched.records,
			ended: watched.ended,
			elapsedNs: context.elapsed_ns,
			closed: totals,
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

	/** Returns when everything was read: that is when the window ended. */
	#takeFull({ targets }: Watched, last: boolean): bigint {
		const { clock, measurements } = this.#sources;
		for (let reading = 1; ; reading++) {
			const begun = clock.monotonicNs();
			measurements.takeFull(targets, last);
			const time = clock.monotonicNs();
			if (reading === MOST_READINGS || (time - begun) * QUICK_PART < this.#intervalNs) return time;
		}
	}

	/** The end record, after the last window. */
	end(counters: Counters, watched: Watched, reason: EndReason): void {
		const { aggregator, clock, makes, sampling, sinks } = this.#sources;
		const context = this.#context(clock.monotonicNs(), counters);
		const measured = measuredTiers(sampling, counters);
		const made = makes?.read(sampling);
		sinks.write(
			endRecord(aggregator.total(), reason, {
				...context,
				measured,
				made,
				children: watched.children,
				unseen: watched.unseen,
			}),
		);
	}

	#context(time: bigint, { ledger }: Counters): RecordContext {
		const { anchor } = this.#sources;
		return { time: timeOf(anchor, time), elapsed_ns: elapsedNs(anchor, time), ledger };
	}
}

/** What was measured of each tier over all processes. */
function measuredTiers(sampling: Sampling, { ledger }: Counters): MeasuredTiers {
	const { latency, growth, work, iteration, make } = ledger;
	const extent = (streams: readonly Stream[], { hits }: { hits: number }): Extent => {
		const extents = sampling.extents(undefined, streams, "total");
		if (extents.every(({ exact }) => exact)) return "all";
		// What was probed all the time at first, and not any more, was measured a part of the time, too.
		return hits > 0 || extents.some(({ measured }) => measured) ? "sampled" : "none";
	};
	const timed = latency === undefined ? "none" : latency.hits < growth.hits + work.hits ? "sampled" : "all";
	return {
		growth: extent(["large", "small"], growth),
		work: extent(["work"], work),
		latency: timed,
		...(iteration === undefined ? {} : { iteration: extent(["iteration"], iteration) }),
		...(make === undefined ? {} : { make: extent(["make"], make) }),
	};
}
