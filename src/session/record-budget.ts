/** Decides how many growths of a target become records: pure, like the decisions for its tiers. */
import { AIM, CALM_NS, type Change, HARD_JUDGE_NS, HARD_LIMIT, JUDGE_NS, WORTH } from "./budget.ts";

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
	/** Share of the budget that is theirs. */
	part: number;
	/** What reading them would take us if each became a record, and what that may take: infinite where the machine has time to spare. */
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

	/** `budget`: share of the target's processor time. */
	constructor(budget: number) {
		this.#budget = budget;
	}

	/** Share of the growths that become records. */
	get chance(): number {
		return this.#chance;
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
		const readingRoom = this.#readingRoom;
		this.#sum = nothing();
		this.#readingRoom = 0;

		const budget = this.#budget * load.part;
		const fits = (room: number, needed: number): number => (needed === 0 ? 1 : room / needed);
		const byCost = fits(AIM * budget * cpu - sum.countingNs, sum.recordingNs);
		const byReading = fits(AIM * readingRoom, sum.readingNs);
		const least = fits((LEAST_PER_SECOND * sum.elapsedNs) / 1e9, sum.growths);
		const wanted = Math.min(1, Math.max(least, Math.min(byCost, byReading)));
		const dear = sum.countingNs + this.#chance * sum.recordingNs > budget * cpu;
		const slow = this.#chance * sum.readingNs > readingRoom;
		const less = (dear || slow) && wanted < this.#chance / WORTH;
		const more = wanted > this.#chance * WORTH || (wanted === 1 && this.#chance < 1);
		if (!less && !(more && load.nowNs - this.#changedNs >= CALM_NS)) return undefined;
		const from = this.#chance;
		this.#chance = wanted;
		this.#changedNs = load.nowNs;
		const why = byReading < byCost ? "reading them takes a busy machine too much" : "growths alone are over the budget";
		return { from, to: wanted, overhead, reason: less ? why : "calm for five seconds" };
	}
}
