/** The command line: wires options to commands and turns what happens into an exit code. */
import { cac } from "cac";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { errorText } from "../output/error-text.ts";
import { doctor } from "./doctor.ts";
import { inspect } from "./inspect.ts";
import { liveOptions, parseColor } from "./options.ts";
import { run } from "./run.ts";
import { COMMIT, VERSION } from "./version.ts";
import { watch } from "./watch.ts";

type CliOptions = Record<string, unknown>;

/** cac turns what looks like a number into one (0x10 becomes 16): finds the argument as the user typed it. */
function asTyped(value: unknown, args: readonly string[]): string {
	if (typeof value !== "number") return String(value);
	return args.find((arg) => arg !== "" && Number(arg) === value) ?? String(value);
}

function buildCli(args: readonly string[], done: (code: number) => void) {
	const cli = cac("gomapgrow");
	const live = (name: string, description: string) =>
		cli
			.command(name, description)
			.option("--duration <time>", "stop after this long, e.g. 30s")
			.option("--interval <time>", "length of a window (default: 1s)")
			.option("--json", "records as NDJSON on standard output")
			.option("--color <when>", "auto, always or never (default: auto)");

	live(
		"watch [...targets]",
		"show which maps grow in running Go programs: PID, name or path of each (none: all of this host)",
	)
		.example("gomapgrow watch 4711")
		.example("gomapgrow watch etcd --duration 30s")
		.example("gomapgrow watch 4711 --json | jq 'select(.type == \"growth\")'")
		.action(async (targets: unknown[], options: CliOptions) => {
			done(
				await watch(
					targets.map((target) => asTyped(target, args)),
					liveOptions(options),
					args,
				),
			);
		});

	live("run [...command]", "start a command and observe it from its first instruction: run [options] -- command")
		.example("gomapgrow run -- ./server --port 8080")
		.example("gomapgrow run --json -- ./importer data.csv 2>/dev/null | jq .")
		.action(async (command: string[], options: CliOptions) => {
			const argv = [...command, ...((options["--"] as string[] | undefined) ?? [])];
			done(await run(argv, liveOptions(options), args));
		});

	cli
		.command("inspect <target>", "what a Go executable or process is and what would be probed; needs no privileges")
		.option("--json", "as one JSON object")
		.option("--color <when>", "auto, always or never (default: auto)")
		.example("gomapgrow inspect ./server")
		.example("gomapgrow inspect 4711 --json | jq '.functions[] | {name, site}'")
		.action((target: unknown, options: CliOptions) =>
			done(inspect(asTyped(target, args), { json: options.json === true, color: parseColor(options.color) })),
		);

	cli
		.command("doctor", "what this host allows, what is missing, and the command that mends it")
		.option("--json", "as one JSON object")
		.action((options: CliOptions) => done(doctor(options.json === true)));

	cli.help();
	cli.option("-v, --version", "Display version number");
	return cli;
}

/** cac throws its own error class for wrong options; they are the user's to mend. */
function asUsage(error: unknown): unknown {
	if (error instanceof Error && error.name === "CACError") {
		return new GomapgrowError("E-USAGE", {
			wanted: "known options with their values",
			found: error.message,
			mend: "gomapgrow --help",
		});
	}
	return error;
}

async function main(argv: string[]): Promise<number> {
	let code: number = EXIT.done;
	const cli = buildCli(argv.slice(2), (result) => {
		code = result;
	});
	try {
		cli.parse(argv, { run: false });
		if (cli.matchedCommand === undefined && cli.options.help !== true && cli.options.version !== true) {
			const unknown = cli.args[0];
			if (unknown === undefined) {
				cli.outputHelp();
				return EXIT.usage;
			}
			throw new GomapgrowError("E-USAGE", {
				wanted: "a command",
				found: JSON.stringify(unknown),
				mend: "gomapgrow --help",
			});
		}
		if (cli.options.version === true) {
			process.stdout.write(`gomapgrow ${VERSION} (${COMMIT})\n`);
			return EXIT.done;
		}
		await cli.runMatchedCommand();
		return code;
	} catch (error) {
		const shown = asUsage(error);
		process.stderr.write(errorText(shown));
		return shown instanceof GomapgrowError ? shown.exitCode : EXIT.failed;
	}
}

process.exit(await main(process.argv));
