/** The time as an observation sees it; tests have one of their own. */
import type { StopRequest } from "./stop-request.ts";

export interface Clock {
	/** CLOCK_MONOTONIC in nanoseconds: the clock of the kernel's time stamps. */
	monotonicNs(): bigint;
	/** Processor time that the tool itself has used, in nanoseconds. */
	cpuNs(): number;
	/** Waits `ms` milliseconds, or less when a stop is requested meanwhile. */
	sleep(ms: number, stop?: StopRequest): Promise<void>;
}

/** The monotonic clock in milliseconds. */
export function milliseconds(clock: Clock): number {
	return Number(clock.monotonicNs()) / 1e6;
}
