/** Decides which share of the work tier's calls become records: all when there are few, about as many per second when there are many. */

/** Records per second to come close to. */
const WANTED_PER_SECOND = 200;
/** How long records are counted before the chance is changed, unless there are far too many. */
const PERIOD_NS = 250e6;
const TOO_MANY = WANTED_PER_SECOND;
/** What was chosen with the old chance is still in the ring for a while after a change. */
const SETTLE_NS = 60e6;
/** Two million calls a second become two hundred records at 1e-4: less than this is never needed. */
const LEAST_CHANCE = 1e-5;
const MOST_UP = 4;
const MOST_DOWN = 1 / 1024;

export class SampleRate {
	/** Begins low: a program that does nothing else calls a million times a second. */
	#chance = 1 / 64;
	#counted = 0;
	#elapsedNs = 0;
	#settleNs = 0;

	/** Share of calls that become records, 0 to 1. */
	get chance(): number {
		return this.#chance;
	}

	/** `samples` records came in `elapsedNs`. Returns whether the chance has changed. */
	update(samples: number, elapsedNs: number): boolean {
		if (this.#settleNs > 0) {
			this.#settleNs -= elapsedNs;
			return false;
		}
		this.#counted += samples;
		this.#elapsedNs += elapsedNs;
		if (this.#elapsedNs < PERIOD_NS && this.#counted < TOO_MANY) return false;
		const rate = (this.#counted * 1e9) / this.#elapsedNs;
		this.#counted = 0;
		this.#elapsedNs = 0;
		const factor = Math.min(MOST_UP, Math.max(MOST_DOWN, WANTED_PER_SECOND / Math.max(rate, 1)));
		const before = this.#chance;
		this.#chance = Math.min(1, Math.max(LEAST_CHANCE, this.#chance * factor));
		if (this.#chance === before) return false;
		this.#settleNs = SETTLE_NS;
		return true;
	}
}
