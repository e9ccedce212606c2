/** What the counters say: totals since the start, and what has changed since the previous reading. */

import type { Tier } from "../gomap/functions.ts";
import { type GrowthRole, type GrowthShape, growthShape } from "../gomap/growth-shape.ts";
import type { BpfObject } from "../kernel/bpf-object.ts";
import {
	CallCounters,
	type CallSums,
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
import { type MapTypeInfo, UNKNOWN_TYPE } from "./decode/type-names.ts";
import { SeenCalls } from "./seen-calls.ts";
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
type TierSums = Record<Tier, SiteCounts>;

const noSums = (): TierSums => ({ growth: noCounts(), work: noCounts(), iteration: noCounts() });

function add(sum: SiteCounts, counts: SiteCounts): void {
	for (const name of Object.keys(sum) as (keyof SiteCounts)[]) sum[name] += counts[name];
}

/** Of a site and window, while calls are taken. */
const MATCH = { unknown: 0, no: 1, yes: 2 } as const;

export class CounterTotals {
	readonly #sites: SiteTable;
	readonly #siteCounters: SiteCounters;
	readonly #callCounters: CallCounters;
	readonly #latencyCounters: LatencyCounters;
	readonly #goroutines: GoroutineTable;
	readonly #measured: { latency: boolean; iterations: boolean };
	readonly #callsSeen = new SeenCalls();
	/** Durations by site and address of the type, at the previous reading; bounded by the rows of the kernel's table. */
	readonly #latencySeen = new Map<number, Map<number, LatencyCounts>>();
	/** By number of the site and window: MATCH. */
	#matches = new Uint8Array(0);
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
		const perTarget = new Map(targets.map((target) => [target, new Map<string, number>()]));
		const calls = new Map(this.#ended.calls);
		for (const site of this.#sites.entries()) {
			const counts = this.countsOf(site);
			add(sums[site.probe.tier], counts);
			perTarget.get(site.target)?.set(site.probe.fn, counts.hits);
			calls.set(site.probe.fn, (calls.get(site.probe.fn) ?? 0) + counts.hits);
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
		const { growth, work, iteration } = sums;
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
				...{ hits: growth.hits, recorded: decoded.growths, throttled: growth.throttled },
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
		this.#callCounters.read(
			(site) => this.#sites.entry(site)?.probe.tier === "work",
			({ calls }) => {
				total += calls;
			},
		);
		return total;
	}

	/**
	 * What has changed, since they were taken before, in the rows of sites and windows that `match`. Those of a program whose place is not known yet wait for it, unless this
	 * is the `last` time.
	 */
	takeCalls(match: (site: EntrySite, window: 0 | 1) => boolean, last = false): CallDelta[] {
		const deltas: CallDelta[] = [];
		const since: CallSums = { calls: 0, entries: 0, timed: 0, elapsedNs: 0, onCpu: 0, cpuNs: 0 };
		// Asked once for each site and window, as there may be thousands of rows of each.
		if (this.#matches.length < 2 * this.#sites.size) this.#matches = new Uint8Array(2 * this.#sites.size);
		const matches = this.#matches.fill(MATCH.unknown);
		const wanted = (index: number, shape: number): boolean => {
			const window = windowOf(shape);
			const at = 2 * index + window;
			if (matches[at] === MATCH.unknown) {
				const site = this.#sites.entry(index);
				const yes = site !== undefined && match(site, window) && (site.target.bias !== undefined || last);
				matches[at] = yes ? MATCH.yes : MATCH.no;
			}
			return matches[at] === MATCH.yes;
		};
		this.#callCounters.read(wanted, (row) => {
			const site = this.#sites.entry(row.site);
			if (site === undefined || !this.#callsSeen.take(row, since)) return;
			const { target, probe } = site;
			const { bias } = target;
			const type = typeOf(target, row.mapType);
			const { calls, entries, timed, elapsedNs, onCpu, cpuNs } = since;
			const growth = probe.tier === "growth" ? growthShape(probe.role as GrowthRole, row.shape) : undefined;
			const delta: CallDelta = {
				...{ site, pid: row.tgid, fn: probe.fn, tier: probe.tier, map_type: type.name, calls },
				window: windowOf(row.shape),
				caller: bias === undefined ? [] : target.stacks.caller(row.caller, bias),
				...{ timed, elapsed_ns: elapsedNs, on_cpu: onCpu, cpu_ns: cpuNs },
			};
			if (growth !== undefined) delta.growth = growthDelta(growth, type, calls, entries);
			deltas.push(delta);
		});
		return deltas;
	}

	/** Likewise the durations. */
	takeLatency(match: (site: EntrySite) => boolean, last = false): LatencyDelta[] {
		const deltas: LatencyDelta[] = [];
		if (!this.#measured.latency) return deltas;
		for (const row of this.#latencyCounters.rows()) {
			const site = this.#sites.entry(row.site);
			if (site === undefined || !match(site) || (site.target.bias === undefined && !last)) continue;
			const seen = this.#latencySeen.get(row.site) ?? new Map<number, LatencyCounts>();
			const before = seen.get(row.mapType);
			const buckets = row.buckets.map((count, i) => count - (before?.buckets[i] ?? 0));
			const count = buckets.reduce((sum, n) => sum + n, 0);
			if (count === 0) continue;
			this.#latencySeen.set(row.site, seen.set(row.mapType, row));
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
		this.#callCounters.read(
			(index) => index === site,
			({ onCpu, cpuNs, timed, elapsedNs }) => {
				calls += onCpu > 0 ? onCpu : timed;
				ns += onCpu > 0 ? cpuNs : elapsedNs;
			},
		);
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
		const isEnding = (site: number): boolean => {
			const entry = this.#sites.entry(site);
			return entry?.probe.tier === "work" && ending.has(entry.target);
		};
		this.#callCounters.read(isEnding, ({ calls }) => {
			this.#ended.rows += calls;
		});
		const released = new Set<number>();
		for (const target of targets) {
			for (const site of this.#sites.entriesOf(target)) {
				const counts = this.countsOf(site);
				add(this.#ended.sums[site.probe.tier], counts);
				this.#ended.calls.set(site.probe.fn, (this.#ended.calls.get(site.probe.fn) ?? 0) + counts.hits);
			}
			for (const index of this.#sites.release(target, (at) => this.#siteCounters.read(at))) released.add(index);
		}
		if (this.#measured.latency) {
			this.#ended.underWay += this.#goroutines.forget(new Set(targets.map(({ identity }) => identity.pid)));
		}
		this.#callCounters.forget(released);
		this.#latencyCounters.forget(released);
		this.#callsSeen.forget(released);
		for (const index of released) this.#latencySeen.delete(index);
	}
}

/** Which of the site's two windows calls of a shape began in. */
function windowOf(shape: number): 0 | 1 {
	return (shape & SHAPE.window) === 0 ? 0 : 1;
}

/** Durations of maps whose type has no row of its own in the kernel's table. */
const OTHER_TYPES = "(other)";

/** Unknown for a type made at run time, and as long as no growth of a command has told where it was loaded. */
function typeOf(target: Target, address: number): MapTypeInfo {
	const { bias } = target;
	return (bias === undefined ? undefined : target.types.at(address, bias)) ?? UNKNOWN_TYPE;
}

function growthDelta(growth: GrowthShape, type: MapTypeInfo, calls: number, entries: number): GrowthDelta {
	return {
		...growth,
		...(type.storageBytes === undefined ? {} : { bytes: calls * growth.units * type.storageBytes }),
		...(type.slotBytes === undefined ? {} : { bytes_moved: entries * type.slotBytes }),
	};
}
