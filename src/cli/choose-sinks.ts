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
import { CensusSink, HeapCensus } from "./heap-census.ts";
import type { LiveOptions } from "./options.ts";

/** Lines of which none shows a growth, before it is said what is there instead. */
const IDLE_WINDOWS = 3;

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
	const censuses = options.census && !commandOutput;
	if (!stream.isTTY || mixed) {
		const summary = new SummarySink(new OutputFd(2));
		const census = new CensusSink(new HeapCensus((maps) => summary.heap(maps)), IDLE_WINDOWS);
		return { sinks: [new LineSink(out), ...(censuses ? [census] : []), summary] };
	}
	const color = decideColor({
		flag: options.color,
		env: { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM },
		isTTY: true,
	});
	const census = censuses ? new HeapCensus((maps) => screen.heap(maps)) : undefined;
	const screen = new ScreenSink(stream, out, color, {
		onQuit: () => stop.request("interrupt"),
		...(census === undefined ? {} : { onCensus: (pids) => census.read(pids, true) }),
	});
	return {
		sinks: [screen, ...(census === undefined ? [] : [new CensusSink(census)]), new SummarySink(out)],
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
