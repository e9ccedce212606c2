/** Length of periods and of windows that a budget pays for. */
import { onGrid, type Shape } from "./periods.ts";

export interface ShapeNeeds {
	/** What hits would cost if they were counted all the time, nanoseconds of processor time per second. */
	fullNsPerSecond: number;
	/** What they may cost, in the same unit. */
	limitNsPerSecond: number;
	/** Time around a window in which hits cost although they are outside of it (`WindowSchedule.aroundNs`). */
	aroundNs: number;
	/** Report interval. */
	intervalNs: number;
	/** Absent: 10 s. */
	longestNs?: number;
}

/** Windows are at least so long, and at least this part of the time around them: the rest is paid for nothing. */
const SHORTEST_WINDOW_NS = 3e6;
const PART_OF_AROUND = 0.5;
/** Many short periods tell more of a program that works in bursts; attaching costs the tool 0.5 ms each time. */
const SHORTEST_PERIOD_NS = 250e6;
export const LONGEST_PERIOD_NS = 10e9;
/** Ten minutes in the shortest windows: fewer slots would be longer than the limit pays for. */
const MOST_SLOTS = 200_000;

/** The shortest window that is worth attaching for. */
function leastWindowNs(aroundNs: number): number {
	return Math.max(SHORTEST_WINDOW_NS, PART_OF_AROUND * aroundNs);
}

/** What the cheapest window costs, nanoseconds of processor time. */
export function cheapestWindowNs(fullNsPerSecond: number, aroundNs: number): number {
	return (fullNsPerSecond * (leastWindowNs(aroundNs) + aroundNs)) / 1e9;
}

/** The shortest period whose window the limit pays for; "full" where probes may stay attached; undefined where not even the longest period pays for one. */
export function chooseShape(needs: ShapeNeeds): Shape | "full" | undefined {
	const { fullNsPerSecond, limitNsPerSecond, aroundNs, intervalNs, longestNs = LONGEST_PERIOD_NS } = needs;
	if (fullNsPerSecond <= limitNsPerSecond) return "full";
	const share = limitNsPerSecond / fullNsPerSecond;
	const windowNs = leastWindowNs(aroundNs);
	const least = Math.max(SHORTEST_PERIOD_NS, (windowNs + aroundNs) / share);
	let periodNs = onGrid(least, intervalNs);
	if (periodNs < least) periodNs = onGrid(least * 1.5, intervalNs);
	if (periodNs < least) periodNs = (Math.floor(least / intervalNs) + 1) * intervalNs;
	if (periodNs > Math.max(longestNs, intervalNs)) return undefined;
	const n = Math.ceil(periodNs / (share * periodNs - aroundNs));
	return { periodNs, n: Math.min(MOST_SLOTS, Math.max(2, n)) };
}
