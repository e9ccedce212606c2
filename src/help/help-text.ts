/** The text of --help. */
import { labelled, wrap } from "../text/wrap.ts";
import { type CommandSpec, commandUsage, type OptionSpec, optionUsage } from "./command-spec.ts";
import { ABOUT, COMMANDS, GLOBAL_OPTIONS, TOP_OPTIONS } from "./commands.ts";

const WIDTH = 80;
const INDENT = "  ";

function indented(lines: readonly string[]): string[] {
	return lines.map((line) => (line === "" ? "" : INDENT + line));
}

/** Two columns; the first as wide as its longest text. */
function table(rows: readonly (readonly [string, string])[]): string[] {
	const width = Math.max(...rows.map(([label]) => label.length)) + 2;
	return indented(rows.flatMap(([label, text]) => labelled(label, width, text, WIDTH - INDENT.length)));
}

function optionRows(options: readonly OptionSpec[]): string[] {
	const anyShort = options.some((option) => option.short !== undefined);
	return table(
		options.map((option) => {
			const usage = optionUsage(option);
			return [anyShort && option.short === undefined ? `    ${usage}` : usage, option.about];
		}),
	);
}

/** Help of one command. */
export function commandHelp(command: CommandSpec): string {
	const lines = [
		...wrap(`gomapgrow ${command.name}: ${command.summary}`, WIDTH),
		"",
		`usage:  ${commandUsage(command)}`,
		"",
		...command.details.flatMap((paragraph) => [...wrap(paragraph, WIDTH), ""]),
		"options",
		...optionRows([...command.options, ...GLOBAL_OPTIONS]),
		"",
		"examples",
		...command.examples.flatMap((example) => [
			...indented([example.command]),
			...indented(indented(indented([example.about]))),
		]),
	];
	return `${lines.join("\n")}\n`;
}

/** Help without a command. */
export function overviewHelp(): string {
	const lines = [
		...wrap(`gomapgrow ${ABOUT}`, WIDTH),
		"",
		"usage:  gomapgrow <command> [options]",
		"",
		"commands",
		...table(COMMANDS.map((command) => [command.name, command.summary])),
		"",
		"options",
		...optionRows(TOP_OPTIONS),
		"",
		"`gomapgrow <command> --help` tells more.",
	];
	return `${lines.join("\n")}\n`;
}
