/** The command line: wires options to commands and turns what happens into an exit code. */
import { cac } from "cac";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { type CommandSpec, type OptionSpec, optionUsage } from "../help/command-spec.ts";
import { COMMANDS, type CommandName, findCommand, GLOBAL_OPTIONS } from "../help/commands.ts";
import { completionScript, SHELLS, type Shell } from "../help/completion.ts";
import { commandHelp, overviewHelp } from "../help/help-text.ts";
import { manPage } from "../help/man-page.ts";
import { unknownCommand, unknownOption } from "../help/suggest.ts";
import { COMMIT, DATE, VERSION } from "../lib/version.ts";
import { NothingNamedSo } from "../process/discover.ts";
import { errorText } from "../report/error-text.ts";
import { asTyped, keepTyped } from "./as-typed.ts";
import { liveOptions, parseColor } from "./options.ts";
import { usedCommand } from "./used-command.ts";
import { writeAll } from "./write-all.ts";

type CliOptions = Record<string, unknown>;

interface Call {
	command: CommandSpec;
	/** What is no option: everything behind -- is none. */
	operands: string[];
	options: CliOptions;
	/** All arguments, as typed. */
	args: readonly string[];
}

function print(text: string): number {
	writeAll(1, text);
	return EXIT.done;
}

/** The only operand of a command that takes exactly one. */
function single({ command, operands }: Call): string {
	const [operand, ...more] = operands;
	if (operand === undefined || more.length > 0) {
		throw new GomapgrowError("E-USAGE", {
			wanted: `one ${command.arguments.replace(/[<>]/g, "")}`,
			found: operand === undefined ? "none" : `${operands.length}`,
			mend: command.examples[0]?.command ?? `gomapgrow ${command.name} --help`,
		});
	}
	return operand;
}

function completion(call: Call): number {
	const shell = single(call);
	if (!SHELLS.includes(shell as Shell)) {
		throw new GomapgrowError("E-USAGE", { wanted: "bash, zsh or fish", found: JSON.stringify(shell) });
	}
	return print(completionScript(shell as Shell));
}

/** Each loads what it needs: half of the time that a short command takes would be spent on loading all others. */
const HANDLERS: Record<CommandName, (call: Call) => number | Promise<number>> = {
	watch: async ({ operands, options, args }) => {
		const { watch } = await import("./watch.ts");
		return await watch(operands, liveOptions(options), args);
	},
	run: async ({ operands, options, args }) => {
		const { run } = await import("./run.ts");
		return await run(operands, liveOptions(options, "run"), args);
	},
	record: async ({ operands, options, args }) => {
		const { record } = await import("./record.ts");
		return await record(operands, liveOptions(options), args);
	},
	serve: async ({ operands, options, args }) => {
		const { serve, serveOptions } = await import("./serve.ts");
		return await serve(operands, serveOptions(options), args);
	},
	report: async ({ operands, options }) => {
		const { report, reportOptions } = await import("./report.ts");
		return await report(operands, reportOptions(options));
	},
	inspect: async (call) => {
		const { inspect } = await import("./inspect.ts");
		const { json, verbose, color } = call.options;
		return inspect(single(call), { json: json === true, verbose: verbose === true, color: parseColor(color) });
	},
	snapshot: async (call) => {
		const { snapshot, snapshotOptions } = await import("./snapshot.ts");
		return snapshot(single(call), snapshotOptions(call.options, parseColor(call.options.color)));
	},
	maps: async ({ operands, options }) => {
		const { maps } = await import("./maps.ts");
		const { mapsOptions } = await import("./maps-options.ts");
		return await maps(operands, mapsOptions(options, parseColor(options.color)));
	},
	advise: async ({ operands, options, args }) => {
		const { advise } = await import("./advise.ts");
		const { adviseOptions } = await import("./advise-options.ts");
		return await advise(operands, adviseOptions(options), args);
	},
	verify: async (call) => {
		const { verify, verifyOptions } = await import("./verify.ts");
		return await verify(single(call), verifyOptions(call.options, parseColor(call.options.color)), call.args);
	},
	ps: async ({ operands, options }) => {
		const { ps } = await import("./ps.ts");
		return await ps(operands, { json: options.json === true, names: options.names === true });
	},
	doctor: async ({ options }) => {
		const { doctor, verifierLog } = await import("./doctor.ts");
		return options.verifierLog === true ? verifierLog() : doctor(options.json === true);
	},
	schema: async () => {
		const { recordSchema } = await import("./schema-document.ts");
		return print(`${JSON.stringify(recordSchema(), undefined, 2)}\n`);
	},
	completion,
	man: () => print(manPage(VERSION, DATE)),
};

function buildCli() {
	const cli = cac("gomapgrow");
	for (const spec of COMMANDS as readonly CommandSpec[]) {
		const command = cli.command(`${spec.name} [...operands]`, spec.summary);
		// Unknown options are ours to explain.
		command.allowUnknownOptions();
		for (const option of spec.options) command.option(optionUsage(option), option.about);
	}
	cli.option("-h, --help", "");
	cli.option("-v, --version", "");
	return cli;
}

/** cac and its parser spell options so: `no-latency` sets `latency`, and dashes become capitals. */
function keyOf(name: string): string {
	return name.replace(/^no-/, "").replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Flags with a dash inside: the parser knows them by their other spelling only, and takes what follows for their
 * value.
 */
const DASHED_FLAGS = new Map(
	(COMMANDS as readonly CommandSpec[])
		.flatMap(({ options }) => options)
		.filter(({ name, value }) => value === undefined && /^(?!no-).*-/.test(name))
		.map(({ name }) => [`--${name}`, `--${keyOf(name)}`]),
);

/** Throws E-USAGE for the first option that the command has not, as it was typed. `args`: those before --. */
function checkOptions(command: CommandSpec, options: CliOptions, args: readonly string[]): void {
	const known = [...command.options, ...GLOBAL_OPTIONS];
	const keys = new Set(["--", ...known.flatMap(({ name, short }) => [keyOf(name), short ?? keyOf(name)])]);
	for (const key of Object.keys(options)) {
		if (keys.has(key)) continue;
		const typed = args.find((arg) => arg.startsWith("-") && keyOf(arg.replace(/^-+/, "").replace(/=.*$/, "")) === key);
		throw unknownOption(typed?.replace(/=.*$/, "") ?? `${key.length === 1 ? "-" : "--"}${key}`, command);
	}
}

/** A value where one is due and none where not, each option once. Throws E-USAGE. */
function checkValue(command: CommandSpec, option: OptionSpec, options: CliOptions, args: readonly string[]): void {
	const given = options[keyOf(option.name)];
	if (option.short !== undefined) delete options[option.short];
	if (given === undefined) return;
	const isFlag = option.value === undefined;
	// The parser drops the value of an option that has none.
	const valued = isFlag ? args.find((arg) => arg.startsWith(`--${option.name}=`)) : undefined;
	if (valued !== undefined || isFlag !== (typeof given === "boolean") || Array.isArray(given)) {
		throw new GomapgrowError("E-USAGE", {
			wanted: `--${option.name}${isFlag ? " without a value" : ` <${option.value}>`}, once`,
			found: Array.isArray(given) ? `it ${given.length} times` : (JSON.stringify(valued) ?? "no value"),
			mend: `gomapgrow ${command.name} --help`,
		});
	}
	if (!isFlag) options[keyOf(option.name)] = asTyped(given);
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

/** `gomapgrow help watch` is `gomapgrow watch --help`. */
function help(operands: readonly string[]): number {
	const [name] = operands;
	if (name === undefined) return print(overviewHelp());
	const command = findCommand(name);
	if (command === undefined) throw unknownCommand(name);
	return print(commandHelp(command));
}

async function dispatch(typed: readonly string[]): Promise<number> {
	const cli = buildCli();
	const end = typed.includes("--") ? typed.indexOf("--") : typed.length;
	// The parser knows no option whose value may be left out without taking the argument that follows.
	const args = typed.map((arg, index) => (index < end ? arg.replace(/^--otlp=/, "--otlp-url=") : arg));
	const parsed = args.map((arg, index) => (index < end ? (DASHED_FLAGS.get(arg) ?? arg) : arg));
	cli.parse(["", "gomapgrow", ...keepTyped(parsed)], { run: false });
	const options: CliOptions = cli.options;
	const behind = ((options["--"] as string[] | undefined) ?? []).map(String);
	const operands = [...cli.args.map(asTyped), ...behind];
	const command = cli.matchedCommandName === undefined ? undefined : findCommand(cli.matchedCommandName);
	if (command === undefined) {
		if (options.version === true) return print(`gomapgrow ${VERSION} (${COMMIT})\n`);
		if (operands[0] === "help") return help(operands.slice(1));
		if (operands[0] !== undefined) throw unknownCommand(operands[0]);
		print(overviewHelp());
		return options.help === true ? EXIT.done : EXIT.usage;
	}
	if (options.help === true) return print(commandHelp(command));
	const ours = args.slice(0, end);
	checkOptions(command, options, ours);
	for (const option of command.options) checkValue(command, option, options, ours);
	return await HANDLERS[command.name as CommandName]({ command, operands, options, args });
}

/** A name that nothing has: says what there is. */
async function withPrograms(error: unknown): Promise<unknown> {
	if (!(error instanceof NothingNamedSo)) return error;
	const { nameGoPrograms } = await import("./go-programs.ts");
	return await nameGoPrograms(error);
}

async function main(args: readonly string[]): Promise<number> {
	try {
		return await dispatch(args);
	} catch (error) {
		const shown = await withPrograms(asUsage(error));
		process.stderr.write(errorText(shown, usedCommand(args)));
		return shown instanceof GomapgrowError ? shown.exitCode : EXIT.failed;
	}
}

process.exit(await main(process.argv.slice(2)));
