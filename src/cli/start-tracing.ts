/**
 * Loads the BPF programs for an observation and puts together what touches the kernel: the session, the governor, the
 * clocks.
 */
import { hostname, release, setPriority } from "node:os";
import { Governor } from "../budget/governor.ts";
import { taskOffsets } from "../kernel/btf.ts";
import type { AttachMode } from "../kernel/features.ts";
import { monotonicNs, processCpuNs, wallNs } from "../kernel/libc.ts";
import { machineTime } from "../kernel/machine-time.ts";
import type { Clock } from "../observe/clock.ts";
import type { Tracing } from "../observe/observation.ts";
import { MACHINE } from "../process/machine.ts";
import { errnoCode } from "../process/procfs-file.ts";
import { Session } from "../tracer/session.ts";
import type { Target } from "../tracer/target.ts";
import { needsFsBase, sitesNeeded, type Timing } from "../tracer/timed-probes.ts";

const OWN_NICENESS = -10;
/** Room for probes of processes that start later, beside as many again as there are now. */
const SPARE_SITES = 1024;

export interface TracingOptions {
	mode: AttachMode;
	/** Planned; closed when this throws. */
	targets: readonly Target[];
	/** Measure how long calls take; watch iterations. */
	latency: boolean;
	iterations: boolean;
	/** Share of a target's processor time that probing may cost; undefined: no limit. */
	budget: number | undefined;
}

/** Nothing is attached yet. Throws E-HOST-…; nothing is left behind then. */
export function startTracing({ mode, targets, latency, iterations, budget }: TracingOptions): Tracing {
	const anchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	try {
		beOnTime();
		// The kernel's description of itself is megabytes long: read for those that need it only.
		const fsBase = latency && targets.some(({ plan }) => needsFsBase(plan)) ? taskOffsets().fsBase : undefined;
		const timing: Timing = { latency, fsBase };
		const needed = targets.reduce((sum, { plan }) => sum + sitesNeeded(plan, timing), 0);
		const session = new Session({ mode, anchor, ...timing, iterations, maxSites: 2 * needed + SPARE_SITES });
		return {
			tracer: session,
			govern: () => govern(session, latency, budget),
			clock: systemClock,
			anchor,
			timing,
			host: { host: hostname(), kernel: release(), arch: MACHINE },
		};
	} catch (error) {
		for (const target of targets) target.close();
		throw error;
	}
}

function govern(session: Session, latency: boolean, budget: number | undefined): ReturnType<Tracing["govern"]> {
	const costs = session.calibrate();
	const clockNs = (): number => Number(monotonicNs());
	// It takes whole milliseconds.
	const holdNs = (ns: number): void => Bun.sleepSync(Math.ceil(ns / 1e6));
	const governor = new Governor(session, { costs, budget, cpuNs: processCpuNs, clockNs, machineTime, holdNs });
	return { governor, timedCallNs: latency ? costs.timedWorkNs + costs.leaveNs : undefined };
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
