/**
 * Keeps what probing costs within what was promised, for all targets: shares the promise out, and gives what was counted to those who sum it up. It has no timers: its
 * owner calls `tick` when `untilNext` has passed.
 */
import type { HitCosts } from "../kernel/calibration.ts";
import type { OverheadRow } from "../records/records.ts";
import { machineLimit, Shares } from "./promise.ts";
import type { Stream } from "./retreat.ts";
import { type StreamChange, type StreamControl, TargetBudget } from "./target-budget.ts";
import type { Window } from "./window-weight.ts";

/** What the governor needs of the tracer; `Target` is the tracer's own. */
export interface Governed<Target> {
	readonly targets: readonly Target[];
	streamsOf(target: Target): ReadonlyMap<Stream, StreamControl>;
	/** Growths of a stream of the target become records with this probability. */
	setGrowthChance(target: Target, stream: "large" | "small", chance: number): void;
	pidOf(target: Target): number;
	/** Processors that the target's cgroup allows it; undefined: all. */
	allowedProcessors(target: Target): number | undefined;
}

export interface GovernorOptions<Target> {
	costs: HitCosts;
	/** Part of a processor that probing may cost a target; undefined: everything is probed all the time. */
	rate: number | undefined;
	/** Whether targets begin with everything attached. */
	whole: boolean;
	processors: number;
	/** Processor time that a process has used; undefined when it has ended. */
	cpuNs: (pid: number) => number | undefined;
	/** The same of the tool itself. */
	ownCpuNs: () => number;
	/** Monotonic clock. */
	clockNs: () => number;
	/** Returns after so many nanoseconds, or a little later; meanwhile nothing else happens. */
	holdNs: (ns: number) => void;
	/** Report interval, and a moment when one begins. */
	intervalNs: number;
	originNs: number;
	random?: () => number;
	/** Takes what was counted of a stream of a target: measured in full (undefined), or in this window, of the gate with this number and a period so long. */
	take: (target: Target, stream: Stream, window: Window | undefined, gate: 0 | 1, periodNs: number) => void;
}

/** A change, for the record. */
export interface Throttle extends StreamChange {
	pid: number;
	/** Nanoseconds per second: what probing cost the target since the previous change or report, and what it may cost. */
	costNs: number;
	limitNs: number;
}

/** How a stream of a target was measured so far. */
export interface Measured {
	windows: number;
	missed: number;
	/** Now. */
	full: boolean;
	/** Ever. */
	sampled: boolean;
}

const SHARE_NS = 500e6;
/** A command that is started has used nothing yet. */
const COMMAND_SHARE_NS = 50e6;
/** The tool's own time: averaged over so long; its start is not in it. */
const OWN_NS = 3e9;
/** Reading a record takes about so much, as long as it was not measured. */
const FIRST_READING_NS = 20e3;
/** Reading records may take this part of what the machine allows. */
const FOR_READING = 0.6;
/** Records until the time that reading them takes is known: the first ones do not count; and over how many it is averaged. */
const FIRST_RECORDS = 2000;
const ENOUGH_RECORDS = 500;
const REMEMBERED_RECORDS = 5000;

export class Governor<Target> {
	readonly #governed: Governed<Target>;
	readonly #options: GovernorOptions<Target>;
	readonly #budgets = new Map<Target, TargetBudget>();
	readonly #shares = new Shares();
	#limits = new Map<number, number>();
	#sharedNs = Number.NEGATIVE_INFINITY;
	/** The tool's own processor time per second, and at the previous look. */
	#ownNs = 0;
	#own: { cpuNs: number; atNs: number };
	#reading = { cpuNs: 0, records: 0 };
	/** The first records are over. */
	#readingKnown = false;
	/** Records came since the previous tick. */
	#hurry = false;

	constructor(governed: Governed<Target>, options: GovernorOptions<Target>) {
		this.#governed = governed;
		this.#options = options;
		this.#own = { cpuNs: options.ownCpuNs(), atNs: options.clockNs() };
	}

	#budgetOf(target: Target): TargetBudget {
		const known = this.#budgets.get(target);
		if (known !== undefined) return known;
		const { take, cpuNs, random = Math.random } = this.#options;
		const pid = this.#governed.pidOf(target);
		const budget = new TargetBudget({
			...this.#options,
			...{ pid, random, streams: this.#governed.streamsOf(target) },
			cpuNs: () => cpuNs(pid),
			take: (stream, window, gate, periodNs) => take(target, stream, window, gate, periodNs),
			setChance: (stream, chance) => {
				if (stream === "large" || stream === "small") this.#governed.setGrowthChance(target, stream, chance);
			},
		});
		this.#budgets.set(target, budget);
		// Its share is due at once: without one it would get nothing.
		this.#sharedNs = Number.NEGATIVE_INFINITY;
		return budget;
	}

	/** Opens and closes windows, measures and decides. Returns the changes. */
	tick(nowNs: number): Throttle[] {
		const throttles: Throttle[] = [];
		for (const target of this.#governed.targets) this.#budgetOf(target);
		this.#share(nowNs);
		const hurry = this.#hurry;
		this.#hurry = false;
		for (const [target, budget] of this.#budgets) {
			budget.advance(this.#options.clockNs());
			if (!budget.tickDue(nowNs, hurry)) continue;
			const pid = this.#governed.pidOf(target);
			const limitNs = this.#limits.get(pid) ?? 0;
			const costs = budget.tick(limitNs, this.#recordsPerSecond());
			for (const change of costs) throttles.push({ pid, ...change, costNs: budget.lastCostNs, limitNs });
		}
		return throttles;
	}

	#share(nowNs: number): void {
		const { rate, whole, processors, ownCpuNs } = this.#options;
		if (rate === undefined || nowNs - this.#sharedNs < (whole ? COMMAND_SHARE_NS : SHARE_NS)) return;
		this.#sharedNs = nowNs;
		const cpuNs = ownCpuNs();
		const elapsedNs = nowNs - this.#own.atNs;
		if (elapsedNs > 0) {
			const own = ((cpuNs - this.#own.cpuNs) / elapsedNs) * 1e9;
			this.#ownNs += Math.min(1, elapsedNs / OWN_NS) * (own - this.#ownNs);
		}
		this.#own = { cpuNs, atNs: nowNs };
		const targets = [...this.#budgets].map(([target, budget]) => ({
			...budget.needs(this.#governed.allowedProcessors(target)),
		}));
		const total = machineLimit(rate, processors, this.#ownNs);
		const shares = this.#shares.update(nowNs, total, targets);
		const given = [...shares.values()].reduce((sum, { limitNs, now }) => sum + (now ? limitNs : 0), 0);
		// What is left is there for a target that needs more than was known.
		const spare = Math.max(0, total - given) / Math.max(1, targets.length);
		this.#limits = new Map(
			targets.map(({ pid, limitNs }) => {
				const share = shares.get(pid);
				return [pid, share?.now === true ? Math.min(limitNs, share.limitNs + spare) : 0];
			}),
		);
	}

	/** Growths of one target that the tool has time to read. */
	#recordsPerSecond(): number {
		const { rate, processors } = this.#options;
		if (rate === undefined) return Number.POSITIVE_INFINITY;
		const growing = [...this.#budgets.values()].filter(({ growthsPerSecond }) => growthsPerSecond > 0).length;
		const { cpuNs, records } = this.#reading;
		const eachNs = !this.#readingKnown || records < ENOUGH_RECORDS ? FIRST_READING_NS : cpuNs / records;
		return (FOR_READING * machineLimit(rate, processors, 0)) / eachNs / Math.max(1, growing);
	}

	/** Reading so many records took the tool so much processor time. The first ones take longer: their stacks and types are new. */
	addReading(cpuNs: number, records: number): void {
		if (records === 0) return;
		this.#hurry = true;
		const all = this.#reading.records + records;
		const kept = Math.min(1, Math.max(0, REMEMBERED_RECORDS - records) / Math.max(1, this.#reading.records));
		this.#reading = { cpuNs: kept * this.#reading.cpuNs + cpuNs, records: kept * this.#reading.records + records };
		if (!this.#readingKnown && all >= FIRST_RECORDS) {
			this.#readingKnown = true;
			this.#reading = { cpuNs: 0, records: 0 };
		}
	}

	/** Milliseconds until the next tick is due, at most `most`. */
	untilNext(nowNs: number, most: number): number {
		let next = nowNs + most * 1e6;
		for (const budget of this.#budgets.values()) next = Math.min(next, budget.nextNs(nowNs));
		return Math.max(0, (next - nowNs) / 1e6);
	}

	/** How a stream of a target is measured; undefined for a stream that its program does not have. */
	measured(target: Target, stream: Stream): Measured | undefined {
		return this.#budgets.get(target)?.windowsOf(stream);
	}

	/** What probing cost since the previous report, for each target. */
	report(nowNs: number): OverheadRow[] {
		const { rate } = this.#options;
		return [...this.#budgets].map(([target, budget]) => {
			const pid = this.#governed.pidOf(target);
			const { costNsPerSecond, share } = budget.report(nowNs);
			const { chance, streams } = budget.parts;
			const part = (stream: StreamChange["stream"]): number => streams.get(stream) ?? 1;
			const limit = this.#limits.get(pid);
			const growth = Math.min(part("large"), part("small"));
			return {
				...{ pid, overhead: share, cost_ns_per_second: Math.round(costNsPerSecond) },
				...(rate === undefined ? {} : { budget: rate }),
				...(rate === undefined || limit === undefined ? {} : { limit_ns_per_second: Math.round(limit) }),
				...(part("work") === 1 ? {} : { work_probed: part("work") }),
				...(growth === 1 ? {} : { growth_probed: growth }),
				...(part("iteration") === 1 ? {} : { iteration_probed: part("iteration") }),
				...(chance === 1 ? {} : { growth_recorded: chance }),
			};
		});
	}

	/** The probes are about to be detached for good, of all targets or of this one: windows that are over are given out. */
	finish(nowNs: number, target?: Target): void {
		for (const [one, budget] of this.#budgets) if (target === undefined || one === target) budget.finish(nowNs);
	}

	/** Forgets a target that has ended. */
	release(target: Target): void {
		this.#budgets.delete(target);
	}
}
