/** `gomapgrow watch`: observes processes that run already. */
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { Target } from "../session/target.ts";
import { describeProcess, resolveTarget, type TargetProcess } from "../target/discover.ts";
import { isRunning } from "../target/process-watch.ts";
import { exePath, listPids } from "../target/procfs.ts";
import { chooseView } from "./choose-view.ts";
import { checkHost } from "./host-check.ts";
import { observe, StopRequest } from "./observe.ts";
import type { LiveOptions } from "./options.ts";
import { stopOnSignals } from "./signals.ts";

function openTarget(process: TargetProcess): Target {
	const target = new Target({ pid: process.pid, name: process.comm, exe: process.exe, openPath: exePath(process.pid) });
	try {
		target.readBias();
	} catch (error) {
		target.close();
		throw error;
	}
	return target;
}

function openTargets(processes: readonly TargetProcess[]): Target[] {
	const targets: Target[] = [];
	try {
		for (const process of processes) targets.push(openTarget(process));
	} catch (error) {
		for (const target of targets) target.close();
		throw error;
	}
	return targets;
}

/** Errors that only say that a process is nothing for us. */
function isNoGoProgram(error: unknown): boolean {
	return error instanceof GomapgrowError && /^E-(BIN|TARGET)-/.test(error.code);
}

/** Every Go program that runs now and whose maps can grow; programs started later are not in it. Throws E-TARGET-NOT-FOUND. */
function allGoPrograms(): { processes: TargetProcess[]; targets: Target[] } {
	const processes: TargetProcess[] = [];
	const targets: Target[] = [];
	for (const pid of listPids()) {
		if (pid === process.pid) continue;
		try {
			const candidate = describeProcess(pid);
			targets.push(openTarget(candidate));
			processes.push(candidate);
		} catch (error) {
			if (!isNoGoProgram(error)) throw error;
		}
	}
	if (targets.length === 0) {
		throw new GomapgrowError("E-TARGET-NOT-FOUND", {
			wanted: "a running Go program",
			found: "none among the processes of this host",
			mend: "gomapgrow run -- ./program",
		});
	}
	return { processes, targets };
}

function namedPrograms(names: readonly string[]): { processes: TargetProcess[]; targets: Target[] } {
	// The same process may have been named twice.
	const byPid = new Map(names.map((name) => resolveTarget(name)).map((found) => [found.pid, found]));
	const processes = [...byPid.values()];
	return { processes, targets: openTargets(processes) };
}

/** No names: every Go program of the host. Returns the exit code. Throws E-HOST-…, E-TARGET-…, E-BIN-…, E-IO. */
export async function watch(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
): Promise<number> {
	const mode = checkHost(command);
	const { processes, targets } = names.length === 0 ? allGoPrograms() : namedPrograms(names);
	const startTimes = new Map(processes.map((found) => [found.pid, found.startTime]));
	const stop = new StopRequest();
	stopOnSignals(stop);
	await observe({
		mode,
		view: chooseView(options, stop, false),
		targets,
		isAlive: ({ identity }) => isRunning(identity.pid, startTimes.get(identity.pid) ?? -1),
		intervalMs: options.intervalMs,
		durationMs: options.durationMs,
		stop,
		command,
	});
	return EXIT.done;
}
