/** When a tier that is too dear to be probed all the time is probed: once in each period, at a random moment, so that a program's own rhythm does not matter. */

/** Many short windows tell more than few long ones, but putting probes in and out holds the target up each time. */
export interface WindowLengths {
	shortestNs: number;
	/** Of the periods, each of which has one window. */
	shortestPeriodNs: number;
	longestPeriodNs: number;
}

/** For calls. Attaching takes about a millisecond: a shorter time would see little more than that. */
export const FOR_CALLS: WindowLengths = { shortestNs: 3e6, shortestPeriodNs: 0.5e9, longestPeriodNs: 6e9 };
/** For iterations, of which only those tell anything that begin in the window and go on in it. */
export const FOR_ITERATIONS: WindowLengths = { shortestNs: 50e6, shortestPeriodNs: 2e9, longestPeriodNs: 60e9 };

/**
 * The share of the time that windows can take when all that they cost is to be the share `most` of a target's processor time. `full`: what hits would cost if it were
 * probed all the time, as such a share. `openingNs`: what it costs to open and close a window, as the time in which the target uses as much.
 */
export function shareWithin(most: number, full: number, openingNs: number, lengths: WindowLengths): number {
	const { shortestNs, shortestPeriodNs } = lengths;
	// The shortest windows become more with the share; then, when there are as many as there can be, longer.
	const ofShortest = most / (full + openingNs / shortestNs);
	const asMany = shortestNs / shortestPeriodNs;
	return ofShortest <= asMany ? ofShortest : (most - openingNs / shortestPeriodNs) / full;
}

export class ProbeWindows {
	readonly #lengths: WindowLengths;
	readonly #random: () => number;
	#share: number;
	#periodStart: number;
	#periodNs = 0;
	/** When this period's window begins; absent when it has been. */
	#onAt: number | undefined;

	/** `random`: numbers from 0 to below 1. */
	constructor(share: number, nowNs: number, lengths: WindowLengths, random: () => number = Math.random) {
		this.#lengths = lengths;
		this.#share = share;
		this.#random = random;
		this.#periodStart = nowNs;
		this.#choose();
	}

	/** Counts from the next window on. */
	set share(share: number) {
		this.#share = share;
	}

	/** Of each window. */
	get lengthNs(): number {
		return Math.max(this.#lengths.shortestNs, this.#share * this.#periodNs);
	}

	/** Share of the time that windows take: the chance of any moment to be in one. */
	get probedShare(): number {
		return this.lengthNs / this.#periodNs;
	}

	#choose(): void {
		const { shortestNs, shortestPeriodNs, longestPeriodNs } = this.#lengths;
		this.#periodNs = Math.min(longestPeriodNs, Math.max(shortestPeriodNs, shortestNs / this.#share));
		this.#onAt = this.#periodStart + this.#random() * (this.#periodNs - this.lengthNs);
	}

	/** The beginning of a new period, when one has begun since the previous call; not while the window of the last one is open. */
	advance(nowNs: number, probed: boolean): number | undefined {
		if (probed || nowNs < this.#periodStart + this.#periodNs) return undefined;
		// Periods that nobody looked at are over.
		this.#periodStart += Math.floor((nowNs - this.#periodStart) / this.#periodNs) * this.#periodNs;
		this.#choose();
		return this.#periodStart;
	}

	/** Whether the tier should be probed now. A window that was missed because the tool was held up comes late, not never. */
	wanted(nowNs: number, probed: boolean, probedSinceNs: number): boolean {
		if (probed) return nowNs - probedSinceNs < this.lengthNs;
		if (this.#onAt === undefined || nowNs < this.#onAt) return false;
		this.#onAt = undefined;
		return true;
	}

	/** Milliseconds until something is to be done, at most `most`. */
	untilNext(nowNs: number, probed: boolean, probedSinceNs: number, most: number): number {
		const at = probed ? probedSinceNs + this.lengthNs : (this.#onAt ?? this.#periodStart + this.#periodNs);
		return Math.max(1, Math.min(most, (at - nowNs) / 1e6));
	}
}
