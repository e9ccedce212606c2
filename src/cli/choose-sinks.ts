/**
 * Where what a live command observes goes: records with --json, the screen on a terminal, lines otherwise; and to
 * files beside that.
 */
import { FlameSink } from "../export/flame-sink.ts";
import { NdjsonSink } from "../export/ndjson-sink.ts";
import { NewFile } from "../export/new-file.ts";
import { ProfileFiles } from "../export/pprof/profile-files.ts";
import { ProfileSink } from "../export/pprof/profile-sink.ts";
import { RecordingSink } from "../export/recording-sink.ts";
import { OutputFd } from "../kernel/output-fd.ts";
import type { Sink } from "../observe/sink.ts";
import { Sinks } from "../observe/sinks.ts";
import type { StopRequest } from "../observe/stop-request.ts";
import { openRecordFile } from "../recording/write.ts";
import { LineSink } from "../report/line-sink.ts";
import { ProgressSink } from "../report/progress-sink.ts";
import { SummarySink } from "../report/summary-sink.ts";
import { decideColor } from "../text/color.ts";
import { ScreenSink } from "../tui/screen-sink.ts";
import type { LiveOptions } from "./options.ts";

export interface LiveSinks {
	/** Each gets all records, in this order. */
	sinks: readonly Sink[];
	/** Shows that probes are being attached to so many processes. */
	onAttaching?: (processes: number) => void;
}

/** Whether the records go to standard output: with --json, unless a file gets them. */
export function recordsOnStdout(options: LiveOptions): boolean {
	return options.json && options.output === undefined;
}

/**
 * The files of --output, --flame and --pprof, then what `rest` makes. Throws E-IO when one cannot be opened; none is left open
 * then.
 */
function withFiles(options: LiveOptions, rest: () => LiveSinks): LiveSinks {
	const files: Sink[] = [];
	try {
		if (options.flame !== undefined) files.unshift(new FlameSink(new NewFile(options.flame), options.metric));
		if (options.pprof !== undefined)
			files.unshift(new ProfileSink(new ProfileFiles({ ...options.pprof, named: true })));
		if (options.output !== undefined) files.unshift(new RecordingSink(openRecordFile(options.output)));
		const { sinks, ...others } = rest();
		return { ...others, sinks: [...files, ...sinks] };
	} catch (error) {
		new Sinks(files).close();
		throw error;
	}
}

/**
 * The sinks of `watch` and `run`. `commandOutput`: an observed command writes to our standard output, so the view goes
 * to standard error, and as lines where both are the same terminal.
 */
export function chooseSinks(options: LiveOptions, stop: StopRequest, commandOutput: boolean): LiveSinks {
	return withFiles(options, () => standardSinks(options, stop, commandOutput));
}

function standardSinks(options: LiveOptions, stop: StopRequest, commandOutput: boolean): LiveSinks {
	if (recordsOnStdout(options)) return { sinks: [new NdjsonSink(new OutputFd(1)), new SummarySink(new OutputFd(2))] };
	const stream = commandOutput ? process.stderr : process.stdout;
	const mixed = commandOutput && process.stdout.isTTY;
	const out = new OutputFd(stream.fd);
	if (!stream.isTTY || mixed) return { sinks: [new LineSink(out), new SummarySink(new OutputFd(2))] };
	const color = decideColor({
		flag: options.color,
		env: { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM },
		isTTY: true,
	});
	const screen = new ScreenSink(stream, out, color, () => stop.request("interrupt"));
	return {
		sinks: [screen, new SummarySink(out)],
		onAttaching: (processes) => screen.attaching(processes),
	};
}

/** The sinks of `record`: the file `output`, and how far it is. Throws E-IO. */
export function recordingSinks(options: LiveOptions, output: string): LiveSinks {
	return withFiles({ ...options, output: undefined }, () => {
		const file = openRecordFile(output);
		const columns = () => (process.stderr.isTTY ? (process.stderr.columns ?? 80) : undefined);
		const out = new OutputFd(2);
		return { sinks: [new RecordingSink(file), new ProgressSink(file, out, columns), new SummarySink(out)] };
	});
}
