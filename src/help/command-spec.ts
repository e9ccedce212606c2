/** What describes a command: parsing, help, completion and the manual page are all made from it. */

/** What a shell offers in place of an argument or an option's value. */
export type Completes = "process" | "file" | "command" | "nothing" | readonly string[];

export interface OptionSpec {
	/** Without the dashes: "duration", or "no-latency". */
	name: string;
	/** One letter. */
	short?: string;
	/** Name of its value, for those that take one: "time". */
	value?: string;
	about: string;
	/** Default: nothing. */
	completes?: Completes;
}

export interface Example {
	command: string;
	about: string;
}

export interface CommandSpec {
	name: string;
	/** As in the usage line: "[target...]". Empty for commands without arguments. */
	arguments: string;
	/** One line without a full stop. */
	summary: string;
	/** Paragraphs. */
	details: readonly string[];
	/** What the arguments can be. */
	completes: Completes;
	options: readonly OptionSpec[];
	examples: readonly Example[];
}

/** `-o, --output <file>` */
export function optionUsage(option: OptionSpec): string {
	const short = option.short === undefined ? "" : `-${option.short}, `;
	return `${short}--${option.name}${option.value === undefined ? "" : ` <${option.value}>`}`;
}

/** `gomapgrow record [options] [target...]` */
export function commandUsage(command: CommandSpec): string {
	const parts = ["gomapgrow", command.name, command.options.length > 0 ? "[options]" : "", command.arguments];
	return parts.filter((part) => part !== "").join(" ");
}
