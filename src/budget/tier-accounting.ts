/** Keeps the books of one tier of one target: when it was probed, what its hits cost, and what is estimated of the rest of the time. */
import type { HitCosts } from "../kernel/calibration.ts";
import type { SiteCounts } from "../kernel/counters.ts";
import type { EntrySite } from "../tracer/site-table.ts";
import { CallEstimator, type Missing } from "./call-estimator.ts";
import { type HitCost, hitCost } from "./hit-cost.ts";

/** What the books are kept from. */
export interface BookSources {
	/** Entries of the tier's functions. */
	sites: readonly EntrySite[];
	countsOf: (site: EntrySite) => SiteCounts;
	costs: HitCosts;
	/** Processor time that the target has used; undefined when it has ended. */
	cpuNs: () => number | undefined;
}

/** What the hits of a tier cost since the previous measurement. */
export interface TierCost extends HitCost {
	probedNs: number;
	/** Of putting the probes in and taking them out. */
	switchingNs: number;
}

/**
 * What putting a probe in and taking it out again costs a target that is kept busy, beside its hits: its threads wait meanwhile, and find their caches of addresses
 * empty. An HTTP server on two busy processors, whose work tier was put in and taken out 25 times a second, lost 5 ms each time for its 14 probes; a program that never ran
 * into them lost an eighth of that (Linux 6.18, a virtual machine).
 */
const SWITCHING_NS = 330e3;

type Snapshot = Map<EntrySite, SiteCounts>;

export class TierBooks {
	readonly #sources: BookSources;
	#probed = true;
	#changedNs: number;
	/** Up to when the books are kept, and the processor time then. */
	#accountedNs: number;
	#cpuNs: number;
	/** Since the previous measurement, and since the previous report. */
	#probedNs = 0;
	#switchingNs = 0;
	#reported = { probedNs: 0, elapsedNs: 0 };
	/** Counters at the previous measurement, and when the probes were put in or taken out. */
	#measured: Snapshot;
	#changed: Snapshot;
	#cpuAtChange: number;
	/** Hits that came while the tier was taken to be unprobed: both ways take some time. */
	readonly #strays = new Map<string, number>();
	/** Hits in the windows that are over. */
	#inWindows = 0;
	#estimator: CallEstimator | undefined;

	constructor(sources: BookSources, nowNs: number) {
		this.#sources = sources;
		this.#changedNs = nowNs;
		this.#accountedNs = nowNs;
		this.#cpuNs = this.#cpuAtChange = sources.cpuNs() ?? 0;
		this.#measured = this.#changed = this.#snapshot();
	}

	/** What it costs to put the probes in and take them out again, beside their hits. */
	get openingNs(): number {
		const probes = this.#sources.sites.reduce((sum, { probe, timed }) => sum + 1 + (timed ? probe.exits.length : 0), 0);
		return probes * SWITCHING_NS;
	}

	get probed(): boolean {
		return this.#probed;
	}

	/** Since when it is probed, or is not. */
	get changedNs(): number {
		return this.#changedNs;
	}

	#snapshot(): Snapshot {
		return new Map(this.#sources.sites.map((site) => [site, this.#sources.countsOf(site)]));
	}

	/** Keeps the books up to now. */
	account(nowNs: number): void {
		const elapsed = nowNs - this.#accountedNs;
		const cpu = this.#sources.cpuNs() ?? this.#cpuNs;
		const used = Math.max(0, cpu - this.#cpuNs);
		this.#accountedNs = nowNs;
		this.#cpuNs = cpu;
		this.#reported.elapsedNs += elapsed;
		if (this.#probed) {
			this.#probedNs += elapsed;
			this.#reported.probedNs += elapsed;
		} else this.#estimator?.off(elapsed / 1e9, used);
	}

	/** From now on the tier is probed in windows, and is not at the moment. What was counted until now is exact and stands for nothing else. */
	beginWindows(nowNs: number): void {
		const seconds = (nowNs - this.#changedNs) / 1e9;
		this.account(nowNs);
		const now = this.#snapshot();
		this.#estimator ??= new CallEstimator({ calls: this.#hitsSince(now), seconds, ...this.#spentSince(now) });
		this.#change(false, nowNs, now);
	}

	/** The probes are in. */
	opened(nowNs: number): void {
		this.account(nowNs);
		this.#switchingNs += this.openingNs;
		const now = this.#snapshot();
		for (const [fn, hits] of this.#hitsSince(now)) this.#strays.set(fn, (this.#strays.get(fn) ?? 0) + hits);
		this.#change(true, nowNs, now);
	}

	/** The probes are about to be taken out. */
	closed(nowNs: number): void {
		const seconds = (nowNs - this.#changedNs) / 1e9;
		this.account(nowNs);
		const now = this.#snapshot();
		const calls = this.#hitsSince(now);
		this.#inWindows += total(calls.values());
		this.#estimator?.window({ calls, seconds, ...this.#spentSince(now) });
		this.#change(false, nowNs, now);
	}

	#change(probed: boolean, nowNs: number, snapshot: Snapshot): void {
		this.#probed = probed;
		this.#changedNs = nowNs;
		this.#changed = snapshot;
		this.#cpuAtChange = this.#cpuNs;
	}

	/** By function, since the probes were put in or taken out. */
	#hitsSince(now: Snapshot): Map<string, number> {
		return byFunction([...now].map(([site, { hits }]) => [site, hits - (this.#changed.get(site)?.hits ?? hits)]));
	}

	/** Processor time and cost of hits since the probes were put in. */
	#spentSince(now: Snapshot): { cpuNs: number; costNs: number } {
		const costs = [...now].map(([site, counts]) => this.#cost(site, counts, this.#changed));
		const costNs = total(costs.map(({ countingNs, recordingNs }) => countingNs + recordingNs));
		return { cpuNs: Math.max(0, this.#cpuNs - this.#cpuAtChange), costNs };
	}

	#cost(site: EntrySite, counts: SiteCounts, before: Snapshot): HitCost {
		return hitCost(site, difference(counts, before.get(site) ?? counts), this.#sources.costs);
	}

	/** A period with one window is over. */
	endPeriod(nowNs: number): void {
		this.account(Math.max(nowNs, this.#accountedNs));
		this.#estimator?.endPeriod();
	}

	/** Since the previous call. */
	costSince(nowNs: number): TierCost {
		this.account(nowNs);
		const [probedNs, switchingNs] = [this.#probedNs, this.#switchingNs];
		const sum: TierCost = { calls: 0, countingNs: 0, recordingNs: 0, allRecordingNs: 0, probedNs, switchingNs };
		this.#probedNs = this.#switchingNs = 0;
		const now = this.#snapshot();
		for (const [site, counts] of now) {
			const cost = this.#cost(site, counts, this.#measured);
			sum.calls += cost.calls;
			sum.countingNs += cost.countingNs;
			sum.recordingNs += cost.recordingNs;
			sum.allRecordingNs += cost.allRecordingNs;
		}
		this.#measured = now;
		return sum;
	}

	/** Share of the time since the previous call in which the tier was probed. */
	probedShareSince(nowNs: number): number {
		this.account(nowNs);
		const { probedNs, elapsedNs } = this.#reported;
		this.#reported = { probedNs: 0, elapsedNs: 0 };
		return elapsedNs > 0 ? probedNs / elapsedNs : 1;
	}

	/** Hits since the start, by function. */
	counted(): Map<string, number> {
		return byFunction([...this.#snapshot()].map(([site, { hits }]) => [site, hits]));
	}

	/** How many calls one that was counted in a window stands for; undefined as long as none was. */
	windowFactor(nowNs: number): number | undefined {
		const counted = this.#inWindows + total(this.#strays.values());
		if (counted === 0) return undefined;
		return 1 + total([...this.missing(nowNs, false).values()].map(({ calls }) => calls)) / counted;
	}

	/** How many times what was measured a hit costs here, when so many calls are missing. */
	costFactor(missing: number): number {
		return this.#estimator?.costFactor(missing) ?? 1;
	}

	/** Calls that were not counted; empty when the tier was always probed. `final`: up to now, not to the last window. */
	missing(nowNs: number, final: boolean): Map<string, Missing> {
		if (this.#estimator === undefined) return new Map();
		this.account(nowNs);
		const strays = new Map(this.#strays);
		if (!this.#probed) {
			for (const [fn, hits] of this.#hitsSince(this.#snapshot())) strays.set(fn, (strays.get(fn) ?? 0) + hits);
		}
		return this.#estimator.missing(final, strays);
	}
}

function total(counts: Iterable<number>): number {
	return [...counts].reduce((sum, count) => sum + count, 0);
}

function difference(now: SiteCounts, before: SiteCounts): SiteCounts {
	return Object.fromEntries(
		Object.entries(now).map(([name, value]) => [name, value - before[name as keyof SiteCounts]]),
	) as SiteCounts;
}

/** A function has several sites when it has been inlined. */
function byFunction(sites: readonly (readonly [EntrySite, number])[]): Map<string, number> {
	const hits = new Map<string, number>();
	for (const [{ probe }, more] of sites) hits.set(probe.fn, (hits.get(probe.fn) ?? 0) + more);
	return hits;
}
