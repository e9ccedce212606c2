/** Which view a live command gets: records with --json, the screen on a terminal, lines otherwise. */
import { decideColor } from "../output/color.ts";
import type { LiveView } from "./live-view.ts";
import type { StopRequest } from "./observe.ts";
import type { LiveOptions } from "./options.ts";
import { JsonView } from "./views/json-view.ts";
import { LineView } from "./views/line-view.ts";
import { ScreenView } from "./views/screen-view.ts";

/**
 * `commandOutput`: an observed command writes to our standard output, so the view goes to standard error, and as lines where both are the
 * same terminal.
 */
export function chooseView(options: LiveOptions, stop: StopRequest, commandOutput: boolean): LiveView {
	if (options.json) return new JsonView();
	const stream = commandOutput ? process.stderr : process.stdout;
	const mixed = commandOutput && process.stdout.isTTY;
	if (!stream.isTTY || mixed) return new LineView(stream.fd);
	const color = decideColor({
		flag: options.color,
		env: { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM },
		isTTY: true,
	});
	return new ScreenView(stream, color, () => stop.request("interrupt"));
}
