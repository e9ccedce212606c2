/**
 * Estimates the calls of the time in which a tier was not probed, with their 95 % interval.
 *
 * Time is divided into periods with one window each, at a random moment, so that a window's rate is an unbiased estimate of its period's, as long as the program
 * behaves in it as it does outside. A program that calls often does not: its probes take processor time that it would have had for calls. With
 *
 *     C, W    processor time that the program used in the windows, and their length,
 *     K       what the hits in them cost,
 *     C', W'  the same of the time without probes,
 *
 * it came forward in the windows with p = ((C − K) / W) / (C' / W') of its own speed, so that the rates are to be divided by p. A program that is
 * not kept busy takes more processor time in the windows instead (C/W = C'/W' + K/W), and p is 1. K/C bounds the error: p is at least 1 − K/C
 * whatever the program does, and that is exact when it uses all the time that it gets in both; so p is the greater of the two.
 *
 * K is known least: what a hit costs is measured with warm caches and on one processor. What makes the estimate is the measured cost, what makes the
 * interval is half and three times of it. And p is that of the whole program: the part of it that calls is slowed down more than the rest when the two take
 * turns that are longer than a window, or run side by side. So where the probes take much of the windows, these tell how many calls there are at least, but hardly
 * how many at most (`disturbed`).
 */

/** Two-sided 95 % quantiles of Student's t distribution by degrees of freedom, from 1 on; beyond, the normal distribution's. */
const T95 = [
	...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
	...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
];
const NORMAL95 = 1.96;
/** The cost of a hit is taken to be between these multiples of the measured one. */
const COST = { low: 0.5, likely: 1, high: 3 } as const;
/** A hit that seems to cost more than so many times what was measured is not believed. */
const MOST_COST = 10;
/** Windows in which the program had less of its own speed, if hits cost as much as they may, tell nothing about how many calls there are at most. */
const UNDISTURBED = 0.8;
/** So much processor time in the windows is known well enough, though at both ends of each up to a tick of each processor is wrong. */
const TELLING_CPU_NS = 100e6;
/** Less of its own speed than this cannot be told from nothing. */
const LEAST_SPEED = 0.02;
/** No function that is probed returns sooner: a step of an iteration takes 7 ns. Where windows do not tell how many calls there are at most, processor time does. */
const LEAST_CALL_NS = 2;

export interface Missing {
	/** Calls that were not counted, and the ends of their 95 % interval. */
	calls: number;
	low: number;
	high: number;
	/** Sum of the squares of the unprobed times, in seconds: the square of the interval's width grows with it. */
	squaredOff: number;
	/** The probes took so much of the windows that the upper end may well be too low. */
	disturbed: boolean;
}

/** Lengths in seconds, processor time and cost in nanoseconds. */
interface Spent {
	seconds: number;
	cpuNs: number;
}

/** One function: the rates of its calls in the windows so far. */
interface Rates {
	n: number;
	mean: number;
	/** Sum of squares of differences from the mean (Welford). */
	squares: number;
	/** Calls in all windows. */
	calls: number;
	/** Of this period's window. */
	now: number;
	/** Calls in the unprobed time of the periods that are over. */
	missing: number;
}

export interface ClosedWindow {
	/** Calls by function. */
	calls: ReadonlyMap<string, number>;
	seconds: number;
	/** Processor time that the program used in it, and what the hits in it cost. */
	cpuNs: number;
	costNs: number;
}

/**
 * The spread is that of one window's rate around the mean of all, so it includes what really changes from period to period: the interval is rather too wide
 * than too narrow.
 */
export class CallEstimator {
	readonly #before: ClosedWindow | undefined;
	readonly #rates = new Map<string, Rates>();
	readonly #inWindows: Spent & { costNs: number } = { seconds: 0, cpuNs: 0, costNs: 0 };
	readonly #outside: Spent = { seconds: 0, cpuNs: 0 };
	/** Sum of the squares of the unprobed times of the periods that are over, in seconds. */
	#squaredOff = 0;
	/** Unprobed time of this period, and of those before it that had no window. */
	#open = 0;
	#hasWindow = false;

	/** `before`: the time in which the tier was probed until now; it stands for a window as long as there is none. */
	constructor(before?: ClosedWindow) {
		this.#before = before;
	}

	/** The tier was not probed for so long, in which the program used so much processor time. */
	off(seconds: number, cpuNs: number): void {
		this.#open += seconds;
		this.#outside.seconds += seconds;
		this.#outside.cpuNs += cpuNs;
	}

	/** This period's window has ended. */
	window({ calls, seconds, cpuNs, costNs }: ClosedWindow): void {
		if (seconds <= 0) return;
		this.#hasWindow = true;
		this.#inWindows.seconds += seconds;
		this.#inWindows.cpuNs += cpuNs;
		this.#inWindows.costNs += costNs;
		for (const [fn, count] of calls) {
			const rates = this.#rates.get(fn) ?? { n: 0, mean: 0, squares: 0, calls: 0, now: 0, missing: 0 };
			this.#rates.set(fn, rates);
			const rate = count / seconds;
			rates.n++;
			rates.calls += count;
			rates.now = rate;
			const delta = rate - rates.mean;
			rates.mean += delta / rates.n;
			rates.squares += delta * (rate - rates.mean);
		}
	}

	/** The period is over; one without a window is left to the next one. */
	endPeriod(): void {
		if (!this.#hasWindow) return;
		for (const rates of this.#rates.values()) rates.missing += rates.now * this.#open;
		this.#squaredOff += this.#open * this.#open;
		this.#open = 0;
		this.#hasWindow = false;
	}

	/**
	 * Processor time that the program used in the windows, nanoseconds. What the kernel says of a running program is some milliseconds old, so of windows that are
	 * few and short it says little. Then it is kept between what the program used in as much time without probes and that with the cost of its hits; `times`: the
	 * upper end of the estimate wants the least.
	 */
	#cpuInWindows(times: number): number {
		const { seconds, cpuNs, costNs } = this.#inWindows;
		if (this.#outside.seconds === 0) return cpuNs;
		const usual = (seconds * this.#outside.cpuNs) / this.#outside.seconds;
		if (usual >= TELLING_CPU_NS) return cpuNs;
		if (times === COST.high) return usual;
		return times === COST.low ? usual + costNs : Math.min(usual + costNs, Math.max(usual, cpuNs));
	}

	/** Share of its own speed that the program had in the windows, if hits cost `times` what was measured. */
	speed(times: number): number {
		const { seconds, costNs } = this.#inWindows;
		const cpuNs = this.#cpuInWindows(times);
		const cost = Math.min(1, (times * costNs) / Math.max(cpuNs, costNs, 1));
		const busyIn = seconds === 0 ? 0 : cpuNs / seconds;
		const busyOut = this.#outside.seconds === 0 ? 0 : this.#outside.cpuNs / this.#outside.seconds;
		const progress = busyOut === 0 ? 0 : ((1 - cost) * busyIn) / busyOut;
		return Math.max(LEAST_SPEED, 1 - cost, Math.min(1, progress));
	}

	/**
	 * How many times what was measured a hit costs in this program, when it really made `calls` calls in the unprobed time of the periods that are over; at least 1. The
	 * windows saw the share p of them, so they cost it the share 1 − p of its processor time there.
	 */
	costFactor(calls: number): number {
		const seen = [...this.#rates.values()].reduce((sum, { missing }) => sum + missing, 0);
		const { cpuNs, costNs } = this.#inWindows;
		if (seen <= 0 || costNs <= 0 || calls <= seen) return 1;
		return Math.min(MOST_COST, Math.max(1, ((1 - seen / calls) * cpuNs) / costNs));
	}

	/** Of a window's rate: that of the windows so far, and not less than that of calls that come by chance, of which short windows may have seen none. */
	#deviation(n: number, squares: number, calls: number): number {
		if (n < 2) return 0;
		const { seconds } = this.#inWindows;
		return Math.sqrt(Math.max(squares / (n - 1), ((calls + 2) / seconds) * (n / seconds)));
	}

	/**
	 * What was not counted in the periods that are over. `final`: the time since then, too, by this period's window or the mean of all. `strays`: calls in the
	 * unprobed time that were counted all the same, because taking probes out takes a while.
	 */
	missing(final: boolean, strays: ReadonlyMap<string, number> = new Map()): Map<string, Missing> {
		if (this.#rates.size === 0 && this.#before !== undefined) {
			const standIn = new CallEstimator();
			standIn.off(this.#outside.seconds, this.#outside.cpuNs);
			standIn.window(this.#before);
			return standIn.missing(final, strays);
		}
		const open = final ? this.#open : 0;
		const speed = { low: this.speed(COST.low), likely: this.speed(COST.likely), high: this.speed(COST.high) };
		const result = new Map<string, Missing>();
		for (const [fn, { n, mean, squares, calls, now, missing }] of this.#rates) {
			const seen = missing + (this.#hasWindow ? now : mean) * open;
			const squaredOff = this.#squaredOff + open * open;
			const halfWidth = (T95[n - 2] ?? NORMAL95) * this.#deviation(n, squares, calls) * Math.sqrt(squaredOff);
			const stray = strays.get(fn) ?? 0;
			const left = (calls: number): number => Math.max(0, calls - stray);
			// One window tells nothing of the others, and a program that may have stood still in all of them tells nothing of itself.
			const telling = n > 1 && speed.high > LEAST_SPEED;
			const most = telling ? (seen + halfWidth) / speed.high : this.#outside.cpuNs / LEAST_CALL_NS;
			result.set(fn, {
				calls: left(seen / speed.likely),
				low: n > 1 ? left((seen - halfWidth) / speed.low) : 0,
				high: left(Math.max(most, seen / speed.likely)),
				squaredOff,
				disturbed: speed.high < UNDISTURBED,
			});
		}
		return result;
	}
}

/** What is known of a function's calls otherwise. */
export interface Bounds {
	low: number;
	likely: number;
	high: number;
}

/**
 * The estimate within what is known otherwise of all calls, those that were `counted` included. Of two intervals that have nothing in common the one of the growths
 * counts when it is higher, since windows rather show too little; else the windows', since growths from before the start promise nothing.
 */
export function within(missing: Missing, counted: number, bounds: Bounds): Missing {
	const [low, likely, high] = [bounds.low, bounds.likely, bounds.high].map((calls) => Math.max(0, calls - counted)) as [
		number,
		number,
		number,
	];
	if (missing.low > high) return missing;
	if (missing.high < low) return { ...missing, calls: likely, low, high };
	const both = { low: Math.max(missing.low, low), high: missing.disturbed ? high : Math.min(missing.high, high) };
	const better = missing.disturbed || missing.high - missing.low > high - low ? likely : missing.calls;
	return { ...missing, ...both, calls: Math.min(both.high, Math.max(both.low, better)) };
}

/** Calls of several targets: their errors are independent of each other. */
export function addMissing(sum: Map<string, Missing>, more: ReadonlyMap<string, Missing>): void {
	for (const [fn, { calls, low, high, squaredOff, disturbed }] of more) {
		const before = sum.get(fn) ?? { calls: 0, low: 0, high: 0, squaredOff: 0, disturbed: false };
		const total = before.calls + calls;
		sum.set(fn, {
			calls: total,
			low: total - Math.hypot(before.calls - before.low, calls - low),
			high: total + Math.hypot(before.high - before.calls, high - calls),
			squaredOff: before.squaredOff + squaredOff,
			disturbed: before.disturbed || disturbed,
		});
	}
}
