/** The targets of an observation as they are attached, end, and go: who is watched, and the records that say so. */
import { GomapgrowError } from "../errors/error.ts";
import type { TargetRecord } from "../records/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../records/time.ts";
import type { Target } from "../tracer/target.ts";
import type { Timing } from "../tracer/timed-probes.ts";
import type { ForkedCopy, ProcessExit, TargetChanges } from "../tracer/watched-targets.ts";
import { type Children, hasMissed } from "./children.ts";
import type { Clock } from "./clock.ts";
import type { Drain } from "./drain.ts";
import type { Measurements } from "./measurements.ts";
import type { Sinks } from "./sinks.ts";
import { targetRecord } from "./target-record.ts";
import type { Governing, Tracer } from "./tracer.ts";
import type { Watched } from "./windows.ts";

/** Processes that have ended are remembered up to this many. */
const MAX_ENDED = 10_000;
/** Copies of processes that are listed at once. */
const MAX_COPIES = 1024;

/** What an ending target is read with. */
export interface Measuring {
	drain: Drain;
	governor: Governing;
	measurements: Measurements;
}

export interface AttachedTargetsOptions {
	tracer: Tracer;
	sinks: Sinks;
	clock: Clock;
	anchor: ClockAnchor;
	timing: Timing;
	/** A target that came could not be attached, and is closed. */
	drop?: ((target: Target, why: string) => void) | undefined;
	/** One that came is attached. */
	attached?: ((target: Target) => void) | undefined;
	children?: (() => Children | undefined) | undefined;
}

export class AttachedTargets {
	readonly #options: AttachedTargetsOptions;
	/** Of the targets that are attached; of the last one when all have ended. */
	readonly #records = new Map<Target, TargetRecord>();
	/** Targets that have ended and are still to be let go of. */
	readonly #leaving: Target[] = [];
	/** Processes that have ended, of which no record says so yet. */
	readonly #exits: ProcessExit[] = [];
	/** Of processes that a target has made by fork, and that execute its program, by PID. */
	readonly #copies = new Map<number, TargetRecord>();
	/** PIDs of those that have been let go of. */
	readonly #ended = new Set<number>();
	#unseen = false;

	constructor(options: AttachedTargetsOptions) {
		this.#options = options;
	}

	get watched(): Watched {
		const records = [...this.#records.values()];
		const children = this.#options.children?.();
		const unseen = this.#unseen || (children !== undefined && hasMissed(children));
		return {
			...{ targets: this.#options.tracer.targets, records: [...records, ...this.#copies.values()] },
			...{ ended: this.#ended, unseen, children },
		};
	}

	/**
	 * Attaches those that are there at the start; there must be one, unless there may be none. One that has ended since it was found, or does not execute the file
	 * that it was opened as, is left out, unless it was the only one; what else `attach` throws closes the others.
	 */
	attachFirst(targets: readonly Target[], mayBeEmpty = false): void {
		const { tracer } = this.#options;
		const waiting = [...targets];
		let gone: unknown;
		for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
			try {
				tracer.attach(target);
			} catch (error) {
				gone = error;
				if (error instanceof GomapgrowError && /^E-(TARGET-GONE|BIN-CHANGED)$/.test(error.code)) continue;
				for (const unused of waiting) unused.close();
				throw error;
			}
		}
		if (tracer.targets.length === 0 && !mayBeEmpty) throw gone;
	}

	/** Writes the records of those that are attached. */
	announce(measurements: Measurements): void {
		for (const target of this.#options.tracer.targets) {
			measurements.attached(target);
			this.#write(target);
		}
	}

	#writeCopy({ target, pid }: ForkedCopy): void {
		const record = this.#records.get(target);
		if (record === undefined || this.#copies.size >= MAX_COPIES) return;
		const { clock, anchor, sinks } = this.#options;
		const copy = { ...record, time: timeOf(anchor, clock.monotonicNs()), pid };
		this.#copies.set(pid, copy);
		this.#ended.delete(pid);
		sinks.write(copy);
	}

	#write(target: Target): void {
		const { sinks, clock, anchor, timing } = this.#options;
		const record = targetRecord(target, timeOf(anchor, clock.monotonicNs()), timing);
		this.#records.set(target, record);
		this.#unseen ||= target.plan.unseen !== undefined;
		sinks.write(record);
	}

	/**
	 * Lets go of targets that have ended, and attaches those that have come. What the probes of the former have
	 * written must be read before their places in the tables go to others, so that waits for a reader that is behind.
	 */
	update(
		{ ended, started, exits, copies = [] }: Omit<TargetChanges, "over">,
		{ drain, governor, measurements }: Measuring,
		leaving = true,
	): void {
		const { tracer } = this.#options;
		tracer.proveStarted();
		this.#leaving.push(...ended);
		this.#exits.push(...exits);
		for (const copy of copies) this.#writeCopy(copy);
		const short = started.some((target) => !tracer.hasRoomFor(target));
		if ((leaving || short) && this.#leaving.length + this.#exits.length > 0 && drain.empty()) {
			drain.flush(new Set(this.#exits.map(({ pid }) => pid)));
			if (this.#leaving.length > 0) this.#release(governor, measurements);
			this.writeExits();
		}
		for (const target of started) this.#attach(target, measurements);
		if (this.#records.size > Math.max(1, this.#options.tracer.targets.length)) this.#forget();
	}

	/** The records of targets that are not attached any more go, but for the last one. */
	#forget(): void {
		const attached = new Set(this.#options.tracer.targets);
		for (const target of this.#records.keys()) {
			if (this.#records.size > 1 && !attached.has(target)) this.#records.delete(target);
		}
	}

	#release(governor: Governing, measurements: Measurements): void {
		const { tracer, clock } = this.#options;
		const leaving = this.#leaving.splice(0);
		measurements.takeFull(leaving, true);
		for (const target of leaving) {
			governor.finish(Number(clock.monotonicNs()), target);
			measurements.released(target);
			governor.release(target);
		}
		tracer.release(...leaving);
		for (const target of leaving) {
			const { pid } = target.identity;
			// After execve another program of the same process may be attached already.
			if (!tracer.targets.some(({ identity }) => identity.pid === pid)) this.#markEnded(pid);
		}
	}

	/** Says of which processes it is known that they have ended: their growths have been written. */
	writeExits(): void {
		const { sinks, clock, anchor } = this.#options;
		for (const exit of this.#exits.splice(0)) {
			if (this.#copies.delete(exit.pid)) this.#markEnded(exit.pid);
			const now = clock.monotonicNs();
			sinks.write({ type: "exit", time: timeOf(anchor, now), elapsed_ns: elapsedNs(anchor, now), ...exit });
		}
	}

	#markEnded(pid: number): void {
		this.#ended.add(pid);
		if (this.#ended.size <= MAX_ENDED) return;
		for (const oldest of this.#ended) {
			this.#ended.delete(oldest);
			return;
		}
	}

	#attach(target: Target, measurements: Measurements): void {
		const { tracer, drop } = this.#options;
		if (!tracer.hasRoomFor(target)) {
			target.close();
			drop?.(target, "the kernel's tables have no room for its probes");
			return;
		}
		try {
			tracer.attach(target);
		} catch (error) {
			drop?.(target, error instanceof GomapgrowError ? error.found : String(error));
			if (error instanceof GomapgrowError && /^E-(TARGET|BIN)-/.test(error.code)) return;
			throw error;
		}
		this.#ended.delete(target.identity.pid);
		this.#options.attached?.(target);
		measurements.attached(target);
		this.#write(target);
	}
}
