/** All commands and their options: the one place where they are described. */
import { FLAME_METRICS } from "../export/flame/metric.ts";
import type { CommandSpec, OptionSpec } from "./command-spec.ts";

const COLOR: OptionSpec = {
	name: "color",
	value: "when",
	about: "auto, always or never (default: auto, which honours NO_COLOR)",
	completes: ["auto", "always", "never"],
};

const METRIC: OptionSpec = {
	name: "metric",
	value: "what",
	about: "what the frames of a flame graph are as wide as: growths (default), work, time, bytes or moved",
	completes: FLAME_METRICS,
};

const FLAME: OptionSpec = {
	name: "flame",
	value: "file",
	about: "write a flame graph to this SVG file at the end",
	completes: "file",
};

const PPROF: OptionSpec = {
	name: "pprof",
	value: "file",
	about:
		"write a profile for `go tool pprof` to this new file at the end, one for each executable where {name} is in it",
	completes: "file",
};

const GOID: OptionSpec = { name: "goid", about: "with --pprof: label growths with their goroutine" };

const FORCE: OptionSpec = { name: "force", about: "replace files of exports that are there already" };

const OUTPUT: OptionSpec = {
	name: "output",
	short: "o",
	value: "file",
	about: "write all records to this file, compressed when its name ends in .gz",
	completes: "file",
};

const NO_FOLLOW: OptionSpec = {
	name: "no-follow",
	about: "observe the command only, not the programs that it starts",
};

const JSON_OBJECT: OptionSpec = { name: "json", about: "as one JSON object" };

/** `usual`: the default of the command. */
const budget = (usual: string): OptionSpec => ({
	name: "budget",
	value: "share",
	about: `most that probing may cost a target, as a share of one processor or of what it uses, or off (default: ${usual})`,
});

/** Of the commands that observe. */
const observing = (budgetOption: OptionSpec): readonly OptionSpec[] => [
	{ name: "duration", value: "time", about: "stop after this long: 30s, 500ms, 2m, 1h (default: no end)" },
	{ name: "interval", value: "time", about: "length of a window, 100ms or more (default: 1s)" },
	budgetOption,
	{ name: "no-latency", about: "do not measure how long calls take: half the cost" },
	{
		name: "iter",
		about: "watch iterations, too, and report growths that overlap one: expensive where maps are ranged over much",
	},
	{ name: "makes", about: "watch where maps are made, too, with what hints, and how large they become" },
];

const OBSERVING = observing(budget("1%"));

/** Of the commands that choose processes by themselves. */
const IN_CONTAINERS: readonly OptionSpec[] = [
	{
		name: "container",
		value: "name",
		about: "only processes in a container of this name, or whose id begins so; * stands for any text",
	},
	{ name: "pod", value: "name", about: "only processes in a pod of this name: --pod 'web-*'" },
	{ name: "namespace", value: "name", about: "only processes in pods of this namespace" },
];

const OUTPUTS: readonly OptionSpec[] = [
	{ name: "json", about: "records as NDJSON on standard output; with --output only the file gets them" },
	OUTPUT,
	FLAME,
	METRIC,
	PPROF,
	GOID,
	FORCE,
	COLOR,
];

const TARGETS =
	"A target is a PID, the name of a process, or the path of an executable. Without one, all Go programs of this host are observed.";

export const COMMANDS = [
	{
		name: "watch",
		arguments: "[target...]",
		summary: "show live which maps grow in running Go programs",
		details: [
			TARGETS,
			"On a terminal it shows a table that is redrawn every second, in a pipe it prints one line per window. At the end comes a summary.",
			"The largest maps of the process are a view of their own, whether they grow or not: their heap is read once, by a second process with a fifth of a processor at most; above 8 GB, and of more than four processes, only when asked for with the key c.",
		],
		completes: "process",
		options: [
			...IN_CONTAINERS,
			...OBSERVING,
			{
				name: "no-census",
				about: "do not look for the maps in the heap, neither for the screen's view nor when nothing grows",
			},
			...OUTPUTS,
		],
		examples: [
			{ command: "gomapgrow watch 4711", about: "a process, live; q or Ctrl-C ends it" },
			{ command: "gomapgrow watch etcd --duration 30s --flame etcd.svg", about: "half a minute, with a flame graph" },
			{ command: "gomapgrow watch --namespace shop --pod 'web-*'", about: "pods of Kubernetes that run on this host" },
			{
				command: "gomapgrow watch 4711 --json | jq 'select(.type == \"growth\")'",
				about: "every growth, as it happens",
			},
		],
	},
	{
		name: "run",
		arguments: "-- command [argument...]",
		summary: "start a command and observe it from its first instruction",
		details: [
			"Go programs that the command starts are observed, too: each is stopped before its first instruction until its probes are attached, usually for some milliseconds.",
			"The command's standard output is left alone and its exit code is passed on. With --json, but no --output, the records own standard output and the command's output goes to standard error.",
		],
		completes: "command",
		options: [...observing(budget("8%")), NO_FOLLOW, ...OUTPUTS],
		examples: [
			{ command: "gomapgrow run -- ./server --port 8080", about: "a server, until it ends" },
			{ command: "gomapgrow run --json -- ./importer data.csv 2>/dev/null | jq .", about: "its records" },
			{ command: "gomapgrow run -o run.ndjson.gz -- ./importer data.csv", about: "to be looked at later" },
			{
				command: "go test -exec 'gomapgrow run --budget off -o /tmp/rec/{name}-{pid}.ndjson.gz --' ./...",
				about: "test binaries, each to a file of its own",
			},
			{ command: "gomapgrow run -- go test ./...", about: "the compiler and the tests" },
		],
	},
	{
		name: "record",
		arguments: "[target...]",
		summary: "write all records of running Go programs to a file",
		details: [
			TARGETS,
			"On a terminal a line shows how far it is. The file holds whole records at any time: also after a crash, or when the disk is full, `gomapgrow report` reads what there is.",
		],
		completes: "process",
		options: [OUTPUT, ...IN_CONTAINERS, ...OBSERVING, FLAME, METRIC, PPROF, GOID, FORCE, COLOR],
		examples: [
			{ command: "gomapgrow record etcd -o run.ndjson.gz --duration 1m", about: "one minute, compressed" },
			{ command: "gomapgrow record 4711 -o run.ndjson", about: "until Ctrl-C" },
		],
	},
	{
		name: "serve",
		arguments: "[target...]",
		summary: "observe, and answer Prometheus and pprof clients over HTTP",
		details: [
			TARGETS,
			"/metrics has counters as Prometheus text or OpenMetrics, /debug/pprof/mapgrowth?seconds=N&pid=P a profile of the next N seconds (default 30, at most 60), /-/healthy and /-/ready their state. It waits for targets that are not there yet, and goes on when they have ended. The series of a target are removed ten minutes after the last of its processes has ended.",
		],
		completes: "process",
		options: [
			{
				name: "listen",
				value: "address",
				about:
					"address and port (default: 127.0.0.1:10435); :10435 for all interfaces: whoever reaches it can read all",
			},
			{ name: "max-sites", value: "n", about: "call sites of a target with series of their own (default: 50)" },
			{ name: "max-series", value: "n", about: "series of all targets (default: 10000)" },
			{
				name: "otlp",
				about:
					"also send metrics to a collector, over OTLP http/protobuf; --otlp=URL, or OTEL_EXPORTER_OTLP_ENDPOINT, says where",
			},
			{
				name: "maps",
				value: "time",
				about:
					"so often also read which maps the processes hold: gauges of the 50 largest types and holders, 2s or more",
			},
			{ name: "otlp-url", value: "url", about: "the same as --otlp=URL" },
			...OBSERVING,
		],
		examples: [
			{ command: "gomapgrow serve", about: "every Go program of the host" },
			{
				command: "gomapgrow serve shopd & go tool pprof 'http://127.0.0.1:10435/debug/pprof/mapgrowth?seconds=10'",
				about: "a profile of what grows now",
			},
		],
	},
	{
		name: "report",
		arguments: "<file...>",
		summary: "show what is in a recording",
		details: [
			"Reads what `record`, `--output` and `--json` have written, plain or compressed; `-` is standard input. Several recordings, also in one file, are added up. Of a truncated one it uses what is whole, and says what is missing.",
		],
		completes: "file",
		options: [
			{ name: "table", about: "the summary and tables, as text (default)" },
			{ name: "json", about: "one JSON object with the totals" },
			{ ...FLAME, about: "write a flame graph to this SVG file" },
			{ name: "folded", about: "stacks for flamegraph.pl or speedscope" },
			{ name: "ascii", about: "a flame graph for the terminal" },
			{ name: "bench", about: "rates of each window in Go's benchmark format, for benchstat" },
			{ name: "prometheus", about: "counters as Prometheus text, for node_exporter's textfile collector" },
			{
				name: "speedscope",
				value: "file",
				about: "write this new file for speedscope, with all metrics",
				completes: "file",
			},
			METRIC,
			PPROF,
			{ name: "pid", value: "pid", about: "with --pprof: growths of this process alone" },
			GOID,
			FORCE,
			{
				name: "from-perf",
				value: "file",
				about:
					"read a CPU profile, the output of perf script, and show what of it is map growth; recordings of the same time are shown beside it",
				completes: "file",
			},
			{
				name: "diff",
				value: "base",
				about: "compare with this recording, by function and map type: what was added, is gone, has changed",
				completes: "file",
			},
			{
				name: "per",
				value: "unit",
				about:
					"with --diff: total (default where both are whole runs of `run`) or second, which tells noise from change",
				completes: ["total", "second"],
			},
			{
				name: "fail-above",
				value: "limits",
				about:
					"with --diff: exit code 5 when a call site rose by more, like growths=0%,bytes=5%; 1 when that cannot be judged",
			},
			{
				name: "sort",
				value: "what",
				about: "order of the tables: growths (default), bytes or time",
				completes: ["growths", "bytes", "time"],
			},
			{ name: "top", value: "n", about: "rows of each table (default: 20)" },
			{ name: "rows", value: "n", about: "the same" },
			COLOR,
		],
		examples: [
			{ command: "gomapgrow report run.ndjson.gz", about: "the summary and tables" },
			{ command: "gomapgrow report run.ndjson --flame run.svg --metric bytes", about: "where memory is allocated" },
			{ command: "gomapgrow report run.ndjson --folded | flamegraph.pl > run.svg", about: "with other tools" },
			{
				command: "gomapgrow report run.ndjson.gz --pprof run.pb.gz && go tool pprof -top run.pb.gz",
				about: "with Go's own tools",
			},
			{
				command: "gomapgrow report new.ndjson.gz --diff base.ndjson.gz --fail-above growths=0%",
				about: "in CI: which call sites grow more than before",
			},
			{
				command: "gomapgrow report --from-perf perf.data.txt run.ndjson",
				about: "samples beside durations",
			},
			{ command: "zstdcat run.ndjson.zst | gomapgrow report -", about: "from a pipe" },
		],
	},
	{
		name: "ps",
		arguments: "",
		summary: "the Go processes of this host, and whether and why not each can be watched",
		details: [
			"CPU is the share of one processor that a process uses while `ps` looks. Names of containers are those that the container runtime wrote down. Without root only your own processes can be looked at.",
		],
		completes: "nothing",
		options: [
			{ name: "json", about: "one JSON object a line" },
			{ name: "names", about: "PID and name alone, of those that can be watched, without measuring: for shells" },
		],
		examples: [
			{ command: "gomapgrow ps", about: "what there is to watch" },
			{
				command: "gomapgrow ps --json | jq -r 'select(.container.namespace == \"shop\") | .pid'",
				about: "processes of a namespace of Kubernetes",
			},
		],
	},
	{
		name: "inspect",
		arguments: "<target>",
		summary: "what a Go executable or process is and what would be probed; needs no privileges",
		details: ["Reads the executable only. A target is a PID, the name of a process, or the path of an executable."],
		completes: "process",
		options: [
			{ name: "verbose", short: "v", about: "all of it: sites, ends of calls, layouts, notes" },
			JSON_OBJECT,
			COLOR,
		],
		examples: [
			{ command: "gomapgrow inspect ./server", about: "a file" },
			{ command: "gomapgrow inspect ./server -v", about: "what would be probed, instruction by instruction" },
			{ command: "gomapgrow inspect 4711 --json | jq '.functions[] | {name, site}'", about: "a process, for programs" },
		],
	},
	{
		name: "snapshot",
		arguments: "<target>",
		summary: "stacks of all goroutines of a process, without stopping it",
		details: ["Equal stacks are grouped, most goroutines first. Several snapshots show what stays and what moves."],
		completes: "process",
		options: [
			{ name: "count", value: "n", about: "how many snapshots (default: 1)" },
			{ name: "interval", value: "time", about: "from one snapshot to the next (default: 200ms)" },
			{ name: "json", about: "one JSON object for each snapshot" },
			COLOR,
		],
		examples: [
			{ command: "gomapgrow snapshot 4711", about: "where all goroutines are" },
			{ command: "gomapgrow snapshot 4711 --count 5", about: "what stays where it is" },
			{
				command: "gomapgrow snapshot 4711 --json | jq '.groups[] | select(.map_work) | {count, map_work}'",
				about: "goroutines inside map code",
			},
		],
	},
	{
		name: "maps",
		arguments: "<target> | --diff <a.json> <b.json>",
		summary: "the maps of a process: type, entries, slots, bytes, who holds them",
		details: [
			"Reads the memory of the process without stopping it; neither symbols nor debug information are needed. A map whose type is not certain is marked.",
			"Maps never shrink: FILL is low where many entries were deleted, and WASTE is what making the map anew would give back.",
		],
		completes: "process",
		options: [
			{
				name: "by",
				value: "what",
				about: "a line for each map (default), or sums by type or by holder",
				completes: ["map", "type", "holder"],
			},
			{
				name: "sort",
				value: "column",
				about: "bytes (default), entries, slots or waste, largest first",
				completes: ["bytes", "entries", "slots", "waste"],
			},
			{ name: "top", value: "n", about: "so many lines (default: 30; with --json all)" },
			{ name: "min", value: "size", about: "only maps that hold at least this much: 1MB, 512kB" },
			{ name: "type", value: "regex", about: "only maps whose type matches this regular expression" },
			{ name: "wait-gc", about: "read right after the next garbage collection: then hardly any of it is garbage" },
			{ name: "every", value: "time", about: "read again and again, and show what changed: 10s, 1m" },
			{ name: "count", value: "n", about: "readings with --every (default: until Ctrl-C)" },
			{ name: "diff", about: "compare two files that --json wrote: what grew, what was emptied" },
			{ name: "timeout", value: "time", about: "give up after this long (default: 60s)" },
			{
				name: "cpu",
				value: "share",
				about: "read in pieces, with at most this share of one processor: 20% (default: no limit)",
			},
			{ name: "json", about: "one JSON object with all maps, one of them a line" },
			COLOR,
		],
		examples: [
			{ command: "gomapgrow maps 4711", about: "the largest maps" },
			{ command: "gomapgrow maps 4711 --by holder --sort waste", about: "who holds memory for nothing" },
			{
				command: "gomapgrow maps 4711 --every 10s",
				about: "which kinds of maps grow",
			},
			{
				command: "gomapgrow maps 4711 --json | jq '.maps[] | select(.entries * 10 < .slots) | {type, bytes, holder}'",
				about: "maps that are nearly empty",
			},
		],
	},
	{
		name: "advise",
		arguments: "<file...> | <target> | --check <a> <b>",
		summary: "which lines should make their maps with another size hint, and what it saves",
		details: [
			"Reads recordings that were made with --makes, or observes a program while it runs. Each advice names the line that makes the maps, the edit, what it saves, and how many maps that rests on. Lines for which nothing certain can be said are counted, not guessed.",
			"A line of the source is shown where it is below the working directory, or the folder of --source, and makes a map of that type.",
		],
		completes: "process",
		options: [
			{ name: "duration", value: "time", about: "of a process: observe for this long (default: 30s)" },
			budget("1%"),
			{ ...OUTPUT, about: "of a process: write all records to this file, too" },
			JSON_OBJECT,
			{ name: "markdown", about: "as a table for an issue or a pull request" },
			{ name: "github", about: "as annotations of a GitHub Actions workflow" },
			{ name: "patch", about: "as a unified diff of those edits that are mechanical, for patch -p1 or git apply" },
			{
				name: "source",
				value: "folder",
				about: "where the sources are (default: the working directory)",
				completes: "file",
			},
			{
				name: "check",
				about:
					"compare what the first recording promises with the second: exit code 5 if it was not kept, 1 if it cannot be judged",
			},
			{ name: "rows", value: "n", about: "so much advice as text (default: 20)" },
		],
		examples: [
			{ command: "gomapgrow advise 4711 --duration 1m", about: "a process, for a minute" },
			{ command: "gomapgrow advise run.ndjson.gz", about: "what was recorded with --makes" },
			{ command: "gomapgrow advise run.ndjson.gz --patch | git apply", about: "edit the sources" },
			{ command: "gomapgrow advise --check before.ndjson.gz after.ndjson.gz", about: "was it true?" },
		],
	},
	{
		name: "verify",
		arguments: "<target>",
		summary: "count the same calls twice, by our programs and by perf, and compare",
		details: [
			"The kernel counts each probed instruction a second time by itself, without BPF. The two must be equal, or differ for a reason that is known and said; if not, the exit code is 1. It also prints commands with which perf and bpftrace count the same.",
			"All calls are counted, and twice, whatever it costs: it has no budget.",
		],
		completes: "process",
		options: [{ name: "duration", value: "time", about: "count for this long (default: 10s)" }, JSON_OBJECT, COLOR],
		examples: [
			{ command: "gomapgrow verify 4711", about: "ten seconds" },
			{
				command: "gomapgrow verify 4711 --duration 1m --json | jq '.functions[] | {fn, passes}'",
				about: "a minute, for programs",
			},
		],
	},
	{
		name: "doctor",
		arguments: "",
		summary: "what this host allows, what is missing, and the command that fixes it",
		details: [],
		completes: "nothing",
		options: [
			JSON_OBJECT,
			{ name: "verifier-log", about: "instead, what the kernel's verifier says of the BPF programs, whole" },
		],
		examples: [{ command: "gomapgrow doctor", about: "exit code 0 when this host can be used, 3 when not" }],
	},
	{
		name: "schema",
		arguments: "",
		summary: "the JSON Schema of the records",
		details: [
			"Draft 2020-12, for one record, that is one line. Fields that it does not name are allowed: readers ignore what they do not know.",
		],
		completes: "nothing",
		options: [],
		examples: [{ command: "gomapgrow schema > gomapgrow.schema.json", about: "for a validator" }],
	},
	{
		name: "completion",
		arguments: "<shell>",
		summary: "a script that completes commands and options, for bash, zsh or fish",
		details: [],
		completes: ["bash", "zsh", "fish"],
		options: [],
		examples: [
			{ command: "source <(gomapgrow completion bash)", about: "in ~/.bashrc" },
			{ command: "gomapgrow completion zsh > ~/.zfunc/_gomapgrow", about: "in a folder of $fpath" },
			{ command: "gomapgrow completion fish > ~/.config/fish/completions/gomapgrow.fish", about: "for fish" },
		],
	},
	{
		name: "man",
		arguments: "",
		summary: "the manual page, in roff",
		details: [],
		completes: "nothing",
		options: [],
		examples: [{ command: "gomapgrow man | man -l -", about: "read it" }],
	},
] as const satisfies readonly CommandSpec[];

export type CommandName = (typeof COMMANDS)[number]["name"];

/** Options of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
	{ name: "help", short: "h", about: "what the command does, its options and examples" },
];

/** Options without a command. */
export const TOP_OPTIONS: readonly OptionSpec[] = [
	{ name: "help", short: "h", about: "this list" },
	{ name: "version", short: "v", about: "version and commit" },
];

export function findCommand(name: string): CommandSpec | undefined {
	return COMMANDS.find((command) => command.name === name);
}

export const ABOUT = "shows which Go maps in running processes grow, why, how often and from which line of code";

/** As in the README; for the manual page. */
export const EXIT_CODES: readonly (readonly [code: number, about: string])[] = [
	[0, "done"],
	[1, "failed"],
	[2, "usage"],
	[3, "this host: privilege, kernel feature"],
	[4, "the target: not Go, unsupported, gone"],
	[5, "a check failed"],
];
