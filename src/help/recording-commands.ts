/** The commands that read recordings. */
import type { CommandSpec } from "./command-spec.ts";
import { budget, COLOR, FLAME, FORCE, GOID, JSON_OBJECT, METRIC, OUTPUT, PPROF } from "./shared-options.ts";

export const RECORDING_COMMANDS = [
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
] as const satisfies readonly CommandSpec[];
