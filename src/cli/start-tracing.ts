/**
 * Loads the BPF programs for an observation and puts together what touches the kernel: the session, the governor, the
 * clocks.
 */
import { availableParallelism, hostname, release, setPriority } from "node:os";
import { type Governed, Governor } from "../budget/governor.ts";
import { taskOffsets } from "../kernel/btf.ts";
import type { AttachMode } from "../kernel/features.ts";
import { monotonicNs, processCpuNs, wallNs } from "../kernel/libc.ts";
import type { Clock } from "../observe/clock.ts";
import type { Tracing } from "../observe/observation.ts";
import { allowedProcessors } from "../process/cpu-limit.ts";
import { MACHINE } from "../process/machine.ts";
import { errnoCode } from "../process/procfs-file.ts";
import type { Stream } from "../tracer/probes.ts";
import { Session } from "../tracer/session.ts";
import { streamControls } from "../tracer/stream-controls.ts";
import type { Target } from "../tracer/target.ts";
import { sitesNeeded, type Timing } from "../tracer/timed-probes.ts";

const OWN_NICENESS = -10;
/** Room for probes of processes that start later, beside as many again as there are now. */
const SPARE_SITES = 1024;
/** Growths are watched from the first moment on; growth work and iterations begin in windows. */
const FIRST_STREAMS: readonly Stream[] = ["large", "small"];

export interface TracingOptions {
	mode: AttachMode;
	/** Planned; closed when this throws. */
	targets: readonly Target[];
	/** Measure how long calls take; watch iterations. */
	latency: boolean;
	iterations: boolean;
	/** Watch where maps are made. */
	makes: boolean;
	/** Share of a target's processor time that probing may cost; undefined: no limit. */
	budget: number | undefined;
	/** Whether everything is attached from the beginning, or growths alone. */
	whole: boolean;
}

/** Nothing is attached yet. Throws E-HOST-…; nothing is left behind then. */
export function startTracing(options: TracingOptions): Tracing {
	const { mode, targets, latency, iterations, makes, budget, whole } = options;
	const anchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	try {
		beOnTime();
		const task = latency ? taskOffsets() : {};
		const timing: Timing = { latency, fsBase: task.fsBase };
		const needed = targets.reduce((sum, { plan }) => sum + sitesNeeded(plan, timing), 0);
		const session = new Session({
			...{ mode, anchor, latency, task, iterations, makes, maxSites: 2 * needed + SPARE_SITES },
			streams: budget === undefined || whole ? undefined : FIRST_STREAMS,
		});
		return {
			tracer: session,
			govern: (report) => govern(session, options, report),
			clock: systemClock,
			collectGarbage: () => Bun.gc(true),
			anchor,
			timing,
			makes,
			host: { host: hostname(), kernel: release(), arch: MACHINE },
		};
	} catch (error) {
		for (const target of targets) target.close();
		throw error;
	}
}

function govern(
	session: Session,
	{ latency, budget, whole }: Pick<TracingOptions, "latency" | "budget" | "whole">,
	{ originNs, intervalNs, take }: Parameters<Tracing["govern"]>[0],
): ReturnType<Tracing["govern"]> {
	const costs = session.calibrate();
	const limits = new Map<Target, number | undefined>();
	const governed: Governed<Target> = {
		get targets() {
			return session.targets;
		},
		streamsOf: (target) => streamControls(session, target),
		setGrowthChance: (target, stream, chance) => session.setGrowthChance(target, stream, chance),
		pidOf: ({ identity }) => identity.pid,
		allowedProcessors: (target) => {
			if (!limits.has(target)) limits.set(target, allowedProcessors(target.identity.pid));
			return limits.get(target);
		},
	};
	const governor = new Governor(governed, {
		...{ costs, rate: budget, whole, originNs, intervalNs, take },
		processors: availableParallelism(),
		cpuNs: processCpuNs,
		ownCpuNs: () => processCpuNs(process.pid) ?? 0,
		clockNs: () => Number(monotonicNs()),
		// It takes whole milliseconds.
		holdNs: (ns) => Bun.sleepSync(Math.ceil(ns / 1e6)),
	});
	const inner = costs.timedWorkNs + costs.leaveNs;
	const recordNs = Math.max(0, costs.growthNs - costs.growthCountNs);
	return { governor, overhead: latency ? { ownNs: costs.withinNs, innerNs: inner, recordNs } : undefined };
}

const systemClock: Clock = {
	monotonicNs,
	cpuNs: () => processCpuNs(process.pid) ?? 0,
	sleep: async (ms, stop) => await (stop === undefined ? Bun.sleep(ms) : stop.sleep(ms)),
};

/**
 * On a busy machine probes would stay attached for longer than wanted, and the ring would fill up, if we had to wait
 * for our turn. A command of `run` has been started before and keeps its own priority.
 */
function beOnTime(): void {
	try {
		setPriority(OWN_NICENESS);
	} catch (error) {
		// It takes CAP_SYS_NICE; without it windows are less exact and more may be lost, which is measured and
		// reported all the same.
		if (errnoCode(error) !== "EACCES" && errnoCode(error) !== "EPERM") throw error;
	}
}
