/** What the counters say: totals since the start, and what has changed since the previous reading. */

import type { Tier } from "../gomap/functions.ts";
import { type GrowthRole, type GrowthShape, growthShape } from "../gomap/growth-shape.ts";
import type { BpfObject } from "../kernel/bpf-object.ts";
import {
	CallCounters,
	type CallRow,
	GoroutineTable,
	LatencyCounters,
	type LatencyCounts,
	noCounts,
	SiteCounters,
	type SiteCounts,
} from "../kernel/counters.ts";
import { SHAPE } from "../kernel/wire.ts";
import { emptyTierLedger, unaccounted } from "../records/ledger.ts";
import type { Frame, Ledger, LossRecord, TierLedger, TierName } from "../records/records.ts";
import { type MapTypeInfo, UNKNOWN_TYPE, UNTOLD_TYPE } from "./decode/type-names.ts";
import type { EntrySite, SiteTable } from "./site-table.ts";
import type { Target } from "./target.ts";

/** Calls of one function for maps of one type and, of growths, one shape, from one place, since the previous reading. */
export interface CallDelta {
	site: EntrySite;
	pid: number;
	fn: string;
	tier: Tier;
	map_type: string;
	/** Frames of the place that called into the map code, innermost first; empty when it could not be read. */
	caller: Frame[];
	calls: number;
	/** Which of the site's two windows they began in. */
	window: 0 | 1;
	/** Of growths whose map could be read. */
	growth?: GrowthDelta;
	/** Calls whose end was seen, and how long they took in all, the probes' own time included. */
	timed: number;
	elapsed_ns: number;
	/** Of those: calls whose processor time is known, and that. */
	on_cpu: number;
	cpu_ns: number;
}

/** What the growths of a delta do. */
export interface GrowthDelta extends GrowthShape {
	/** Of all of them; absent where the type's sizes are not known. */
	bytes?: number;
	bytes_moved?: number;
}

/** Durations of calls of one function for maps of one type that ended since the previous reading. */
export interface LatencyDelta {
	site: EntrySite;
	pid: number;
	fn: string;
	map_type: string;
	count: number;
	sum_ns: number;
	/** Since the start. */
	max_ns: number;
	/** By BUCKETS of kernel/wire.ts. */
	buckets: Float64Array;
}

export interface TargetCalls {
	pid: number;
	calls: Map<string, number>;
}

export interface Counters {
	/** Per target that is attached: function -> calls since the start. */
	targets: TargetCalls[];
	/** Of all targets that ever were: function -> calls since the start. */
	calls: Map<string, number>;
	ledger: Ledger;
	/** Of what the ledger calls lost: records that came, but that nothing could be made of, by tier and why. */
	undecoded: Undecoded[];
	/** Passes through a stack check that were sent to morestack and are not calls. */
	diverted: number;
}

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
	unknown: { growth: 0, work: 0, iteration: 0 },
});

function undecodedOf({ growthsUnreadable, unknown }: Decoded): Undecoded[] {
	const all: Undecoded[] = [
		{ tier: "growth", stage: "unreadable", count: growthsUnreadable },
		{ tier: "growth", stage: "unknown-record", count: unknown.growth },
		// What the work tier writes are its samples.
		{ tier: "sample", stage: "unknown-record", count: unknown.work },
		{ tier: "iteration", stage: "unknown-record", count: unknown.iteration },
	];
	return all.filter(({ count }) => count > 0);
}

const TIERS: readonly Tier[] = ["growth", "work", "iteration"];

/** `unrecorded`: growths in inlined copies that do not tell the map: they are counted, and none becomes a record. */
type TierSums = Record<Tier, SiteCounts> & { unrecorded: number };

const noSums = (): TierSums => ({ growth: noCounts(), work: noCounts(), iteration: noCounts(), unrecorded: 0 });

function add(sum: SiteCounts, counts: SiteCounts): void {
	for (const name of Object.keys(sum) as (keyof SiteCounts)[]) sum[name] += counts[name];
}

function addSite(sums: TierSums, { probe }: EntrySite, counts: SiteCounts): void {
	add(sums[probe.tier], counts);
	if (probe.mapAt === "unknown") sums.unrecorded += counts.throttled;
}

/** A function has several sites: its own, and those of its inlined copies. */
function addTo(calls: Map<string, number> | undefined, fn: string, hits: number): void {
	calls?.set(fn, (calls.get(fn) ?? 0) + hits);
}

/** What rows of a kernel table said at the previous reading, by site and key; bounded by the rows of the table. */
class SeenRows<Value> {
	readonly #bySite = new Map<number, Map<string, Value>>();

	get(site: number, key: string): Value | undefined {
		return this.#bySite.get(site)?.get(key);
	}

	set(site: number, key: string, value: Value): void {
		const rows = this.#bySite.get(site);
		if (rows === undefined) this.#bySite.set(site, new Map([[key, value]]));
		else rows.set(key, value);
	}

	forget(site: number): void {
		this.#bySite.delete(site);
	}
}

export class CounterTotals {
	readonly #sites: SiteTable;
	readonly #siteCounters: SiteCounters;
	readonly #callCounters: CallCounters;
	readonly #latencyCounters: LatencyCounters;
	readonly #goroutines: GoroutineTable;
	readonly #measured: { latency: boolean; iterations: boolean };
	readonly #callsSeen = new SeenRows<CallRow>();
	readonly #latencySeen = new SeenRows<LatencyCounts>();
	/** Of targets that have been released: their counters, their rows, their functions' calls. */
	readonly #ended = { sums: noSums(), rows: 0, underWay: 0, calls: new Map<string, number>() };

	constructor(object: BpfObject, sites: SiteTable, measured: { latency: boolean; iterations: boolean }) {
		this.#sites = sites;
		this.#measured = measured;
		this.#siteCounters = new SiteCounters(object.mapFd("site_counts"));
		this.#callCounters = new CallCounters(object.mapFd("call_rows"));
		this.#latencyCounters = new LatencyCounters(object.mapFd("latency_rows"));
		this.#goroutines = new GoroutineTable(object.mapFd("goroutines"));
	}

	/**
	 * Reads the counters of all sites. `decoded` and the rows are read before the hits that they are part of, so that a difference is always something that is
	 * still on its way (`pending`), and none is left once the probes are detached and the ring is empty (`final`).
	 */
	read(targets: readonly Target[], decoded: Decoded, final: boolean): Counters {
		const rows = this.#workRows() + this.#ended.rows;
		const underWay = final && this.#measured.latency ? this.#goroutines.callsUnderWay() : 0;
		const sums = noSums();
		for (const tier of TIERS) add(sums[tier], this.#ended.sums[tier]);
		sums.unrecorded = this.#ended.sums.unrecorded;
		const perTarget = new Map(targets.map((target) => [target, new Map<string, number>()]));
		const calls = new Map(this.#ended.calls);
		for (const site of this.#sites.entries()) {
			const counts = this.countsOf(site);
			addSite(sums, site, counts);
			addTo(perTarget.get(site.target), site.probe.fn, counts.hits);
			addTo(calls, site.probe.fn, counts.hits);
		}
		const ledger = this.#ledger(sums, rows, decoded, final ? underWay + this.#ended.underWay : undefined);
		return {
			targets: [...perTarget].map(([{ identity }, own]) => ({ pid: identity.pid, calls: own })),
			...{ calls, ledger },
			undecoded: undecodedOf(decoded),
			diverted: sums.growth.diverted + sums.work.diverted + sums.iteration.diverted,
		};
	}

	#ledger(sums: TierSums, rows: number, decoded: Decoded, underWay: number | undefined): Ledger {
		const final = underWay !== undefined;
		const tier = (fields: Partial<TierLedger>): TierLedger => {
			const result = { ...emptyTierLedger(), ...fields };
			const pending = unaccounted(result);
			return pending > 0 && !final ? { ...result, pending } : result;
		};
		const { growth, work, iteration, unrecorded } = sums;
		const timed = (name: "begun" | "paired" | "left" | "withdrawn"): number => growth[name] + work[name];
		const unpaired = {
			left: timed("left") + (underWay ?? this.#ended.underWay),
			evicted: 0,
			withdrawn: timed("withdrawn"),
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
			...(this.#measured.latency
				? { latency: tier({ hits: timed("begun"), recorded: timed("paired"), unpaired }) }
				: {}),
			...(this.#measured.iterations
				? {
						iteration: tier({
							...{ hits: iteration.hits, recorded: iteration.hits - stepsLost, lost: stepsLost },
						}),
					}
				: {}),
		};
	}

	/** Since the site was attached. */
	countsOf(site: Pick<EntrySite, "index" | "baseline">): SiteCounts {
		const counts = this.#siteCounters.read(site.index);
		for (const name of Object.keys(counts) as (keyof SiteCounts)[]) counts[name] -= site.baseline[name];
		return counts;
	}

	/** The calls of the work tier in all rows. */
	#workRows(): number {
		let total = 0;
		for (const { site, calls } of this.#callCounters.rows()) {
			if (this.#sites.entry(site)?.probe.tier === "work") total += calls;
		}
		return total;
	}

	/**
	 * What has changed, since they were taken before, in the rows of sites and windows that `match`. Those of a program whose place is not known yet wait for it, unless this
	 * is the `last` time.
	 */
	takeCalls(match: (site: EntrySite, window: 0 | 1) => boolean, last = false): CallDelta[] {
		const deltas: CallDelta[] = [];
		for (const row of this.#callCounters.rows()) {
			const site = this.#sites.entry(row.site);
			const window = (row.shape & SHAPE.window) === 0 ? 0 : 1;
			if (site === undefined || !match(site, window) || (site.target.bias === undefined && !last)) continue;
			const key = `${row.tgid}:${row.mapType}:${row.caller}:${row.shape}`;
			const before = this.#callsSeen.get(row.site, key);
			if (before?.calls === row.calls && before.timed === row.timed) continue;
			this.#callsSeen.set(row.site, key, row);
			const since = (name: "calls" | "entries" | "timed" | "elapsedNs" | "onCpu" | "cpuNs"): number =>
				row[name] - (before?.[name] ?? 0);
			const { target, probe } = site;
			const { bias } = target;
			const type = typeOf(target, row.mapType);
			const calls = since("calls");
			const growth = probe.tier === "growth" ? growthShape(probe.role as GrowthRole, row.shape) : undefined;
			deltas.push({
				...{ site, pid: row.tgid, fn: probe.fn, tier: probe.tier, map_type: type.name, calls },
				window,
				caller: bias === undefined ? [] : target.stacks.caller(row.caller, bias),
				...(growth === undefined ? {} : { growth: growthDelta(growth, type, calls, since("entries")) }),
				...{ timed: since("timed"), elapsed_ns: since("elapsedNs"), on_cpu: since("onCpu"), cpu_ns: since("cpuNs") },
			});
		}
		return deltas;
	}

	/** Likewise the durations. */
	takeLatency(match: (site: EntrySite) => boolean, last = false): LatencyDelta[] {
		const deltas: LatencyDelta[] = [];
		if (!this.#measured.latency) return deltas;
		for (const row of this.#latencyCounters.rows()) {
			const site = this.#sites.entry(row.site);
			if (site === undefined || !match(site) || (site.target.bias === undefined && !last)) continue;
			const key = `${row.mapType}`;
			const before = this.#latencySeen.get(row.site, key);
			const buckets = row.buckets.map((count, i) => count - (before?.buckets[i] ?? 0));
			const count = buckets.reduce((sum, n) => sum + n, 0);
			if (count === 0) continue;
			this.#latencySeen.set(row.site, key, row);
			deltas.push({
				site,
				pid: site.target.identity.pid,
				fn: site.probe.fn,
				map_type: row.mapType === 0 ? OTHER_TYPES : typeOf(site.target, row.mapType).name,
				count,
				sum_ns: row.sumNs - (before?.sumNs ?? 0),
				max_ns: row.maxNs,
				buckets,
			});
		}
		return deltas;
	}

	/** How long the calls of a site took on average: processor time where that is known; 0 when none was timed. */
	meanNs(site: number): number {
		let [calls, ns] = [0, 0];
		for (const row of this.#callCounters.rows()) {
			if (row.site !== site) continue;
			calls += row.onCpu > 0 ? row.onCpu : row.timed;
			ns += row.onCpu > 0 ? row.cpuNs : row.elapsedNs;
		}
		return calls === 0 ? 0 : ns / calls;
	}

	/** Forgets what these sites of our own process have written: those of the calibration. */
	forget(sites: ReadonlySet<number>): void {
		this.#callCounters.forget(sites);
		this.#latencyCounters.forget(sites);
		if (this.#measured.latency) this.#goroutines.forgetOwn();
	}

	/**
	 * Targets have ended, their probes are gone and their rows have been taken: keeps their totals and frees their places in the tables. Each table of the
	 * kernel is read once, however many they are.
	 */
	release(...targets: readonly Target[]): void {
		const ending = new Set(targets);
		for (const { site, calls } of this.#callCounters.rows()) {
			const entry = this.#sites.entry(site);
			if (entry?.probe.tier === "work" && ending.has(entry.target)) this.#ended.rows += calls;
		}
		const released = new Set<number>();
		for (const target of targets) {
			for (const site of this.#sites.entriesOf(target)) {
				const counts = this.countsOf(site);
				addSite(this.#ended.sums, site, counts);
				addTo(this.#ended.calls, site.probe.fn, counts.hits);
			}
			for (const index of this.#sites.release(target, (at) => this.#siteCounters.read(at))) released.add(index);
		}
		if (this.#measured.latency) {
			this.#ended.underWay += this.#goroutines.forget(new Set(targets.map(({ identity }) => identity.pid)));
		}
		this.#callCounters.forget(released);
		this.#latencyCounters.forget(released);
		for (const index of released) {
			this.#callsSeen.forget(index);
			this.#latencySeen.forget(index);
		}
	}
}

/** Durations of maps whose type has no row of its own in the kernel's table. */
const OTHER_TYPES = "(other)";

/** Unknown for a type made at run time, and as long as no growth of a command has told where it was loaded. */
function typeOf(target: Target, address: number): MapTypeInfo {
	const { bias } = target;
	if (address === 0) return UNTOLD_TYPE;
	return (bias === undefined ? undefined : target.types.at(address, bias)) ?? UNKNOWN_TYPE;
}

function growthDelta(growth: GrowthShape, type: MapTypeInfo, calls: number, entries: number): GrowthDelta {
	return {
		...growth,
		...(type.storageBytes === undefined ? {} : { bytes: calls * growth.units * type.storageBytes }),
		...(type.slotBytes === undefined ? {} : { bytes_moved: entries * type.slotBytes }),
	};
}
