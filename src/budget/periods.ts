/**
 * When windows are open. A period is cut into n equal slots; one, chosen with equal probability before the period begins, is the window. Periods are multiples or
 * divisors of the report interval and end on its grid. The window is a gate in the kernel: hits outside of it are ignored, so attaching early and detaching late
 * change no weight. The next period is planned before the current one ends, because probes of a window in its first slot are attached before it begins; so
 * there are up to two gates at a time.
 */

/** Length of a period and its number of slots. */
export interface Shape {
	periodNs: number;
	n: number;
}

/** Moments of the monotonic clock, nanoseconds. */
export interface Period {
	/** Number of the period, for the gate. */
	id: number;
	n: number;
	startNs: number;
	endNs: number;
	/** First nanosecond of the window and the first one after it. */
	fromNs: number;
	toNs: number;
	/** When it was planned: a window that was to begin before had no gate then. */
	plannedNs: number;
}

export interface PeriodOver {
	period: Period;
	/** Number of its window among those that were measured; undefined when the period was missed or voided. */
	index: number | undefined;
	/** Where it was cut off; otherwise its end. */
	endNs: number;
}

export interface ScheduleOptions {
	/** Report interval, and a moment when one begins. */
	intervalNs: number;
	originNs: number;
	random: () => number;
}

/** What attaching and detaching take as long as none has been measured: the longest of 60 cycles. */
const FIRST_ATTACH_NS = 27e6;
const FIRST_DETACH_NS = 44e6;
/** Attaching begins earlier than the longest of the latest ones took, by this factor and this time. */
const LEAD_FACTOR = 1.25;
const LEAD_EXTRA_NS = 3e6;
const REMEMBERED = 16;
/** The next period is planned so long before the time at which its probes may have to be attached. */
const PLAN_AHEAD_NS = 100e6;

/** The latest durations; the longest of them. */
class LatestDurations {
	readonly #latest: number[] = [];
	readonly #first: number;

	constructor(first: number) {
		this.#first = first;
	}

	add(ns: number): void {
		this.#latest.push(ns);
		if (this.#latest.length > REMEMBERED) this.#latest.shift();
	}

	get longest(): number {
		return this.#latest.length === 0 ? this.#first : Math.max(...this.#latest);
	}

	get mean(): number {
		if (this.#latest.length === 0) return this.#first;
		return this.#latest.reduce((sum, ns) => sum + ns, 0) / this.#latest.length;
	}
}

/** The length of a period nearest to `wantedNs` that is a multiple or a divisor of the interval. */
export function onGrid(wantedNs: number, intervalNs: number): number {
	if (wantedNs >= intervalNs) return Math.round(wantedNs / intervalNs) * intervalNs;
	return intervalNs / Math.round(intervalNs / wantedNs);
}

/** The windows of one tier of one target, as long as it is probed part of the time. */
export class WindowSchedule {
	readonly #options: ScheduleOptions;
	readonly #attaching = new LatestDurations(FIRST_ATTACH_NS);
	readonly #detaching = new LatestDurations(FIRST_DETACH_NS);
	/** The current period and, from some time before its end, the next one. */
	#periods: Period[] = [];
	/** End of the last period that was planned; undefined while there are no windows. */
	#lastEndNs: number | undefined;
	#nextId = 0;
	#windows = 0;
	#missed = 0;
	/** Since when all probes are attached. */
	#attachedNs: number | undefined;
	/** Ids of periods whose window had all probes when it began. */
	#inTime = new Set<number>();

	constructor(options: ScheduleOptions) {
		this.#options = options;
	}

	/** Windows that were measured so far: the index of the next one. */
	get windows(): number {
		return this.#windows;
	}

	/** Periods that were missed or voided. */
	get missed(): number {
		return this.#missed;
	}

	/** So long before a window attaching begins. */
	get leadNs(): number {
		return this.#attaching.longest * LEAD_FACTOR + LEAD_EXTRA_NS;
	}

	/** Time in which hits cost although they are outside of the window, for each window: some of the lead, and what detaching takes. */
	get aroundNs(): number {
		return this.leadNs - this.#attaching.mean / 2 + this.#detaching.mean;
	}

	/** Gates to be written: the current period and the next one, if that is planned. */
	get gates(): readonly Period[] {
		return this.#periods;
	}

	/** Attaching, or detaching, took so long. */
	learnAttach(ns: number): void {
		this.#attaching.add(ns);
	}

	learnDetach(ns: number): void {
		this.#detaching.add(ns);
	}

	/** Windows begin now: the first period reaches from here to a moment of the grid, half a period to one and a half from now. */
	begin(nowNs: number, shape: Shape): void {
		this.#periods = [];
		this.#plan(nowNs, shape, nowNs);
	}

	#plan(startNs: number, { periodNs, n }: Shape, plannedNs: number): void {
		const { intervalNs, originNs, random } = this.#options;
		const grid = Math.min(periodNs, intervalNs);
		const endNs = originNs + Math.max(1, Math.round((startNs + periodNs - originNs) / grid)) * grid;
		const slot = Math.min(n - 1, Math.floor(random() * n));
		const at = (of: number): number => Math.round(startNs + ((endNs - startNs) * of) / n);
		const window = { fromNs: at(slot), toNs: at(slot + 1) };
		this.#periods.push({ id: this.#nextId++, n, startNs, endNs, ...window, plannedNs });
		this.#lastEndNs = endNs;
	}

	/** Whether the next period is to be planned now. */
	planDue(nowNs: number): boolean {
		const [current, next] = this.#periods;
		if (current === undefined) return this.#lastEndNs !== undefined;
		return next === undefined && nowNs >= this.#planAtNs(current);
	}

	/** Plans the next period. Its shape may follow from earlier periods only. Periods that have passed meanwhile are planned, too, and missed. */
	planNext(shape: Shape, nowNs: number): void {
		do {
			if (this.#lastEndNs !== undefined) this.#plan(this.#lastEndNs, shape, nowNs);
		} while (this.#lastEndNs !== undefined && this.#lastEndNs <= nowNs);
	}

	#planAtNs({ endNs }: Period): number {
		return endNs - this.leadNs - PLAN_AHEAD_NS;
	}

	/** Whether probes are to be attached. Between two windows they stay where detaching and attaching again would not be over in time. */
	wantsProbes(nowNs: number): boolean {
		const coming = this.#periods.filter(({ toNs }) => nowNs < toNs);
		const next = coming[0];
		if (next === undefined) return false;
		const aheadNs = this.leadNs + (this.#attachedNs === undefined ? 0 : this.#detaching.longest);
		return nowNs >= next.fromNs - aheadNs;
	}

	/** The next moment at which something is to be done. */
	nextNs(nowNs: number): number {
		const moments = this.#periods.flatMap((period) => [period.fromNs - this.leadNs, period.toNs, period.endNs]);
		const [current, next] = this.#periods;
		if (current !== undefined && next === undefined) moments.push(this.#planAtNs(current));
		return Math.min(...moments.filter((moment) => moment > nowNs));
	}

	/** All probes are attached from now on, and the gates written. */
	attached(nowNs: number): void {
		this.#attachedNs = nowNs;
	}

	/** Detaching begins now. */
	detached(nowNs: number): void {
		this.#note(nowNs);
		this.#attachedNs = undefined;
	}

	/** Windows that had their gate and all probes from beginning to end. */
	#note(nowNs: number): void {
		const since = this.#attachedNs;
		if (since === undefined) return;
		for (const { id, fromNs, toNs, plannedNs } of this.#periods) {
			if (since <= fromNs && plannedNs <= fromNs && toNs <= nowNs) this.#inTime.add(id);
		}
	}

	/** Periods that are over since the last call, in order. */
	over(nowNs: number): PeriodOver[] {
		this.#note(nowNs);
		const over: PeriodOver[] = [];
		while (this.#periods[0] !== undefined && this.#periods[0].endNs <= nowNs) {
			const period = this.#periods.shift();
			if (period !== undefined) over.push(this.#close(period, period.endNs, this.#inTime.has(period.id)));
		}
		return over;
	}

	#close(period: Period, endNs: number, measured: boolean): PeriodOver {
		this.#inTime.delete(period.id);
		if (!measured) this.#missed++;
		return { period, index: measured ? this.#windows++ : undefined, endNs };
	}

	/**
	 * Windows end at this moment of the kernel's clock. What decided it did not depend on what a window saw: then the period is cut off here, slots that are still
	 * to come hold nothing, and the weight of what was seen stays. `emergency`: it was what the open window saw; that period is voided.
	 */
	end(nowNs: number, emergency = false): PeriodOver[] {
		const over = this.over(nowNs);
		for (const period of this.#periods) {
			if (period.startNs >= nowNs) continue;
			const { fromNs, toNs } = period;
			const open = fromNs < nowNs && nowNs < toNs;
			const seen = this.#inTime.has(period.id) || nowNs <= fromNs;
			const whole = this.#attachedNs !== undefined && this.#attachedNs <= fromNs && period.plannedNs <= fromNs;
			const cut = open && !emergency && whole;
			over.push(this.#close(period, nowNs, seen || cut));
		}
		this.#periods = [];
		this.#lastEndNs = undefined;
		return over;
	}
}
