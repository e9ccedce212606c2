/** What the counters say: totals since the start, and what has changed since the previous reading. */

import { slotOf } from "../gomap/functions.ts";
import { type GrowthRole, type GrowthShape, growthShape } from "../gomap/growth-shape.ts";
import type { BpfObject } from "../kernel/bpf-object.ts";
import {
	CallCounters,
	type CallSums,
	type CallUnderWay,
	GoroutineTable,
	LatencyCounters,
	type LatencyCounts,
	noCounts,
	SiteCounters,
	type SiteCounts,
} from "../kernel/counters.ts";
import { SHAPE } from "../kernel/wire.ts";
import type { Frame, Ledger } from "../records/records.ts";
import type { CallDelta, GrowthDelta, LatencyDelta } from "./call-deltas.ts";
import { type MapTypeInfo, UNKNOWN_TYPE, UNTOLD_TYPE } from "./decode/type-names.ts";
import {
	addCounts,
	addHits,
	addSite,
	type Decoded,
	ledgerOf,
	type Measured,
	noCalls,
	noSums,
	TIERS,
	type Undecoded,
	type Unreturned,
	undecodedOf,
} from "./ledger.ts";
import { type MadeDelta, MadeMaps } from "./made-maps.ts";
import { SeenCalls } from "./seen-calls.ts";
import { SeenRows } from "./seen-rows.ts";
import type { EntrySite, SiteTable } from "./site-table.ts";
import type { Target } from "./target.ts";

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

/** In place of a type or a call site: of calls for which the kernel's table had no row. */
export const NOT_RECORDED = "(not recorded)";
const NO_ROW: Frame[] = [{ fn: NOT_RECORDED }];

/** Counters of a site when its rows were taken. */
interface Taken {
	/** Hits and ends of calls: nothing is in the rows that did not change one of them. */
	passes: [number, number];
	hits: number;
	unrecorded: number;
	rowLost: number;
	paired: number;
}

/** Of a site and window, while calls are taken. */
const MATCH = { unknown: 0, no: 1, yes: 2 } as const;

export class CounterTotals {
	readonly #sites: SiteTable;
	readonly #siteCounters: SiteCounters;
	readonly #callCounters: CallCounters;
	readonly #latencyCounters: LatencyCounters;
	readonly #goroutines: GoroutineTable;
	readonly #measured: Measured;
	readonly #made: MadeMaps | undefined;
	readonly #callsSeen = new SeenCalls();
	readonly #latencySeen = new SeenRows<LatencyCounts>();
	readonly #taken = new Map<number, Taken>();
	/** By number of the site and window: MATCH. */
	#matches = new Uint8Array(0);
	/** Of targets that have been released: their counters, their rows, their functions' calls. */
	readonly #ended = { sums: noSums(), rows: 0, unreturned: noCalls(), calls: new Map<string, number>() };

	constructor(object: BpfObject, sites: SiteTable, measured: Measured) {
		if (measured.makes === true) this.#made = new MadeMaps(object, sites);
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
		const made = this.#made?.total ?? 0;
		const unreturned = { ...this.#ended.unreturned };
		if (final && this.#measured.latency) this.#addUnreturned(unreturned, this.#goroutines.callsUnderWay());
		const sums = noSums();
		for (const tier of TIERS) addCounts(sums[tier], this.#ended.sums[tier]);
		sums.unrecorded = this.#ended.sums.unrecorded;
		const perTarget = new Map(targets.map((target) => [target, new Map<string, number>()]));
		const calls = new Map(this.#ended.calls);
		for (const [site, counts] of this.#countsOfAll(this.#sites.entries())) {
			addSite(sums, site, counts);
			addHits(perTarget.get(site.target), site.probe.fn, counts.hits);
			addHits(calls, site.probe.fn, counts.hits);
		}
		const ledger = ledgerOf({ sums, rows, made, decoded, unreturned, final, measured: this.#measured });
		return {
			targets: [...perTarget].map(([{ identity }, own]) => ({ pid: identity.pid, calls: own })),
			...{ calls, ledger },
			undecoded: undecodedOf(decoded),
			diverted: sums.growth.diverted + sums.work.diverted + sums.iteration.diverted,
		};
	}

	/** Of calls that have not returned, only those were never left whose ends were watched all the time. */
	#addUnreturned(sum: Unreturned, calls: Iterable<CallUnderWay>): void {
		const since = new Map<string, number | undefined>();
		for (const { target, probe, timedSinceNs } of this.#sites.entries()) {
			since.set(`${target.identity.pid}:${slotOf(probe.fn)}`, timedSinceNs);
		}
		for (const { tgid, slot, begunNs } of calls) {
			const watchedSince = since.get(`${tgid}:${slot}`);
			if (watchedSince === undefined || begunNs < watchedSince) sum.withdrawn++;
			else sum.left++;
		}
	}

	/** Since the site was attached. */
	countsOf(site: Pick<EntrySite, "index" | "baseline">): SiteCounts {
		return sinceBaseline(this.#siteCounters.read(site.index), site);
	}

	/** The same of many, with few calls of the kernel. Sites in the order of their numbers come together. */
	countsOfAll(sites: readonly Pick<EntrySite, "index" | "baseline">[]): SiteCounts[] {
		return this.#countsOfAll(sites).map(([, counts]) => counts);
	}

	#countsOfAll<Of extends Pick<EntrySite, "index" | "baseline">>(sites: readonly Of[]): [Of, SiteCounts][] {
		const all: [Of, SiteCounts][] = [];
		for (let from = 0; from < sites.length; ) {
			const first = sites[from]?.index ?? 0;
			let to = from + 1;
			while (to < sites.length && sites[to]?.index === first + to - from) to++;
			const counts = this.#siteCounters.readRun(first, to - from);
			for (const [at, site] of sites.slice(from, to).entries()) {
				all.push([site, sinceBaseline(counts[at] ?? noCounts(), site)]);
			}
			from = to;
		}
		return all;
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
	 * What has changed, since they were taken before, in the rows that `match`. Those of a program whose place is not known yet wait, unless this is the `last` time.
	 */
	takeCalls(match: (site: EntrySite, window: 0 | 1) => boolean, last = false): CallDelta[] {
		const deltas: CallDelta[] = [];
		const recorded = this.#takeCounts(match, last, deltas);
		if (recorded === undefined) return deltas;
		const since: CallSums = { calls: 0, entries: 0, timed: 0, elapsedNs: 0, onCpu: 0, cpuNs: 0 };
		this.#callCounters.read(this.#wanted(match, last), (row) => {
			const site = this.#sites.entry(row.site);
			if (site === undefined || !this.#callsSeen.take(row, since)) return;
			const { target, probe } = site;
			const { bias } = target;
			const type = typeOf(target, row.mapType);
			const { calls, entries, timed, elapsedNs, onCpu, cpuNs } = since;
			const growth = probe.tier === "growth" ? growthShape(probe.role as GrowthRole, row.shape) : undefined;
			const delta: CallDelta = {
				...{ site, pid: row.tgid, fn: probe.fn, tier: probe.tier, map_type: type.name, calls },
				...{ window: windowOf(row.shape), recorded: recorded.get(row.site) ?? 0 },
				caller: bias === undefined ? [] : target.stacks.caller(row.caller, bias),
				...{ timed, elapsed_ns: elapsedNs, on_cpu: onCpu, cpu_ns: cpuNs },
			};
			if (growth !== undefined) delta.growth = growthDelta(growth, type, calls, entries);
			deltas.push(delta);
		});
		return deltas;
	}

	/** Asks once for each site and window, as there may be thousands of rows of each. */
	#wanted(match: (site: EntrySite, window: 0 | 1) => boolean, last: boolean): (site: number, shape: number) => boolean {
		if (this.#matches.length < 2 * this.#sites.size) this.#matches = new Uint8Array(2 * this.#sites.size);
		const matches = this.#matches.fill(MATCH.unknown);
		return (index, shape) => {
			const window = windowOf(shape);
			const at = 2 * index + window;
			if (matches[at] === MATCH.unknown) {
				const site = this.#sites.entry(index);
				const yes = site !== undefined && match(site, window) && (site.target.bias !== undefined || last);
				matches[at] = yes ? MATCH.yes : MATCH.no;
			}
			return matches[at] === MATCH.yes;
		};
	}

	/**
	 * What the counters of these sites say of their rows: which part of the growths became records, by site, and calls without a row. Undefined when the rows have not changed
	 * since they were taken before.
	 */
	#takeCounts(
		match: (site: EntrySite, window: 0 | 1) => boolean,
		last: boolean,
		deltas: CallDelta[],
	): Map<number, number> | undefined {
		const sites = this.#sites.entries().filter((site) => {
			const wanted = isInCallRows(site) && (match(site, 0) || match(site, 1));
			return wanted && (last || site.target.bias !== undefined);
		});
		const recorded = new Map<number, number>();
		let changed = last;
		for (const [site, counts] of this.#countsOfAll(sites)) {
			const { hits, paired, throttled, lost, rowLost } = counts;
			const before = this.#taken.get(site.index) ?? nothingTaken();
			const taken: Taken = { ...before, hits, unrecorded: throttled + lost, rowLost };
			for (const window of [0, 1] as const) {
				if (!match(site, window) || before.passes[window] === hits + paired) continue;
				changed = true;
				taken.passes = window === 0 ? [hits + paired, taken.passes[1]] : [taken.passes[0], hits + paired];
			}
			this.#taken.set(site.index, taken);
			if (site.probe.tier === "growth" && hits > before.hits) {
				const calls = hits - before.hits;
				recorded.set(site.index, (calls - (taken.unrecorded - before.unrecorded)) / calls);
			}
			if (rowLost > before.rowLost) deltas.push(withoutRow(site, rowLost - before.rowLost, match(site, 0) ? 0 : 1));
		}
		return changed ? recorded : undefined;
	}

	/** Likewise the durations. */
	takeLatency(match: (site: EntrySite) => boolean, last = false): LatencyDelta[] {
		const deltas: LatencyDelta[] = [];
		if (!this.#measured.latency || !(this.#takePaired(match) || last)) return deltas;
		for (const row of this.#latencyCounters.rows()) {
			const site = this.#sites.entry(row.site);
			if (site === undefined || !match(site) || (site.target.bias === undefined && !last)) continue;
			const key = `${row.tgid}:${row.mapType}`;
			const before = this.#latencySeen.get(row.site, key);
			const buckets = row.buckets.map((count, i) => count - (before?.buckets[i] ?? 0));
			const count = buckets.reduce((sum, n) => sum + n, 0);
			if (count === 0) continue;
			this.#latencySeen.set(row.site, key, row);
			deltas.push({
				site,
				pid: row.tgid,
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

	/** Whether calls of these sites have ended since their durations were taken. */
	#takePaired(match: (site: EntrySite) => boolean): boolean {
		const sites = this.#sites.entries().filter((site) => site.timed && site.target.bias !== undefined && match(site));
		let changed = false;
		for (const [{ index }, { paired }] of this.#countsOfAll(sites)) {
			const taken = this.#taken.get(index) ?? nothingTaken();
			if (taken.paired === paired) continue;
			changed = true;
			this.#taken.set(index, { ...taken, paired });
		}
		return changed;
	}

	/** Maps that were made, and what became of them: likewise. */
	takeMakes(match: (site: EntrySite, window: 0 | 1) => boolean, last = false): MadeDelta[] {
		return this.#made?.take(match, last) ?? [];
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
		if (this.#measured.latency) {
			const pids = new Set(targets.map(({ identity }) => identity.pid));
			this.#addUnreturned(this.#ended.unreturned, this.#goroutines.forget(pids));
		}
		this.#made?.release(targets);
		const released = new Set<number>();
		for (const target of targets) {
			for (const site of this.#sites.entriesOf(target)) {
				const counts = this.countsOf(site);
				addSite(this.#ended.sums, site, counts);
				addHits(this.#ended.calls, site.probe.fn, counts.hits);
			}
			for (const index of this.#sites.release(target, (at) => this.#siteCounters.read(at))) released.add(index);
		}
		this.#callCounters.forget(released);
		this.#latencyCounters.forget(released);
		this.#callsSeen.forget(released);
		for (const index of released) {
			this.#latencySeen.forget(index);
			this.#taken.delete(index);
		}
	}
}

const isInCallRows = ({ probe }: EntrySite): boolean => probe.tier === "growth" || probe.tier === "work";

/** Which of the site's two windows calls of a shape began in. */
const windowOf = (shape: number): 0 | 1 => ((shape & SHAPE.window) === 0 ? 0 : 1);

const nothingTaken = (): Taken => ({ passes: [0, 0], hits: 0, unrecorded: 0, rowLost: 0, paired: 0 });

function sinceBaseline(counts: Readonly<SiteCounts>, { baseline }: Pick<EntrySite, "baseline">): SiteCounts {
	const since = { ...counts };
	for (const name of Object.keys(since) as (keyof SiteCounts)[]) since[name] -= baseline[name];
	return since;
}

/** The kernel's table was full: nothing is known of these calls but that there were. */
function withoutRow(site: EntrySite, calls: number, window: 0 | 1): CallDelta {
	const { target, probe } = site;
	return {
		...{ site, pid: target.identity.pid, fn: probe.fn, tier: probe.tier, map_type: NOT_RECORDED, caller: NO_ROW },
		...{ calls, window, recorded: 0, timed: 0, elapsed_ns: 0, on_cpu: 0, cpu_ns: 0 },
	};
}

/** Maps whose type has no row of its own in the kernel's table. */
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
