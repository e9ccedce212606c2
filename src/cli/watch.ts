/** `gomapgrow watch`: observes processes that run already, and those of the same name or file that start later. */
import { EXIT } from "../errors/error.ts";
import { checkHost } from "../kernel/host-check.ts";
import { observe } from "../observe/observation.ts";
import type { LiveView } from "../observe/sink.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { WatchedTargets } from "../observe/targets.ts";
import { chooseView } from "./choose-view.ts";
import type { LiveOptions } from "./options.ts";
import { stopOnSignals } from "./signals.ts";

/** No names: every Go program of the host. Returns the exit code. Throws E-HOST-…, E-TARGET-…, E-BIN-…, E-IO. */
export async function watch(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
): Promise<number> {
	return await watchWith(names, options, command, (stop) => chooseView(options, stop, false));
}

/** As `watch`, with a view that is made once the targets are found. */
export async function watchWith(
	names: readonly string[],
	options: LiveOptions,
	command: readonly string[],
	makeView: (stop: StopRequest) => LiveView,
): Promise<number> {
	const mode = checkHost(command);
	const watched = new WatchedTargets(names, { iterations: options.iterations });
	const targets = watched.start();
	const stop = new StopRequest();
	stopOnSignals(stop);
	await observe({
		...options,
		mode,
		view: makeView(stop),
		targets,
		poll: (nowMs) => watched.poll(nowMs),
		drop: (target) => watched.drop(target),
		stop,
		command,
	});
	return EXIT.done;
}
