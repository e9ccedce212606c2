/** The commands that look once. */
import type { CommandSpec } from "./command-spec.ts";
import { COLOR, JSON_OBJECT } from "./shared-options.ts";

export const LOOKING_COMMANDS = [
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
