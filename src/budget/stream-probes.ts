/**
 * The probes of one stream of one target: attached all the time, in windows, or not at all. It keeps the schedule of windows, writes their gates, and gives what was
 * counted to its owner with the window that it belongs to. It has no timers: its owner calls `advance` when `nextNs` has come.
 */
import { type PeriodOver, type Shape, WindowSchedule } from "./periods.ts";
import { type Window, type WindowCost, WindowWeights } from "./window-weight.ts";

export type Part = "entries" | "exits";

/** Moments of the monotonic clock in nanoseconds; `to` is not included. */
export interface GateNs {
	from: number;
	to: number;
}

/** What a stream's probes are done with (tracer/session.ts, with target and stream given). */
export interface ProbeControl {
	/** When it returns, no hit comes any more, or hits come. */
	setAttached(part: Part, on: boolean): void;
	/** Hits of entries count in these windows only; undefined: always. */
	setGates(gates: readonly [GateNs, GateNs] | undefined): void;
	/** Calls that have begun, are timed and have not returned yet. */
	underWay(): number;
	/** What the hits of the stream have cost the target so far, nanoseconds. */
	costNs(): number;
	/** Processor time that the target has used so far; undefined when it has ended. */
	cpuNs(): number | undefined;
}

export interface StreamProbesOptions {
	control: ProbeControl;
	/** Takes what was counted since it was taken before: measured in full (undefined), or in this window, of the gate with this number. */
	take: (window: Window | undefined, gate: 0 | 1, periodNs: number) => void;
	clockNs: () => number;
	/** Returns after so many nanoseconds, or a little later; meanwhile nothing else happens. */
	holdNs: (ns: number) => void;
	/** Report interval, and a moment when one begins. */
	intervalNs: number;
	originNs: number;
	random: () => number;
	/** Shape of the next period, from what is known of the earlier ones. */
	nextShape: () => Shape;
}

/** When calls are timed while entries are attached: always, never, or for a sample of the time. */
export type Timing = "full" | "off" | Shape;

/** Exits stay attached for calls that began in a window, but no longer than this. */
const PATIENCE_NS = 1e9;
/** How long hits are looked at before the first window. */
const GLANCE_NS = 1e6;
/** Pace of looking whether they have returned. */
const SETTLE_NS = 10e6;
const NEVER: GateNs = { from: 0, to: 0 };

type Mode = "off" | "full" | "windows";

interface Moment {
	cpuNs: number;
	costNs: number;
}

export class StreamProbes {
	readonly #options: StreamProbesOptions;
	readonly #schedule: WindowSchedule;
	readonly #weights = new WindowWeights();
	/** Of the exits, while entries are attached all the time: calls are timed in windows of their own. */
	readonly #timingWindows: WindowSchedule;
	#mode: Mode;
	#timing: Timing = "full";
	#entries: boolean;
	#exits: boolean;
	/** Since when exits wait for calls to return, without entries. */
	#settlingNs: number | undefined;
	/** At the beginning of the period and of its window. */
	#periodBegan: Moment;
	#windowBegan: Moment | undefined;
	#windowCost: WindowCost | undefined;
	#everSampled = false;
	/** Since when it is not probed at all, and how many periods that were before. */
	#offNs: number | undefined;
	#skipped = 0;

	/** `attached`: whether entries and exits are. */
	constructor(options: StreamProbesOptions, attached: boolean) {
		this.#options = options;
		this.#schedule = new WindowSchedule(options);
		this.#timingWindows = new WindowSchedule(options);
		this.#mode = attached ? "full" : "off";
		this.#entries = this.#exits = attached;
		this.#periodBegan = this.#moment();
	}

	get mode(): Mode {
		return this.#mode;
	}

	get timing(): Timing {
		return this.#timing;
	}

	/** Whether entries are attached now. */
	get attached(): boolean {
		return this.#entries;
	}

	/** Windows that are over, and periods that were missed, since the start. */
	get windows(): { windows: number; missed: number } {
		const { windows, missed } = this.#schedule;
		return { windows, missed: missed + this.#skipped };
	}

	/** Whether it was ever probed part of the time only. */
	get everSampled(): boolean {
		return this.#everSampled;
	}

	/** Hits cost for so long around each window. */
	get aroundNs(): number {
		return this.#schedule.aroundNs;
	}

	#moment(): Moment {
		const { control } = this.#options;
		return { cpuNs: control.cpuNs() ?? 0, costNs: control.costNs() };
	}

	#set(part: Part, on: boolean): void {
		const now = part === "entries" ? this.#entries : this.#exits;
		if (now === on) return;
		this.#options.control.setAttached(part, on);
		if (part === "entries") this.#entries = on;
		else this.#exits = on;
	}

	/**
	 * Attaches the entries for a moment, in which hits do not count: how many there are says what a window will cost. Returns for how long they were attached, as far as is
	 * known.
	 */
	glance(): number {
		const { control, clockNs, holdNs } = this.#options;
		if (this.#mode !== "off" || this.#entries) return 0;
		control.setGates([NEVER, NEVER]);
		const before = clockNs();
		this.#set("entries", true);
		const attached = clockNs();
		holdNs(GLANCE_NS);
		const after = clockNs();
		this.#set("entries", false);
		this.#schedule.learnAttach(attached - before);
		// Probes are attached one after the other.
		return after - attached + (attached - before) / 2;
	}

	/** All the time from now on. */
	full(nowNs: number): void {
		if (this.#mode === "full") return;
		if (this.#mode === "windows") this.#endWindows(nowNs, false);
		this.#mode = "full";
		this.#countSkipped(nowNs, this.#options.intervalNs);
		this.#options.control.setGates(undefined);
		const timing = this.#timing;
		this.#timing = this.#exits ? "full" : "off";
		this.setTiming(nowNs, timing);
		this.#set("entries", true);
	}

	/** In windows from now on. */
	sample(nowNs: number, shape: Shape): void {
		if (this.#mode === "windows") return;
		const { control, take } = this.#options;
		this.#set("entries", false);
		control.setGates([NEVER, NEVER]);
		// What was counted until now was measured in full.
		take(undefined, 0, 0);
		this.#mode = "windows";
		this.#everSampled = true;
		this.#countSkipped(nowNs, shape.periodNs);
		this.#settlingNs = this.#exits ? nowNs : undefined;
		this.#periodBegan = this.#moment();
		this.#schedule.begin(nowNs, shape);
		this.#writeGates();
	}

	/** No more. What was counted is taken; a window that is open is voided. */
	off(nowNs: number): void {
		if (this.#mode === "off") return;
		if (this.#mode === "windows") this.#endWindows(nowNs, true);
		this.#set("entries", false);
		this.#set("exits", false);
		if (this.#mode === "full") this.#options.take(undefined, 0, 0);
		this.#mode = "off";
		this.#everSampled = true;
		this.#offNs = nowNs;
	}

	#countSkipped(nowNs: number, periodNs: number): void {
		if (this.#offNs !== undefined) this.#skipped += Math.round((nowNs - this.#offNs) / periodNs);
		this.#offNs = undefined;
	}

	/** When calls are to be timed while entries are attached all the time. In windows of the entries calls are always timed. */
	setTiming(nowNs: number, timing: Timing): void {
		const before = this.#timing;
		this.#timing = timing;
		if (this.#mode !== "full") return;
		if (timing === "full") {
			this.#timingWindows.end(nowNs);
			this.#settlingNs = undefined;
			this.#set("exits", true);
		} else if (timing === "off") {
			this.#timingWindows.end(nowNs);
			if (this.#exits) this.#settlingNs ??= nowNs;
		} else if (typeof before === "string") {
			if (this.#exits) this.#settlingNs ??= nowNs;
			this.#timingWindows.begin(nowNs, timing);
		}
	}

	#endWindows(nowNs: number, emergency: boolean): void {
		const moment = this.#moment();
		if (this.#entries) this.#closeWindow(nowNs);
		for (const over of this.#schedule.end(nowNs, emergency)) this.#periodOver(over, moment);
		this.#settlingNs = undefined;
	}

	#writeGates(): void {
		const gates: [GateNs, GateNs] = [NEVER, NEVER];
		for (const { id, fromNs, toNs } of this.#schedule.gates) gates[id % 2 === 0 ? 0 : 1] = { from: fromNs, to: toNs };
		this.#options.control.setGates(gates);
	}

	/** Opens and closes windows, and gives out what periods that are over have seen. */
	advance(nowNs: number): void {
		if (this.#mode === "full") this.#advanceTiming(nowNs);
		if (this.#mode !== "windows") return;
		const schedule = this.#schedule;
		if (this.#entries && !schedule.wantsProbes(nowNs)) this.#closeWindow(nowNs);
		const over = schedule.over(nowNs);
		if (over.length > 0) {
			const moment = this.#moment();
			for (const period of over) this.#periodOver(period, moment);
		}
		// Only now: a gate of the period after the next one is that of a period that is over.
		if (schedule.planDue(nowNs)) {
			schedule.planNext(this.#options.nextShape(), nowNs);
			this.#writeGates();
		}
		if (!schedule.wantsProbes(nowNs)) this.#settle(nowNs);
		else if (!this.#entries) this.#openWindow();
	}

	#advanceTiming(nowNs: number): void {
		const schedule = this.#timingWindows;
		if (typeof this.#timing === "object") {
			if (schedule.planDue(nowNs)) schedule.planNext(this.#timing, nowNs);
			if (schedule.wantsProbes(nowNs)) {
				if (!this.#exits) schedule.attached(nowNs);
				this.#settlingNs = undefined;
				this.#set("exits", true);
			} else if (this.#exits) this.#settlingNs ??= nowNs;
			schedule.over(nowNs);
		}
		this.#settle(nowNs);
	}

	#openWindow(): void {
		const { clockNs } = this.#options;
		const before = clockNs();
		this.#settlingNs = undefined;
		this.#windowBegan = this.#moment();
		this.#set("exits", true);
		this.#set("entries", true);
		const now = clockNs();
		this.#schedule.learnAttach(now - before);
		this.#schedule.attached(now);
	}

	#closeWindow(nowNs: number): void {
		const { clockNs } = this.#options;
		this.#schedule.detached(nowNs);
		const before = clockNs();
		this.#set("entries", false);
		this.#schedule.learnDetach(clockNs() - before);
		this.#settlingNs = nowNs;
		const began = this.#windowBegan;
		if (began === undefined) return;
		const { cpuNs, costNs } = this.#moment();
		this.#windowCost = { cpuNs: cpuNs - began.cpuNs, probeNs: costNs - began.costNs };
		this.#windowBegan = undefined;
	}

	/** Exits go when all calls that began with entries attached have returned. */
	#settle(nowNs: number): void {
		if (this.#settlingNs === undefined) return;
		if (this.#options.control.underWay() > 0 && nowNs - this.#settlingNs < PATIENCE_NS) return;
		this.#set("exits", false);
		this.#settlingNs = undefined;
	}

	#periodOver({ period, index, endNs }: PeriodOver, moment: Moment): void {
		const began = this.#periodBegan;
		this.#periodBegan = moment;
		// Where the next window is near the probes stay attached.
		const open = this.#windowBegan;
		const cost =
			this.#windowCost ?? (open && { cpuNs: moment.cpuNs - open.cpuNs, probeNs: moment.costNs - open.costNs });
		this.#windowCost = undefined;
		if (open !== undefined) this.#windowBegan = moment;
		const gate = period.id % 2 === 0 ? 0 : 1;
		if (index === undefined || cost === undefined) {
			// A window that was not measured in full is not measured: what it saw is dropped.
			this.#options.take({ index: -1, n: period.n, weight: 0, low: 0, high: 0 }, gate, 0);
			return;
		}
		const outside = { cpuNs: Math.max(0, moment.cpuNs - began.cpuNs - cost.cpuNs), slots: period.n - 1 };
		this.#options.take(this.#weights.close(index, period.n, cost, outside), gate, endNs - period.startNs);
	}

	/** When `advance` is to be called next, by the monotonic clock. */
	nextNs(nowNs: number): number {
		const settle = this.#settlingNs === undefined ? Number.POSITIVE_INFINITY : nowNs + SETTLE_NS;
		if (this.#mode === "windows") return Math.min(settle, this.#schedule.nextNs(nowNs));
		const timed = this.#mode === "full" && typeof this.#timing === "object";
		return timed ? Math.min(settle, this.#timingWindows.nextNs(nowNs)) : settle;
	}
}
