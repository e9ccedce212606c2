/**
 * How much time reading records may take us. Where most processors are idle it is nobody's loss. Where they are not, it is time that the targets would have had, or
 * takes from their speed, as processors share cores, caches and hosts: then it is bounded by the budget, too. Pure: its owner measures.
 */
import type { MachineTime } from "../kernel/machine-time.ts";
import { CALM_NS, JUDGE_NS } from "./tier-budget.ts";

/** What reading a record takes, as long as nothing was measured, and the number of records after which that counts for nothing any more. */
const FIRST_COST_NS = 20e3;
const SETTLED = 2000;
/** With fewer records at a time it is the looking whether there are any that takes most. */
const TELLING_RECORDS = 32;
/**
 * The machine has no time to spare when less than this share of it is idle, because two processors are often one core, and has when it would be more than that with all
 * records read. On two processors of a virtual machine, a program on one lost 15 % of its speed to another one that took a quarter of the other.
 */
const BUSY = 0.5;
const IDLE = 0.55;

export class ReadingRoom {
	readonly #budget: number;
	#costNs = FIRST_COST_NS;
	/** Since the last judgement. */
	#takenNs = 0;
	#before: (MachineTime & { nowNs: number }) | undefined;
	#bounded = false;
	#calmSince: number | undefined;
	#perSecond = Number.POSITIVE_INFINITY;

	/** `budget`: share of the machine's time. */
	constructor(budget: number) {
		this.#budget = budget;
	}

	/** What reading a record takes us. */
	get costNs(): number {
		return this.#costNs;
	}

	/** Nanoseconds in a second that reading the growths of one target may take; infinite as long as the machine has time to spare. */
	get perSecondNs(): number {
		return this.#perSecond;
	}

	/** We took so much processor time to read so many records. */
	read(cpuNs: number, records: number): void {
		this.#takenNs += cpuNs;
		if (records < TELLING_RECORDS) return;
		this.#costNs += Math.min(1, records / SETTLED) * (cpuNs / records - this.#costNs);
	}

	/** Whether `update` is due. */
	isDue(nowNs: number): boolean {
		return this.#before === undefined || nowNs - this.#before.nowNs >= JUDGE_NS;
	}

	/** `growths`: of each target since the previous call, recorded or not. */
	update(nowNs: number, machine: MachineTime, growths: readonly number[]): void {
		const before = this.#before;
		const takenNs = this.#takenNs;
		this.#before = { ...machine, nowNs };
		this.#takenNs = 0;
		if (before === undefined || machine.allNs <= before.allNs) return;
		const [allNs, idleNs] = [machine.allNs - before.allNs, machine.idleNs - before.idleNs];
		const wanted = growths.map((count) => count * this.#costNs);
		const more = Math.max(0, wanted.reduce((sum, ns) => sum + ns, 0) - takenNs);
		if (!this.#bounded) this.#bounded = idleNs < BUSY * allNs;
		else if (idleNs - more > IDLE * allNs) {
			this.#calmSince ??= nowNs;
			if (nowNs - this.#calmSince >= CALM_NS) this.#bounded = false;
		} else this.#calmSince = undefined;
		if (!this.#bounded) this.#calmSince = undefined;
		const seconds = (nowNs - before.nowNs) / 1e9;
		const most = fairLevel(wanted, this.#budget * allNs);
		this.#perSecond = this.#bounded ? most / seconds : Number.POSITIVE_INFINITY;
	}
}

/** The most that each may have so that all together have no more than `room`, when none takes more than it wants; more than any wants when there is room for that. */
export function fairLevel(wanted: readonly number[], room: number): number {
	let left = room;
	const ascending = [...wanted].sort((a, b) => a - b);
	for (const [index, most] of ascending.entries()) {
		const each = left / (ascending.length - index);
		if (most > each) return each;
		left -= most;
	}
	return (ascending.at(-1) ?? 0) + left / Math.max(1, ascending.length);
}
