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

/** Below this share of the target's processor time the slowdown is not corrected; the interval allows for it. */
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
	/** Sums over windows, weighted: processor time, the cost of hits, and squared differences of the former between neighbours. */
	#cpuNs = 0;
	#probeNs = 0;
	#squares = 0;
	#lastCpuNs: number | undefined;
	/** Processor time of all periods as it would be without the hits in windows. */
	#usualNs = 0;
	/** What rounding has left over. */
	#carry = 0;

	/**
	 * A period is over: `outside` is the target's processor time outside its window, over `slots` slots (maybe a fraction: time in
	 * which probes were attached around the window is left out). Weight of its window.
	 */
	close(index: number, n: number, cost: WindowCost, outside: { cpuNs: number; slots: number }): Window {
		const { cpuNs, probeNs } = cost;
		this.#learn(n, cost, outside);
		// What the kernel says of a short window may lag behind by a tick: it is taken to be no less than a usual slot.
		const usualNs = outside.slots === 0 ? 0 : outside.cpuNs / outside.slots;
		const share = probeNs / Math.max(cpuNs, probeNs, usualNs, 1);
		const most = n * (1 + this.#busy(MOST_EXPENSIVE, 1) * slowdown(share, MOST_EXPENSIVE));
		if (share < LEAST_SHARE) return { index, n, weight: n, low: n, high: most };
		const exact = n * (1 + this.#busy(1, 0) * slowdown(share, 1)) + this.#carry;
		const weight = Math.max(n, Math.round(exact));
		this.#carry = Math.max(-1, Math.min(1, exact - weight));
		const least = n * (1 + this.#busy(CHEAPEST, -1) * slowdown(share, CHEAPEST));
		const high = share > MOST_SHARE ? undefined : Math.max(weight, most);
		return { index, n, weight, low: Math.min(weight, least), high };
	}

	#learn(n: number, { cpuNs, probeNs }: WindowCost, outside: { cpuNs: number; slots: number }): void {
		const weighted = n * cpuNs;
		this.#windows++;
		this.#cpuNs += weighted;
		this.#probeNs += n * Math.min(cpuNs, probeNs);
		if (this.#lastCpuNs !== undefined) this.#squares += (weighted - this.#lastCpuNs) ** 2 / 2;
		this.#lastCpuNs = weighted;
		this.#usualNs += outside.slots === 0 ? weighted : (outside.cpuNs * n) / outside.slots;
	}

	/**
	 * How far the target was kept busy in windows. 1: it used no more processor time than outside, so hits took it from its work; 0: it used more by what hits took.
	 * `times`: hits cost so many times what is known; `errors`: so many times its own error is added.
	 */
	#busy(times: number, errors: number): number {
		if (this.#windows < LEAST_WINDOWS && errors !== 0) return errors < 0 ? 0 : 1;
		const probeNs = times * this.#probeNs;
		if (probeNs <= 0) return 0;
		const lacking = this.#usualNs - this.#cpuNs + probeNs + errors * 2 * Math.sqrt(this.#squares);
		return Math.max(0, Math.min(1, lacking / probeNs));
	}
}
