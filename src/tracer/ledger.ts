/** The ledger: what became of every hit, from the counters of the sites and what the session has decoded. */
import type { Tier } from "../gomap/functions.ts";
import { noCounts, type SiteCounts } from "../kernel/counters.ts";
import { emptyTierLedger, unaccounted } from "../records/ledger.ts";
import type { Ledger, LossRecord, TierLedger, TierName } from "../records/records.ts";
import type { EntrySite } from "./site-table.ts";

export interface Undecoded {
	tier: TierName;
	stage: LossRecord["stage"];
	/** Since the start. */
	count: number;
}

/** What the session itself has counted. */
export interface Decoded {
	growths: number;
	growthsDropped: number;
	/** Growths whose map could not be read. */
	growthsUnreadable: number;
	samples: number;
	samplesDropped: number;
	/** Records of an unknown kind, by the tier of their site. */
	unknown: Record<Tier, number>;
}

export const nothingDecoded = (): Decoded => ({
	growths: 0,
	growthsDropped: 0,
	growthsUnreadable: 0,
	samples: 0,
	samplesDropped: 0,
	unknown: { growth: 0, work: 0, iteration: 0, make: 0 },
});

export function undecodedOf({ growthsUnreadable, unknown }: Decoded): Undecoded[] {
	const all: Undecoded[] = [
		{ tier: "growth", stage: "unreadable", count: growthsUnreadable },
		{ tier: "growth", stage: "unknown-record", count: unknown.growth },
		// What the work tier writes are its samples.
		{ tier: "sample", stage: "unknown-record", count: unknown.work },
		{ tier: "iteration", stage: "unknown-record", count: unknown.iteration },
	];
	return all.filter(({ count }) => count > 0);
}

export const TIERS: readonly Tier[] = ["growth", "work", "iteration", "make"];
/** Counters of all sites. `unrecorded`: growths in inlined copies where the map is not known: they are counted, and none becomes a record. */
export type TierSums = Record<Tier, SiteCounts> & { unrecorded: number };

/** Timed calls that had not returned when nobody watched them any more: because they were never left, or because their exits had been detached. */
export type Unreturned = Record<"left" | "withdrawn", number>;

export const noCalls = (): Unreturned => ({ left: 0, withdrawn: 0 });

export const noSums = (): TierSums => ({
	...{ growth: noCounts(), work: noCounts(), iteration: noCounts(), make: noCounts() },
	unrecorded: 0,
});

export function addCounts(sum: SiteCounts, counts: SiteCounts): void {
	for (const name of Object.keys(sum) as (keyof SiteCounts)[]) sum[name] += counts[name];
}

export function addSite(sums: TierSums, { probe }: EntrySite, counts: SiteCounts): void {
	// A collection makes no map.
	if (probe.role === "collect") return;
	addCounts(sums[probe.tier], counts);
	if (probe.mapAt === "unknown") sums.unrecorded += counts.throttled;
}

/** A function has several sites: its own, and those of its inlined copies. */
export function addHits(calls: Map<string, number> | undefined, fn: string, hits: number): void {
	calls?.set(fn, (calls.get(fn) ?? 0) + hits);
}

/** What of a session is measured. */
export interface Measured {
	latency: boolean;
	iterations: boolean;
	makes?: boolean | undefined;
}

/** What the ledger is made of. */
export interface LedgerParts {
	sums: TierSums;
	/** Calls of the work tier, and maps, that are in rows. */
	rows: number;
	made: number;
	decoded: Decoded;
	unreturned: Unreturned;
	measured: Measured;
	/** The probes are detached and the ring is empty: what is missing now will not come. */
	final: boolean;
}

export function ledgerOf({ sums, rows, made, decoded, unreturned, measured, final }: LedgerParts): Ledger {
	const tier = (fields: Partial<TierLedger>): TierLedger => {
		const result = { ...emptyTierLedger(), ...fields };
		const pending = unaccounted(result);
		return pending > 0 && !final ? { ...result, pending } : result;
	};
	const { growth, work, iteration, make, unrecorded } = sums;
	const timed = (name: "begun" | "paired" | "left" | "withdrawn"): number => growth[name] + work[name];
	const unpaired = {
		left: timed("left") + unreturned.left,
		evicted: 0,
		withdrawn: timed("withdrawn") + unreturned.withdrawn,
	};
	const { unknown } = decoded;
	const stepsLost = iteration.lost + unknown.iteration;
	const seen = timed("paired") + unpaired.left + unpaired.withdrawn;
	// Nothing but the kernel's table forgets calls; a negative rest would be an error and stays visible.
	if (final) unpaired.evicted = Math.max(0, timed("begun") - seen);
	return {
		growth: tier({
			...{ hits: growth.hits, recorded: decoded.growths },
			...{ sampled_out: unrecorded, throttled: growth.throttled - unrecorded },
			lost: growth.lost + decoded.growthsDropped + decoded.growthsUnreadable + unknown.growth,
		}),
		work: tier({ hits: work.hits, recorded: rows, lost: work.rowLost }),
		sample: tier({
			...{ hits: work.hits, recorded: decoded.samples, sampled_out: work.hits - work.picked },
			...{ throttled: work.throttled, lost: work.sampleLost + decoded.samplesDropped + unknown.work },
		}),
		...(measured.latency ? { latency: tier({ hits: timed("begun"), recorded: timed("paired"), unpaired }) } : {}),
		...(measured.iterations
			? {
					iteration: tier({
						...{ hits: iteration.hits, recorded: iteration.hits - stepsLost, lost: stepsLost },
					}),
				}
			: {}),
		...(measured.makes === true ? { make: tier({ hits: make.hits, recorded: made, lost: make.rowLost }) } : {}),
	};
}
