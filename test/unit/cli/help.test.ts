/** Help, completion and the manual page come from one description, and say what the parser does. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandSpec, optionUsage } from "../../../src/help/command-spec.ts";
import { COMMANDS, GLOBAL_OPTIONS } from "../../../src/help/commands.ts";
import { completionScript } from "../../../src/help/completion.ts";
import { commandHelp, overviewHelp } from "../../../src/help/help-text.ts";
import { manPage } from "../../../src/help/man-page.ts";
import { unknownCommand, unknownOption } from "../../../src/help/suggest.ts";
import { missingCommands, testWith } from "../../support/capability.ts";
import { temporaryFolder } from "../../support/processes.ts";

const commands: readonly CommandSpec[] = COMMANDS;
const folder = temporaryFolder("help");

/** What stands for the executable, which completion asks for processes. */
const TOOL = join(folder, "bin/gomapgrow");
mkdirSync(join(folder, "bin"));
writeFileSync(TOOL, "#!/bin/sh\nprintf '4711\\tshopd\\n4712\\tshopd\\n81\\tetcd\\n666\\t$(touch gone)\\n'\n", {
	mode: 0o755,
});
const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}` };

function run(argv: string[], stdin = ""): { code: number; stdout: string; stderr: string } {
	const { exitCode, stdout, stderr } = Bun.spawnSync(argv, { stdin: Buffer.from(stdin), cwd: folder, env });
	return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

describe("help", () => {
	for (const command of commands) {
		test(`of ${command.name} has its usage, all options and examples in 80 columns`, () => {
			const text = commandHelp(command);
			expect(text).toContain(`usage:  gomapgrow ${command.name}`);
			for (const option of [...command.options, ...GLOBAL_OPTIONS]) expect(text).toContain(optionUsage(option));
			expect(command.examples.length).toBeGreaterThan(0);
			for (const example of command.examples) {
				expect(text).toContain(`  ${example.command}\n`);
				expect(example.command).toContain(`gomapgrow ${command.name}`);
			}
			for (const line of text.split("\n")) {
				if (!command.examples.some((example) => line.includes(example.command)))
					expect(line.length).toBeLessThanOrEqual(80);
				expect(line).not.toMatch(/\s$/);
			}
		});
	}
	test("without a command lists all of them", () => {
		for (const { name } of commands) expect(overviewHelp()).toMatch(new RegExp(`^  ${name} `, "m"));
	});
	test("examples use options that there are", () => {
		for (const command of commands) {
			for (const example of command.examples) {
				const ours = example.command.split(/ -- | [|>] /)[0] ?? "";
				for (const [, name] of ours.matchAll(/ --([a-z-]+)/g)) {
					expect(command.options.map((option) => option.name)).toContain(name ?? "");
				}
			}
		}
	});
});

describe("suggestions", () => {
	for (const [typed, meant] of [
		["wach", "watch"],
		["reprot", "report"],
		["docter", "doctor"],
		["rec", "record"],
	] as const) {
		test(`${typed} is ${meant}`, () => expect(unknownCommand(typed).found).toBe(`"${typed}": did you mean ${meant}?`));
	}
	test("none for what resembles nothing", () => expect(unknownCommand("xyzzy").found).toBe('"xyzzy"'));
	test("options of the command only", () => {
		const find = (name: string) => commands.find((command) => command.name === name) as CommandSpec;
		expect(unknownOption("--durtion", find("watch")).found).toBe('"--durtion": did you mean --duration?');
		expect(unknownOption("--latency", find("watch")).found).toContain("--no-latency");
		expect(unknownOption("--durtion", find("doctor")).found).toBe('"--durtion"');
		expect(unknownOption("--port", find("run")).found).toContain("stand after --");
	});
});

describe("bash completion", () => {
	const bashTest = testWith(missingCommands("bash"));
	const script = join(folder, "completion.bash");
	writeFileSync(script, completionScript("bash"));
	for (const file of ["run one.ndjson", "$(touch pwned).ndjson", "run.svg"]) writeFileSync(join(folder, file), "");
	mkdirSync(join(folder, "runs"));

	/** What is offered for the last word. */
	function complete(...words: string[]): string[] {
		const body = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gomapgrow; printf '%s\\n' "\${COMPREPLY[@]}"`;
		const { code, stdout, stderr } = run(["bash", "--norc", "-c", body, "bash", script, ...words]);
		expect(stderr).toBe("");
		expect(code).toBe(0);
		return stdout.split("\n").filter((line) => line !== "");
	}

	bashTest("commands", () => {
		expect(complete("gomapgrow", "")).toEqual([...commands.map(({ name }) => name), "help", "--help", "--version"]);
		expect(complete("gomapgrow", "re")).toEqual(["record", "report"]);
	});
	bashTest("options of each command", () => {
		for (const command of commands) {
			const names = [...command.options, ...GLOBAL_OPTIONS].map((option) => `--${option.name}`);
			expect(complete("gomapgrow", command.name, "--")).toEqual(names);
		}
	});
	bashTest("values", () => {
		expect(complete("gomapgrow", "watch", "--color", "")).toEqual(["auto", "always", "never"]);
		expect(complete("gomapgrow", "report", "x", "--metric", "m")).toEqual(["moved"]);
		expect(complete("gomapgrow", "completion", "")).toEqual(["bash", "zsh", "fish"]);
		expect(complete("gomapgrow", "watch", "--duration", "")).toEqual([]);
	});
	bashTest("files, whatever their names", () => {
		expect(complete("gomapgrow", "record", "-o", "ru").sort()).toEqual(["run one.ndjson", "run.svg", "runs"]);
		expect(complete("gomapgrow", "report", "$")).toEqual(["$(touch pwned).ndjson"]);
		expect(run(["ls"]).stdout).not.toMatch(/^pwned$/m);
	});
	bashTest("names and PIDs of Go processes", () => {
		expect(complete(TOOL, "watch", "")).toEqual(expect.arrayContaining(["shopd", "etcd"]));
		expect(complete(TOOL, "watch", "sho")).toEqual(["shopd"]);
		expect(complete(TOOL, "maps", "47")).toEqual(["4711", "4712"]);
	});
	bashTest("commands behind help", () => {
		expect(complete("gomapgrow", "help", "re")).toEqual(["record", "report"]);
		expect(complete("gomapgrow", "help", "watch", "")).toEqual([]);
	});
	bashTest("a name of a process is never executed", () => {
		expect(complete(TOOL, "watch", "")).not.toContain("$(touch gone)");
		expect(complete(TOOL, "watch", "$")).not.toContain("$(touch gone)");
		expect(complete(TOOL, "watch", "666")).toEqual(["666"]);
		expect(run(["ls"]).stdout).not.toMatch(/^gone$/m);
	});
	bashTest("the command of run", () => {
		expect(complete("gomapgrow", "run", "--json", "--", "bas")).toContain("bash");
		expect(complete("gomapgrow", "run", "--", "bash", "--js")).toEqual([]);
	});
});

describe("zsh completion", () => {
	const zshTest = testWith(missingCommands("zsh"));
	const script = join(folder, "_gomapgrow");
	writeFileSync(script, completionScript("zsh"));

	zshTest("is valid", () => {
		expect(run(["zsh", "-n", script])).toEqual({ code: 0, stdout: "", stderr: "" });
	});
	zshTest("offers commands and options", () => {
		// The usual way of asking zsh: a terminal of its own, in which the matches are listed.
		const driver = `
			zmodload zsh/zpty
			zpty shell zsh -f -i
			zpty -w shell "PS1='READY>'; fpath=(${folder} \\$fpath); autoload -U compinit; compinit -u -D; zstyle ':completion:*' list-prompt ''; setopt nolistbeep; echo set''up"
			zpty -r shell text '*setup*READY>'
			zpty -w -n shell $'gomapgrow re\\t\\t'
			zpty -r -m shell text '*report*'
			print -r -- "$text"
			zpty -w -n shell $'\\C-ugomapgrow watch --dur\\t'
			zpty -r -m shell text '*--duration*'
			print -r -- "$text"
			zpty -d shell`;
		const { stdout } = run(["timeout", "20", "zsh", "-f", "-c", driver]);
		expect(stdout).toContain("record");
		expect(stdout).toContain("report");
		expect(stdout).toContain("--duration");
	});
});

describe("fish completion", () => {
	const fishTest = testWith(missingCommands("fish"));
	const script = join(folder, "gomapgrow.fish");
	writeFileSync(script, completionScript("fish"));

	function complete(line: string): string[] {
		const { stdout, stderr } = run([
			"fish",
			"--no-config",
			"-c",
			`source ${script}; complete -C ${JSON.stringify(line)}`,
		]);
		expect(stderr).toBe("");
		return stdout
			.split("\n")
			.map((text) => text.split("\t")[0] ?? "")
			.filter((text) => text !== "");
	}

	fishTest("offers commands, options, values, processes and files", () => {
		expect(complete("gomapgrow re")).toEqual(["record", "report"]);
		expect(complete("gomapgrow watch --dur")).toEqual(["--duration"]);
		expect(complete("gomapgrow watch --color ").sort()).toEqual(["always", "auto", "never"]);
		expect(complete("gomapgrow watch sho")).toEqual(["shopd"]);
		expect(complete("gomapgrow watch 47")).toEqual(["4711", "4712"]);
		expect(complete("gomapgrow help re")).toEqual(["record", "report"]);
		expect(complete(`gomapgrow report ${folder}/runs`)).toEqual([`${folder}/runs/`]);
	});
});

describe("the manual page", () => {
	const page = manPage("1.2.3", "2026-01-31");
	test("has every command, option and example", () => {
		const plain = page
			.replaceAll(/\\f[BIR]|\\&/g, "")
			.replaceAll("\\-", "-")
			.replaceAll("\\(aq", "'");
		for (const command of commands) {
			expect(plain).toContain(`.SS ${command.name}\n`);
			for (const option of command.options) expect(plain).toContain(`--${option.name}`);
			for (const example of command.examples) expect(plain.replaceAll("\\(ti", "~")).toContain(example.command);
		}
	});
	testWith(missingCommands("mandoc"))("has no fault that mandoc finds", () => {
		expect(run(["mandoc", "-T", "lint", "-W", "style"], page)).toEqual({ code: 0, stdout: "", stderr: "" });
	});
	testWith(missingCommands("mandoc"))("reads as it should", () => {
		const { stdout } = run(["mandoc", "-T", "utf8", "-O", "width=100"], page);
		// Bold and underlined text is spelled by overstriking.
		const text = stdout.replaceAll(new RegExp(`.${String.fromCharCode(8)}`, "g"), "");
		expect(text).toContain("GOMAPGROW(1)");
		expect(text).toContain("zstdcat run.ndjson.zst | gomapgrow report -");
		expect(text).toContain("source <(gomapgrow completion bash)");
		expect(text).toContain("jq 'select(.type == \"growth\")'");
		expect(text).toContain("compressed when its name ends in .gz");
	});
});
