/** `gomapgrow watch`: observes processes that run already, and those of the same name or file that start later. */
import { EXIT } from "../errors/error.ts";
import { checkHost } from "../kernel/host-check.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { WatchedTargets } from "../tracer/watched-targets.ts";
import { chooseSinks, type LiveSinks } from "./choose-sinks.ts";
import { observeLive } from "./observe-live.ts";
import type { LiveOptions } from "./options.ts";
import { stopOnSignals } from "./signals.ts";

/** No names: every Go program of the host. Returns the exit code. Throws E-HOST-…, E-TARGET-…, E-BIN-…, E-IO. */
export async function watch(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
): Promise<number> {
	return await watchWith(names, options, command, (stop) => chooseSinks(options, stop, false));
}

/** As `watch`, with sinks that are made once the targets are found. */
export async function watchWith(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
	makeSinks: (stop: StopRequest) => LiveSinks,
): Promise<number> {
	const mode = checkHost(command);
	const watched = new WatchedTargets(names, { iterations: options.iterations });
	const targets = watched.start();
	const stop = new StopRequest();
	stopOnSignals(stop);
	await observeLive({
		...options,
		...makeSinks(stop),
		mode,
		whole: false,
		targets,
		poll: (nowMs) => watched.poll(nowMs),
		drop: (target) => watched.drop(target),
		stop,
		command,
	});
	return EXIT.done;
}
