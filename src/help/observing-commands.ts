/** The commands that observe processes. */
import type { CommandSpec } from "./command-spec.ts";
import {
	budget,
	COLOR,
	FLAME,
	FORCE,
	GOID,
	IN_CONTAINERS,
	METRIC,
	NO_FOLLOW,
	OBSERVING,
	OUTPUT,
	OUTPUTS,
	observing,
	PPROF,
	TARGETS,
} from "./shared-options.ts";

export const OBSERVING_COMMANDS = [
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
] as const satisfies readonly CommandSpec[];
