/**
 * Keeps what probing costs each target within the budget: measures the overhead, probes tiers part of the time when they are too dear, and estimates what was not
 * counted meanwhile. It has no timers: its owner calls `tick` often.
 */
import type { HitCosts } from "../kernel/calibration.ts";
import type { SiteCounts } from "../kernel/counters.ts";
import type { CallEstimate, OverheadRow } from "../model/records.ts";
import { type Change, RecordBudget, TierBudget, type TierLoad } from "./budget.ts";
import { CallEstimator, type Missing } from "./call-estimator.ts";
import { type HitCost, hitCost } from "./hit-cost.ts";
import { ProbeWindows } from "./probe-windows.ts";
import type { EntrySite } from "./site-table.ts";
import type { Target } from "./target.ts";

/** The tiers that can be probed part of the time. */
export type GovernedTier = "work" | "growth";
const GOVERNED: readonly GovernedTier[] = ["work", "growth"];

/** How often the overhead is measured. */
const MEASURE_NS = 100e6;
/** Growths leave this part of the budget to the work tier, whatever they take themselves. */
const LEAST_FOR_WORK = 0.2;

/** What the governor needs of the session. */
export interface Governed {
	readonly targets: readonly Target[];
	/** Entries of the target's functions of a tier. */
	entriesOf(target: Target, tier: GovernedTier): readonly EntrySite[];
	countsOf(site: EntrySite): SiteCounts;
	/** Puts the probes of a tier in or takes them out; after the call no hit of it comes any more. */
	setProbed(target: Target, tier: GovernedTier, on: boolean): void;
	setGrowthChance(target: Target, chance: number): void;
}

export interface GovernorOptions {
	costs: HitCosts;
	/** Share of a target's processor time; absent: nothing is held back. */
	budget?: number | undefined;
	/** Processor time that a process has used; undefined when it has ended. */
	cpuNs: (pid: number) => number | undefined;
	/** Monotonic clock. */
	clockNs: () => number;
	random?: () => number;
}

/** A change, for the record. */
export interface Throttle extends Change {
	pid: number;
	tier: GovernedTier;
	what: "probed" | "recorded";
}

interface TierState {
	budget: TierBudget | undefined;
	windows: ProbeWindows | undefined;
	estimator: CallEstimator | undefined;
	probed: boolean;
	/** Since when it is probed, or is not. */
	changedNs: number;
	/** Up to when the books are kept. */
	accountedNs: number;
	/** Hits per function when the window began. */
	atStart: Map<string, number>;
	/** Probed time since the previous measurement. */
	probedNs: number;
	/** Probed and all time since the previous report. */
	reported: { probedNs: number; elapsedNs: number };
	/** Counters at the previous measurement. */
	before: Map<EntrySite, SiteCounts>;
}

interface TargetState {
	tiers: Record<GovernedTier, TierState>;
	records: RecordBudget | undefined;
	cpuNs: number;
	measuredNs: number;
	/** Since the previous report. */
	reported: { cpuNs: number; costNs: number };
}

/** What the hits of a tier cost since the previous measurement. */
interface TierCost extends HitCost {
	probedNs: number;
}

export class Governor {
	readonly #governed: Governed;
	readonly #options: GovernorOptions;
	readonly #states = new Map<Target, TargetState>();
	/** Of targets that have ended. */
	readonly #ended = new Map<string, Missing>();
	readonly #throttles: Throttle[] = [];

	constructor(governed: Governed, options: GovernorOptions) {
		this.#governed = governed;
		this.#options = options;
	}

	#newTier(nowNs: number): TierState {
		const { budget } = this.#options;
		return {
			...{ windows: undefined, estimator: undefined, probed: true, changedNs: nowNs, accountedNs: nowNs },
			...{ atStart: new Map(), probedNs: 0, reported: { probedNs: 0, elapsedNs: 0 }, before: new Map() },
			budget: budget === undefined ? undefined : new TierBudget(budget),
		};
	}

	#stateOf(target: Target, nowNs: number): TargetState {
		const known = this.#states.get(target);
		if (known !== undefined) return known;
		const { budget, cpuNs } = this.#options;
		const state: TargetState = {
			tiers: { work: this.#newTier(nowNs), growth: this.#newTier(nowNs) },
			records: budget === undefined ? undefined : new RecordBudget(budget),
			cpuNs: cpuNs(target.identity.pid) ?? 0,
			measuredNs: nowNs,
			reported: { cpuNs: 0, costNs: 0 },
		};
		for (const tier of GOVERNED) {
			for (const site of this.#governed.entriesOf(target, tier)) {
				state.tiers[tier].before.set(site, this.#governed.countsOf(site));
			}
		}
		this.#states.set(target, state);
		return state;
	}

	/** Opens and closes windows, measures and decides. `nowNs`: monotonic clock. Returns the changes. */
	tick(nowNs: number): Throttle[] {
		for (const target of this.#governed.targets) {
			const state = this.#stateOf(target, nowNs);
			for (const tier of GOVERNED) this.#followWindows(target, tier, state.tiers[tier], nowNs);
			if (nowNs - state.measuredNs >= MEASURE_NS) this.#measure(target, state, nowNs);
		}
		return this.#throttles.splice(0);
	}

	/** Milliseconds until the next tick is due, at most `most`. */
	untilNext(nowNs: number, most: number): number {
		let least = most;
		for (const { tiers } of this.#states.values()) {
			for (const { windows, probed, changedNs } of Object.values(tiers)) {
				if (windows !== undefined) least = windows.untilNext(nowNs, probed, changedNs, least);
			}
		}
		return least;
	}

	#followWindows(target: Target, tier: GovernedTier, state: TierState, nowNs: number): void {
		const { windows, probed, changedNs } = state;
		if (windows === undefined) return;
		const period = windows.advance(nowNs, probed);
		if (period !== undefined) {
			this.#account(state, Math.max(period, state.accountedNs));
			state.estimator?.endPeriod();
		}
		const wanted = windows.wanted(nowNs, probed, changedNs);
		if (wanted !== probed) this.#setProbed(target, tier, state, wanted, nowNs);
	}

	#hitsOf(target: Target, tier: GovernedTier): Map<string, number> {
		const entries = this.#governed.entriesOf(target, tier);
		return new Map(entries.map((site) => [site.probe.fn, this.#governed.countsOf(site).hits]));
	}

	#setProbed(target: Target, tier: GovernedTier, state: TierState, on: boolean, nowNs: number): void {
		this.#account(state, nowNs);
		this.#governed.setProbed(target, tier, on);
		// The probes were there until now, or are there from now on: putting them in takes some milliseconds.
		const doneNs = nowNs + (on ? this.#options.clockNs() - nowNs : 0);
		this.#account(state, doneNs);
		if (on) state.atStart = this.#hitsOf(target, tier);
		else this.#closeWindow(target, tier, state, (nowNs - state.changedNs) / 1e9);
		state.probed = on;
		state.changedNs = doneNs;
	}

	/** Keeps the books up to now. */
	#account(state: TierState, nowNs: number): void {
		const elapsed = nowNs - state.accountedNs;
		state.accountedNs = nowNs;
		state.reported.elapsedNs += elapsed;
		if (state.probed) {
			state.probedNs += elapsed;
			state.reported.probedNs += elapsed;
		} else state.estimator?.off(elapsed / 1e9);
	}

	/** The window that ends now. */
	#closeWindow(target: Target, tier: GovernedTier, state: TierState, seconds: number): void {
		const now = this.#hitsOf(target, tier);
		const calls = new Map([...now].map(([fn, hits]) => [fn, hits - (state.atStart.get(fn) ?? hits)]));
		state.estimator?.window(calls, seconds);
	}

	#measure(target: Target, state: TargetState, nowNs: number): void {
		const cpu = this.#options.cpuNs(target.identity.pid);
		if (cpu === undefined) return;
		const elapsedNs = nowNs - state.measuredNs;
		const cpuNs = Math.max(0, cpu - state.cpuNs);
		state.measuredNs = nowNs;
		state.cpuNs = cpu;
		const growth = this.#costOf(state.tiers.growth, nowNs);
		const work = this.#costOf(state.tiers.work, nowNs);
		state.reported.cpuNs += cpuNs;
		state.reported.costNs += growth.countingNs + growth.recordingNs + work.countingNs;
		const { budget } = this.#options;
		if (budget === undefined) return;
		const load = { nowNs, elapsedNs, cpuNs };
		this.#decideGrowth(target, state, load, growth);
		// What growths take is not there for the work.
		const taken = (growth.countingNs + growth.recordingNs) / Math.max(cpuNs, 1) / budget;
		const left = Math.max(LEAST_FOR_WORK, 1 - taken);
		this.#decide(target, "work", state.tiers.work, {
			...load,
			probedNs: work.probedNs,
			costNs: work.countingNs / left,
		});
	}

	#costOf(state: TierState, nowNs: number): TierCost {
		this.#account(state, nowNs);
		const sum: TierCost = { countingNs: 0, recordingNs: 0, allRecordingNs: 0, probedNs: state.probedNs };
		state.probedNs = 0;
		for (const [site, before] of state.before) {
			const counts = this.#governed.countsOf(site);
			const cost = hitCost(site, difference(counts, before), this.#options.costs);
			state.before.set(site, counts);
			sum.countingNs += cost.countingNs;
			sum.recordingNs += cost.recordingNs;
			sum.allRecordingNs += cost.allRecordingNs;
		}
		return sum;
	}

	/** First fewer records of growths, then, when counting them alone is too dear, windows. */
	#decideGrowth(
		target: Target,
		state: TargetState,
		load: { nowNs: number; elapsedNs: number; cpuNs: number },
		cost: TierCost,
	): void {
		const { growth } = state.tiers;
		const fewer = (state.records?.chance ?? 1) < 1;
		if (growth.windows === undefined) {
			const change = state.records?.update({
				...load,
				countingNs: cost.countingNs,
				recordingNs: cost.allRecordingNs,
			});
			if (change !== undefined) {
				this.#governed.setGrowthChance(target, change.to);
				this.#note(target, "growth", "recorded", change);
				return;
			}
		}
		if (fewer) this.#decide(target, "growth", growth, { ...load, probedNs: cost.probedNs, costNs: cost.countingNs });
	}

	#decide(target: Target, tier: GovernedTier, state: TierState, load: TierLoad): void {
		const change = state.budget?.update(load);
		if (change === undefined) return;
		this.#note(target, tier, "probed", change);
		if (change.to === 1) {
			if (!state.probed) this.#setProbed(target, tier, state, true, load.nowNs);
			state.windows = undefined;
			return;
		}
		if (state.windows !== undefined) {
			state.windows.share = change.to;
			return;
		}
		state.windows = new ProbeWindows(change.to, load.nowNs, this.#options.random);
		state.estimator ??= new CallEstimator();
		// What was counted until now is exact and stands for nothing else.
		state.atStart = this.#hitsOf(target, tier);
		state.changedNs = load.nowNs;
		this.#account(state, load.nowNs);
		this.#governed.setProbed(target, tier, false);
		state.probed = false;
	}

	#note(target: Target, tier: GovernedTier, what: Throttle["what"], change: Change | undefined): void {
		if (change !== undefined) this.#throttles.push({ ...change, pid: target.identity.pid, tier, what });
	}

	/** How many growths of a process one that was seen now stands for: those of the time in which its growth tier is not probed are not seen. */
	growthFactor(pid: number): number {
		for (const [{ identity }, { tiers }] of this.#states) {
			if (identity.pid === pid) return tiers.growth.windows === undefined ? 1 : 1 / tiers.growth.windows.probedShare;
		}
		return 1;
	}

	/** What probing cost since the previous report, for each target. */
	report(nowNs: number): OverheadRow[] {
		const { budget } = this.#options;
		return [...this.#states].map(([{ identity }, state]) => {
			const { cpuNs, costNs } = state.reported;
			state.reported = { cpuNs: 0, costNs: 0 };
			const probed = (tier: GovernedTier): number => {
				const { reported } = state.tiers[tier];
				this.#account(state.tiers[tier], nowNs);
				state.tiers[tier].reported = { probedNs: 0, elapsedNs: 0 };
				return reported.elapsedNs > 0 ? reported.probedNs / reported.elapsedNs : 1;
			};
			const [work, growth] = [probed("work"), probed("growth")];
			const recorded = state.records?.chance ?? 1;
			return {
				pid: identity.pid,
				overhead: costNs === 0 ? 0 : costNs / Math.max(cpuNs, costNs),
				...(budget === undefined ? {} : { budget }),
				...(work < 1 ? { work_probed: work } : {}),
				...(growth < 1 ? { growth_probed: growth } : {}),
				...(recorded < 1 ? { growth_recorded: recorded } : {}),
			};
		});
	}

	/** Calls since the start that were not counted, per function; only of functions that were not probed all the time. `final`: up to now, not to the last window. */
	missing(nowNs: number, final: boolean): Map<string, Missing> {
		const sum = new Map(this.#ended);
		for (const state of this.#states.values()) addMissing(sum, this.#missingOf(state, nowNs, final));
		return sum;
	}

	/** By process: the same for targets that are there. */
	missingOf(target: Target, nowNs: number, final: boolean): Map<string, Missing> {
		const state = this.#states.get(target);
		return state === undefined ? new Map() : this.#missingOf(state, nowNs, final);
	}

	#missingOf(state: TargetState, nowNs: number, final: boolean): Map<string, Missing> {
		const result = new Map<string, Missing>();
		for (const tier of Object.values(state.tiers)) {
			if (tier.estimator === undefined) continue;
			this.#account(tier, nowNs);
			addMissing(result, tier.estimator.missing(final));
		}
		return result;
	}

	/** A target has ended: keeps what is missing of it. */
	release(target: Target, nowNs: number): void {
		const state = this.#states.get(target);
		if (state === undefined) return;
		addMissing(this.#ended, this.#missingOf(state, nowNs, true));
		this.#states.delete(target);
	}
}

function difference(now: SiteCounts, before: SiteCounts): SiteCounts {
	return Object.fromEntries(
		Object.entries(now).map(([name, value]) => [name, value - before[name as keyof SiteCounts]]),
	) as SiteCounts;
}

/** Errors of different targets are independent of each other. */
function addMissing(sum: Map<string, Missing>, more: ReadonlyMap<string, Missing>): void {
	for (const [fn, { calls, halfWidth, squaredOff }] of more) {
		const before = sum.get(fn) ?? { calls: 0, halfWidth: 0, squaredOff: 0 };
		sum.set(fn, {
			calls: before.calls + calls,
			halfWidth: Math.hypot(before.halfWidth, halfWidth),
			squaredOff: before.squaredOff + squaredOff,
		});
	}
}

/** Calls that were counted and those that were not, as the records spell them. */
export function callsOf(counted: number, missing: Missing | undefined): number | CallEstimate {
	if (missing === undefined) return counted;
	const { calls, halfWidth } = missing;
	return {
		estimate: Math.round(counted + calls),
		low: Math.round(counted + Math.max(0, calls - halfWidth)),
		high: Math.round(counted + calls + halfWidth),
	};
}
