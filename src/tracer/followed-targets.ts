/** The Go programs that observed processes start: they are observed, too, from their first instruction where they can be stopped there. */
import { GomapgrowError } from "../errors/error.ts";
import type { Followed, Follower } from "../kernel/follow.ts";
import { monotonicNs } from "../kernel/libc.ts";
import { BoundedCounts } from "../lib/bounded-counts.ts";
import type { PlanOptions } from "../plan/make-plan.ts";
import { describeProcess } from "../process/discover.ts";
import { isRunning, isThere } from "../process/process-watch.ts";
import { exeInode, exePath, readCmdline } from "../process/procfs.ts";
import type { Children } from "../records/records.ts";
import { Executable } from "./executable.ts";
import { Target } from "./target.ts";
import { type ForkedCopy, fileKey, type ProcessExit, type TargetChanges } from "./watched-targets.ts";

type Exec = Extract<Followed, { kind: "exec" }>;
type Exit = Extract<Followed, { kind: "exit" }>;
type Changes = Required<Omit<TargetChanges, "over">>;

/** A process that goes on with its parent's program for longer than it takes to execute another one. */
const COPY_NS = 1e9;
/** Pace of looking for processes of whose end we were not told. */
const LOOK_MS = 1000;
/** Different reasons. */
const MAX_REASONS = 64;
/** Executables that are kept planned. */
const MAX_EXECUTABLES = 256;

interface Observed {
	target: Target;
	startTime: number;
	/** It has ended, or executes another program; its copies do not. */
	gone: boolean;
	/** Processes that it has made by fork and that have not executed anything, and since when. */
	copies: Map<number, { sinceNs: number; told: boolean }>;
}

export class FollowedTargets {
	readonly #options: PlanOptions;
	readonly #observed = new Map<number, Observed>();
	/** Of those whose process executes another program by now. */
	readonly #past = new Set<Observed>();
	/** Those that are to be attached. */
	readonly #coming = new Map<Target, Exec>();
	readonly #executables = new Map<string, Executable>();
	readonly #missed = new BoundedCounts<string>(MAX_REASONS);
	#follower: Follower | undefined;
	#urgent = false;
	#nextLook = 0;
	#counts = { observed: 0, late: 0 };

	constructor(options: PlanOptions) {
		this.#options = options;
	}

	/** Begins; `wake` is called when there is something to poll. */
	begin(follower: Follower, wake: () => void): void {
		this.#follower = follower;
		follower.onNews(() => {
			this.#urgent = true;
			wake();
		});
	}

	/** Somebody may be waiting to be let go. */
	get urgent(): boolean {
		return this.#urgent;
	}

	/** What starts with this process is followed; its own program is none of ours. */
	addRoot(pid: number): void {
		this.#follower?.addRoot(pid);
	}

	/** A target with which it starts. */
	addTarget(target: Target, startTime: number): void {
		this.#observed.set(target.identity.pid, { target, startTime, gone: false, copies: new Map() });
	}

	/** What has changed since the previous poll. `nowMs`: any clock that only goes forward. */
	poll(nowMs: number): Changes {
		const changes: Changes = { ended: [], started: [], exits: [], copies: [] };
		const follower = this.#follower;
		if (follower === undefined) return changes;
		this.#urgent = false;
		follower.attend();
		follower.drain((followed) => this.#take(followed, changes));
		this.#tellCopies(changes.copies);
		if (nowMs >= this.#nextLook) {
			this.#nextLook = nowMs + LOOK_MS;
			this.#look(changes);
		}
		return changes;
	}

	#take(followed: Followed, changes: Changes): void {
		switch (followed.kind) {
			case "fork":
				this.#fork(followed.pid, followed.parent);
				return;
			case "exec":
				this.#leave(followed.pid, changes);
				if (!followed.other) this.#exec(followed, changes.started);
				return;
			case "exit":
				this.#exit(followed, changes);
		}
	}

	/** The process or copy that this one is part of. */
	#of(pid: number): Observed | undefined {
		const own = this.#observed.get(pid);
		if (own !== undefined) return own;
		return [...this.#observed.values(), ...this.#past].find(({ copies }) => copies.has(pid));
	}

	#fork(pid: number, parent: number): void {
		if (pid !== 0) this.#of(parent)?.copies.set(pid, { sinceNs: Number(monotonicNs()), told: false });
	}

	/** The process executes something else, or has ended. */
	#leave(pid: number, { ended }: Pick<Changes, "ended">): void {
		const known = this.#of(pid);
		if (known === undefined) return;
		if (this.#observed.get(pid) === known) {
			this.#observed.delete(pid);
			this.#past.add(known);
			known.gone = true;
		} else known.copies.delete(pid);
		// Its sites are those of its copies.
		if (!known.gone || known.copies.size > 0) return;
		this.#past.delete(known);
		if (!this.#coming.has(known.target)) ended.push(known.target);
	}

	#exec(exec: Exec, started: Target[]): void {
		const follower = this.#follower;
		try {
			const target = this.#open(exec);
			this.#coming.set(target, exec);
			started.push(target);
		} catch (error) {
			if (exec.held) follower?.resume(exec.pid);
			if (!(error instanceof GomapgrowError && /^E-(BIN|TARGET|IO)/.test(error.code))) throw error;
			if (error.code.startsWith("E-BIN-")) follower?.ignore(exec.file);
			if (error.code !== "E-BIN-NOT-GO") this.#missed.add(reasonOf(error), 1);
		}
	}

	#open({ pid, tree }: Exec): Target {
		const { comm: name, startTime, exe } = describeProcess(pid);
		const openPath = exePath(pid);
		const identity = { pid, name, exe, openPath, command: readCmdline(pid), member: tree };
		const target = new Target(identity, this.#executableOf(openPath, pid));
		try {
			target.readBias();
		} catch (error) {
			target.close();
			throw error;
		}
		this.addTarget(target, startTime);
		return target;
	}

	#executableOf(path: string, pid: number): Executable {
		const key = fileKey(exeInode(pid));
		const known = this.#executables.get(key);
		if (known?.open) return known.share();
		const executable = new Executable(path, this.#options);
		for (const [old, { open }] of this.#executables) {
			if (!open || this.#executables.size >= MAX_EXECUTABLES) this.#executables.delete(old);
		}
		this.#executables.set(fileKey(executable.file.identity), executable);
		return executable;
	}

	#exit({ pid, status }: Exit, changes: Changes): void {
		const known = this.#of(pid);
		if (known === undefined) return;
		const copy = known.copies.get(pid);
		// It has not lived long enough to be told of.
		if (copy?.told === false && this.#observed.get(pid) !== known) changes.copies.push({ target: known.target, pid });
		changes.exits.push(exitOf(pid, status));
		this.#leave(pid, changes);
	}

	#tellCopies(told: ForkedCopy[]): void {
		const now = Number(monotonicNs());
		for (const { target, copies } of [...this.#observed.values(), ...this.#past]) {
			for (const [pid, copy] of copies) {
				if (copy.told || now - copy.sinceNs < COPY_NS) continue;
				copy.told = true;
				told.push({ target, pid });
			}
		}
	}

	/** Records of the kernel may have been lost. */
	#look(changes: Changes): void {
		for (const [pid, { startTime }] of this.#observed) {
			if (isRunning(pid, startTime)) continue;
			changes.exits.push({ pid });
			this.#leave(pid, changes);
		}
		for (const { copies } of [...this.#observed.values(), ...this.#past]) {
			for (const [pid, { told }] of copies) {
				if (isThere(pid)) continue;
				if (told) changes.exits.push({ pid });
				this.#leave(pid, changes);
			}
		}
	}

	/** The target's probes are attached: its process may go on. */
	attached(target: Target): void {
		const exec = this.#coming.get(target);
		if (exec === undefined) return;
		this.#coming.delete(target);
		this.#counts.observed++;
		if (!(exec.held && this.#follower?.resume(exec.pid) === true)) this.#counts.late++;
	}

	/** The target could not be attached, and is closed. Returns whether it is one of ours. */
	drop(target: Target, why: string): boolean {
		const exec = this.#coming.get(target);
		if (exec === undefined) return false;
		this.#coming.delete(target);
		if (exec.held) this.#follower?.resume(exec.pid);
		if (this.#observed.get(exec.pid)?.target === target) this.#observed.delete(exec.pid);
		this.#missed.add(why, 1);
		return true;
	}

	/** What was seen, and what was not. */
	children(): Children | undefined {
		if (this.#follower === undefined) return undefined;
		const { executed, lost, untracked } = this.#follower.counts();
		const missed = Object.entries(this.#missed.record()).map(([reason, count = 0]) => ({ reason, count }));
		if (lost > 0) missed.push({ reason: "more was executed at once than could be read", count: lost });
		if (untracked > 0) missed.push({ reason: "more processes at once than can be followed", count: untracked });
		return { executed, ...this.#counts, missed };
	}
}

function reasonOf({ code, found }: GomapgrowError): string {
	return /^E-TARGET-(GONE|NOT-FOUND)$/.test(code) ? "it had ended before its program was looked at" : found;
}

/** Of a status as of wait(2). */
function exitOf(pid: number, status: number | undefined): ProcessExit {
	if (status === undefined) return { pid };
	const signal = status & 0x7f;
	return signal === 0 ? { pid, code: (status >> 8) & 0xff } : { pid, signal };
}
