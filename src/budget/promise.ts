/**
 * The promise: what probing may cost. Each target: a share of one processor, or of what it uses, whichever is more; where its cgroup has a limit of processor time
 * below one processor, that limit is its processor. All targets and the tool itself: 5 % of the machine. All figures are nanoseconds of processor time per second.
 */

const PROCESSOR_NS = 1e9;
/** For all targets together, the tool's own processor time included. */
const OF_MACHINE = 0.05;
/** That is so many times the usual budget of a target; with another one it is as many times that. */
const TIMES_BUDGET = 5;
const LEAST_FOR_TARGETS = 0.2;
const LEAST_OF_COMMAND = 0.001;
/** A target whose share does not pay for a window in this time takes turns. */
const TURN_SECONDS = 10;

/** What probing may cost a target. `quotaNs`: the limit of its cgroup. */
export function targetLimit(budget: number, target: { usedNs: number; quotaNs?: number | undefined }): number {
	const processor = Math.min(PROCESSOR_NS, target.quotaNs ?? PROCESSOR_NS);
	return budget * Math.max(processor, target.usedNs);
}

/**
 * What probing a command may cost that is started in order to be observed: a share of what it uses, so that it holds for one of a second and on a busy machine, too. One
 * that uses nearly nothing has a tenth of what other targets have.
 */
export function commandLimit(budget: number, target: { usedNs: number; quotaNs?: number | undefined }): number {
	return Math.max(budget * target.usedNs, targetLimit(Math.min(budget, LEAST_OF_COMMAND), { ...target, usedNs: 0 }));
}

/**
 * What probing all targets may cost together; a higher budget than usual raises it alike. `ownNs`: what following them takes the tool, without its start; whatever it
 * is, a part is left for the targets.
 */
export function machineLimit(budget: number, processors: number, ownNs: number): number {
	const all = Math.min(1, Math.max(OF_MACHINE, TIMES_BUDGET * budget)) * processors * PROCESSOR_NS;
	return Math.max(LEAST_FOR_TARGETS * all, all - ownNs);
}

/** Max-min fair shares: nobody gets more than it needs, and who gets less than it needs gets no less than anybody else. */
export function fairShares(total: number, needs: readonly number[]): number[] {
	const shares = needs.map(() => 0);
	const order = [...needs.keys()].sort((a, b) => (needs[a] ?? 0) - (needs[b] ?? 0));
	let left = total;
	for (const [served, at] of order.entries()) {
		const share = Math.min(needs[at] ?? 0, left / (order.length - served));
		shares[at] = share;
		left -= share;
	}
	return shares;
}

export interface TargetNeeds {
	pid: number;
	/** `targetLimit`. */
	limitNs: number;
	/** What probing everything all the time would cost. */
	fullNs: number;
	/** What its cheapest window costs, nanoseconds; 0 as long as that is not known. */
	windowNs: number;
}

export interface TargetShare {
	limitNs: number;
	/** It is probed in turn with others, now or later. */
	takesTurns: boolean;
	/** Whether it may be probed now. */
	now: boolean;
}

/** Shares of the targets, and the turns of those whose share does not pay for a window in ten seconds: each saves its share until it does. */
export class Shares {
	readonly #saved = new Map<number, number>();
	/** Targets whose turn it is, until this moment. */
	readonly #turns = new Map<number, number>();
	#lastNs: number | undefined;

	/** Shares from this moment on. `totalNs`: `machineLimit`. */
	update(nowNs: number, totalNs: number, targets: readonly TargetNeeds[]): Map<number, TargetShare> {
		const seconds = this.#lastNs === undefined ? 0 : (nowNs - this.#lastNs) / 1e9;
		this.#lastNs = nowNs;
		this.#forgetOthers(targets);
		const shares = fairShares(
			totalNs,
			targets.map(({ limitNs, fullNs }) => Math.min(limitNs, fullNs)),
		);
		const result = new Map<number, TargetShare>();
		for (const [at, target] of targets.entries()) {
			result.set(target.pid, this.#shareOf(target, shares[at] ?? 0, nowNs, seconds));
		}
		return result;
	}

	#shareOf({ pid, fullNs, windowNs }: TargetNeeds, share: number, nowNs: number, seconds: number): TargetShare {
		if (fullNs <= share || windowNs <= share * TURN_SECONDS) {
			this.#saved.delete(pid);
			this.#turns.delete(pid);
			return { limitNs: share, takesTurns: false, now: true };
		}
		const saved = Math.min(windowNs, (this.#saved.get(pid) ?? 0) + share * seconds);
		this.#saved.set(pid, saved);
		const until = this.#turns.get(pid);
		if (until !== undefined && nowNs < until) return { limitNs: windowNs / TURN_SECONDS, takesTurns: true, now: true };
		this.#turns.delete(pid);
		if (saved < windowNs) return { limitNs: share, takesTurns: true, now: false };
		this.#saved.set(pid, 0);
		this.#turns.set(pid, nowNs + TURN_SECONDS * 1e9);
		return { limitNs: windowNs / TURN_SECONDS, takesTurns: true, now: true };
	}

	#forgetOthers(targets: readonly TargetNeeds[]): void {
		const pids = new Set(targets.map(({ pid }) => pid));
		for (const pid of [...this.#saved.keys(), ...this.#turns.keys()]) {
			if (pids.has(pid)) continue;
			this.#saved.delete(pid);
			this.#turns.delete(pid);
		}
	}
}
