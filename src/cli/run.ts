/** `gomapgrow run -- CMD`: starts a command with its probes in place before its first instruction. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { GomapgrowError } from "../errors/error.ts";
import { nameForFile } from "../export/private-file.ts";
import { type ExitStatus, HeldProcess, shellExitCode } from "../kernel/held-process.ts";
import { checkHost } from "../kernel/host-check.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { resolveCommand } from "../process/resolve-command.ts";
import { Executable } from "../tracer/executable.ts";
import { Target } from "../tracer/target.ts";
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
	try {
		const identity = { pid: child.pid, name: basename(path), exe: path, openPath: path };
		const target = new Target(identity, new Executable(path, { iterations: options.iterations, makes: options.makes }));
		await observeLive({
			...options,
			...chooseSinks({ ...options, output: outputFor(options.output, path, child.pid) }, stop, true),
			mode,
			whole: true,
			targets: [target],
			onAttached: () => running.release(),
			poll: () => {
				const status = child.poll();
				const exits = status === undefined ? [] : [{ pid: child.pid, ...status }];
				return { ended: [], started: [], exits, over: status !== undefined };
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
