/** What the counters say: totals since the start, and what has changed since the previous reading. */
import type { BpfObject } from "../kernel/bpf-object.ts";
import {
	GoroutineTable,
	LatencyCounters,
	type LatencyCounts,
	noCounts,
	SiteCounters,
	type SiteCounts,
	WorkCounters,
} from "../kernel/counters.ts";
import type { Tier } from "../plan/probe-plan.ts";
import { emptyTierLedger, unaccounted } from "../records/ledger.ts";
import type { Frame, Ledger, TierLedger } from "../records/records.ts";
import type { StackDecoder } from "./decode/stacks.ts";
import { UNKNOWN_TYPE, UNTOLD_TYPE } from "./decode/type-names.ts";
import type { EntrySite, SiteTable } from "./site-table.ts";
import type { Target } from "./target.ts";

/** Calls of one function for maps of one type from one place, since the previous reading. */
export interface WorkDelta {
	pid: number;
	fn: string;
	map_type: string;
	/** Frames of the place that called into the map code, innermost first; empty when it could not be read. */
	caller: Frame[];
	calls: number;
}

/** Durations of calls of one function for maps of one type that ended since the previous reading. */
export interface LatencyDelta {
	pid: number;
	fn: string;
	map_type: string;
	count: number;
	sum_ns: number;
	/** Since the start. */
	max_ns: number;
	/** Bucket 0: below 64 ns; n: from 2^(n+5) to below 2^(n+6) ns; the last one has no upper end. */
	buckets: number[];
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
	/** Since the previous reading. */
	work: WorkDelta[];
	latency: LatencyDelta[];
	/** Passes through a stack check that were sent to morestack and are not calls. */
	diverted: number;
}

/** What the session itself has counted. */
export interface Decoded {
	growths: number;
	growthsDropped: number;
	samples: number;
	samplesDropped: number;
}

const TIERS: readonly Tier[] = ["growth", "work", "iteration"];
type TierSums = Record<Tier, SiteCounts>;

const noSums = (): TierSums => ({ growth: noCounts(), work: noCounts(), iteration: noCounts() });

function add(sum: SiteCounts, counts: SiteCounts): void {
	for (const name of Object.keys(sum) as (keyof SiteCounts)[]) sum[name] += counts[name];
}

/** A function has several sites: its own, and those of its inlined copies. */
function addTo(calls: Map<string, number> | undefined, fn: string, hits: number): void {
	calls?.set(fn, (calls.get(fn) ?? 0) + hits);
}

/** Growths that did not become records are not timed either; a call of the work tier is timed whether it becomes a record or not. */
function addTimed(sum: SiteCounts, { timed, probe }: EntrySite, counts: SiteCounts): void {
	if (!timed) return;
	add(sum, probe.tier === "growth" ? { ...counts, hits: counts.hits - counts.throttled } : counts);
}

/** What rows of a kernel table said at the previous reading; bounded by the rows of the table. */
interface Seen<Value> {
	site: number;
	value: Value;
}

export class CounterTotals {
	readonly #sites: SiteTable;
	readonly #stacks: StackDecoder;
	readonly #siteCounters: SiteCounters;
	readonly #workCounters: WorkCounters;
	readonly #latencyCounters: LatencyCounters;
	readonly #goroutines: GoroutineTable;
	readonly #measured: { latency: boolean; iterations: boolean };
	readonly #workSeen = new Map<string, Seen<number>>();
	readonly #latencySeen = new Map<string, Seen<LatencyCounts>>();
	/** Of targets that have been released: their counters, the hits of their timed functions, their rows, their functions' calls. */
	readonly #ended = { sums: noSums(), timed: noCounts(), rows: 0, underWay: 0, calls: new Map<string, number>() };
	/** Changes of rows that were read when a target was released, for the next reading. */
	#work: WorkDelta[] = [];
	#latency: LatencyDelta[] = [];

	constructor(
		object: BpfObject,
		sites: SiteTable,
		stacks: StackDecoder,
		measured: { latency: boolean; iterations: boolean },
	) {
		this.#sites = sites;
		this.#stacks = stacks;
		this.#measured = measured;
		this.#siteCounters = new SiteCounters(object.mapFd("site_counts"));
		this.#workCounters = new WorkCounters(object.mapFd("work_rows"));
		this.#latencyCounters = new LatencyCounters(object.mapFd("latency_rows"));
		this.#goroutines = new GoroutineTable(object.mapFd("goroutines"));
	}

	/**
	 * Reads everything. Details are read before the hits that they are part of, so that a difference is always something that is still on its way
	 * (`pending`), and none is left once the probes are detached and the ring is empty (`final`).
	 */
	read(targets: readonly Target[], decoded: Decoded, final: boolean): Counters {
		const rows = this.#readWork() + this.#ended.rows;
		this.#readLatency();
		const underWay = final && this.#measured.latency ? this.#goroutines.callsUnderWay() : 0;
		const sums = noSums();
		const timed = noCounts();
		for (const tier of TIERS) add(sums[tier], this.#ended.sums[tier]);
		add(timed, this.#ended.timed);
		const perTarget = new Map(targets.map((target) => [target, new Map<string, number>()]));
		const calls = new Map(this.#ended.calls);
		for (const site of this.#sites.entries()) {
			const counts = this.countsOf(site);
			add(sums[site.probe.tier], counts);
			addTimed(timed, site, counts);
			addTo(perTarget.get(site.target), site.probe.fn, counts.hits);
			addTo(calls, site.probe.fn, counts.hits);
		}
		const ledger = this.#ledger(sums, timed, rows, decoded, final ? underWay + this.#ended.underWay : undefined);
		const [work, latency] = [this.#work, this.#latency];
		this.#work = [];
		this.#latency = [];
		return {
			targets: [...perTarget].map(([{ identity }, own]) => ({ pid: identity.pid, calls: own })),
			...{ calls, ledger, work, latency },
			diverted: sums.growth.diverted + sums.work.diverted + sums.iteration.diverted,
		};
	}

	#ledger(sums: TierSums, timed: SiteCounts, rows: number, decoded: Decoded, underWay: number | undefined): Ledger {
		const final = underWay !== undefined;
		const tier = (fields: Partial<TierLedger>): TierLedger => {
			const result = { ...emptyTierLedger(), ...fields };
			const pending = unaccounted(result);
			return pending > 0 && !final ? { ...result, pending } : result;
		};
		const { growth, work, iteration } = sums;
		const unpaired = { left: timed.left + (underWay ?? this.#ended.underWay), evicted: 0 };
		// Nothing but the kernel's table forgets calls; a negative rest would be an error and stays visible.
		if (final) unpaired.evicted = Math.max(0, timed.hits - timed.paired - unpaired.left);
		return {
			growth: tier({
				...{ hits: growth.hits, recorded: decoded.growths, throttled: growth.throttled },
				lost: growth.lost + decoded.growthsDropped,
			}),
			work: tier({ hits: work.hits, recorded: rows, lost: work.lost }),
			sample: tier({
				...{ hits: work.hits, recorded: decoded.samples, sampled_out: work.hits - work.picked },
				...{ throttled: work.throttled, lost: work.sampleLost + decoded.samplesDropped },
			}),
			...(this.#measured.latency ? { latency: tier({ hits: timed.hits, recorded: timed.paired, unpaired }) } : {}),
			...(this.#measured.iterations
				? {
						iteration: tier({
							...{ hits: iteration.hits, recorded: iteration.hits - iteration.lost, lost: iteration.lost },
						}),
					}
				: {}),
		};
	}

	/** Since the site was attached. */
	countsOf(site: EntrySite): SiteCounts {
		const counts = this.#siteCounters.read(site.index);
		for (const name of Object.keys(counts) as (keyof SiteCounts)[]) counts[name] -= site.baseline[name];
		return counts;
	}

	/** Collects what has changed; returns the calls in all rows. */
	#readWork(): number {
		let total = 0;
		for (const row of this.#workCounters.rows()) {
			total += row.calls;
			const key = `${row.site}:${row.tgid}:${row.mapType}:${row.caller}`;
			const calls = row.calls - (this.#workSeen.get(key)?.value ?? 0);
			if (calls === 0) continue;
			this.#workSeen.set(key, { site: row.site, value: row.calls });
			const site = this.#sites.entry(row.site);
			if (site === undefined) continue;
			const { target, probe } = site;
			const { bias } = target;
			this.#work.push({
				pid: row.tgid,
				fn: probe.fn,
				map_type: typeName(target, row.mapType),
				caller: bias === undefined ? [] : this.#stacks.caller(target, row.caller, bias),
				calls,
			});
		}
		return total;
	}

	#readLatency(): void {
		if (!this.#measured.latency) return;
		for (const row of this.#latencyCounters.rows()) {
			const key = `${row.site}:${row.mapType}`;
			const before = this.#latencySeen.get(key)?.value;
			const buckets = row.buckets.map((count, i) => count - (before?.buckets[i] ?? 0));
			const count = buckets.reduce((sum, n) => sum + n, 0);
			if (count === 0) continue;
			this.#latencySeen.set(key, { site: row.site, value: row });
			const site = this.#sites.entry(row.site);
			if (site === undefined) continue;
			this.#latency.push({
				pid: site.target.identity.pid,
				fn: site.probe.fn,
				map_type: row.mapType === 0 ? OTHER_TYPES : typeName(site.target, row.mapType),
				count,
				sum_ns: row.sumNs - (before?.sumNs ?? 0),
				max_ns: row.maxNs,
				buckets,
			});
		}
	}

	/** Forgets what these sites of our own process have written: those of the calibration. */
	forget(sites: ReadonlySet<number>): void {
		this.#workCounters.forget(sites);
		this.#latencyCounters.forget(sites);
		if (this.#measured.latency) this.#goroutines.forget(process.pid);
	}

	/** A target has ended and its probes are gone: keeps its totals and frees its places in the tables. */
	release(target: Target): void {
		this.#readWork();
		this.#readLatency();
		for (const site of this.#sites.entries()) {
			if (site.target !== target) continue;
			const counts = this.countsOf(site);
			add(this.#ended.sums[site.probe.tier], counts);
			addTimed(this.#ended.timed, site, counts);
			addTo(this.#ended.calls, site.probe.fn, counts.hits);
		}
		if (this.#measured.latency) this.#ended.underWay += this.#goroutines.forget(target.identity.pid);
		const released = this.#sites.release(target, (index) => this.#siteCounters.read(index));
		this.#workCounters.forget(released);
		this.#latencyCounters.forget(released);
		for (const [key, { site, value }] of this.#workSeen) {
			if (!released.has(site)) continue;
			this.#ended.rows += value;
			this.#workSeen.delete(key);
		}
		for (const [key, { site }] of this.#latencySeen) if (released.has(site)) this.#latencySeen.delete(key);
	}
}

/** Durations of maps whose type has no row of its own in the kernel's table. */
const OTHER_TYPES = "(other)";

/** Unknown for a type made at run time, and as long as no growth of a command has told where it was loaded. */
function typeName(target: Target, address: number): string {
	const { bias } = target;
	if (address === 0) return UNTOLD_TYPE.name;
	return ((bias === undefined ? undefined : target.types.at(address, bias)) ?? UNKNOWN_TYPE).name;
}
