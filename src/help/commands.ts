/** All commands and their options: help, manual page, completion and corrections come from here. */
import type { CommandSpec, OptionSpec } from "./command-spec.ts";
import { LOOKING_COMMANDS } from "./looking-commands.ts";
import { OBSERVING_COMMANDS } from "./observing-commands.ts";
import { RECORDING_COMMANDS } from "./recording-commands.ts";

export const COMMANDS = [
	...OBSERVING_COMMANDS,
	...RECORDING_COMMANDS,
	...LOOKING_COMMANDS,
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
