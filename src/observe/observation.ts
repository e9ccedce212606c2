/**
 * Runs one observation: attaches, drains, closes windows, and leaves for whatever reason comes first. Everything that
 * touches the kernel is given.
 */
import type { Throttle } from "../budget/governor.ts";
import { VERSION } from "../lib/version.ts";
import type { EndReason, StartRecord, ThrottleRecord } from "../records/records.ts";
import { SCHEMA_VERSION } from "../records/records.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../records/time.ts";
import { Aggregator } from "../stats/aggregator.ts";
import { MakeSums } from "../stats/makes.ts";
import { Sampling } from "../stats/sampling.ts";
import type { Target } from "../tracer/target.ts";
import type { Timing } from "../tracer/timed-probes.ts";
import type { TargetChanges } from "../tracer/watched-targets.ts";
import { AttachedTargets } from "./attached-targets.ts";
import type { Children } from "./children.ts";
import { type Clock, milliseconds } from "./clock.ts";
import { Drain } from "./drain.ts";
import { type Finishing, finish } from "./finish.ts";
import { Measurements } from "./measurements.ts";
import type { Sink } from "./sink.ts";
import { Sinks } from "./sinks.ts";
import type { StopRequest } from "./stop-request.ts";
import type { CalibratedGovernor, TakeCounted, Tracer } from "./tracer.ts";
import { WindowReports } from "./windows.ts";

/** Pace of looking which targets have ended and which have come. */
const LIVENESS_NS = 90_000_000n;
/** The same while nothing is to be seen of them. */
const IDLE_LIVENESS_NS = 190_000_000n;
const ASLEEP_LIVENESS_NS = 390_000_000n;
/**
 * Of its own processor time: what is made in it is collected then, some ten megabytes. Left alone JavaScriptCore lets
 * garbage grow until it is as much as what is used, and the memory of both stays with the process.
 */
const COLLECT_NS = 150e6;
/**
 * While more waits for a reader, a window stays open: of thousands of call sites it is a megabyte, and a reader may be
 * stopped for hours.
 */
const MAX_QUEUED_BYTES = 2 << 20;

/** What attaches, measures and tells the time. */
export interface Tracing {
	/** `observe` closes it. */
	tracer: Tracer;
	/** Called once, when the first targets are attached. `originNs`: a moment when a report interval begins. */
	govern: (options: { originNs: number; intervalNs: number; take: TakeCounted }) => CalibratedGovernor;
	clock: Clock;
	/** Frees memory that is not used any more; called now and then, in proportion to the work that was done. */
	collectGarbage?: (() => void) | undefined;
	/** The start, by the clock's time. */
	anchor: ClockAnchor;
	timing: Timing;
	/** Where maps are made is watched. */
	makes?: boolean | undefined;
	/** For the start record. */
	host: Pick<StartRecord, "host" | "kernel" | "arch">;
}

export interface ObserveOptions extends Tracing {
	/** `observe` closes them. */
	sinks: readonly Sink[];
	/** Planned targets; the tracer takes them over. */
	targets: readonly Target[];
	/** Called before the probes are attached to so many processes, which can take some seconds. */
	onAttaching?: ((processes: number) => void) | undefined;
	/** Called once the probes are attached: lets a held command run. */
	onAttached?: (() => void) | undefined;
	/** Which targets have ended and which have come; called often. `nowMs`: the clock, in milliseconds. */
	poll: (nowMs: number) => TargetChanges;
	/** Whether somebody waits for the next poll. */
	isUrgent?: (() => boolean) | undefined;
	/** A target that came is attached. */
	attached?: ((target: Target) => void) | undefined;
	/** What is known of the processes that targets have started; absent where they are not followed. */
	children?: (() => Children | undefined) | undefined;
	/** Targets may come later: there need be none at the start. */
	mayBeEmpty?: boolean | undefined;
	/** A target that came could not be attached, and is closed. */
	drop?: ((target: Target, why: string) => void) | undefined;
	intervalMs: number;
	/** Absent: until the user or the targets end it. */
	durationMs?: number | undefined;
	/** Ends the observation from outside: a signal or a key. */
	stop: StopRequest;
	command: readonly string[];
}

interface Parts extends Finishing {
	measurements: Measurements;
}

/** Attaches the probes and writes the first records. */
function begin(options: ObserveOptions, sinks: Sinks): Parts {
	const { tracer, clock, anchor, timing, intervalMs, host, command } = options;
	const { drop, attached, children, mayBeEmpty } = options;
	const targets = new AttachedTargets({ tracer, sinks, clock, anchor, timing, drop, attached, children });
	options.onAttaching?.(options.targets.length);
	targets.attachFirst(options.targets, mayBeEmpty);
	const originNs = Number(clock.monotonicNs());
	let measurements: Measurements | undefined;
	const { governor, overhead } = options.govern({
		...{ originNs, intervalNs: intervalMs * 1e6 },
		take: (...counted) => measurements?.take(...counted),
	});
	const sampling = new Sampling();
	const aggregator = new Aggregator({ intervalNs: intervalMs * 1e6, details: sinks.details, sampling });
	const makes = options.makes === true ? new MakeSums() : undefined;
	measurements = new Measurements({ tracer, aggregator, sampling, governor, makes, overhead });
	sinks.write({
		type: "start",
		time: timeOf(anchor, anchor.monotonicNs),
		schema: SCHEMA_VERSION,
		tool: "gomapgrow",
		version: VERSION,
		command: [...command],
		host: host.host,
		kernel: host.kernel,
		arch: host.arch,
		clock: "monotonic",
		interval_ns: intervalMs * 1e6,
	});
	governor.tick(Number(clock.monotonicNs()));
	targets.announce(measurements);
	options.onAttached?.();
	const drain = new Drain({ tracer, sinks, clock, aggregator, governor });
	const reports = new WindowReports({
		...{ tracer, clock, anchor, sinks, aggregator, governor },
		...{ measurements, sampling, makes, intervalMs },
	});
	return { tracer, sinks, clock, drain, targets, reports, governor, measurements };
}

/** Returns why it is over. */
async function loop(options: ObserveOptions, parts: Parts): Promise<EndReason> {
	const { stop, durationMs, poll } = options;
	const { tracer, sinks, clock, drain, targets, reports, governor } = parts;
	const deadline = durationMs === undefined ? undefined : reports.startNs + BigInt(Math.round(durationMs * 1e6));
	let polled = clock.monotonicNs();
	let collected = clock.cpuNs();
	while (true) {
		drain.drain();
		if (clock.cpuNs() - collected >= COLLECT_NS) {
			options.collectGarbage?.();
			collected = clock.cpuNs();
		}
		tickGovernor(options, parts);
		sinks.flush();
		const time = clock.monotonicNs();
		if (sinks.reader.closed) return "pipe-closed";
		if (stop.reason !== undefined) return stop.reason;
		const idle = drain.asleep ? ASLEEP_LIVENESS_NS : IDLE_LIVENESS_NS;
		const due = time - polled >= (drain.idle ? idle : LIVENESS_NS);
		if (due || options.isUrgent?.() === true) {
			if (due) polled = time;
			const changes = poll(milliseconds(clock));
			// Who has ended can wait, and costs a reading of all counters.
			targets.update(changes, parts, due || changes.over);
			if (changes.over) return "target-exit";
		}
		if (deadline !== undefined && time >= deadline) return "duration";
		if (time >= reports.dueNs && sinks.reader.queued < MAX_QUEUED_BYTES) {
			// Periods of windows end with the interval, and belong to it.
			tickGovernor(options, parts);
			reports.close(tracer.readCounters(), targets.watched);
		}
		const report = reports.dueNs;
		const end = deadline === undefined || report < deadline ? report : deadline;
		const governed = governor.untilNext(Number(time), drain.paceMs);
		await clock.sleep(Math.max(1, Math.min(governed, Number(end - time) / 1e6)), stop);
	}
}

/** What of a stream changes, as records say it. */
const CHANGES: Record<Throttle["stream"], Pick<ThrottleRecord, "tier" | "what">> = {
	large: { tier: "growth", what: "probed" },
	small: { tier: "growth", what: "probed" },
	work: { tier: "work", what: "probed" },
	iteration: { tier: "iteration", what: "probed" },
	make: { tier: "make", what: "probed" },
	records: { tier: "growth", what: "recorded" },
	durations: { tier: "growth", what: "timed" },
};

function tickGovernor({ anchor }: ObserveOptions, { governor, sinks, clock }: Parts): void {
	for (const { pid, stream, from, to, costNs, limitNs } of governor.tick(Number(clock.monotonicNs()))) {
		const now = clock.monotonicNs();
		const times = { time: timeOf(anchor, now), elapsed_ns: elapsedNs(anchor, now) };
		const reason = to < from ? "over the limit" : "within the limit";
		const cost = { overhead: costNs / 1e9, budget: limitNs / 1e9 };
		sinks.write({ type: "throttle", ...times, pid, ...CHANGES[stream], from, to, ...cost, reason });
	}
}

/**
 * Observes until something ends it and returns what did. Throws E-HOST-…, E-TARGET-…, E-IO; nothing stays attached,
 * and all sinks are closed.
 */
export async function observe(options: ObserveOptions): Promise<EndReason> {
	const sinks = new Sinks(options.sinks);
	try {
		const parts = begin(options, sinks);
		const reason = await loop(options, parts);
		await finish(parts, reason);
		return reason;
	} finally {
		try {
			options.tracer.close();
		} finally {
			sinks.close();
		}
	}
}
