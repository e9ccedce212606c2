/**
 * Keeps what probing costs each target within the budget: measures the overhead, probes tiers part of the time when they are too dear, and estimates what was not
 * counted meanwhile. It has no timers: its owner calls `tick` often.
 */

import type { Tier } from "../gomap/functions.ts";
import type { HitCosts } from "../kernel/calibration.ts";
import type { SiteCounts } from "../kernel/counters.ts";
import type { MachineTime } from "../kernel/machine-time.ts";
import type { CallEstimate, OverheadRow } from "../records/records.ts";
import type { EntrySite } from "../tracer/site-table.ts";
import type { Target } from "../tracer/target.ts";
import { addMissing, type Missing, within } from "./call-estimator.ts";
import { ReadingRoom } from "./drain-budget.ts";
import { PromisedWork, type Promising } from "./expected-work-totals.ts";
import { FOR_CALLS, FOR_ITERATIONS, ProbeWindows, type WindowLengths } from "./probe-windows.ts";
import { type GrowthLoad, RecordBudget } from "./record-budget.ts";
import { TierBooks, type TierCost } from "./tier-accounting.ts";
import { AIM, type Change, TierBudget, type TierLoad } from "./tier-budget.ts";

/** All can be probed part of the time. */
const TIERS: readonly Tier[] = ["work", "growth", "iteration"];
const LENGTHS: Record<Tier, WindowLengths> = { work: FOR_CALLS, growth: FOR_CALLS, iteration: FOR_ITERATIONS };

/** How often the overhead is measured. */
const MEASURE_NS = 100e6;
/** Windows up to this length are waited for in place: whatever else we do between two ticks would make them several times as long on a busy machine. */
const MOST_HELD_NS = 10e6;
/** Share of our time that may take. Where there are too many targets for that, their windows come late, and periods pass without one. */
const MOST_HOLDING = 0.2;
/** Growths leave this part of the budget to the other tiers, whatever they take themselves. Iterations, where they are watched, have half of it. */
const LEAST_FOR_OTHERS = 0.25;
const MOST_FOR_GROWTHS = 1 - LEAST_FOR_OTHERS;
/** Time over which that is averaged: their own windows come and go in it. */
const GROWTH_PART_NS = 1e9;

/** What the governor needs of the session. */
export interface Governed {
	readonly targets: readonly Target[];
	/** Entries of the target's functions of a tier. */
	entriesOf(target: Target, tier: Tier): readonly EntrySite[];
	countsOf(site: EntrySite): SiteCounts;
	/** Puts the probes of a tier in or takes them out; after the call no hit of it comes any more. */
	setProbed(target: Target, tier: Tier, on: boolean): void;
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
	/** Undefined when the machine does not tell. */
	machineTime: () => MachineTime | undefined;
	/** Returns after so many nanoseconds, or a little later; meanwhile nothing else happens. */
	holdNs: (ns: number) => void;
	random?: () => number;
}

/** A change, for the record. */
export interface Throttle extends Change {
	pid: number;
	tier: Tier;
	what: "probed" | "recorded";
}

interface TierState {
	budget: TierBudget | undefined;
	windows: ProbeWindows | undefined;
	books: TierBooks;
	/** How many calls one that was seen in a window stands for, at the previous report. */
	factor?: number | undefined;
}

interface TargetState {
	tiers: Record<Tier, TierState>;
	records: RecordBudget | undefined;
	/** What its growths promise of the work tier. */
	promised: PromisedWork;
	cpuNs: number;
	measuredNs: number;
	/** Share of the budget that its growths took lately, with what reading them took. */
	growthPart: number;
	/** Growths that were counted since it was last judged how much time reading may take. */
	growths: number;
	/** Since the previous report. */
	reported: { cpuNs: number; costNs: number };
}

export class Governor {
	readonly #governed: Governed;
	readonly #options: GovernorOptions;
	readonly #states = new Map<Target, TargetState>();
	readonly #byPid = new Map<number, TargetState>();
	/** Of targets that have ended. */
	readonly #ended = new Map<string, Missing>();
	readonly #throttles: Throttle[] = [];
	readonly #reading: ReadingRoom | undefined;
	/** Not before this moment. */
	#holdAgainNs = Number.NEGATIVE_INFINITY;

	constructor(governed: Governed, options: GovernorOptions) {
		this.#governed = governed;
		this.#options = options;
		const { budget } = options;
		this.#reading = budget === undefined ? undefined : new ReadingRoom(MOST_FOR_GROWTHS * budget);
	}

	#newTier(target: Target, tier: Tier, nowNs: number): TierState {
		const { budget, costs, cpuNs } = this.#options;
		const sources = {
			sites: this.#governed.entriesOf(target, tier),
			countsOf: (site: EntrySite) => this.#governed.countsOf(site),
			costs,
			cpuNs: () => cpuNs(target.identity.pid),
		};
		return {
			budget: budget === undefined ? undefined : new TierBudget(budget, LENGTHS[tier]),
			windows: undefined,
			books: new TierBooks(sources, nowNs),
		};
	}

	#stateOf(target: Target, nowNs: number): TargetState {
		const known = this.#states.get(target);
		if (known !== undefined) return known;
		const { budget, cpuNs } = this.#options;
		const { pid } = target.identity;
		const state: TargetState = {
			tiers: {
				work: this.#newTier(target, "work", nowNs),
				growth: this.#newTier(target, "growth", nowNs),
				iteration: this.#newTier(target, "iteration", nowNs),
			},
			records: budget === undefined ? undefined : new RecordBudget(MOST_FOR_GROWTHS * budget),
			promised: new PromisedWork(this.#governed.entriesOf(target, "work").map(({ probe }) => probe)),
			cpuNs: cpuNs(pid) ?? 0,
			measuredNs: nowNs,
			growthPart: 0,
			growths: 0,
			reported: { cpuNs: 0, costNs: 0 },
		};
		this.#states.set(target, state);
		this.#byPid.set(pid, state);
		return state;
	}

	/** Opens and closes windows, measures and decides. `nowNs`: monotonic clock. Returns the changes. */
	tick(nowNs: number): Throttle[] {
		for (const target of this.#governed.targets) this.#stateOf(target, nowNs);
		for (const [target, state] of [...this.#states]) {
			for (const tier of TIERS) this.#followWindows(target, tier, state.tiers[tier], nowNs);
			if (nowNs - state.measuredNs >= MEASURE_NS) this.#measure(target, state, nowNs);
		}
		this.#judgeReading(nowNs);
		return this.#throttles.splice(0);
	}

	#judgeReading(nowNs: number): void {
		if (this.#reading?.isDue(nowNs) !== true) return;
		const machine = this.#options.machineTime();
		const growths: number[] = [];
		for (const state of this.#states.values()) {
			growths.push(state.growths);
			state.growths = 0;
		}
		if (machine !== undefined) this.#reading.update(nowNs, machine, growths);
	}

	/** Reading so many records took us so much processor time. */
	addReading(cpuNs: number, records: number): void {
		this.#reading?.read(cpuNs, records);
	}

	/** Milliseconds until the next tick is due, at most `most`. */
	untilNext(nowNs: number, most: number): number {
		let least = most;
		for (const { tiers } of this.#states.values()) {
			for (const { windows, books } of Object.values(tiers)) {
				if (windows === undefined) continue;
				const due = windows.untilNext(nowNs, books.probed, books.changedNs, least);
				const mayHold = books.probed || !isHeld(windows) ? 0 : (this.#holdAgainNs - nowNs) / 1e6;
				least = Math.min(least, Math.max(due, mayHold));
			}
		}
		return least;
	}

	#followWindows(target: Target, tier: Tier, { windows, books }: TierState, nowNs: number): void {
		if (windows === undefined) return;
		const period = windows.advance(nowNs, books.probed);
		if (period !== undefined) books.endPeriod(period);
		const held = isHeld(windows);
		if (held && !books.probed && this.#options.clockNs() < this.#holdAgainNs) return;
		const wanted = windows.wanted(nowNs, books.probed, books.changedNs);
		if (wanted === books.probed) return;
		this.#setProbed(target, tier, books, wanted);
		if (held && wanted) this.#hold(target, tier, books, windows.lengthNs);
	}

	#hold(target: Target, tier: Tier, books: TierBooks, lengthNs: number): void {
		const { clockNs, holdNs } = this.#options;
		const before = clockNs();
		holdNs(lengthNs);
		this.#setProbed(target, tier, books, false);
		this.#holdAgainNs = clockNs() + (clockNs() - before) * (1 / MOST_HOLDING - 1);
		// The others come first next time.
		const state = this.#states.get(target);
		if (state === undefined) return;
		this.#states.delete(target);
		this.#states.set(target, state);
	}

	#setProbed(target: Target, tier: Tier, books: TierBooks, on: boolean): void {
		const { clockNs } = this.#options;
		if (!on) books.closed(clockNs());
		this.#governed.setProbed(target, tier, on);
		// Putting them in takes about a millisecond.
		if (on) books.opened(clockNs());
	}

	#measure(target: Target, state: TargetState, nowNs: number): void {
		const cpu = this.#options.cpuNs(target.identity.pid);
		if (cpu === undefined) return;
		const elapsedNs = nowNs - state.measuredNs;
		const cpuNs = Math.max(0, cpu - state.cpuNs);
		state.measuredNs = nowNs;
		state.cpuNs = cpu;
		const growth = state.tiers.growth.books.costSince(nowNs);
		const work = state.tiers.work.books.costSince(nowNs);
		const iteration = state.tiers.iteration.books.costSince(nowNs);
		// A hit costs more in a program with cold caches than when it was measured.
		work.countingNs *= this.#workCostFactor(state, nowNs);
		state.reported.cpuNs += cpuNs;
		const growthNs = growth.countingNs + growth.recordingNs + growth.switchingNs;
		state.reported.costNs +=
			growthNs + work.countingNs + work.switchingNs + iteration.countingNs + iteration.switchingNs;
		const { budget } = this.#options;
		if (budget === undefined) return;
		const load = { nowNs, elapsedNs, cpuNs };
		const reading = this.#readingOf(growth.calls, elapsedNs);
		state.growths += growth.calls;
		this.#decideGrowth(target, state, { ...load, ...reading }, growth);
		const ofCpu = growthNs / Math.max(cpuNs, growthNs, 1) / budget;
		const ofReading = ((state.records?.chance ?? 1) * MOST_FOR_GROWTHS * reading.readingNs) / reading.readingRoomNs;
		const newest = Math.min(1, elapsedNs / GROWTH_PART_NS);
		state.growthPart += newest * (ofCpu + ofReading - state.growthPart);
		// What growths take is not there for the others.
		const rest = Math.max(LEAST_FOR_OTHERS, 1 - state.growthPart / AIM);
		const part = this.#governed.entriesOf(target, "iteration").length > 0 ? rest / 2 : rest;
		for (const [tier, { probedNs, countingNs }] of [
			["work", work],
			["iteration", iteration],
		] as const) {
			const { openingNs } = state.tiers[tier].books;
			this.#decide(target, tier, state.tiers[tier], { ...load, probedNs, costNs: countingNs, openingNs, part });
		}
	}

	/** What it would take us to read so many growths, and the most that may take. */
	#readingOf(growths: number, elapsedNs: number): { readingNs: number; readingRoomNs: number } {
		const { costNs = 0, perSecondNs = Number.POSITIVE_INFINITY } = this.#reading ?? {};
		return { readingNs: growths * costNs, readingRoomNs: (perSecondNs * elapsedNs) / 1e9 };
	}

	#workCostFactor(state: TargetState, nowNs: number): number {
		const { books } = state.tiers.work;
		const missing = this.#missingWork(state, nowNs, false);
		return books.costFactor([...missing.values()].reduce((sum, { calls }) => sum + calls, 0));
	}

	/** First fewer records of growths, then, when counting them alone is too dear, windows. */
	#decideGrowth(
		target: Target,
		state: TargetState,
		load: Pick<GrowthLoad, "nowNs" | "elapsedNs" | "cpuNs" | "readingNs" | "readingRoomNs">,
		cost: TierCost,
	): void {
		const { growth } = state.tiers;
		const { chance = 1, exhausted = false } = state.records ?? {};
		if (growth.windows === undefined) {
			const change = state.records?.update({
				...load,
				...{ countingNs: cost.countingNs, recordingNs: cost.allRecordingNs, growths: cost.calls },
			});
			if (change !== undefined) {
				this.#governed.setGrowthChance(target, change.to);
				this.#note(target, "growth", "recorded", change);
				return;
			}
		}
		if (chance === 1 && !exhausted) return;
		this.#decide(target, "growth", growth, {
			...load,
			...{ probedNs: cost.probedNs, costNs: cost.countingNs + cost.recordingNs, openingNs: growth.books.openingNs },
			part: MOST_FOR_GROWTHS,
		});
	}

	#decide(target: Target, tier: Tier, state: TierState, load: TierLoad): void {
		const change = state.budget?.update(load);
		if (change === undefined) return;
		this.#note(target, tier, "probed", change);
		const { windows, books } = state;
		if (change.to === 1) {
			if (!books.probed) this.#setProbed(target, tier, books, true);
			state.windows = undefined;
			return;
		}
		if (windows !== undefined) {
			windows.share = change.to;
			return;
		}
		state.windows = new ProbeWindows(change.to, load.nowNs, LENGTHS[tier], this.#options.random);
		books.beginWindows(this.#options.clockNs());
		this.#governed.setProbed(target, tier, false);
	}

	#note(target: Target, tier: Tier, what: Throttle["what"], change: Change | undefined): void {
		if (change !== undefined) this.#throttles.push({ ...change, pid: target.identity.pid, tier, what });
	}

	/** How many growths of a process one that was seen now stands for: those of the time in which its growth tier is not probed are not seen. */
	growthFactor(pid: number): number {
		const { windows, factor } = this.#byPid.get(pid)?.tiers.growth ?? {};
		return windows === undefined ? 1 : (factor ?? 1 / windows.probedShare);
	}

	/** A growth, with its weight: the work that it promises bounds the estimates. */
	addGrowth(pid: number, growth: Promising): void {
		const known = this.#byPid.get(pid);
		const target = known ? undefined : this.#governed.targets.find(({ identity }) => identity.pid === pid);
		const state = known ?? (target && this.#stateOf(target, this.#options.clockNs()));
		state?.promised.add(growth);
	}

	/** Calls of this function were for maps of this type. */
	addWork(pid: number, fn: string, mapType: string): void {
		this.#byPid.get(pid)?.promised.serves(fn, mapType);
	}

	/** What probing cost since the previous report, for each target. */
	report(nowNs: number): OverheadRow[] {
		const { budget } = this.#options;
		return [...this.#states].map(([{ identity }, state]) => {
			const { cpuNs, costNs } = state.reported;
			state.reported = { cpuNs: 0, costNs: 0 };
			const share = (tier: Tier): number => state.tiers[tier].books.probedShareSince(nowNs);
			const [work, growth, iteration] = [share("work"), share("growth"), share("iteration")];
			state.tiers.growth.factor = state.tiers.growth.books.windowFactor(nowNs);
			const recorded = state.records?.chance ?? 1;
			return {
				pid: identity.pid,
				overhead: costNs === 0 ? 0 : costNs / Math.max(cpuNs, costNs),
				...(budget === undefined ? {} : { budget }),
				...(work < 1 ? { work_probed: work } : {}),
				...(growth < 1 ? { growth_probed: growth } : {}),
				...(iteration < 1 ? { iteration_probed: iteration } : {}),
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
		const of = (tier: Tier): Map<string, Missing> => state.tiers[tier].books.missing(nowNs, final);
		return new Map([...of("growth"), ...of("iteration"), ...this.#missingWork(state, nowNs, final)]);
	}

	/** What windows and growths together tell. */
	#missingWork({ tiers, promised }: TargetState, nowNs: number, final: boolean): Map<string, Missing> {
		const missing = tiers.work.books.missing(nowNs, final);
		if (missing.size === 0) return missing;
		const [growths, most] = [tiers.growth.books.counted(), tiers.growth.books.counted()];
		for (const [fn, { calls, high }] of tiers.growth.books.missing(nowNs, final)) {
			growths.set(fn, (growths.get(fn) ?? 0) + calls);
			most.set(fn, (most.get(fn) ?? 0) + high);
		}
		const [counted, bounds] = [tiers.work.books.counted(), promised.calls(growths, most)];
		for (const [fn, calls] of missing) {
			const bound = bounds.get(fn);
			if (bound !== undefined) missing.set(fn, within(calls, counted.get(fn) ?? 0, bound));
		}
		return missing;
	}

	/** A target has ended: keeps what is missing of it. */
	release(target: Target, nowNs: number): void {
		const state = this.#states.get(target);
		if (state === undefined) return;
		addMissing(this.#ended, this.#missingOf(state, nowNs, true));
		this.#states.delete(target);
		if (this.#byPid.get(target.identity.pid) === state) this.#byPid.delete(target.identity.pid);
	}
}

function isHeld({ lengthNs }: ProbeWindows): boolean {
	return lengthNs <= MOST_HELD_NS;
}

/** Calls that were counted and those that were not, as the records spell them. */
export function callsOf(counted: number, missing: Missing | undefined): number | CallEstimate {
	if (missing === undefined) return counted;
	const [low, estimate, high] = [missing.low, missing.calls, missing.high].map((calls) => Math.round(counted + calls));
	return { estimate: estimate ?? counted, low: low ?? counted, high: high ?? counted };
}
