/** Decides how many growths of a target become records: pure, like the decisions for its tiers. */
import { AIM, CALM_NS, type Change, HARD_JUDGE_NS, HARD_LIMIT, JUDGE_NS, WORTH } from "./tier-budget.ts";

/** What growths did since the previous decision. */
export interface GrowthLoad {
	/** Monotonic clock. */
	nowNs: number;
	elapsedNs: number;
	cpuNs: number;
	/** What it cost to count them, and what it would cost more if each of them became a record. */
	countingNs: number;
	recordingNs: number;
	/** How many there were. */
	growths: number;
	/** What reading them would take us if each became a record, and the most that may take: infinite where the machine has time to spare. */
	readingNs: number;
	readingRoomNs: number;
}

/** So many become records, however many there are. */
const LEAST_PER_SECOND = 100;

const nothing = () => ({ elapsedNs: 0, cpuNs: 0, countingNs: 0, recordingNs: 0, growths: 0, readingNs: 0 });

/** Growths stay exact as long as they alone do not break the budget; then only some of them become records, while all are still counted. */
export class RecordBudget {
	readonly #budget: number;
	#chance = 1;
	#changedNs = Number.NEGATIVE_INFINITY;
	/** Since the last judgement. */
	#sum = nothing();
	#readingRoom = 0;
	#exhausted = false;

	/** `budget`: share of the target's processor time that is for growths. */
	constructor(budget: number) {
		this.#budget = budget;
	}

	/** Share of the growths that become records. */
	get chance(): number {
		return this.#chance;
	}

	/** Whether growths are over the budget though no more than the least become records. */
	get exhausted(): boolean {
		return this.#exhausted;
	}

	/** Takes a measurement; returns what changes. */
	update(load: GrowthLoad): Change | undefined {
		const sum = this.#sum;
		for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += load[key];
		this.#readingRoom += load.readingRoomNs;
		const all = sum.countingNs + sum.recordingNs;
		const cpu = Math.max(sum.cpuNs, all, 1);
		const overhead = all / cpu;
		const hard = this.#chance === 1 && sum.elapsedNs >= HARD_JUDGE_NS && overhead > HARD_LIMIT * this.#budget;
		if (sum.elapsedNs < JUDGE_NS && !hard) return undefined;
		const room = this.#readingRoom;
		this.#sum = nothing();
		this.#readingRoom = 0;

		// Both take of the same part of the budget, of which the target's processor time is one measure and what reading may take another.
		const budget = this.#budget * cpu;
		const reading = (budget * sum.readingNs) / room;
		const fits = (most: number, needed: number): number => (needed === 0 ? 1 : most / needed);
		const least = fits((LEAST_PER_SECOND * sum.elapsedNs) / 1e9, sum.growths);
		const wanted = Math.min(1, Math.max(least, fits(AIM * budget - sum.countingNs, sum.recordingNs + reading)));
		const alone = sum.countingNs + this.#chance * sum.recordingNs;
		this.#exhausted = alone > budget && wanted >= this.#chance;
		const less = alone + this.#chance * reading > budget && wanted < this.#chance / WORTH;
		const more = wanted > this.#chance * WORTH || (wanted === 1 && this.#chance < 1);
		if (!less && !(more && load.nowNs - this.#changedNs >= CALM_NS)) return undefined;
		const from = this.#chance;
		this.#chance = wanted;
		this.#changedNs = load.nowNs;
		const why = alone > budget ? "growths alone are over the budget" : "reading growths is over the budget";
		return { from, to: wanted, overhead, reason: less ? why : "calm for five seconds" };
	}
}
