/** What the hits of a stream cost its target, by the costs that were measured on this machine, and how many there are. */

import type { HitCosts } from "../kernel/calibration.ts";
import type { SiteCounts } from "../kernel/counters.ts";
import type { Stream } from "./retreat.ts";

/** Counters of a stream: sums over its entries, and the passes of its exits. */
export interface StreamCounts {
	hits: number;
	diverted: number;
	/** While the gates were closed. */
	outside: number;
	/** Calls that are timed. */
	begun: number;
	/** Of growths: records that were written. */
	recorded: number;
	/** Single-stepped passes of entries, and of exits. */
	stepped: number;
	exits: number;
	steppedExits: number;
}

/**
 * A hit costs more in a program with cold caches than in the calibration: so many times that is assumed, but not more nanoseconds. The way into the kernel, which is most
 * of it on some machines, costs the same: 130 ns of misses were measured (docs/measurements.md).
 */
const COLD = 1.3;
const MOST_COLD_NS = 300;

function cold(ns: number): number {
	return ns + Math.min((COLD - 1) * ns, MOST_COLD_NS);
}

export interface UnitCosts {
	/** A hit that is counted, one outside of the gates, the beginning of a call that is timed, an exit, and a record of a growth. */
	countNs: number;
	outsideNs: number;
	beginNs: number;
	exitNs: number;
	recordNs: number;
	steppedNs: number;
}

/** What one of each costs. */
export function unitCosts(stream: Stream, costs: HitCosts): UnitCosts {
	// A make reads the map's header and looks at the one before, as a growth that is counted does.
	const reads = stream === "large" || stream === "small" || stream === "make";
	const countNs = cold(reads ? costs.growthCountNs : costs.workNs);
	return {
		countNs,
		// The way into the kernel and back is nearly all of it.
		outsideNs: 0.9 * cold(costs.workNs),
		beginNs: cold(Math.max(0, costs.timedWorkNs - costs.workNs)),
		exitNs: cold(costs.leaveNs),
		recordNs: cold(Math.max(0, costs.growthNs - costs.growthCountNs)),
		steppedNs: cold(costs.steppedNs),
	};
}

/** Of so many hits. */
export function costOf(counts: StreamCounts, unit: UnitCosts): number {
	return (
		(counts.hits + counts.diverted) * unit.countNs +
		counts.outside * unit.outsideNs +
		counts.begun * unit.beginNs +
		counts.exits * unit.exitNs +
		counts.recorded * unit.recordNs +
		(counts.stepped + counts.steppedExits) * unit.steppedNs
	);
}

/** A site's counters, and whether its instruction is single-stepped. */
export interface SiteReading {
	counts: SiteCounts;
	stepped: boolean;
}

export function streamCounts(
	stream: Stream,
	entries: readonly SiteReading[],
	exits: readonly SiteReading[],
): StreamCounts {
	const sum: StreamCounts = {
		hits: 0,
		diverted: 0,
		outside: 0,
		begun: 0,
		recorded: 0,
		stepped: 0,
		exits: 0,
		steppedExits: 0,
	};
	for (const { counts, stepped } of entries) {
		const { hits, diverted, outside, begun, throttled, lost } = counts;
		sum.hits += hits;
		sum.diverted += diverted;
		sum.outside += outside;
		sum.begun += begun;
		if (stream === "large" || stream === "small") sum.recorded += hits - throttled - lost;
		if (stepped) sum.stepped += hits + diverted + outside;
	}
	for (const { counts, stepped } of exits) {
		sum.exits += counts.hits;
		if (stepped) sum.steppedExits += counts.hits;
	}
	return sum;
}

export function difference(now: StreamCounts, before: StreamCounts): StreamCounts {
	return {
		hits: now.hits - before.hits,
		diverted: now.diverted - before.diverted,
		outside: now.outside - before.outside,
		begun: now.begun - before.begun,
		recorded: now.recorded - before.recorded,
		stepped: now.stepped - before.stepped,
		exits: now.exits - before.exits,
		steppedExits: now.steppedExits - before.steppedExits,
	};
}
