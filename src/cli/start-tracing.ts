/**
 * Loads the BPF programs for an observation and puts together what touches the kernel: the session, the governor, the
 * clocks.
 */
import { availableParallelism, hostname, release, setPriority } from "node:os";
import { type Governed, Governor } from "../budget/governor.ts";
import { GomapgrowError } from "../errors/error.ts";
import { type FollowOffsets, kernelOffsets } from "../kernel/btf.ts";
import type { AttachMode } from "../kernel/features.ts";
import type { Follower } from "../kernel/follow.ts";
import { monotonicNs, processCpuNs, wallNs } from "../kernel/libc.ts";
import type { Clock } from "../observe/clock.ts";
import type { Tracing } from "../observe/observation.ts";
import { allowedProcessors } from "../process/cpu-limit.ts";
import { MACHINE } from "../process/machine.ts";
import { errnoCode } from "../process/procfs-file.ts";
import { Session, type SessionOptions } from "../tracer/session.ts";
import { streamControls } from "../tracer/stream-controls.ts";
import type { Stream } from "../tracer/streams.ts";
import type { Target } from "../tracer/target.ts";
import { sitesNeeded, type Timing } from "../tracer/timed-probes.ts";

const OWN_NICENESS = -10;
/** Room for probes of processes that start later, beside as many again as there are now. */
const SPARE_SITES = 1024;
/** The same where their children are observed, too: a hundred programs at once. */
const SPARE_SITES_FOLLOWING = 4096;
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
	/** Absent: what targets start is not followed. */
	following?: Following | undefined;
}

/** Those who follow what targets start. */
export interface Following {
	/** Whether a program is stopped until its probes are attached. */
	holds: boolean;
	/** Called with a follower, or with why there is none; may throw. */
	begin(follower: Follower | undefined, why: string): void;
}

/** Nothing is attached yet. Throws E-HOST-…; nothing is left behind then. */
export function startTracing(options: TracingOptions): Tracing {
	const { mode, targets, latency, iterations, makes, budget, whole } = options;
	const anchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	try {
		beOnTime();
		const offsets = latency || options.following !== undefined ? kernelOffsets() : { task: {} };
		const task = latency ? offsets.task : {};
		const timing: Timing = { latency, fsBase: task.fsBase };
		const needed = targets.reduce((sum, { plan }) => sum + sitesNeeded(plan, timing), 0);
		const spare = options.following === undefined ? SPARE_SITES : SPARE_SITES_FOLLOWING;
		const session = openSession(
			{
				...{ mode, anchor, latency, task, iterations, makes, maxSites: 2 * needed + spare },
				streams: budget === undefined || whole ? undefined : FIRST_STREAMS,
			},
			offsets.follow,
			options.following,
		);
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

/** Follows what targets start where that is wanted and the host lets us. */
function openSession(
	options: SessionOptions,
	offsets: FollowOffsets | undefined,
	following: Following | undefined,
): Session {
	if (following === undefined) return new Session(options);
	let why = "the kernel does not say where its fields are (/sys/kernel/btf/vmlinux), or lockdown forbids to read them";
	if (options.mode === "perf-address") why = "the kernel has no attach cookies (Linux 5.15)";
	else if (offsets !== undefined) {
		try {
			const session = new Session({ ...options, follow: { offsets, holds: following.holds } });
			try {
				following.begin(session.follower, "");
				return session;
			} catch (error) {
				session.close();
				throw error;
			}
		} catch (error) {
			if (!(error instanceof GomapgrowError && error.code === "E-HOST-BPF")) throw error;
			why = `${error.wanted}: ${error.found}`;
		}
	}
	following.begin(undefined, why);
	return new Session(options);
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
