/** What somebody meant who mistyped the name of a command or an option. */
import { GomapgrowError } from "../errors/error.ts";
import { nearNames } from "../process/near-names.ts";
import type { CommandSpec } from "./command-spec.ts";
import { COMMANDS, GLOBAL_OPTIONS } from "./commands.ts";

function didYouMean(names: readonly string[]): string {
	return names.length === 0 ? "" : `: did you mean ${names.join(" or ")}?`;
}

/** E-USAGE for a command that there is not. */
export function unknownCommand(typed: string): GomapgrowError {
	const near = nearNames(
		typed,
		COMMANDS.map((command) => command.name),
		2,
	);
	return new GomapgrowError("E-USAGE", {
		wanted: "a command",
		found: `${JSON.stringify(typed)}${didYouMean(near)}`,
		mend: "gomapgrow --help",
	});
}

/** E-USAGE for an option that the command has not. `typed`: with its dashes. */
export function unknownOption(typed: string, command: CommandSpec): GomapgrowError {
	const names = [...command.options, ...GLOBAL_OPTIONS].map((option) => option.name);
	const near = nearNames(typed.replace(/^-+/, ""), names, 2).map((name) => `--${name}`);
	const hint =
		command.name === "run" && near.length === 0 ? "; options of the command stand after --" : didYouMean(near);
	return new GomapgrowError("E-USAGE", {
		wanted: `an option of gomapgrow ${command.name}`,
		found: `${JSON.stringify(typed)}${hint}`,
		mend: `gomapgrow ${command.name} --help`,
	});
}
