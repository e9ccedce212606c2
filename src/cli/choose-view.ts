/** Which view a live command gets: records with --json, the screen on a terminal, lines otherwise; and what is written to files beside it. */

import { FlameView } from "../export/flame-sink.ts";
import { JsonView } from "../export/ndjson-sink.ts";
import { NewFile } from "../export/new-file.ts";
import { RecordView } from "../export/recording-sink.ts";
import type { LiveView } from "../observe/sink.ts";
import type { StopRequest } from "../observe/stop-request.ts";
import { openRecordFile } from "../recording/write.ts";
import { LineView } from "../report/line-view.ts";
import { decideColor } from "../text/color.ts";
import { ScreenView } from "../tui/screen-view.ts";
import type { LiveOptions } from "./options.ts";

/** Whether the records go to standard output: with --json, unless a file gets them. */
export function recordsOnStdout(options: LiveOptions): boolean {
	return options.json && options.output === undefined;
}

/** The view with the files of --output and --flame beside it. Throws E-IO when one cannot be opened; none is left open then. */
export function withFiles(view: LiveView, options: LiveOptions): LiveView {
	const flame = options.flame === undefined ? undefined : new NewFile(options.flame);
	let files = flame === undefined ? view : new FlameView(view, flame, options.metric);
	try {
		if (options.output !== undefined) files = new RecordView(files, openRecordFile(options.output));
	} catch (error) {
		flame?.close();
		throw error;
	}
	return files;
}

/**
 * `commandOutput`: an observed command writes to our standard output, so the view goes to standard error, and as lines where both are the
 * same terminal.
 */
export function chooseView(options: LiveOptions, stop: StopRequest, commandOutput: boolean): LiveView {
	return withFiles(terminalView(options, stop, commandOutput), options);
}

function terminalView(options: LiveOptions, stop: StopRequest, commandOutput: boolean): LiveView {
	if (recordsOnStdout(options)) return new JsonView();
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
