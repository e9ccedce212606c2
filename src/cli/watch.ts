/** `gomapgrow watch`: observes processes that run already, and those of the same name or file that start later. */
import { EXIT } from "../errors/error.ts";
import { checkHost } from "../kernel/host-check.ts";
import { sanitize } from "../lib/sanitize.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { unwatchableText } from "../programs/text.ts";
import type { Target } from "../tracer/target.ts";
import { WatchedTargets } from "../tracer/watched-targets.ts";
import { chooseSinks, type LiveSinks } from "./choose-sinks.ts";
import { observeLive } from "./observe-live.ts";
import type { LiveOptions } from "./options.ts";
import { stopOnSignals } from "./signals.ts";

/** Longest note about processes that are left out. */
const MAX_NOTE = 1000;

/** No names: every Go program of the host. Returns the exit code. Throws E-HOST-…, E-TARGET-…, E-BIN-…, E-IO. */
export async function watch(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
): Promise<number> {
	return await watchWith(names, options, command, (stop) => chooseSinks(options, stop, false));
}

/** Says which Go processes are left out. */
function startNoting(watched: WatchedTargets): Target[] {
	try {
		return watched.start();
	} finally {
		for (const text of unwatchableText(watched.leftOut)) {
			process.stderr.write(`gomapgrow: not watched: ${sanitize(text, MAX_NOTE)}\n`);
		}
	}
}

/** As `watch`, with sinks that are made once the targets are found. */
export async function watchWith(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
	makeSinks: (stop: StopRequest) => LiveSinks,
): Promise<number> {
	const mode = checkHost(command);
	const watched = new WatchedTargets(
		names,
		{ iterations: options.iterations, makes: options.makes },
		options.inContainers,
	);
	const targets = startNoting(watched);
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
