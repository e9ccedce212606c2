/** Runs one observation: attaches, drains, closes windows, and leaves for whatever reason comes first. */
import { hostname, release } from "node:os";
import { Aggregator } from "../analyze/aggregator.ts";
import { callSite } from "../analyze/call-site.ts";
import { endRecord, windowRecord } from "../analyze/window-record.ts";
import { GomapgrowError } from "../errors/error.ts";
import type { AttachMode } from "../kernel/features.ts";
import { monotonicNs, wallNs } from "../kernel/libc.ts";
import type { EndReason, GrowthRecord, LossRecord, TargetRecord } from "../model/records.ts";
import { SCHEMA_VERSION } from "../model/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../model/time.ts";
import { type Counters, Session } from "../session/session.ts";
import type { Target } from "../session/target.ts";
import { CallTotals } from "./call-totals.ts";
import type { LiveView } from "./live-view.ts";
import { LossWatch } from "./loss-watch.ts";
import { targetRecord } from "./target-record.ts";
import { VERSION } from "./version.ts";

/** Pace of reading the ring: it holds 26,000 growths, so 20 ms are enough for a million a second. */
const DRAIN_MS = 20;
/** Pace while output waits for its reader: a pipe takes no more than its capacity at a time. */
const FLUSH_MS = 1;
/** Liveness of the targets is checked every this many drains. */
const LIVENESS_DRAINS = 5;
/** How long one drain may take in a storm, so that signals and the screen get their turn. */
const MAX_DRAIN_NS = 15_000_000n;
/** How long a slow reader may hold up the exit: when the user asked for it, and otherwise, as long as it reads. */
const PATIENCE_MS = { user: 250, other: 10_000 };
/** A reader that takes nothing for this long does not read. */
const STALL_MS = 300;
/** Time for what is left at the very end: the end record is in it. */
const LAST_WORDS_MS = 300;

export interface ObserveOptions {
	mode: AttachMode;
	view: LiveView;
	/** Planned targets; `observe` takes them over. */
	targets: readonly Target[];
	/** Called once the probes are attached: lets a held command run. */
	onAttached?: () => void;
	/** Whether the target still runs. */
	isAlive: (target: Target) => boolean;
	intervalMs: number;
	/** Absent: until the user or the targets end it. */
	durationMs?: number | undefined;
	/** Ends the observation from outside: a signal or a key. */
	stop: StopRequest;
	command: readonly string[];
}

/** The first reason to leave wins; the loop is woken at once. */
export class StopRequest {
	#reason: EndReason | undefined;
	#wake: (() => void) | undefined;

	get reason(): EndReason | undefined {
		return this.#reason;
	}

	request(reason: EndReason): void {
		this.#reason ??= reason;
		this.#wake?.();
	}

	/** Waits `ms`, or less when a stop is requested meanwhile. */
	async sleep(ms: number): Promise<void> {
		if (this.#reason !== undefined) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		this.#wake = undefined;
	}
}

class Observation {
	readonly #options: ObserveOptions;
	readonly #anchor: ClockAnchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	readonly #session: Session;
	readonly #aggregator: Aggregator;
	readonly #calls = new CallTotals();
	readonly #losses: LossWatch;
	#records: TargetRecord[] = [];
	#windowStart = 0n;

	constructor(options: ObserveOptions) {
		this.#options = options;
		this.#aggregator = new Aggregator({ intervalNs: options.intervalMs * 1e6 });
		this.#losses = new LossWatch();
		try {
			this.#session = new Session(options.mode, this.#anchor);
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
				if (error instanceof GomapgrowError && error.code === "E-TARGET-GONE") continue;
				for (const unused of waiting) unused.close();
				throw error;
			}
		}
		if (this.#session.targets.length === 0) throw gone;
	}

	#begin(): void {
		const { view, intervalMs, command } = this.#options;
		this.#attachAll();
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
		this.#records = this.#session.targets.map((target) => targetRecord(target, timeOf(this.#anchor, monotonicNs())));
		for (const record of this.#records) view.target(record);
		this.#options.onAttached?.();
		this.#windowStart = monotonicNs();
	}

	/** A batch of these may overfill the output's queue a little. */
	readonly #take = (growth: GrowthRecord): void => {
		this.#aggregator.addGrowth(growth);
		this.#options.view.growth(growth);
	};

	#drain(): void {
		const until = monotonicNs() + MAX_DRAIN_NS;
		while (this.#options.view.ready() && this.#session.drain(this.#take) > 0 && monotonicNs() < until) {
			this.#options.view.flush();
		}
	}

	async #loop(): Promise<EndReason> {
		const { view, stop, isAlive, durationMs, intervalMs } = this.#options;
		const deadline = durationMs === undefined ? undefined : this.#windowStart + BigInt(Math.round(durationMs * 1e6));
		const interval = BigInt(Math.round(intervalMs * 1e6));
		for (let round = 1; ; round++) {
			this.#drain();
			view.flush();
			const time = monotonicNs();
			if (view.closed()) return "pipe-closed";
			if (stop.reason !== undefined) return stop.reason;
			if (round % LIVENESS_DRAINS === 0 && !this.#session.targets.some(isAlive)) return "target-exit";
			if (deadline !== undefined && time >= deadline) return "duration";
			if (time - this.#windowStart >= interval) this.#closeWindow(this.#session.readCounters());
			const pace = view.queued() > 0 ? FLUSH_MS : DRAIN_MS;
			const untilEnd = deadline === undefined ? pace : Number(deadline - time) / 1e6;
			await stop.sleep(Math.max(1, Math.min(pace, untilEnd)));
		}
	}

	#closeWindow(counters: Counters): void {
		const { view } = this.#options;
		const time = monotonicNs();
		for (const work of counters.work) {
			const site = callSite(work.caller);
			this.#aggregator.addWork({ pid: work.pid, fn: work.fn, map_type: work.map_type, site, calls: work.calls });
		}
		const tally = this.#aggregator.closeWindow(Number(time - this.#windowStart));
		this.#windowStart = time;
		const names = new Map(this.#records.map((record) => [record.pid, record.name]));
		const context = {
			time: timeOf(this.#anchor, time),
			elapsed_ns: elapsedNs(this.#anchor, time),
			ledger: counters.ledger,
		};
		const record = { ...windowRecord(tally, names, context), calls: this.#calls.update(counters) };
		for (const loss of this.#losses.update(counters.ledger, context.time)) view.loss(loss);
		view.window(record, {
			targets: this.#records,
			elapsedNs: context.elapsed_ns,
			view: this.#aggregator.view(),
			ledger: counters.ledger,
			losses: this.#losses.latest,
		});
	}

	/** Writes until `enough`, as long as the reader reads and until `deadline` (Date.now). */
	async #write(enough: () => boolean, deadline: number): Promise<void> {
		const { view } = this.#options;
		let queued = view.queued();
		for (let progress = Date.now(); !enough() && !view.closed(); ) {
			const now = Date.now();
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
		const deadline = Date.now() + (byUser ? PATIENCE_MS.user : PATIENCE_MS.other);
		this.#session.detach();
		// Nothing is added to the ring any more, so this ends; what a slow reader has no room for is lost, and said so.
		do await this.#write(() => view.ready(), deadline);
		while (view.ready() && this.#session.drain(this.#take) > 0);
		if (!view.ready()) this.#session.discard();
		const counters = this.#session.readCounters();
		this.#closeWindow(counters);
		const time = monotonicNs();
		const total = this.#aggregator.total();
		const context = {
			time: timeOf(this.#anchor, time),
			elapsed_ns: elapsedNs(this.#anchor, time),
			ledger: counters.ledger,
		};
		const losses: readonly LossRecord[] = this.#losses.latest;
		const record = { ...endRecord(total, reason, context), calls: this.#calls.totals() };
		view.end(record, { targets: this.#records, total, losses });
		await this.#write(() => view.queued() === 0, Math.max(deadline, Date.now() + LAST_WORDS_MS));
		const failure = view.failure() ?? (view.queued() > 0 ? "a reader that does not read" : undefined);
		if (failure !== undefined) throw new GomapgrowError("E-IO", { wanted: "to write the output", found: failure });
	}
}

/** Observes until something ends it and returns what did. Throws E-HOST-…, E-TARGET-…, E-IO; nothing stays attached. */
export async function observe(options: ObserveOptions): Promise<EndReason> {
	return await new Observation(options).run();
}
