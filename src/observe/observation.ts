/** Runs one observation: attaches, drains, closes windows, and leaves for whatever reason comes first. */
import { hostname, release, setPriority } from "node:os";
import { Governor } from "../budget/governor.ts";
import { SampleRate } from "../budget/sample-rate.ts";
import { GomapgrowError } from "../errors/error.ts";
import { fsBaseOffset } from "../kernel/btf.ts";
import type { HitCosts } from "../kernel/calibration.ts";
import type { AttachMode } from "../kernel/features.ts";
import { monotonicNs, processCpuNs, wallNs } from "../kernel/libc.ts";
import { machineTime } from "../kernel/machine-time.ts";
import { VERSION } from "../lib/version.ts";
import { errnoCode } from "../process/procfs-file.ts";
import type { EndReason, TargetRecord } from "../records/records.ts";
import { SCHEMA_VERSION } from "../records/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../records/time.ts";
import { Aggregator } from "../stats/aggregator.ts";
import { type EventRecord, Session } from "../tracer/session.ts";
import type { Target } from "../tracer/target.ts";
import { needsFsBase, sitesNeeded, type Timing } from "../tracer/timed-probes.ts";
import type { LiveView } from "./sink.ts";
import type { StopRequest } from "./stop-request.ts";
import { targetRecord } from "./target-record.ts";
import type { TargetChanges } from "./targets.ts";
import { type Watched, WindowReports } from "./windows.ts";

/** Pace of reading the ring, which holds 26,000 growths: in a storm of them, and otherwise, when each look costs more than what there is to see. */
const DRAIN_MS = { storm: 20, calm: 50 };
/** More records at a time than these are a storm. */
const CALM_RECORDS = 500;
/** Pace while output waits for its reader: a pipe takes no more than its capacity at a time. */
const FLUSH_MS = 1;
/** Pace of looking which targets have ended and which have come. */
const LIVENESS_NS = 90_000_000n;
/** How long one drain may take in a storm, so that signals and the screen get their turn. */
const MAX_DRAIN_NS = 15_000_000n;
/** How long a slow reader may hold up the exit: when the user asked for it, and otherwise, as long as it reads. */
const PATIENCE_MS = { user: 250, other: 10_000 };
/** A reader that takes nothing for this long does not read; on a busy machine one may not get its turn for some hundred milliseconds. */
const STALL_MS = 3000;
/** A call of the work tier that takes as long is always a record. */
const SLOW_NS = 1e6;
const OWN_NICENESS = -10;
/** Room for probes of processes that start later, beside as many again as there are now. */
const SPARE_SITES = 1024;
/** Processes that have ended are remembered up to this many. */
const MAX_ENDED = 10_000;
/** Time for what is left at the very end: the end record is in it. */
const LAST_WORDS_MS = 500;

export interface ObserveOptions {
	mode: AttachMode;
	view: LiveView;
	/** Planned targets; `observe` takes them over. */
	targets: readonly Target[];
	/** Called once the probes are attached: lets a held command run. */
	onAttached?: () => void;
	/** Which targets have ended and which have come; called often. */
	poll: (nowMs: number) => TargetChanges;
	/** A target that came could not be attached, and is closed. */
	drop?: (target: Target) => void;
	/** Measure how long calls take; watch iterations. */
	latency: boolean;
	iterations: boolean;
	/** Share of a target's processor time that probing may cost; undefined: no limit. */
	budget: number | undefined;
	intervalMs: number;
	/** Absent: until the user or the targets end it. */
	durationMs?: number | undefined;
	/** Ends the observation from outside: a signal or a key. */
	stop: StopRequest;
	command: readonly string[];
}

class Observation {
	readonly #options: ObserveOptions;
	readonly #timing: Timing;
	readonly #anchor: ClockAnchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	readonly #session: Session;
	readonly #aggregator: Aggregator;
	readonly #sampleRate = new SampleRate();
	/** Both are there when the probes are. */
	#governor!: Governor;
	#reports!: WindowReports;
	/** Of the targets that are attached; of the last one when all have ended. */
	#records: TargetRecord[] = [];
	/** Targets that have ended and are still to be let go of. */
	readonly #leaving: Target[] = [];
	/** PIDs of those that have been let go of. */
	readonly #ended = new Set<number>();
	#drained = 0n;
	/** Records are in the ring that the reader of the output had no room for. */
	#behind = false;
	#samples = 0;
	/** Records that the latest drain gave. */
	#read = 0;

	constructor(options: ObserveOptions) {
		this.#options = options;
		this.#aggregator = new Aggregator({ intervalNs: options.intervalMs * 1e6 });
		try {
			const { mode, latency, iterations, targets } = options;
			// The kernel's description of itself is megabytes long: read for those that need it only.
			const fsBase = latency && targets.some(({ plan }) => needsFsBase(plan)) ? fsBaseOffset() : undefined;
			this.#timing = { latency, fsBase };
			const needed = targets.reduce((sum, target) => sum + sitesNeeded(target.plan, this.#timing), 0);
			const maxSites = 2 * needed + SPARE_SITES;
			this.#session = new Session({ mode, anchor: this.#anchor, ...this.#timing, iterations, maxSites });
			this.#session.setSampling(this.#sampleRate.chance, SLOW_NS);
		} catch (error) {
			for (const target of options.targets) target.close();
			throw error;
		}
	}

	/** Returns why it ended. */
	async run(): Promise<EndReason> {
		const { view } = this.#options;
		try {
			this.#begin();
			const reason = await this.#loop();
			await this.#finish(reason);
			return reason;
		} finally {
			this.#session.close();
			view.restore();
		}
	}

	/** A process that has ended since it was found is left out, unless it was the only one. */
	#attachAll(): void {
		const waiting = [...this.#options.targets];
		let gone: unknown;
		for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
			try {
				this.#session.attach(target);
			} catch (error) {
				gone = error;
				if (error instanceof GomapgrowError && /^E-(TARGET-GONE|BIN-CHANGED)$/.test(error.code)) continue;
				for (const unused of waiting) unused.close();
				throw error;
			}
		}
		if (this.#session.targets.length === 0) throw gone;
	}

	#begin(): void {
		const { view, intervalMs, command, targets } = this.#options;
		view.attaching?.(targets.length);
		beOnTime();
		this.#attachAll();
		const costs = this.#session.calibrate();
		this.#governor = this.#govern(costs);
		const time = timeOf(this.#anchor, this.#anchor.monotonicNs);
		view.start({
			type: "start",
			time,
			schema: SCHEMA_VERSION,
			tool: "gomapgrow",
			version: VERSION,
			command: [...command],
			host: hostname(),
			kernel: release(),
			arch: process.arch === "x64" ? "amd64" : process.arch,
			clock: "monotonic",
			interval_ns: intervalMs * 1e6,
		});
		this.#records = this.#session.targets.map((target) => this.#targetRecord(target));
		for (const record of this.#records) view.target(record);
		this.#options.onAttached?.();
		this.#reports = new WindowReports({
			...{ anchor: this.#anchor, view, aggregator: this.#aggregator, governor: this.#governor },
			costs: this.#options.latency ? costs : undefined,
		});
	}

	get #watched(): Watched {
		return { targets: this.#session.targets, records: this.#records, ended: this.#ended };
	}

	#targetRecord(target: Target): TargetRecord {
		return targetRecord(target, timeOf(this.#anchor, monotonicNs()), this.#timing);
	}

	#govern(costs: HitCosts): Governor {
		const { budget } = this.#options;
		const clockNs = (): number => Number(monotonicNs());
		// It takes whole milliseconds.
		const holdNs = (ns: number): void => Bun.sleepSync(Math.ceil(ns / 1e6));
		return new Governor(this.#session, { costs, budget, cpuNs: processCpuNs, clockNs, machineTime, holdNs });
	}

	#tickGovernor(): void {
		for (const { pid, tier, what, from, to, overhead, reason } of this.#governor.tick(Number(monotonicNs()))) {
			const time = monotonicNs();
			this.#options.view.throttle({
				type: "throttle",
				time: timeOf(this.#anchor, time),
				elapsed_ns: elapsedNs(this.#anchor, time),
				...{ pid, tier, what, from, to, overhead, budget: this.#options.budget ?? 1, reason },
			});
		}
	}

	/** A batch of these may overfill the output's queue a little. */
	readonly #take = (record: EventRecord): void => {
		const { view } = this.#options;
		this.#read++;
		switch (record.type) {
			case "growth": {
				const factor = this.#governor.growthFactor(record.pid);
				if (factor > 1) record.weight = (record.weight ?? 1) * factor;
				this.#governor.addGrowth(record.pid, record);
				this.#aggregator.addGrowth(record);
				view.growth(record);
				return;
			}
			case "work":
				// Slow calls come whatever the chance.
				if (record.slow !== true) this.#samples++;
				view.work(record);
				return;
			case "overlap":
				this.#aggregator.addOverlap(record);
				view.overlap(record);
		}
	};

	#drain(): void {
		const { view } = this.#options;
		const start = monotonicNs();
		const until = start + MAX_DRAIN_NS;
		const cpu = processCpuNs(process.pid) ?? 0;
		this.#read = 0;
		let [emptied, stalled] = [false, false];
		while (!emptied) {
			stalled = !view.ready();
			if (stalled) break;
			emptied = this.#session.drain(this.#take) === 0;
			if (monotonicNs() >= until) break;
			view.flush();
		}
		// That a growth has been left may be among what has not been read yet.
		if (emptied && view.ready()) this.#session.expire(Number(start), this.#take);
		this.#governor.addReading((processCpuNs(process.pid) ?? cpu) - cpu, this.#read);
		// What a reader that is behind leaves in the ring would look like calls that do not come, and later like calls that come all at once.
		const behind = stalled || this.#behind;
		this.#behind = behind && !emptied;
		if (!behind && this.#drained > 0n && this.#sampleRate.update(this.#samples, Number(start - this.#drained))) {
			this.#session.setSampling(this.#sampleRate.chance, SLOW_NS);
		}
		this.#samples = 0;
		this.#drained = start;
	}

	/**
	 * Lets go of targets that have ended. What their probes have written must be read before their places in the tables go to others, so this waits for a
	 * reader that is behind. `others`: their records need not stay.
	 */
	#release(others: boolean): void {
		const { view } = this.#options;
		if (this.#leaving.length === 0) return;
		while (view.ready() && this.#session.drain(this.#take) > 0) view.flush();
		if (!view.ready()) return;
		for (const target of this.#leaving.splice(0)) {
			this.#governor.release(target, Number(monotonicNs()));
			this.#session.release(target);
			const { pid } = target.identity;
			// After execve another program of the same process may be attached already.
			if (!this.#session.targets.some(({ identity }) => identity.pid === pid)) this.#markEnded(pid);
			const rest = this.#records.filter((record) => record.pid !== pid);
			if (rest.length > 0 || others) this.#records = rest;
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

	/** Returns whether everything is over. */
	#pollTargets(): boolean {
		const { view, poll, drop } = this.#options;
		const { ended, started, over } = poll(performance.now());
		this.#leaving.push(...ended);
		this.#release(started.length > 0);
		for (const target of started) {
			try {
				if (!this.#session.hasRoomFor(target)) {
					target.close();
					drop?.(target);
					continue;
				}
				this.#session.attach(target);
			} catch (error) {
				drop?.(target);
				if (error instanceof GomapgrowError && /^E-(TARGET|BIN)-/.test(error.code)) continue;
				throw error;
			}
			this.#ended.delete(target.identity.pid);
			const record = this.#targetRecord(target);
			this.#records.push(record);
			view.target(record);
		}
		return over;
	}

	async #loop(): Promise<EndReason> {
		const { view, stop, durationMs, intervalMs } = this.#options;
		const deadline =
			durationMs === undefined ? undefined : this.#reports.startNs + BigInt(Math.round(durationMs * 1e6));
		const interval = BigInt(Math.round(intervalMs * 1e6));
		let polled = monotonicNs();
		while (true) {
			this.#drain();
			this.#tickGovernor();
			view.flush();
			const time = monotonicNs();
			if (view.closed()) return "pipe-closed";
			if (stop.reason !== undefined) return stop.reason;
			if (time - polled >= LIVENESS_NS) {
				polled = time;
				if (this.#pollTargets()) return "target-exit";
			}
			if (deadline !== undefined && time >= deadline) return "duration";
			if (time - this.#reports.startNs >= interval) this.#reports.close(this.#session.readCounters(), this.#watched);
			const calm = this.#read > CALM_RECORDS ? DRAIN_MS.storm : DRAIN_MS.calm;
			const pace = view.queued() > 0 ? FLUSH_MS : calm;
			const report = this.#reports.startNs + interval;
			const end = deadline === undefined || report < deadline ? report : deadline;
			const governed = this.#governor.untilNext(Number(time), pace);
			await stop.sleep(Math.max(1, Math.min(governed, Number(end - time) / 1e6)));
		}
	}

	/** Writes until `enough`, as long as the reader reads and until `deadline` (performance.now). */
	async #write(enough: () => boolean, deadline: number): Promise<void> {
		const { view } = this.#options;
		let queued = view.queued();
		for (let progress = performance.now(); !enough() && !view.closed(); ) {
			const now = performance.now();
			if (now >= deadline || now - progress >= STALL_MS) return;
			await Bun.sleep(FLUSH_MS);
			view.flush();
			if (view.queued() < queued) progress = now;
			queued = view.queued();
		}
	}

	async #finish(reason: EndReason): Promise<void> {
		const { view } = this.#options;
		const byUser = reason !== "duration" && reason !== "target-exit";
		// Takes a second and more with one perf event per probe: the patience below is with the reader.
		this.#session.detach();
		const deadline = performance.now() + (byUser ? PATIENCE_MS.user : PATIENCE_MS.other);
		// Nothing is added to the ring any more, so this ends; what a slow reader has no room for is lost, and said so.
		do await this.#write(() => view.ready(), deadline);
		while (view.ready() && this.#session.drain(this.#take) > 0);
		if (view.ready()) this.#session.flush(this.#take);
		else this.#session.discard();
		const counters = this.#session.readFinalCounters();
		this.#reports.close(counters, this.#watched, true);
		this.#reports.end(counters, this.#watched, reason);
		await this.#write(() => view.queued() === 0, Math.max(deadline, performance.now() + LAST_WORDS_MS));
		const failure = view.failure() ?? (view.queued() > 0 ? "a reader that does not read" : undefined);
		if (failure !== undefined) throw new GomapgrowError("E-IO", { wanted: "to write the output", found: failure });
	}
}

/**
 * On a busy machine probes would stay in longer than wanted, and the ring would fill up, if we had to wait for our turn. A command of `run` has been started before
 * and keeps its own priority.
 */
function beOnTime(): void {
	try {
		setPriority(OWN_NICENESS);
	} catch (error) {
		// It takes CAP_SYS_NICE; without it windows are less exact and more may be lost, which is measured and said all the same.
		if (errnoCode(error) !== "EACCES" && errnoCode(error) !== "EPERM") throw error;
	}
}

/** Observes until something ends it and returns what did. Throws E-HOST-…, E-TARGET-…, E-IO; nothing stays attached. */
export async function observe(options: ObserveOptions): Promise<EndReason> {
	return await new Observation(options).run();
}
