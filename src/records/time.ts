/**
 * Events carry the kernel's monotonic clock; people read wall-clock time. The two are tied together once, at the
 * start, so that times in one recording never jump when the wall clock is set.
 */
export interface ClockAnchor {
	/** Wall clock at the start, nanoseconds since 1970-01-01T00:00:00Z. */
	wallNs: bigint;
	/** Monotonic clock at the same moment, in nanoseconds. */
	monotonicNs: bigint;
}

const NS_PER_SECOND = 1_000_000_000n;
/** 9999-12-31T23:59:59.999999999Z, the last moment that RFC 3339 can spell. */
const LAST_NS = 253_402_300_799_999_999_999n;

/** RFC 3339 in UTC with nine decimals, e.g. "2025-01-31T12:01:07.000000042Z"; clamped to the years 1970 to 9999. */
export function formatWallTime(wallNs: bigint): string {
	const clamped = wallNs < 0n ? 0n : wallNs > LAST_NS ? LAST_NS : wallNs;
	const second = Number(clamped / NS_PER_SECOND);
	if (second !== spelled.second) {
		spelled.second = second;
		spelled.text = new Date(second * 1000).toISOString().slice(0, 19);
	}
	return `${spelled.text}.${(clamped % NS_PER_SECOND).toString().padStart(9, "0")}Z`;
}

/** The latest second: thousands of records may come in one. */
const spelled = { second: Number.NaN, text: "" };

/** The wall-clock time of a monotonic time stamp, as RFC 3339 in UTC. */
export function timeOf(anchor: ClockAnchor, monotonicNs: bigint): string {
	return formatWallTime(anchor.wallNs + (monotonicNs - anchor.monotonicNs));
}

/** Nanoseconds from the start to a monotonic time stamp; 0 for one from before the start. */
export function elapsedNs(anchor: ClockAnchor, monotonicNs: bigint): number {
	return monotonicNs <= anchor.monotonicNs ? 0 : Number(monotonicNs - anchor.monotonicNs);
}
