/** One run of `verify`: attaches both counters, reads them at the beginning and at the end, and compares. */

import { GomapgrowError } from "../errors/error.ts";
import type { AttachMode } from "../kernel/features.ts";
import { monotonicNs, wallNs } from "../kernel/libc.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { StopRequest } from "../observe/stop-request.ts";
import { targetRecord } from "../observe/target-record.ts";
import type { TargetProcess } from "../process/discover.ts";
import { isRunning } from "../process/process-watch.ts";
import { exePath } from "../process/procfs.ts";
import { othersExecuting } from "../process/same-executable.ts";
import { countRunnable, listThreads } from "../process/threads.ts";
import type { EndReason } from "../records/records.ts";
import { type ClockAnchor, timeOf } from "../records/time.ts";
import { Executable } from "../tracer/executable.ts";
import { Session } from "../tracer/session.ts";
import { Target } from "../tracer/target.ts";
import {
	type Circumstances,
	differenceOf,
	judge,
	type Offset,
	offsetOf,
	type PairedSample,
	widthOf,
	worstOf,
} from "./compare.ts";
import { byHand } from "./equivalent-commands.ts";
import { DoubleCount, type PerfScope } from "./perf-counters.ts";
import type { VerificationRecord, VerifiedFunction } from "./record.ts";

/** Pace of looking for new threads, and whether the process still runs. */
const POLL_MS = 20;
/** New processes are looked for every this many polls: it takes a look at all that there are. */
const PROCESS_POLLS = 25;
/** How long to look for a moment at which nothing passes a site, and how often. */
const SETTLE_MS = 400;
const SETTLE_PACE_MS = 2;

export interface VerificationOptions {
	mode: AttachMode;
	durationMs: number;
	/** Ends it from outside. */
	stop: StopRequest;
	sleep: (ms: number) => Promise<void>;
	/** Called when both count. */
	onCounting: (target: Target, functions: number) => void;
}

/** What both counters of a site said at one moment. */
interface Reading {
	offset: Offset;
	perf: number;
	calls: number;
	restarts: number;
}

class Verification {
	readonly #process: TargetProcess;
	readonly #options: VerificationOptions;
	readonly #target: Target;
	readonly #anchor: ClockAnchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	readonly #session: Session;
	readonly #count: DoubleCount;
	readonly #scope: Circumstances["scope"];
	/** Threads that perf counts; processes of the same file that were there before. */
	readonly #tids = new Set<number>();
	readonly #startedTids = new Set<number>();
	readonly #startedPids = new Set<number>();
	#begunNs = 0n;

	constructor(observed: TargetProcess, target: Target, session: Session, options: VerificationOptions) {
		this.#process = observed;
		this.#options = options;
		this.#target = target;
		this.#session = session;
		// Counting on all processors misses no thread, but also counts other processes.
		const others = othersExecuting(observed.pid);
		this.#scope = others?.length === 0 ? "processors" : "threads";
		this.#count = new DoubleCount(session, target, this.#perfScope());
	}

	#perfScope(): PerfScope {
		if (this.#scope === "processors") return { cpus: true };
		for (const tid of listThreads(this.#process.pid)) this.#tids.add(tid);
		return { tids: [...this.#tids] };
	}

	async run(): Promise<VerificationRecord> {
		try {
			if (this.#scope === "processors") this.#countMigrations();
			this.#noticeThreads();
			this.#startedTids.clear();
			const first = await this.#readAll();
			this.#begunNs = monotonicNs();
			this.#options.onCounting(this.#target, first.length);
			const reason = await this.#wait();
			const lasted = Number(monotonicNs() - this.#begunNs);
			this.#notice();
			const last = await this.#readAll();
			return this.#record(first, last, reason, lasted);
		} finally {
			this.#count.close();
		}
	}

	async #wait(): Promise<EndReason> {
		const { stop, durationMs } = this.#options;
		const deadline = this.#begunNs + BigInt(Math.round(durationMs * 1e6));
		for (let poll = 1; ; poll++) {
			if (stop.reason !== undefined) return stop.reason;
			if (!this.#isRunning()) return "target-exit";
			const leftMs = Number(deadline - monotonicNs()) / 1e6;
			if (leftMs <= 0) return "duration";
			await stop.sleep(Math.max(1, Math.min(POLL_MS, leftMs)));
			if (poll % PROCESS_POLLS === 0) this.#notice();
			else this.#noticeThreads();
			// Growths that began before they were told to be no records.
			this.#session.drain(() => {});
		}
	}

	/** Those that start while they are listed are in the next list, or inherit. */
	#countMigrations(): void {
		for (let known = 0, threads = this.#threads(); threads.length > known; threads = this.#threads()) {
			known = threads.length;
			for (const tid of threads) this.#count.countMigrations(tid);
		}
	}

	#isRunning(): boolean {
		return isRunning(this.#process.pid, this.#process.startTime);
	}

	#notice(): void {
		this.#noticeThreads();
		if (this.#scope === "threads" || !this.#isRunning()) return;
		for (const pid of this.#unlessGone(() => othersExecuting(this.#process.pid)) ?? []) this.#startedPids.add(pid);
	}

	/** Perf counts new threads from when they are noticed. */
	#noticeThreads(): void {
		if (this.#scope === "processors") return;
		for (const tid of this.#threads()) {
			if (this.#tids.has(tid)) continue;
			this.#tids.add(tid);
			this.#startedTids.add(tid);
			this.#count.addThread(tid);
		}
	}

	#threads(): readonly number[] {
		return this.#unlessGone(() => listThreads(this.#process.pid)) ?? [];
	}

	#unlessGone<T>(read: () => T): T | undefined {
		try {
			return read();
		} catch (error) {
			if (error instanceof GomapgrowError && error.code === "E-TARGET-GONE") return undefined;
			throw error;
		}
	}

	/** Reads all sites, each at a moment at which nothing passes it, as far as there is one. */
	async #readAll(): Promise<Reading[]> {
		const readings = this.#count.probes.map((_, index) => this.#read(index));
		const deadline = monotonicNs() + BigInt(SETTLE_MS * 1e6);
		while (readings.some(({ offset }) => widthOf(offset) > 0) && monotonicNs() < deadline) {
			await this.#options.sleep(SETTLE_PACE_MS);
			readings.forEach(({ offset }, index) => {
				if (widthOf(offset) === 0) return;
				const again = this.#read(index);
				if (widthOf(again.offset) < widthOf(offset)) readings[index] = again;
			});
		}
		return readings;
	}

	#read(index: number): Reading {
		const threads = this.#threads();
		const perf = (): number => this.#count.perfPasses(index);
		const bpf = (): { calls: number; restarts: number } => this.#count.ourPasses(index);
		const passes = ({ calls, restarts }: { calls: number; restarts: number }): number => calls + restarts;
		const perf0 = perf();
		const bpf0 = bpf();
		const perf1 = perf();
		const runnable = this.#unlessGone(() => countRunnable(this.#process.pid, threads)) ?? 0;
		const bpf1 = bpf();
		const sample: PairedSample = {
			perf: [perf0, perf1, perf()],
			bpf: [passes(bpf0), passes(bpf1)],
			runnable,
			threads: threads.length,
		};
		return { offset: offsetOf(sample), perf: perf0, ...bpf0 };
	}

	#record(
		first: readonly Reading[],
		last: readonly Reading[],
		reason: EndReason,
		durationNs: number,
	): VerificationRecord {
		const started = { threads: this.#startedTids.size, processes: this.#startedPids.size };
		const circumstances: Circumstances = {
			scope: this.#scope,
			threadsStarted: started.threads,
			otherProcesses: started.processes,
			migrations: this.#count.migrations,
		};
		const functions = this.#count.probes.map((_, index) => {
			return this.#function(index, first[index], last[index], circumstances);
		});
		const time = timeOf(this.#anchor, this.#begunNs);
		const { pid, name, exe, go_version, map_impl } = targetRecord(this.#target, time, { latency: false });
		const cheap = this.#count.probes.filter(({ site }) => site.cost === "emulated");
		const sites = cheap.map(({ fn, site }) => ({ fn, address: site.address, fileOffset: site.fileOffset }));
		const code = this.#target.binary.elf.segments.filter(({ executable }) => executable);
		const lowest = Math.min(...code.map(({ vaddr }) => vaddr));
		const seconds = Math.max(1, Math.round(this.#options.durationMs / 1000));
		return {
			type: "verification",
			time,
			duration_ns: durationNs,
			reason,
			...{ pid, name, exe, go_version, map_impl },
			scope: this.#scope,
			...(started.threads === 0 ? {} : { threads_started: started.threads }),
			...(started.processes === 0 ? {} : { other_processes: started.processes }),
			...(circumstances.migrations === 0 ? {} : { migrations: circumstances.migrations }),
			functions,
			not_probed: this.#target.plan.skipped.map(({ fn, reason }) => ({ fn, reason: sanitize(reason) })),
			verdict: worstOf(functions.map(({ verdict }) => verdict)),
			...(sites.length === 0 ? {} : { by_hand: byHand(pid, sites, lowest, seconds) }),
		};
	}

	#function(
		index: number,
		first: Reading | undefined,
		last: Reading | undefined,
		circumstances: Circumstances,
	): VerifiedFunction {
		const probe = this.#count.probes[index];
		if (probe === undefined || first === undefined || last === undefined) throw new RangeError(`no site ${index}`);
		const { fn, tier, site } = probe;
		const calls = last.calls - first.calls;
		const restarts = last.restarts - first.restarts;
		const difference = differenceOf(first.offset, last.offset);
		return {
			...{ fn, tier },
			address: `0x${site.address.toString(16)}`,
			file_offset: site.fileOffset,
			instruction: site.instruction,
			cost: site.cost,
			...{ calls, restarts },
			passes: { bpf: calls + restarts, perf: last.perf - first.perf },
			difference,
			...judge(difference, circumstances),
		};
	}
}

/** Counts twice and compares. Throws E-HOST-…, E-TARGET-…, E-BIN-…; nothing stays attached. */
export async function runVerification(
	observed: TargetProcess,
	options: VerificationOptions,
): Promise<VerificationRecord> {
	const { pid, comm, exe } = observed;
	const openPath = exePath(pid);
	const target = new Target({ pid, name: comm, exe, openPath }, new Executable(openPath));
	let session: Session;
	try {
		target.readBias();
		session = new Session({
			mode: options.mode,
			anchor: { wallNs: wallNs(), monotonicNs: monotonicNs() },
			latency: false,
			iterations: false,
			maxSites: target.plan.probes.length,
		});
	} catch (error) {
		target.close();
		throw error;
	}
	try {
		session.attach(target);
		// The records are not wanted: counting alone is cheap.
		for (const stream of ["large", "small"] as const) session.setGrowthChance(target, stream, 0);
		return await new Verification(observed, target, session, options).run();
	} finally {
		session.close();
	}
}
