/** The decisions of the governor for one tier of one target: pure, so that they can be tested with made-up figures. */
import { shareWithin, type WindowLengths } from "./probe-windows.ts";

/** What was measured since the previous decision. */
export interface TierLoad {
	/** Monotonic clock. */
	nowNs: number;
	/** Length of the time that was measured, and the part of it in which the tier was probed. */
	elapsedNs: number;
	probedNs: number;
	/** Processor time that the target used in all of it. */
	cpuNs: number;
	/** What the hits of the tier cost. */
	costNs: number;
	/** What putting its probes in and taking them out costs each time. */
	openingNs: number;
	/** Share of the budget that is this tier's. */
	part: number;
}

/** Calm time before more is probed again. */
export const CALM_NS = 5e9;
/** Time over which the overhead is judged, unless it is beyond the hard limit. */
export const JUDGE_NS = 1e9;
/** So many times the budget stops the tier at once. */
export const HARD_LIMIT = 10;
export const HARD_JUDGE_NS = 80e6;
/** Aim below the budget, because hits cost up to 1.5 times what was measured in a program that uses its caches for something else; go back to probing all the time only well below it. */
export const AIM = 0.7;
const BACK = 0.6;
/** Share of the time: more is not worth the trouble. */
const MOST_SHARE = 0.5;
/** How much the latest judgement says of the next ones: that of a second with one short window says little. */
const NEWEST = 0.5;
/** Smallest change of the share that is worth a record. */
export const WORTH = 1.5;

export interface Change {
	from: number;
	to: number;
	/** Overhead as it would be if everything were probed. */
	overhead: number;
	reason: string;
}

export class TierBudget {
	readonly #budget: number;
	readonly #lengths: WindowLengths;
	#share = 1;
	#changedNs = Number.NEGATIVE_INFINITY;
	#calmSince: number | undefined;
	/** Sums since the last judgement. */
	#elapsed = 0;
	#probed = 0;
	#cpu = 0;
	#cost = 0;
	/** Overhead if the tier were probed all the time, by the last judgement. */
	#full = 0;
	/** Processors that the target uses. */
	#processors = 0;

	/** `budget`: share of the target's processor time; `lengths`: of its windows. */
	constructor(budget: number, lengths: WindowLengths) {
		this.#budget = budget;
		this.#lengths = lengths;
	}

	/** Share of the time in which the tier is to be probed; 1: always. */
	get share(): number {
		return this.#share;
	}

	/** Takes a measurement; returns what changes. */
	update(load: TierLoad): Change | undefined {
		this.#elapsed += load.elapsedNs;
		this.#probed += load.probedNs;
		this.#cpu += load.cpuNs;
		this.#cost += load.costNs;
		const hard = this.#share === 1 && this.#elapsed >= HARD_JUDGE_NS && this.#overheadNow() > HARD_LIMIT * this.#budget;
		if (this.#elapsed < JUDGE_NS && !hard) return undefined;
		// Not probed at all in this time: nothing is known.
		if (this.#probed === 0) return this.#reset();
		const probed = this.#elapsed === 0 ? 1 : this.#probed / this.#elapsed;
		// Hits that come while probes are put in or taken out are not of the probed time.
		const full = Math.min(1, this.#overheadNow() / probed);
		const newest = this.#share === 1 ? 1 : NEWEST;
		this.#full += newest * (full - this.#full);
		this.#processors += newest * (Math.max(this.#cpu, this.#cost, 1) / this.#elapsed - this.#processors);
		this.#reset();
		const budget = this.#budget * load.part;
		const wanted = this.#shareFor(budget, load.openingNs);
		if (this.#share === 1) {
			if (full <= budget) return undefined;
			const reason = hard ? `more than ${HARD_LIMIT} times the budget: stopped at once` : "over the budget";
			return this.#change(wanted, load.nowNs, reason);
		}
		return this.#adjust(budget, wanted, load.nowNs);
	}

	#overheadNow(): number {
		// Processor time of what runs is some milliseconds old.
		return this.#cost / Math.max(this.#cpu, this.#cost, 1);
	}

	#reset(): undefined {
		this.#elapsed = 0;
		this.#probed = 0;
		this.#cpu = 0;
		this.#cost = 0;
		return undefined;
	}

	#shareFor(budget: number, openingNs: number): number {
		const share = shareWithin(AIM * budget, this.#full, openingNs / this.#processors, this.#lengths);
		// Less would be too little to tell anything.
		const least = this.#lengths.shortestNs / this.#lengths.longestPeriodNs;
		return Math.min(MOST_SHARE, Math.max(least, share));
	}

	#adjust(budget: number, wanted: number, nowNs: number): Change | undefined {
		if (this.#full < BACK * budget) {
			this.#calmSince ??= nowNs;
			if (nowNs - this.#calmSince >= CALM_NS) return this.#change(1, nowNs, "calm for five seconds");
			return undefined;
		}
		this.#calmSince = undefined;
		// Less at once, more only after some calm.
		const less = wanted < this.#share / WORTH;
		const more = wanted > this.#share * WORTH && nowNs - this.#changedNs >= CALM_NS;
		if (less) return this.#change(wanted, nowNs, "over the budget");
		if (more) return this.#change(wanted, nowNs, "calm for five seconds");
		return undefined;
	}

	#change(to: number, nowNs: number, reason: string): Change {
		const from = this.#share;
		this.#share = to;
		this.#changedNs = nowNs;
		this.#calmSince = undefined;
		return { from, to, overhead: this.#full, reason };
	}
}
