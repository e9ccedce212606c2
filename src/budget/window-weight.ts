/**
 * What an amount that was seen in a window stands for. Without probes it would be the number of slots n of its period. Probes slow what they count: a program
 * that is kept busy gets less done in a window than in another slot, by the share of its processor time that hits take. A program whose load comes from outside
 * gets as much done and uses more processor time instead. Which of the two it is follows from its processor time in windows, net of the hits, against the
 * time outside. The weight of a window is fixed when it ends, from earlier windows and its own; it is the same integer for all rows, so rows add up to totals.
 */

/** A window that is over, and what one unit seen in it stands for. */
export interface Window {
	/** Number of the window: 0, 1, 2, …; missed periods and those that were voided have none. */
	index: number;
	/** Slots of its period. */
	n: number;
	/** What one unit that was seen stands for. */
	weight: number;
	/** The same with hits as cheap, and as expensive, as they may be. `high` is undefined where hits took so much that only a lower bound can be given. */
	low: number;
	high: number | undefined;
}

/** Processor time of the target in a window, and the part of it that hits took. */
export interface WindowCost {
	cpuNs: number;
	probeNs: number;
}

/** Below this share of the target's processor time the slowdown is not corrected. */
const LEAST_SHARE = 0.02;
/** Above this share only a lower bound is given. */
const MOST_SHARE = 0.2;
/** A hit costs between these multiples of what is known of it. */
const CHEAPEST = 0.5;
const MOST_EXPENSIVE = 3;
/** With fewer windows it is not known whether the program is kept busy. */
const LEAST_WINDOWS = 8;

/** The window of a period with n slots whose hits did not slow the target. */
export function plainWindow(index: number, n: number): Window {
	return { index, n, weight: n, low: n, high: n };
}

/** How much more the target would have got done without the hits if it was kept busy. */
function slowdown(share: number, times: number): number {
	return 1 / (1 - Math.min(0.9, share * times)) - 1;
}

/** Weights of the windows of one target and tier. */
export class WindowWeights {
	#windows = 0;
	/** Sums over windows, weighted: processor time net of hits, the cost of hits, and squared differences of the former between neighbours. */
	#netNs = 0;
	#probeNs = 0;
	#squares = 0;
	#lastNetNs: number | undefined;
	/** Processor time of all periods as it would be without the hits in windows. */
	#usualNs = 0;
	/** What rounding has left over. */
	#carry = 0;

	/** A period is over: `outside` is the target's processor time outside its window, over `slots` slots. Weight of its window. */
	close(index: number, n: number, cost: WindowCost, outside: { cpuNs: number; slots: number }): Window {
		const { cpuNs, probeNs } = cost;
		this.#learn(n, cost, outside);
		const share = probeNs / Math.max(cpuNs, probeNs, 1);
		if (share < LEAST_SHARE) return plainWindow(index, n);
		const { low, likely, high } = this.#busy();
		const exact = n * (1 + likely * slowdown(share, 1)) + this.#carry;
		const weight = Math.max(n, Math.round(exact));
		this.#carry = Math.max(-1, Math.min(1, exact - weight));
		return {
			...{ index, n, weight },
			low: Math.min(weight, n * (1 + low * slowdown(share, CHEAPEST))),
			high: share > MOST_SHARE ? undefined : Math.max(weight, n * (1 + high * slowdown(share, MOST_EXPENSIVE))),
		};
	}

	#learn(n: number, { cpuNs, probeNs }: WindowCost, outside: { cpuNs: number; slots: number }): void {
		const netNs = n * Math.max(0, cpuNs - probeNs);
		this.#windows++;
		this.#netNs += netNs;
		this.#probeNs += n * Math.min(cpuNs, probeNs);
		if (this.#lastNetNs !== undefined) this.#squares += (netNs - this.#lastNetNs) ** 2 / 2;
		this.#lastNetNs = netNs;
		this.#usualNs += outside.slots === 0 ? n * cpuNs : (outside.cpuNs * n) / outside.slots;
	}

	/** How far the target was kept busy in windows: 1: it used no more processor time than outside, so hits took it from its work; 0: it used so much more. */
	#busy(): { low: number; likely: number; high: number } {
		if (this.#probeNs <= 0) return { low: 0, likely: 0, high: 1 };
		const lacking = (this.#usualNs - this.#netNs) / this.#probeNs;
		const error = (2 * Math.sqrt(this.#squares)) / this.#probeNs;
		const within = (busy: number): number => Math.max(0, Math.min(1, busy));
		if (this.#windows < LEAST_WINDOWS) return { low: 0, likely: within(lacking), high: 1 };
		return { low: within(lacking - error), likely: within(lacking), high: within(lacking + error) };
	}
}
