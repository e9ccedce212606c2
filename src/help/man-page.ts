/** The manual page, in roff with the man macros (groff_man(7)). */
import { wrap } from "../text/wrap.ts";
import { type CommandSpec, commandUsage, type OptionSpec } from "./command-spec.ts";
import { ABOUT, COMMANDS, EXIT_CODES, GLOBAL_OPTIONS, TOP_OPTIONS } from "./commands.ts";

/** Hyphens that must stay ASCII, and what else roff would take for something else. */
function escaped(text: string): string {
	return text
		.replaceAll("\\", "\\e")
		.replaceAll("-", "\\-")
		.replaceAll("`", "\\(ga")
		.replaceAll("'", "\\(aq")
		.replaceAll("~", "\\(ti")
		.replaceAll("^", "\\(ha");
}

/** A line that does not begin with a control character (groff(7), "Control characters"). */
function guarded(line: string): string {
	return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** Text as it is. */
function roff(text: string): string {
	return guarded(escaped(text));
}

/** Width of the source's lines, which is not that of what is shown. */
const WIDTH = 64;

/** Prose, in which `code` is bold; a line of the source that would begin like a request is guarded. */
function prose(text: string): string {
	let bold = false;
	return wrap(text, WIDTH)
		.map((line) => {
			const parts = line.split("`").map((part, index) => {
				if (index > 0) bold = !bold;
				return `${index === 0 ? "" : bold ? "\\fB" : "\\fR"}${escaped(part)}`;
			});
			return guarded(parts.join(""));
		})
		.join("\n");
}

function optionName(option: OptionSpec): string {
	const value = option.value === undefined ? "" : ` \\fI${roff(option.value)}\\fR`;
	const long = `\\fB${roff(`--${option.name}`)}\\fR${value}`;
	return option.short === undefined ? long : `\\fB${roff(`-${option.short}`)}\\fR, ${long}`;
}

function optionList(options: readonly OptionSpec[]): string[] {
	return options.flatMap((option) => [".TP", optionName(option), prose(option.about)]);
}

function commandSection(command: CommandSpec): string[] {
	return [
		`.SS ${roff(command.name)}`,
		`\\fB${roff(commandUsage(command))}\\fR`,
		".PP",
		`${prose(command.summary.charAt(0).toUpperCase() + command.summary.slice(1))}.`,
		...command.details.flatMap((paragraph) => [".PP", prose(paragraph)]),
		...optionList(command.options),
		...command.examples.flatMap((example) => [
			".PP",
			`${prose(example.about.charAt(0).toUpperCase() + example.about.slice(1))}:`,
			".PP",
			".RS 4",
			".nf",
			roff(example.command),
			".fi",
			".RE",
		]),
	];
}

/** `version`: of the program; a development build has "dev". `date`: of that version, YYYY-MM-DD. */
export function manPage(version: string, date: string): string {
	const lines = [
		`.TH GOMAPGROW 1 "${date}" "gomapgrow ${roff(version)}" "User Commands"`,
		".SH NAME",
		"gomapgrow \\-",
		prose(ABOUT),
		".SH SYNOPSIS",
		...COMMANDS.flatMap((command, index) => [
			...(index === 0 ? [] : [".br"]),
			`\\fB${roff(commandUsage(command))}\\fR`,
		]),
		".SH DESCRIPTION",
		prose(
			"Observes running Go programs with uprobes on the functions of the Go runtime that grow maps. The observed program needs no change, no restart, no debug build and no symbol table. Observing needs root, or CAP_BPF and CAP_PERFMON.",
		),
		".SH OPTIONS",
		...optionList(TOP_OPTIONS),
		".SH COMMANDS",
		prose(`Every command has \`--help\`: ${GLOBAL_OPTIONS[0]?.about ?? ""}.`),
		...COMMANDS.flatMap((command) => commandSection(command)),
		".SH EXIT STATUS",
		...EXIT_CODES.flatMap(([code, about]) => [".TP", `\\fB${code}\\fR`, prose(about)]),
		".PP",
		prose("`gomapgrow run` passes on the exit code of its command."),
		".SH ENVIRONMENT",
		".TP",
		"\\fBNO_COLOR\\fR",
		prose("No colours, unless `--color always` asks for them."),
		".SH SEE ALSO",
		"\\fBbpftrace\\fR(8), \\fBperf\\fR(1), \\fBjq\\fR(1)",
	];
	return `${lines.join("\n")}\n`;
}
