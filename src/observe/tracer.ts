/**
 * What an observation needs of those who attach the probes and keep their cost within the budget; tests have some of
 * plain values.
 */
import type { Throttle } from "../budget/governor.ts";
import type { Window } from "../budget/window-weight.ts";
import type { KnownMap, MapState } from "../gomap/map-state.ts";
import type { OverheadRow } from "../records/records.ts";
import type { Measured, Stream } from "../stats/sampling.ts";
import type { ProbeOverhead } from "../stats/time-in-growth.ts";
import type { CallDelta, LatencyDelta } from "../tracer/call-deltas.ts";
import type { Counters } from "../tracer/counters.ts";
import type { MadeDelta } from "../tracer/made-maps.ts";
import type { EventRecord } from "../tracer/session.ts";
import type { EntrySite } from "../tracer/site-table.ts";
import type { Target } from "../tracer/target.ts";

/** Attaches probes, drains records and reads counters (tracer/session.ts). It has no timers. */
export interface Tracer {
	/** Those that are attached. */
	readonly targets: readonly Target[];
	/** Whether the probes of the target still find room in the kernel's tables. */
	hasRoomFor(target: Target): boolean;
	/** Attaches its probes, those that there are from the beginning. Throws E-TARGET-GONE, E-BIN-CHANGED, E-HOST-…, and has closed the target then. */
	attach(target: Target): void;
	/**
	 * Proves that probes of commands that were attached before they were executed are in their code. Throws
	 * E-BIN-CHANGED.
	 */
	proveStarted(): void;
	/** Lets go of targets that have ended, after their records were drained. */
	release(...targets: readonly Target[]): void;
	/** Calls of the work tier become records with this probability, and those that take `slowNs` or longer always. */
	setSampling(chance: number, slowNs: number): void;
	/** Gives one batch of records and returns how many the ring gave; 0: it is empty for now. */
	drain(take: (record: EventRecord) => void): number;
	/** Gives the growths that are older than a second and have not returned. */
	expire(nowNs: number, take: (record: EventRecord) => void): void;
	/** Gives all growths that have not returned, or those of these processes. */
	flush(take: (record: EventRecord) => void, pids?: ReadonlySet<number>): void;
	/** Empties the ring; what was in it is lost, and counted so. */
	discard(): void;
	/** Entries of all functions of a target. */
	entriesOf(target: Target): readonly EntrySite[];
	/** What a function is probed with. */
	streamOf(site: EntrySite): Stream;
	/** Hits of a site since it was attached. */
	countsOf(site: EntrySite): { hits: number };
	/**
	 * What has changed in the rows of sites and windows that `match`, since they were taken before. `last`: also of
	 * programs whose place is not known.
	 */
	takeCalls(match: (site: EntrySite, window: 0 | 1) => boolean, last?: boolean): CallDelta[];
	/** Maps that were made, and what became of them: likewise. */
	takeMakes(match: (site: EntrySite, window: 0 | 1) => boolean, last?: boolean): MadeDelta[];
	takeLatency(match: (site: EntrySite) => boolean, last?: boolean): LatencyDelta[];
	/** What these maps are now; undefined where one is not there any more, or cannot be read. */
	readMaps(maps: readonly KnownMap[]): (MapState | undefined)[];
	readCounters(): Counters;
	/** The last reading: the probes are detached and the ring is empty. */
	readFinalCounters(): Counters;
	/** Detaches all probes; ring and counters can still be read. */
	detach(): void;
	/** Gives everything back, whatever state it is in. */
	close(): void;
}

/** Keeps what probing costs within the budget, and gives what was counted to `TakeCounted`. `nowNs`: monotonic clock. */
export interface Governing {
	/** Opens and closes windows, measures and decides; called in every round. Returns what has changed. */
	tick(nowNs: number): readonly Throttle[];
	/** Milliseconds until the next tick is due, at most `most`. */
	untilNext(nowNs: number, most: number): number;
	/** Reading so many records took the tool so much processor time. */
	addReading(cpuNs: number, records: number): void;
	/** How a stream of a target is measured; undefined for one that its program does not have. */
	measured(target: Target, stream: Stream): Measured | undefined;
	/** What probing cost since the previous report. */
	report(nowNs: number): OverheadRow[];
	/** The probes are about to be detached for good, of all targets or of this one: gives out the windows that are over. */
	finish(nowNs: number, target?: Target): void;
	/** Forgets a target that has ended. */
	release(target: Target): void;
}

/** Takes what was counted of a stream: measured in full (undefined), or in this window, of the gate with this number and a period so long. */
export type TakeCounted = (
	target: Target,
	stream: Stream,
	window: Window | undefined,
	gate: 0 | 1,
	periodNs: number,
) => void;

/** A governor that knows what a hit costs on this machine. */
export interface CalibratedGovernor {
	governor: Governing;
	/** Absent when calls are not timed. */
	overhead?: ProbeOverhead | undefined;
}
