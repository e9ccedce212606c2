/**
 * When a target is probed less and when more again. Down at once, when it has used up a second's budget; up within two periods of the budget allowing it, ten seconds
 * at most; after a step up that failed, the next try waits twice as long. Pure: it is told what was measured, and tells what to probe.
 */
import type { Loads, Probed, Probing, RetreatInput, Stream, StreamLoad } from "./retreat.ts";
import { type Level, neededLevel, probedAt } from "./retreat.ts";
import { LONGEST_PERIOD_NS } from "./shape.ts";

/** What was measured of a stream since the previous tick. */
export interface StreamTick {
	/** All hits, also those that came while probes were attached outside of a window. */
	hits: number;
	/** Time in which its probes were attached. */
	attachedNs: number;
	/** What its hits cost, exits and records included. */
	costNs: number;
	/** Costs of a hit, as far as they are known. */
	cost: Omit<StreamLoad, "perSecond">;
}

export interface LadderTick {
	nowNs: number;
	/** The target's share of the promise, nanoseconds per second. */
	limitNs: number;
	/** What has been earned since the previous tick, nanoseconds; absent: the share of the time that has passed. */
	earnedNs?: number | undefined;
	/** Streams that are watched. */
	streams: Partial<Record<Stream, StreamTick>>;
	aroundNs: number;
	intervalNs: number;
}

export interface LadderDecision {
	probed: Probed;
	/** What the streams would cost if they were probed all the time, as far as is known. */
	loads: Loads;
	/** The level changed with this tick. */
	changed: boolean;
	/** Windows have cost more than they may: a window that is open is to be voided, and there is none until that is paid. */
	overdrawn: boolean;
	/** The next tick must not be later. */
	nextTickNs: number;
}

/** Rates are averaged over so much time with probes: all the time, and in windows. */
const AVERAGE_FULL_NS = 1e9;
const AVERAGE_WINDOWS_NS = 150e6;
/** A tick with less says nothing of a rate. */
const TELLING_NS = 2e6;
/** Ticks: not more often, and not more rarely. Taking a step takes effect so much later. */
const SHORTEST_TICK_NS = 10e6;
const LONGEST_TICK_NS = 50e6;
const LAG_NS = 10e6;
/** A step down is given so long before one that the rates do not ask for follows. */
const EFFECT_NS = 50e6;
/** A step up is taken when the budget has allowed it for two periods, within these bounds; the first ones, at the start, after half a second. */
const FIRST_HOLD_NS = 0.5e9;
const LEAST_HOLD_NS = 1e9;
const MOST_HOLD_NS = 10e9;
const MOST_WAIT_NS = 30e9;
/** A step up that did not hold for so long has failed. One that did is forgotten as a failure. */
const FAILED_NS = 5e9;
/** Windows may use up the budget of so many seconds at a time, or of so many of the longest periods: two of them may follow each other closely. */
const WINDOW_SECONDS = 2;
const WINDOW_PERIODS = 2.5;

/** After a step down so many seconds' budget may be used before the next one. */
const GRACE_SECONDS = 0.5;
/** A burst is taken to go on for so long; on this level and those before it growths are all counted. */
const BURST_SECONDS = 0.03;
const LAST_COUNTED: Level = 4;
/** Up to this level growths all have their durations. */
const LAST_TIMED: Level = 2;

/** Counts of growths that fit on average are given up when they owe so much. */
const COUNTING_DEBT_SECONDS = 1;
/** This part of what is earned may go to windows at the cost of what is probed all the time. */
const FOR_WINDOWS = 0.25;
/** A burst is paid back by so many seconds without windows at most. */
const MOST_DEBT_SECONDS = 2;
/** So much is saved at most until there is a window again. */
const MOST_SAVED_NS = 2e9;

class RateMeter {
	#average: number | undefined;
	/** Time that is in the average. */
	#seenNs = 0;
	#latest = 0;
	#hits = 0;
	#attachedNs = 0;
	/** Since the mark. */
	#marked = { hits: 0, attachedNs: 0 };

	/** The budget begins to be used up. */
	mark(): void {
		this.#marked = { hits: 0, attachedNs: 0 };
	}

	add(hits: number, attachedNs: number, full: boolean): void {
		this.#marked.hits += hits;
		this.#marked.attachedNs += attachedNs;
		this.#hits += hits;
		this.#attachedNs += attachedNs;
		if (this.#attachedNs < TELLING_NS) return;
		this.#latest = (this.#hits / this.#attachedNs) * 1e9;
		this.#seenNs += this.#attachedNs;
		// The mean until there is enough of it: the first moments of a program that works in bursts say little.
		const part = Math.max(
			1 - Math.exp(-this.#attachedNs / (full ? AVERAGE_FULL_NS : AVERAGE_WINDOWS_NS)),
			this.#attachedNs / this.#seenNs,
		);
		this.#average = this.#average === undefined ? this.#latest : this.#average + part * (this.#latest - this.#average);
		this.#hits = 0;
		this.#attachedNs = 0;
	}

	/** A burst has begun: what was before it says nothing of it. */
	follow(): void {
		this.#average = this.sustained;
	}

	get average(): number | undefined {
		return this.#average;
	}

	/** The average, or that since the budget began to be used up if it is more: a burst that used it up at once counts in full, one of many small ones does not. */
	get sustained(): number | undefined {
		if (this.#average === undefined) return undefined;
		const { hits, attachedNs } = this.#marked;
		if (attachedNs >= AVERAGE_FULL_NS) return this.#average;
		return Math.max(this.#average, attachedNs < TELLING_NS ? this.#latest : (hits / attachedNs) * 1e9);
	}

	get latest(): number | undefined {
		return this.#average === undefined ? undefined : this.#latest;
	}
}

function isShape(probing: Probing | undefined): probing is Exclude<Probing, string> {
	return typeof probing === "object";
}

/** All growths of a command are recorded, so what it earns is for them; this part of it may go to growth work and durations. */
const FOR_DETAILS = 0.2;
/** What is lent to a command: to begin with everything, and to growths, so that all are recorded until then; nanoseconds. */
const FOR_THE_START_NS = 4e6;
const FOR_GROWTHS_NS = 100e6;
/** The last level on which all growths are recorded. */
const LAST_RECORDED: Level = 3;
/** As many processors of a command may be busy with hits. */
const COMMAND_PROCESSORS = 2;

/** Steps of one target. */
export class Ladder {
	#level: Level;
	/** Until it has used what is lent to its growths. */
	#command: boolean;
	/** What a command has earned and not used, without what it is lent, nanoseconds. */
	#earnedNs = 0;
	#changedNs: number | undefined;
	#lastNs: number | undefined;
	readonly #meters = new Map<Stream, RateMeter>();
	/** Budget of what is probed all the time, and of windows, that is left, nanoseconds. */
	#left: number | undefined;
	#leftForWindows: number | undefined;
	#overdrawn = false;
	/** The level has changed since the start. */
	#moved = false;
	/** Since when a higher level would be within the budget. */
	#roomSinceNs: number | undefined;
	#steppedUpNs = Number.NEGATIVE_INFINITY;
	#steppedDownNs = Number.NEGATIVE_INFINITY;
	#waitNs = 0;
	#failedLevel: Level = 6;
	#probed: Probed | undefined;

	/** `command`: everything is attached from its first instruction on, and it earns by what it uses. Others begin at level 2. */
	constructor(command = false) {
		this.#level = command ? 0 : 2;
		this.#command = command;
	}

	get level(): Level {
		return this.#level;
	}

	tick(tick: LadderTick): LadderDecision {
		const { nowNs, limitNs } = tick;
		const elapsedNs = this.#lastNs === undefined ? 0 : nowNs - this.#lastNs;
		this.#lastNs = nowNs;
		this.#changedNs ??= nowNs;
		const fullRate = this.#measure(tick, elapsedNs);
		const before = this.#level;
		const over =
			(this.#left ?? 0) - fullRate * ((SHORTEST_TICK_NS + LAG_NS) / 1e9) < 0 &&
			fullRate > (this.#command ? FOR_DETAILS : 1) * limitNs;
		if (over && this.#level < this.#lowest) this.#stepDown(tick);
		else this.#considerUp(tick);
		if (this.#level !== before) this.#moved = true;
		const input = this.#input(tick, (meter) => meter.average);
		let probed = probedAt(this.#level, input);
		if (this.#command && this.#level === LAST_RECORDED && (this.#left ?? 0) < 0) probed = { ...probed, exits: "off" };
		this.#probed = probed;
		// What was used up before the step down counts: the first window waits until it is paid.
		const first = (limitNs * this.#shortestPeriodNs()) / 1e9;
		if (this.#level > before && (this.#leftForWindows ?? 0) < first) this.#overdrawn = true;
		return {
			probed,
			loads: input.loads,
			changed: this.#level !== before,
			overdrawn: this.#overdrawn,
			nextTickNs: nowNs + this.#tickNs(limitNs, fullRate, elapsedNs),
		};
	}

	/** The lowest level that there may be now. */
	get #lowest(): Level {
		return this.#command ? LAST_RECORDED : 6;
	}

	/** Half of the time for which the budget suffices. */
	#tickNs(limitNs: number, fullRate: number, elapsedNs: number): number {
		let seconds = elapsedNs === 0 ? 0 : 1;
		const left = Math.max(0, this.#left ?? 0);
		// A command may begin to use it up at any moment.
		if (this.#command && this.#level < LAST_RECORDED) seconds = left / (COMMAND_PROCESSORS * 1e9);
		else if (fullRate > limitNs) seconds = left / fullRate;
		return Math.min(LONGEST_TICK_NS, Math.max(SHORTEST_TICK_NS, (seconds * 1e9) / 2));
	}

	/** Takes over what was measured; returns what streams that are probed all the time cost lately, of a command what its details did, nanoseconds per second. */
	#measure({ limitNs, earnedNs, streams }: LadderTick, elapsedNs: number): number {
		let full = 0;
		let inWindows = 0;
		let recording = 0;
		for (const [name, { hits, attachedNs, costNs, cost }] of Object.entries(streams) as [Stream, StreamTick][]) {
			const meter = this.#meters.get(name) ?? new RateMeter();
			this.#meters.set(name, meter);
			const isFull = !isShape(this.#probed?.streams[name]);
			meter.add(hits, attachedNs, isFull);
			if (isFull) full += costNs;
			else inWindows += costNs;
			if (name === "large" || name === "small") recording += Math.min(costNs, hits * (cost.countNs + cost.recordNs));
		}
		const earned = earnedNs ?? (limitNs * elapsedNs) / 1e9;
		if (this.#command) {
			const detailsNs = full + inWindows - recording;
			this.#measureCommand(limitNs, earned, recording, detailsNs);
			return elapsedNs === 0 ? 0 : (detailsNs / elapsedNs) * 1e9;
		}
		// Both draw on one income, but windows wait for what is probed all the time (`overdrawn`), and not the other way round.
		const left = (this.#left ?? limitNs) + earned - full - Math.min(inWindows, FOR_WINDOWS * earned);
		this.#left = Math.min(limitNs, left);
		if (left >= limitNs) for (const meter of this.#meters.values()) meter.mark();
		const period = this.#longestPeriodNs() / 1e9;
		const most = limitNs * Math.max(WINDOW_SECONDS, WINDOW_PERIODS * period);
		const leftForWindows = (this.#leftForWindows ?? limitNs) + earned - full - inWindows;
		this.#leftForWindows = Math.max(-MOST_DEBT_SECONDS * limitNs, Math.min(most, leftForWindows));
		if (this.#leftForWindows < 0) this.#overdrawn = true;
		else if (this.#leftForWindows >= (limitNs * this.#shortestPeriodNs()) / 1e9) this.#overdrawn = false;
		return elapsedNs === 0 ? 0 : (full / elapsedNs) * 1e9;
	}

	/** What recording all growths of a command takes is not held against their durations and growth work, as long as it is lent. */
	#measureCommand(limitNs: number, earned: number, recordingNs: number, detailsNs: number): void {
		const left = (this.#left ?? FOR_THE_START_NS) + FOR_DETAILS * earned - detailsNs;
		this.#left = Math.min(Math.max(FOR_THE_START_NS, FOR_DETAILS * limitNs), left);
		this.#leftForWindows = this.#left;
		this.#overdrawn = this.#left < 0;
		this.#earnedNs = Math.min(limitNs, this.#earnedNs + earned - recordingNs - detailsNs);
		if (this.#earnedNs > -FOR_GROWTHS_NS) return;
		// From now on it is as any other target.
		this.#command = false;
		this.#left = this.#leftForWindows = 0;
	}

	#input(tick: LadderTick, rate: (meter: RateMeter) => number | undefined): RetreatInput {
		const { limitNs, streams, aroundNs, intervalNs } = tick;
		const loads: RetreatInput["loads"] = {};
		for (const [name, { cost }] of Object.entries(streams) as [Stream, StreamTick][]) {
			const meter = this.#meters.get(name);
			loads[name] = { ...cost, perSecond: meter === undefined ? undefined : rate(meter) };
		}
		return { loads, limitNs, aroundNs, intervalNs, unsteady: this.#command };
	}

	#stepDown(tick: LadderTick): void {
		const { nowNs } = tick;
		this.#roomSinceNs = undefined;
		// What goes on for long must be within the limit; a burst, within what is lent to it.
		const lasting = neededLevel(this.#input(tick, (meter) => meter.average));
		const burst = this.#input(tick, (meter) => meter.sustained);
		const lent = neededLevel({ ...burst, limitNs: (tick.limitNs * GRACE_SECONDS) / BURST_SECONDS });
		for (const meter of this.#meters.values()) {
			// Windows are as long as the burst allows.
			if (Math.max(lasting, lent) > LAST_COUNTED) meter.follow();
			meter.mark();
		}
		const lowest = this.#lowest;
		if (this.#level === lowest) return;
		const needed = Math.min(lowest, Math.max(lasting, lent));
		// Exits that wait for calls to return still cost: the step before has not taken effect.
		// Counting fits, but not at this moment: that is paid back soon.
		if (
			needed <= LAST_COUNTED &&
			this.#level === LAST_COUNTED &&
			(this.#left ?? 0) > -COUNTING_DEBT_SECONDS * tick.limitNs
		)
			return;
		if (needed <= this.#level && nowNs - this.#steppedDownNs < Math.max(EFFECT_NS, tick.aroundNs)) return;
		this.#steppedDownNs = nowNs;
		const before = this.#level;
		this.#level = Math.max(needed, this.#level + 1) as Level;
		// Whether the step was enough is seen after a while, not in the next burst.
		if (!this.#command) this.#left = Math.max(this.#left ?? 0, GRACE_SECONDS * tick.limitNs);
		this.#changedNs = nowNs;
		if (nowNs - this.#steppedUpNs < FAILED_NS) {
			this.#failedLevel = before;
			this.#waitNs = Math.min(MOST_WAIT_NS, 2 * Math.max(this.#waitNs, this.#holdNs()));
			this.#steppedUpNs = Number.NEGATIVE_INFINITY;
		}
	}

	#considerUp(tick: LadderTick): void {
		const { nowNs } = tick;
		if (nowNs - this.#steppedUpNs > FAILED_NS && Number.isFinite(this.#steppedUpNs)) {
			// That a step to less holds says nothing of the one that failed.
			if (this.#level <= this.#failedLevel) this.#waitNs = 0;
			this.#steppedUpNs = Number.NEGATIVE_INFINITY;
		}
		// What was last measured must fit for two periods on end: the average would take many windows to follow. Growths that come in bursts never do: of them the average must.
		const latest = neededLevel(this.#input(tick, (meter) => meter.latest));
		const average = this.#level > LAST_TIMED ? neededLevel(this.#input(tick, (meter) => meter.average)) : latest;
		const needed = Math.min(latest, average) as Level;
		// What a command owes is paid back first.
		if (needed >= this.#level || (this.#command && (this.#left ?? 0) < 0)) {
			this.#roomSinceNs = undefined;
			return;
		}
		this.#roomSinceNs ??= nowNs;
		if (nowNs - this.#roomSinceNs < this.#holdNs()) return;
		if (nowNs - (this.#changedNs ?? nowNs) < this.#waitNs) return;
		this.#level = needed;
		this.#changedNs = nowNs;
		this.#steppedUpNs = nowNs;
		this.#roomSinceNs = undefined;
	}

	/** Two of the longest periods in force. */
	#holdNs(): number {
		if (!this.#moved) return FIRST_HOLD_NS;
		return Math.min(MOST_HOLD_NS, Math.max(LEAST_HOLD_NS, 2 * this.#longestPeriodNs()));
	}

	/** The next window that may come. */
	#shortestPeriodNs(): number {
		const { streams = {}, exits = "off" } = this.#probed ?? {};
		const periods = [...Object.values(streams), exits].flatMap((probing) =>
			isShape(probing) ? [probing.periodNs] : [],
		);
		return Math.min(MOST_SAVED_NS, ...periods);
	}

	/** Of those in force, without streams that have a rare window only. */
	#longestPeriodNs(): number {
		const { streams = {}, exits = "off" } = this.#probed ?? {};
		const periods = [...Object.values(streams), exits].map((probing) => (isShape(probing) ? probing.periodNs : 0));
		return Math.min(LONGEST_PERIOD_NS, Math.max(...periods));
	}
}
