/**
 * What an observation needs of those who attach the probes and keep their cost within the budget; tests have some of
 * plain values.
 */
import type { Missing } from "../budget/call-estimator.ts";
import type { Promising } from "../budget/expected-work-totals.ts";
import type { Throttle } from "../budget/governor.ts";
import type { OverheadRow } from "../records/records.ts";
import type { Counters } from "../tracer/counters.ts";
import type { EventRecord } from "../tracer/session.ts";
import type { Target } from "../tracer/target.ts";

/** Attaches probes, drains records and reads counters (tracer/session.ts). It has no timers. */
export interface Tracer {
	/** Those that are attached. */
	readonly targets: readonly Target[];
	/** Whether the probes of the target still find room in the kernel's tables. */
	hasRoomFor(target: Target): boolean;
	/** Attaches all probes. Throws E-TARGET-GONE, E-BIN-CHANGED, E-HOST-…, and has closed the target then. */
	attach(target: Target): void;
	/** Lets go of targets that have ended, after their records were drained. */
	release(...targets: readonly Target[]): void;
	/** Calls of the work tier become records with this probability, and those that take `slowNs` or longer always. */
	setSampling(chance: number, slowNs: number): void;
	/** Gives one batch of records and returns how many the ring gave; 0: it is empty for now. */
	drain(take: (record: EventRecord) => void): number;
	/** Gives the growths that are older than a second and have not returned. */
	expire(nowNs: number, take: (record: EventRecord) => void): void;
	/** Gives all growths that have not returned. */
	flush(take: (record: EventRecord) => void): void;
	/** Empties the ring; what was in it is lost, and counted so. */
	discard(): void;
	readCounters(): Counters;
	/** The last reading: the probes are detached and the ring is empty. */
	readFinalCounters(): Counters;
	/** Detaches all probes; ring and counters can still be read. */
	detach(): void;
	/** Gives everything back, whatever state it is in. */
	close(): void;
}

/**
 * Keeps the cost of probing within the budget and estimates what was not counted meanwhile (budget/governor.ts).
 * `nowNs`: monotonic clock.
 */
export interface Governing {
	/** Measures and decides; called in every round. Returns what has changed. */
	tick(nowNs: number): readonly Throttle[];
	/** Milliseconds until the next tick is due, at most `most`. */
	untilNext(nowNs: number, most: number): number;
	/** Reading so many records took the tool so much processor time. */
	addReading(cpuNs: number, records: number): void;
	/** A growth, with its weight. */
	addGrowth(pid: number, growth: Promising): void;
	/** Calls of this function were for maps of this type. */
	addWork(pid: number, fn: string, mapType: string): void;
	/** How many growths of a process one that was seen now stands for. */
	growthFactor(pid: number): number;
	/** What probing cost since the previous report. */
	report(nowNs: number): OverheadRow[];
	/** Calls since the start that were not counted, per function. `final`: up to now, not to the last window. */
	missing(nowNs: number, final: boolean): ReadonlyMap<string, Missing>;
	missingOf(target: Target, nowNs: number, final: boolean): ReadonlyMap<string, Missing>;
	/** A target has ended: keeps what is missing of it. */
	release(target: Target, nowNs: number): void;
}

/** A governor that knows what a hit costs on this machine. */
export interface CalibratedGovernor {
	governor: Governing;
	/** What both probes of a call that is timed cost, in nanoseconds; absent when calls are not timed. */
	timedCallNs?: number | undefined;
}
