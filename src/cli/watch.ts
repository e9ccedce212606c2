/** `gomapgrow watch`: observes processes that run already. */
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { Target } from "../session/target.ts";
import { resolveTarget, type TargetProcess } from "../target/discover.ts";
import { isRunning } from "../target/process-watch.ts";
import { exePath } from "../target/procfs.ts";
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

/** Returns the exit code. Throws E-HOST-…, E-TARGET-…, E-BIN-…, E-IO. */
export async function watch(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
): Promise<number> {
	if (names.length === 0) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a process to watch: its PID, its name or the path of its executable",
			found: "none",
			mend: "gomapgrow watch --help",
		});
	}
	const mode = checkHost(command);
	const processes = new Map(names.map((name) => resolveTarget(name)).map((process) => [process.pid, process]));
	const targets = openTargets([...processes.values()]);
	const stop = new StopRequest();
	stopOnSignals(stop);
	await observe({
		mode,
		view: chooseView(options, stop, false),
		targets,
		isAlive: ({ identity }) => isRunning(identity.pid, processes.get(identity.pid)?.startTime ?? -1),
		intervalMs: options.intervalMs,
		durationMs: options.durationMs,
		stop,
		command,
	});
	return EXIT.done;
}
