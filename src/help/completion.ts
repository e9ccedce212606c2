/**
 * Completion scripts. Processes are those that `gomapgrow ps --names` lists: Go programs that can be watched. Names of processes are offered only when they consist of letters, digits and `._+-`: shells expand some of what
 * they are given as words, and anybody can name a process.
 */
import type { CommandSpec, Completes, OptionSpec } from "./command-spec.ts";
import { COMMANDS, GLOBAL_OPTIONS, TOP_OPTIONS } from "./commands.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const commands: readonly CommandSpec[] = COMMANDS;

function optionsOf(command: CommandSpec): OptionSpec[] {
	return [...command.options, ...GLOBAL_OPTIONS];
}

function spellings(option: OptionSpec): string[] {
	return option.short === undefined ? [`--${option.name}`] : [`-${option.short}`, `--${option.name}`];
}

/** What to do in bash for the kind of word at the cursor. */
function bashAction(completes: Completes): string {
	if (typeof completes !== "string") return `_gomapgrow_words ${completes.join(" ")}`;
	if (completes === "process") return "_gomapgrow_processes; _gomapgrow_files";
	return completes === "file" ? "_gomapgrow_files" : ":";
}

function bashCommand(command: CommandSpec): string {
	const valued = command.options.filter((option) => option.value !== undefined);
	const values = valued.map(
		(option) => `\t\t\t\t${spellings(option).join("|")}) ${bashAction(option.completes ?? "nothing")}; return ;;`,
	);
	const names = optionsOf(command).map((option) => `--${option.name}`);
	return [
		`\t\t${command.name})`,
		...(values.length === 0 ? [] : [`\t\t\tcase $prev in`, ...values, "\t\t\tesac"]),
		`\t\t\tif [[ $cur == -* ]]; then _gomapgrow_words ${names.join(" ")}`,
		`\t\t\telse ${bashAction(command.completes)}; fi ;;`,
	].join("\n");
}

function bashScript(): string {
	const top = [...commands.map((command) => command.name), "help", ...TOP_OPTIONS.map((option) => `--${option.name}`)];
	return `# bash completion for gomapgrow
# shellcheck shell=bash
_gomapgrow_words() {
	local word
	for word; do if [[ $word == "$cur"* ]]; then COMPREPLY+=("$word"); fi; done
}

_gomapgrow_files() {
	local file
	compopt -o filenames 2>/dev/null
	while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$cur")
}

_gomapgrow_processes() {
	local pid name
	while IFS=$'\\t' read -r pid name; do
		if [[ $cur != "" && $pid == "$cur"* ]]; then COMPREPLY+=("$pid"); fi
		if [[ $name =~ ^[A-Za-z0-9._+-]+$ && $name == "$cur"* && " \${COMPREPLY[*]} " != *" $name "* ]]; then COMPREPLY+=("$name"); fi
	done < <("\${COMP_WORDS[0]}" ps --names 2>/dev/null)
}

_gomapgrow() {
	local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} index
	COMPREPLY=()
	if [[ $COMP_CWORD == 1 ]]; then
		_gomapgrow_words ${top.join(" ")}
		return
	fi
	# What follows -- is a command of its own.
	for ((index = 2; index < COMP_CWORD; index++)); do
		if [[ \${COMP_WORDS[index]} == -- ]]; then
			if [[ $index == $((COMP_CWORD - 1)) && $cur != */* ]]; then
				while IFS= read -r prev; do COMPREPLY+=("$prev"); done < <(compgen -c -- "$cur")
			fi
			_gomapgrow_files
			return
		fi
	done
	case \${COMP_WORDS[1]} in
		help) if [[ $COMP_CWORD == 2 ]]; then _gomapgrow_words ${commands.map(({ name }) => name).join(" ")}; fi ;;
${commands.map(bashCommand).join("\n")}
	esac
}

complete -F _gomapgrow gomapgrow
`;
}

/** Text inside single quotes of zsh or fish; the characters that mean something to _arguments and _describe are escaped for zsh. */
function quoted(text: string, special = /[']/g): string {
	return `'${text.replace(special, (character) => (character === "'" ? "'\\''" : `\\${character}`))}'`;
}

const ZSH_SPECIAL = /[':[\]\\]/g;

function zshAction(completes: Completes): string {
	if (typeof completes !== "string") return `(${completes.join(" ")})`;
	const actions = { process: "_gomapgrow_targets", file: "_files", command: "_command_names -e", nothing: " " };
	return actions[completes];
}

function zshOption(option: OptionSpec): string {
	const about = option.about.replace(ZSH_SPECIAL, (character) => (character === "'" ? "'\\''" : `\\${character}`));
	const value = option.value === undefined ? "" : `:${option.value}:${zshAction(option.completes ?? "nothing")}`;
	const names = spellings(option);
	// The short and the long spelling exclude each other.
	const prefix = names.length === 1 ? `'${names[0]}` : `'(${names.join(" ")})'{${names.join(",")}}'`;
	return `${prefix}[${about}]${value}'`;
}

function zshCommand(command: CommandSpec): string {
	const args =
		command.completes === "nothing"
			? []
			: command.completes === "command"
				? ["'(-)1:command:_command_names -e'", "'*::argument:_normal'"]
				: [`'*:${command.name === "completion" ? "shell" : "target"}:${zshAction(command.completes)}'`];
	const specs = [...optionsOf(command).map(zshOption), ...args];
	return `\t\t\t(${command.name})\n\t\t\t\t_arguments -s \\\n${specs.map((spec) => `\t\t\t\t\t${spec}`).join(" \\\n")} ;;`;
}

function zshScript(): string {
	const summaries = commands.map((command) => `\t\t${quoted(`${command.name}:${command.summary}`)}`);
	return `#compdef gomapgrow
# zsh completion for gomapgrow

_gomapgrow_targets() {
	local -a names pids
	local pid name
	"\${service:-gomapgrow}" ps --names 2>/dev/null | while IFS=$'\\t' read -r pid name; do
		[[ $name =~ '^[A-Za-z0-9._+-]+$' ]] || name=
		pids+=("$pid:\${name:-a Go process}")
		[[ -n $name ]] && names+=($name)
	done
	compadd -a names
	_describe process pids
	_files
}

_gomapgrow() {
	local state line
	local -a commands
	commands=(
${summaries.join("\n")}
		'help:what a command does, its options and examples'
	)
	_arguments -C ${TOP_OPTIONS.map(zshOption).join(" ")} '1:command:->command' '*::argument:->argument' && return
	case $state in
		(command) _describe command commands ;;
		(argument)
			case $line[1] in
				(help) _describe command commands ;;
${commands.map(zshCommand).join("\n")}
			esac ;;
	esac
}

if [[ \${funcstack[1]} == _gomapgrow ]]; then
	_gomapgrow "$@"
else
	compdef _gomapgrow gomapgrow
fi
`;
}

function fishOption(condition: string, option: OptionSpec): string {
	const parts = [`complete -c gomapgrow -n ${quoted(condition)} -l ${option.name}`];
	if (option.short !== undefined) parts.push(`-s ${option.short}`);
	if (option.value !== undefined) parts.push(option.completes === "file" ? "-r -F" : "-x");
	if (typeof option.completes === "object") parts.push(`-a ${quoted(option.completes.join(" "))}`);
	parts.push(`-d ${quoted(option.about)}`);
	return parts.join(" ");
}

function fishArguments(condition: string, completes: Completes): string[] {
	const base = `complete -c gomapgrow -n ${quoted(condition)}`;
	if (typeof completes !== "string") return [`${base} -a ${quoted(completes.join(" "))}`];
	if (completes === "process") return [`${base} -F -a '(__gomapgrow_processes)'`];
	if (completes === "command") return [`${base} -F -a '(__fish_complete_subcommand)'`];
	return completes === "file" ? [`${base} -F`] : [];
}

function fishScript(): string {
	const lines = commands.flatMap((command) => {
		const condition = `__fish_seen_subcommand_from ${command.name}`;
		return [
			`complete -c gomapgrow -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
			...optionsOf(command).map((option) => fishOption(condition, option)),
			...fishArguments(condition, command.completes),
		];
	});
	return `# fish completion for gomapgrow
function __gomapgrow_processes
	gomapgrow ps --names 2>/dev/null | while read -d \\t pid name
		string match -qr '^[A-Za-z0-9._+-]+$' -- $name; or set name
		printf '%s\\t%s\\n' $pid $name
		test -n "$name"; and echo $name
	end
end

complete -c gomapgrow -f
${TOP_OPTIONS.map((option) => fishOption("__fish_use_subcommand", option)).join("\n")}
complete -c gomapgrow -n __fish_use_subcommand -a help -d 'what a command does, its options and examples'
complete -c gomapgrow -n '__fish_seen_subcommand_from help' -a ${quoted(commands.map(({ name }) => name).join(" "))}
${lines.join("\n")}
`;
}

/** The script of a shell. */
export function completionScript(shell: Shell): string {
	if (shell === "bash") return bashScript();
	return shell === "zsh" ? zshScript() : fishScript();
}
