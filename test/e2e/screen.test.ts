/** The live screen as a user meets it: the real executable on a pseudo-terminal, keys, sizes, job control and every way out. */
import { describe, expect } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { type PtyOptions, type PtyProgram, startOnTerminal } from "../support/pty.ts";
import { GOMAPGROW } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 120_000;
const CTRL = { c: "\x03", z: "\x1a", l: "\x0c" };
const DOWN = "\x1b[B";

async function startDemo(version: string): Promise<Program> {
	const demo = start([buildProgram("demo", version), "-for", "110s"]);
	await demo.untilOutput(/pid/);
	return demo;
}

async function watch(demo: Program, args: string[] = [], options: PtyOptions = {}): Promise<PtyProgram> {
	const program = startOnTerminal([GOMAPGROW, "watch", "--budget", "off", ...args, String(demo.pid)], options);
	await program.untilShown(/GROW\/s[\s\S]*main\./);
	return program;
}

/** The terminal is as it was, and the normal screen shows the summary. */
function expectGivenBack(program: PtyProgram): void {
	expect(program.alternate).toBe(false);
	expect(program.cooked).toBe(true);
	expect(program.cursorVisible).toBe(true);
	expect(program.wraps).toBe(true);
	expect(program.switches.entered).toBe(program.switches.left);
}

describe("what is shown", () => {
	tracingTest(
		"before the first growth, and then: each table, sorted, filtered, frozen, with its help",
		async () => {
			const demo = await startDemo("1.23");
			const program = startOnTerminal([GOMAPGROW, "watch", "--budget", "off", String(demo.pid)]);
			await program.untilShown(/no map has grown yet, \d+ probes ready/);
			expect(program.alternate).toBe(true);
			expect(program.cooked).toBe(false);
			await program.untilShown(/▾GROW\/s[\s\S]*▸ .*main\.addLabel main\.go:101/);
			const [header = "", ...lines] = program.lines();
			expect(header).toMatch(
				new RegExp(`^ gomapgrow {2}demo-1\\.23\\S* ${demo.pid} {2}go1\\.23\\S* classic .*\\d\\d:\\d\\d$`),
			);
			for (const name of ["growths", "growth work", "copied", "time in growth"]) {
				expect(lines.find((line) => line.startsWith(` ${name} `))).toMatch(/ ~?[\d,.]+k? .* ~?[\d,.]+k? /);
			}
			await program.untilShown(/ kinds +double \d+ %.* causes load/);
			await program.untilShown(/no events lost/);
			expect(program.lines().at(-1)).toMatch(/s sort.*\? help {2}q quit$/);

			program.type("2");
			await program.untilShown(/\[2 types\][\s\S]*map\[\[2\]int\]bool/);
			program.type("3");
			// An index that is rebuilt: from 8 slots on, again and again.
			await program.untilShown(/\[3 maps\][\s\S]* 10 +8 +8,192 .*map\[\[2\]int\]bool/);
			program.type("4");
			await program.untilShown(/\[4 goroutines\][\s\S]*main\.every\.func1/);
			program.type("5");
			await program.untilShown(new RegExp(`\\[5 processes\\][\\s\\S]* ${demo.pid} demo-1\\.`));

			program.type("1s");
			await program.untilShown(/▾GROWTH WORK\/s/);
			program.type("r");
			await program.untilShown(/▴GROWTH WORK\/s/);
			program.type("/rebuild");
			await program.untilShown(/"rebuild" 1 of \d[\s\S]*▸ .*main\.\(\*index\)\.rebuild/);
			program.type("\r\r");
			await program.untilShown(/as it was at \d\d:\d\d\.\d/);
			await program.untilShown(/▸ main\.\(\*index\)\.rebuild ‹inl› +main\.go:111\n +main\.main\.func5/);
			await program.untilShown(
				/goroutine \d+ runs main\.every\.func1\n started by main\.every main\.go:126 in goroutine 1/,
			);
			program.type("\x1b");
			await program.untilShown(/\[1 sites\]/);
			program.type("\x1b");
			await program.untilShown(/\d call sites|addLabel/);
			program.type("?");
			await program.untilShown(/ keys\n 1 to 6/);
			program.type("q");
			expect(await program.finish()).toEqual({ code: 0, signal: undefined });
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"follows the size of the terminal at once",
		async () => {
			const demo = await startDemo("1.27");
			const program = await watch(demo);
			for (const [columns, rows, pattern] of [
				[160, 48, / ── main\.addLabel main\.go:101[\s\S]*newest growth +how long all growths took +kinds of growth/],
				[40, 10, /^ demo-1\.27\S* \d+ .*\d\d:\d\d\n growths [\d,.]+\/s/],
				[200, 60, /MB copied, last \d/],
				[80, 24, / took +all growths +p50/],
			] as const) {
				program.resize(columns, rows);
				await program.until(`${pattern} on ${columns}x${rows}`, () => {
					const lines = program.lines();
					return lines.length === rows && pattern.test(program.screen) && lines.at(-1)?.endsWith("q quit");
				});
			}
			program.type("q");
			await program.finish();
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"stands still while it is paused, and the recording goes on",
		async () => {
			const demo = await startDemo("1.27");
			const program = await watch(demo, [], { columns: 120 });
			program.type("p");
			await program.untilShown(/paused at (\d\d:\d\d), recording goes on/);
			const still = program.lines();
			await Bun.sleep(2500);
			expect(program.lines()).toEqual(still);
			const growths = (line: string | undefined) =>
				Number((line ?? "").trim().split(/ {2,}/).at(3)?.replaceAll(",", ""));
			const before = growths(still.find((line) => line.startsWith(" growth ")));
			expect(before).toBeGreaterThan(0);
			program.type("p");
			await program.until("growths of meanwhile", () => {
				return growths(program.lines().find((line) => line.startsWith(" growth "))) > before + 1000;
			});
			program.type("q");
			await program.finish();
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"names processes that have ended",
		async () => {
			const demos = [await startDemo("1.23"), await startDemo("1.27")] as const;
			const program = await watch(demos[0], [String(demos[1].pid)]);
			program.type("5");
			await program.untilShown(/\[5 processes\].*2 processes/);
			await demos[1].stop();
			await program.untilShown(new RegExp(` ${demos[1].pid} \\S+ \\(ended\\)`));
			expect(program.lines().find((line) => line.includes(` ${demos[0].pid} demo`))).not.toContain("(ended)");
			program.type("q");
			await program.finish();
			await demos[0].stop();
		},
		TIMEOUT,
	);
});

describe("colour", () => {
	for (const [name, args, env, colored] of [
		["is used on a terminal", [], {}, true],
		["is not with NO_COLOR", [], { NO_COLOR: "1" }, false],
		["is with --color always, whatever NO_COLOR says", ["--color", "always"], { NO_COLOR: "1" }, true],
		["is not with --color never", ["--color", "never"], {}, false],
	] as const) {
		tracingTest(
			name,
			async () => {
				const demo = await startDemo("1.27");
				const all = { PATH: process.env.PATH, TERM: "xterm-256color", ...env };
				const program = await watch(demo, [...args], { env: all });
				program.type("q");
				await program.finish();
				// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape codes
				expect(/\x1b\[(?:1|2|7|36)m/.test(program.output)).toBe(colored);
				await demo.stop();
			},
			TIMEOUT,
		);
	}
});

describe("a flame graph", () => {
	tracingTest(
		"is written to the current folder, each time to a file of its own",
		async () => {
			const demo = await startDemo("1.23");
			const folder = temporaryFolder("flame");
			const program = await watch(demo, [], { cwd: folder, columns: 160 });
			program.type("f");
			await program.untilShown(/flame graph written: \/.*\.svg$/);
			program.type("fff");
			await program.until("four files", () => readdirSync(folder).length === 4);
			for (const name of readdirSync(folder)) {
				expect(name).toMatch(new RegExp(`^gomapgrow-demo-1\\.23\\S*-${demo.pid}-\\d{8}-\\d{6}(-\\d)?\\.svg$`));
				const svg = readFileSync(join(folder, name), "utf8");
				expect(svg).toStartWith("<?xml");
				expect(svg).toContain("main.addLabel");
				expect(svg.trimEnd()).toEndWith("</svg>");
			}
			// The notice goes with the next key.
			program.type("j");
			await program.untilShown(/s sort {2}r reverse/);
			program.type("q");
			await program.finish();
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"that cannot be written is said, and nothing else happens",
		async () => {
			const demo = await startDemo("1.27");
			const folder = mkdtempSync(join(tmpdir(), "gomapgrow-test-gone-"));
			const program = await watch(demo, [], { cwd: folder, columns: 160 });
			rmdirSync(folder);
			program.type("f");
			await program.untilShown(/error\[E-IO\]: wanted to write .*; found no such file/);
			expect(existsSync(folder)).toBe(false);
			program.type("2");
			await program.untilShown(/\[2 types\]/);
			program.type("q");
			expect((await program.finish()).code).toBe(0);
			await demo.stop();
		},
		TIMEOUT,
	);
});

describe("job control", () => {
	testWith(missingForTracing(), missingCommands("bash", "stty"))(
		"Ctrl-Z gives the shell its terminal, fg brings the screen back",
		async () => {
			const demo = await startDemo("1.27");
			const shell = startOnTerminal(["bash", "--norc", "--noprofile", "-i"], {
				env: { PATH: process.env.PATH, TERM: "xterm-256color", PS1: "ready> " },
			});
			await shell.untilShown(/ready> $/m);
			shell.type(`${GOMAPGROW} watch ${demo.pid}\n`);
			await shell.untilShown(/GROW\/s[\s\S]*main\.addLabel/);
			for (let round = 1; round <= 2; round++) {
				shell.type(CTRL.z);
				await shell.untilShown(/Stopped .*watch[\s\S]*ready> /);
				expect(shell.alternate).toBe(false);
				expect(shell.cursorVisible).toBe(true);
				shell.type("clear; stty -a | grep -o -e '-\\?icanon' -e '-\\?echo ' -e '-\\?isig'\n");
				await shell.untilShown(/^isig\n *icanon\n *echo|^isig[\s\S]*^icanon[\s\S]*^echo/m);
				expect(shell.screen).not.toMatch(/-icanon|-echo |-isig/);
				shell.type("fg\n");
				await shell.untilShown(/^ gomapgrow[\s\S]*GROW\/s[\s\S]*main\.addLabel[\s\S]*q quit/);
				expect(shell.alternate).toBe(true);
				shell.type(round === 1 ? "2" : "1");
				await shell.untilShown(round === 1 ? /\[2 types\]/ : /\[1 sites\]/);
				shell.type("1");
			}
			shell.type("q");
			await shell.untilShown(/no events lost[\s\S]*ledger: [\s\S]*ready> $/m);
			expect(shell.alternate).toBe(false);
			shell.type("echo code=$?\n");
			await shell.untilShown(/^code=0/m);
			shell.type("exit\n");
			await shell.finish();
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"a stop that nobody asked us about: the screen is drawn anew afterwards",
		async () => {
			const demo = await startDemo("1.27");
			const program = await watch(demo);
			program.signal("SIGSTOP");
			await program.until("a stopped process", () =>
				/\nState:\tT/.test(readFileSync(`/proc/${program.pid}/status`, "utf8")),
			);
			const before = program.output.length;
			program.signal("SIGCONT");
			await program.until("a new frame", () => program.output.slice(before).includes("gomapgrow"));
			await program.untilShown(/^ gomapgrow[\s\S]*GROW\/s[\s\S]*q quit/);
			expect(program.alternate).toBe(true);
			program.type("q");
			await program.finish();
			expectGivenBack(program);
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"Ctrl-Z where no shell could continue it does not stop it",
		async () => {
			const demo = await startDemo("1.27");
			// Leader of its own session: the kernel ignores stops of such a group.
			const program = await watch(demo);
			program.type(CTRL.z);
			await program.until("both screens", () => program.switches.entered >= 2);
			await program.untilShown(/^ gomapgrow[\s\S]*GROW\/s[\s\S]*q quit/);
			program.type("q");
			await program.finish();
			expectGivenBack(program);
			await demo.stop();
		},
		TIMEOUT,
	);
});

describe("the way out", () => {
	const ways: readonly [name: string, leave: (program: PtyProgram, demo: Program) => void][] = [
		["q", (program) => program.type("q")],
		["Q", (program) => program.type("Q")],
		["Ctrl-C", (program) => program.type(CTRL.c)],
		["Ctrl-C while a filter is typed", (program) => program.type(`/abc${CTRL.c}`)],
		["q in the help, behind other keys", (program) => program.type(`${DOWN}${DOWN}\r?q`)],
		["SIGTERM", (program) => program.signal("SIGTERM")],
		["SIGINT", (program) => program.signal("SIGINT")],
		["SIGHUP", (program) => program.signal("SIGHUP")],
		["the end of the target", (_, demo) => demo.signal("SIGKILL")],
	];
	for (const [name, leave] of ways) {
		tracingTest(
			name,
			async () => {
				const demo = await startDemo("1.27");
				const program = await watch(demo);
				leave(program, demo);
				expect(await program.finish(10_000)).toEqual({ code: 0, signal: undefined });
				expectGivenBack(program);
				expect(program.screen).toMatch(/ growths of \d/);
				expect(program.screen.replaceAll("\n", "")).toMatch(/no events lost.*ledger: /);
				await demo.stop();
			},
			TIMEOUT,
		);
	}

	tracingTest(
		"the duration",
		async () => {
			const demo = await startDemo("1.23");
			const program = startOnTerminal([
				GOMAPGROW,
				"watch",
				"--budget",
				"off",
				"--duration",
				"2500ms",
				String(demo.pid),
			]);
			expect((await program.finish()).code).toBe(0);
			expectGivenBack(program);
			expect(program.switches.entered).toBe(1);
			expect(program.screen).toMatch(/ copied .* time in growth/s);
			expect(program.screen).toMatch(/^map that grew most: .* grew \d+ times, [\d,]+ to [\d,]+ slots, at main\./m);
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"a closed terminal: it ends, and the target goes on",
		async () => {
			const demo = await startDemo("1.27");
			const program = await watch(demo);
			program.hangUp();
			await program.finish(10_000);
			expect(demo.running).toBe(true);
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"Ctrl-C without a keyboard of ours",
		async () => {
			const demo = await startDemo("1.27");
			const program = startOnTerminal(["bash", "-c", `exec "$0" watch ${demo.pid} </dev/null`, GOMAPGROW]);
			await program.untilShown(/GROW\/s[\s\S]*main\.[\s\S]*Ctrl-C quit/);
			expect(program.screen).not.toContain("q quit");
			program.type(CTRL.c);
			expect((await program.finish(10_000)).code).toBe(0);
			expectGivenBack(program);
			await demo.stop();
		},
		TIMEOUT,
	);
});
