/** `gomapgrow run -- CMD`: starts a command with its probes in place before its first instruction. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { basename } from "node:path";
import { GomapgrowError } from "../errors/error.ts";
import { nameForFile } from "../export/private-file.ts";
import type { Follower } from "../kernel/follow.ts";
import { type ExitStatus, HeldProcess, shellExitCode } from "../kernel/held-process.ts";
import { checkHost } from "../kernel/host-check.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { readStat } from "../process/procfs.ts";
import { resolveCommand } from "../process/resolve-command.ts";
import { Executable } from "../tracer/executable.ts";
import { FollowedTargets } from "../tracer/followed-targets.ts";
import { Target, type TargetIdentity } from "../tracer/target.ts";
import { chooseSinks, recordsOnStdout } from "./choose-sinks.ts";
import { observeLive } from "./observe-live.ts";
import type { LiveOptions } from "./options.ts";
import { stopOnSignals } from "./signals.ts";

/** How long a command that was sent a signal may take to end before we leave without it. */
const END_GRACE_MS = 500;
const POLL_MS = 10;
const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The soft limit of open files that the command would have without us: our parent's, because our runtime raises our own. 0: unknown. */
function parentOpenFiles(): number {
	try {
		const limits = readFileSync(`/proc/${process.ppid}/limits`, "utf8");
		return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
	} catch {
		// Another user's parent (sudo): the command gets our limit, which is higher.
		return 0;
	}
}

/** Waits for the command's end, at most `ms`; undefined when it still runs then. */
async function waitForEnd(child: HeldProcess, ms: number): Promise<ExitStatus | undefined> {
	for (const until = performance.now() + ms; ; ) {
		const status = child.poll();
		if (status !== undefined || performance.now() >= until) return status;
		await Bun.sleep(POLL_MS);
	}
}

class RunningCommand {
	readonly #child: HeldProcess;
	#signal: NodeJS.Signals | undefined;
	#released = false;

	constructor(child: HeldProcess) {
		this.#child = child;
	}

	release(): void {
		this.#released = true;
		this.#child.release();
	}

	get running(): boolean {
		return this.#child.poll() === undefined;
	}

	/** Passes a signal on. From a terminal the command has got Ctrl-C already, as part of the foreground group. */
	signal(signal: NodeJS.Signals): void {
		this.#signal = signal;
		const fromTerminal = signal === "SIGINT" && process.stdin.isTTY;
		if (this.#released && !fromTerminal && this.running) process.kill(this.#child.pid, signal);
	}

	/** The command's exit code; after a signal it gets half a second to end, otherwise all the time it wants. */
	async exitCode(): Promise<number> {
		while (this.#signal === undefined) {
			const status = await waitForEnd(this.#child, POLL_MS);
			if (status !== undefined) return shellExitCode(status);
		}
		const status = await waitForEnd(this.#child, END_GRACE_MS);
		if (status !== undefined) return shellExitCode(status);
		process.stderr.write(`gomapgrow: the command (process ${this.#child.pid}) is still running, no longer observed\n`);
		return 128 + (SIGNAL_NUMBERS[this.#signal] ?? 0);
	}

	/** After a failure: a command that never ran ends, one that runs is left to itself. */
	abandon(): void {
		if (!this.#released) this.#child.abandon();
	}
}

/** The file of --output, with the command's name and PID where it has `{name}` and `{pid}`: `go test -exec` starts one of us for each test binary. */
function outputFor(output: string | undefined, path: string, pid: number): string | undefined {
	return output?.replaceAll("{name}", nameForFile(basename(path))).replaceAll("{pid}", String(pid));
}

/** Returns the command's exit code, 128 + n when signal n killed it. Throws E-HOST-…, E-TARGET-EXEC, E-BIN-…, E-IO. */
export async function run(argv: readonly string[], options: LiveOptions, command: readonly string[]): Promise<number> {
	const [name] = argv;
	if (name === undefined) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a command after --",
			found: "none",
			mend: "gomapgrow run -- ./server --port 8080",
		});
	}
	const mode = checkHost(command);
	const path = resolveCommand(name);
	const stop = new StopRequest();
	const child = new HeldProcess({
		path,
		argv,
		env: process.env,
		stdoutFd: recordsOnStdout(options) ? 2 : 1,
		nofileSoft: parentOpenFiles(),
	});
	const running = new RunningCommand(child);
	stopOnSignals(stop, (signal) => running.signal(signal));
	const followed = options.follow
		? new FollowedTargets({ iterations: options.iterations, makes: options.makes })
		: undefined;
	let unfollowed: string | undefined;
	try {
		const identity: TargetIdentity = { pid: child.pid, name: basename(path), exe: path, openPath: path, command: argv };
		const { target, error } = openCommand(identity, options, followed !== undefined);
		await observeLive({
			...options,
			...chooseSinks({ ...options, output: outputFor(options.output, path, child.pid) }, stop, true),
			mode,
			whole: true,
			targets: target === undefined ? [] : [target],
			mayBeEmpty: target === undefined,
			...(followed === undefined
				? {}
				: following({ followed, stop, target, error, pid: child.pid, notFollowed: (why) => (unfollowed = why) })),
			onAttached: () => {
				// Not before: when attaching fails, that is the error.
				if (unfollowed !== undefined)
					process.stderr.write(`gomapgrow: processes that the command starts are not observed: ${unfollowed}\n`);
				running.release();
			},
			poll: (nowMs) => {
				const status = child.poll();
				const changes = followed?.poll(nowMs) ?? { ended: [], started: [], exits: [] };
				if (status === undefined) return { ...changes, over: false };
				const exits = changes.exits.filter(({ pid }) => pid !== child.pid);
				const ended = changes.ended.filter((one) => one !== target);
				return { ...changes, ended, exits: [...exits, { pid: child.pid, ...status }], over: true };
			},
			stop,
			command,
		});
	} catch (error) {
		running.abandon();
		throw error;
	}
	return await running.exitCode();
}

/** The command as a target; without one: why it is none, where what it starts may be. Throws E-BIN-…, E-TARGET-… */
function openCommand(
	identity: TargetIdentity,
	{ iterations, makes }: LiveOptions,
	follows: boolean,
): { target?: Target; error?: GomapgrowError } {
	try {
		const executable = new Executable(identity.openPath, { iterations, makes });
		return { target: new Target(follows ? { ...identity, member: "root" } : identity, executable) };
	} catch (error) {
		if (follows && error instanceof GomapgrowError && mayStartOthers(error, identity.openPath)) return { error };
		throw error;
	}
}

/** A program that is not Go's, or a script. Files that this machine cannot execute, and damaged ones, start nothing. */
function mayStartOthers({ code }: GomapgrowError, path: string): boolean {
	return code === "E-BIN-NOT-GO" || (code === "E-BIN-NOT-ELF" && isScript(path));
}

function isScript(path: string): boolean {
	const start = Buffer.alloc(2);
	const fd = openSync(path, "r");
	try {
		readSync(fd, start, 0, start.length, 0);
	} finally {
		closeSync(fd);
	}
	return start.toString("latin1") === "#!";
}

interface FollowingParts {
	followed: FollowedTargets;
	stop: StopRequest;
	target: Target | undefined;
	/** Why there is none. */
	error: GomapgrowError | undefined;
	pid: number;
	/** Takes why what the command starts is not observed. */
	notFollowed: (why: string) => void;
}

/** What the observation needs to follow what the command starts. */
function following({ followed, stop, target, error, pid, notFollowed }: FollowingParts) {
	return {
		following: {
			holds: true,
			begin: (follower: Follower | undefined, why: string): void => {
				if (follower === undefined) {
					if (error !== undefined) throw cannotFollow(why, error);
					notFollowed(why);
					return;
				}
				followed.begin(follower, () => stop.wake());
				if (target === undefined) followed.addRoot(pid);
				else followed.addTarget(target, readStat(pid).startTime);
			},
		},
		isUrgent: () => followed.urgent,
		attached: (one: Target) => followed.attached(one),
		drop: (one: Target, why: string) => {
			followed.drop(one, why);
		},
		children: () => followed.children(),
	};
}

function cannotFollow(why: string, { code, wanted, found }: GomapgrowError): GomapgrowError {
	return new GomapgrowError(code, { wanted, found: `${found}; and what it starts cannot be observed here: ${why}` });
}
