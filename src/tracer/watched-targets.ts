/**
 * The processes that `watch` observes: those that run at the start, and those of the same name or file that come
 * later.
 */
import { GomapgrowError } from "../errors/error.ts";
import { BoundedTable } from "../lib/bounded-table.ts";
import type { PlanOptions } from "../plan/make-plan.ts";
import { type ContainerFilter, filterText, matchesContainer } from "../process/container-filter.ts";
import { Containers } from "../process/containers.ts";
import { describeProcess, everyProcess, isPid, resolveTargets, type TargetProcess } from "../process/discover.ts";
import { isRunning } from "../process/process-watch.ts";
import { exeInode, exePath, type FileInode, listPids } from "../process/procfs.ts";
import { Executable } from "./executable.ts";
import { requireKnownNumbers } from "./known-numbers.ts";
import { Target } from "./target.ts";

/** Pace of looking for new processes. */
const LOOK_MS = 1000;
/**
 * Executables that are nothing for us are remembered up to this many; without names, every short-lived process would
 * have its own opened.
 */
const MAX_REFUSED = 1024;
/** How long to wait for another process of a name when the last one has ended: a service that is restarted. */
const ABSENCE_MS = 5000;

interface Observed {
	target: Target;
	startTime: number;
	/** What the process executes; another one after it has called execve. */
	exe: FileInode;
}

/** A process has ended: `code` or `signal` where it is known how. */
export interface ProcessExit {
	pid: number;
	code?: number;
	signal?: number;
}

/** A Go process that is not observed although all were asked for. */
export interface LeftOut {
	pid: number;
	/** Untrusted text. */
	name: string;
	why: string;
}

/** Those of errors about programs that are Go's. */
const OF_GO_PROGRAMS = /^E-(BIN-(GO-OLD|GO-NEW|NO-MAPS|NO-SITES|ARCH|MALFORMED)|TARGET-PIDNS)$/;

/** A process that a target has made by fork and that executes the target's program, with its probes. */
export interface ForkedCopy {
	target: Target;
	pid: number;
}

/** What has changed since the previous poll. */
export interface TargetChanges {
	/** Also those whose process executes another program now. */
	ended: Target[];
	started: Target[];
	/** Processes that have ended. */
	exits: ProcessExit[];
	/** Where processes are followed. */
	copies?: ForkedCopy[];
	/** Nothing is left, and nothing will come. */
	over: boolean;
}

/** Errors that only say that a process is nothing for us. */
function isNoGoProgram(error: unknown): boolean {
	return error instanceof GomapgrowError && /^E-(BIN|TARGET)-/.test(error.code);
}

/** Identity of a file as it is now. */
export const fileKey = ({ dev, ino, mtimeNs, size }: FileInode): string => `${dev}:${ino}:${mtimeNs}:${size}`;

const keyOf = ({ pid, startTime }: TargetProcess, exe: FileInode): string =>
	`${pid}:${startTime}:${exe.dev}:${exe.ino}`;

export class WatchedTargets {
	readonly #names: readonly string[];
	readonly #options: PlanOptions;
	readonly #observed = new Map<number, Observed>();
	/** Processes that have been looked at: opening an executable anew at every look would be expensive. */
	#known = new Set<string>();
	/** Those that are observed, by file: planning the probes of each process anew would be expensive, too. */
	readonly #executables = new Map<string, Executable>();
	/** Why an executable is nothing for us. */
	readonly #refused = new BoundedTable<string, GomapgrowError>(MAX_REFUSED);
	readonly #leftOut: LeftOut[] = [];
	readonly #filter: ContainerFilter | undefined;
	readonly #containers = new Containers();
	#nextLook = 0;
	#absentSince: number | undefined;

	/** No names: every Go program of the host. `filter`: only those that are in such containers. */
	constructor(names: readonly string[], options: PlanOptions, filter?: ContainerFilter) {
		this.#names = names;
		this.#options = options;
		this.#filter = filter;
	}

	/** Go processes that `start` left out when no names were given. */
	get leftOut(): readonly LeftOut[] {
		return this.#leftOut;
	}

	/** Those that run now. Throws E-TARGET-… and, for programs that were named, E-BIN-…; none is open then. */
	start(): Target[] {
		try {
			const targets =
				this.#names.length === 0 ? this.#openEvery() : this.#names.flatMap((name) => this.#openNamed(name));
			if (targets.length > 0) return targets;
		} catch (error) {
			for (const { target } of this.#observed.values()) target.close();
			throw error;
		}
		const filter = this.#filter && filterText(this.#filter);
		throw new GomapgrowError("E-TARGET-NOT-FOUND", {
			wanted: filter === undefined ? "a running Go program" : `a running Go program in ${filter}`,
			found: "none among the processes of this host",
			mend:
				filter === undefined ? "gomapgrow run -- ./program" : "gomapgrow ps   # shows the containers of Go processes",
		});
	}

	#openEvery(): Target[] {
		const { targets, errors } = this.#openAll(everyProcess().processes);
		for (const [{ pid, comm }, error] of errors) {
			if (error instanceof GomapgrowError && OF_GO_PROGRAMS.test(error.code)) {
				this.#leftOut.push({ pid, name: comm, why: error.found });
			}
		}
		return targets;
	}

	/** Of several processes of one name some may be nothing for us; throws why when all are. */
	#openNamed(name: string): Target[] {
		const found = resolveTargets(name);
		const { targets, errors } = this.#openAll(found);
		const there = found.some(({ pid }) => this.#observed.has(pid));
		const [first] = errors;
		if (!there && first !== undefined) throw first[1];
		return targets;
	}

	/** Opens what is not observed yet. `errors`: why others are nothing for us. */
	#openAll(processes: readonly TargetProcess[]): { targets: Target[]; errors: [TargetProcess, unknown][] } {
		const targets: Target[] = [];
		const errors: [TargetProcess, unknown][] = [];
		for (const found of processes) {
			if (this.#observed.has(found.pid)) continue;
			let key = "";
			try {
				const exe = exeInode(found.pid);
				key = keyOf(found, exe);
				if (this.#known.has(key)) continue;
				this.#known.add(key);
				if (this.#filter !== undefined && !matchesContainer(this.#filter, this.#containers.of(found.pid))) continue;
				const refused = this.#refused.get(fileKey(exe));
				if (refused === undefined) targets.push(this.#open(found, exe));
				else errors.push([found, refused]);
			} catch (error) {
				if (!isNoGoProgram(error)) throw error;
				// It has ended, or is about to execute something: the next look tells.
				if (error instanceof GomapgrowError && error.code === "E-TARGET-GONE") this.#known.delete(key);
				errors.push([found, error]);
			}
		}
		return { targets, errors };
	}

	#open(found: TargetProcess, exe: FileInode): Target {
		const { pid, comm: name, startTime } = found;
		requireKnownNumbers(pid);
		const openPath = exePath(pid);
		const container = this.#containers.of(pid);
		const identity = { pid, name, exe: found.exe, openPath, ...(container === undefined ? {} : { container }) };
		const target = new Target(identity, this.#executableOf(openPath, exe));
		try {
			target.readBias();
		} catch (error) {
			target.close();
			throw error;
		}
		this.#observed.set(pid, { target, startTime, exe });
		return target;
	}

	#executableOf(path: string, exe: FileInode): Executable {
		const key = fileKey(exe);
		const known = this.#executables.get(key);
		if (known?.open) return known.share();
		try {
			const executable = new Executable(path, this.#options);
			// The process may have executed another file since it was looked at.
			this.#executables.set(fileKey(executable.file.identity), executable);
			return executable;
		} catch (error) {
			// What it says of the file holds for all that execute it.
			if (error instanceof GomapgrowError && error.code.startsWith("E-BIN-")) this.#refused.set(key, error);
			throw error;
		}
	}

	/**
	 * `nowMs`: any clock that only goes forward. The caller lets go of what has ended and takes over what has started.
	 */
	poll(nowMs: number): TargetChanges {
		const ended: Target[] = [];
		const started: Target[] = [];
		const exits: ProcessExit[] = [];
		for (const [pid, { target, startTime, exe }] of this.#observed) {
			const runs = isRunning(pid, startTime);
			if (runs && executes(pid, exe)) continue;
			this.#observed.delete(pid);
			ended.push(target);
			// It has called execve: the same process, another program.
			if (runs) started.push(...this.#again(pid));
			else exits.push({ pid });
		}
		if (nowMs >= this.#nextLook) {
			started.push(...this.#look());
			this.#nextLook = nowMs + LOOK_MS;
		}
		if (this.#observed.size > 0) this.#absentSince = undefined;
		else this.#absentSince ??= nowMs;
		const patience = this.#names.every(isPid) && this.#names.length > 0 ? 0 : ABSENCE_MS;
		const over = this.#absentSince !== undefined && nowMs - this.#absentSince >= patience;
		return { ended, started, exits, over };
	}

	#again(pid: number): Target[] {
		try {
			return this.#openAll([describeProcess(pid)]).targets;
		} catch (error) {
			if (!isNoGoProgram(error)) throw error;
			return [];
		}
	}

	#look(): Target[] {
		const names = this.#names.filter((name) => !isPid(name));
		if (names.length === 0 && this.#names.length > 0) return [];
		const found = this.#names.length === 0 ? everyProcess().processes : names.flatMap(namedNow);
		const { targets } = this.#openAll(found);
		this.#forget();
		return targets;
	}

	/** Keeps what is known of processes that are still there, and of what they execute. */
	#forget(): void {
		for (const [key, { open }] of this.#executables) if (!open) this.#executables.delete(key);
		const pids = new Set(listPids().map(String));
		this.#known = new Set([...this.#known].filter((key) => pids.has(key.slice(0, key.indexOf(":")))));
	}

	/** A target that could not be attached. */
	drop(target: Target): void {
		this.#observed.delete(target.identity.pid);
	}
}

function executes(pid: number, exe: FileInode): boolean {
	try {
		const now = exeInode(pid);
		return now.dev === exe.dev && now.ino === exe.ino;
	} catch (error) {
		// Ended in between: the next poll sees it.
		if (error instanceof GomapgrowError && error.code.startsWith("E-TARGET-")) return true;
		throw error;
	}
}

function namedNow(name: string): TargetProcess[] {
	try {
		return resolveTargets(name);
	} catch (error) {
		if (isNoGoProgram(error)) return [];
		throw error;
	}
}
