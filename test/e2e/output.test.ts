/** What is written, to pipes: records for programs, lines without escape codes for people. */
import { describe, expect, test } from "bun:test";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { exactly, exactSum } from "../support/figures.ts";
import { type Program, start } from "../support/processes.ts";
import { GOMAPGROW, ledgerFaults, startGomapgrow, toTrace, unaccounted } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 60_000;
const ESCAPE = "\u001b";

function startDemo(version: string): Program {
	return start([buildProgram("demo", version), "-for", "30s"]);
}

describe("records of the demo", () => {
	for (const version of ["1.23", "1.27"]) {
		tracingTest(
			`Go ${version}`,
			async () => {
				const demo = startDemo(version);
				await demo.untilOutput(/pid/);
				const program = startGomapgrow(["watch", "--json", "--duration", "5s", String(demo.pid)]);
				const trace = toTrace(program, await program.finish());
				expect(trace.exit.code).toBe(0);
				expect(trace.end).toMatchObject({ reason: "duration", complete: true });
				expect(ledgerFaults(trace.end.ledger)).toEqual([]);
				// A record that stands for the last, shorter window may come after the five.
				expect(trace.windows.length).toBeGreaterThanOrEqual(5);
				expect(trace.windows.length).toBeLessThanOrEqual(6);

				const types = new Map(trace.end.types.map((row) => [row.map_type, row]));
				const expected = ["map[string]*main.session", "map[string][]uint8", "map[[2]int]bool", "map[int]int"];
				for (const type of expected) expect(exactly(types.get(type)?.growths, type)).toBeGreaterThan(0);
				expect(trace.growths.map((growth) => growth.pid)).toEqual(trace.growths.map(() => demo.pid));
				for (const total of ["growths", "work", "bytes"] as const) {
					const windows = exactSum(
						trace.windows.map((window) => window[total]),
						total,
					);
					expect(windows).toBe(exactly(trace.end[total], total));
				}
				for (const { ledger } of trace.windows) {
					// While it runs, hits can be on their way; they are never negative.
					expect(unaccounted(ledger.growth)).toBeGreaterThanOrEqual(0);
					expect(unaccounted(ledger.work)).toBeGreaterThanOrEqual(0);
				}
				const times = trace.growths.map((growth) => growth.elapsed_ns);
				expect(times.every((time) => time >= 0 && time <= trace.end.elapsed_ns)).toBe(true);

				const sessions = trace.growths.filter((growth) => growth.map_type === "map[string]*main.session");
				const [grown] = sessions;
				expect(grown?.stack.find((frame) => frame.fn.startsWith("main."))?.fn).toBe("main.(*sessionStore).open");
				if (version === "1.23") {
					// The auditor ranges over the map while it grows.
					expect(sessions.some((growth) => growth.iterating === true)).toBe(true);
					const cache = trace.growths.filter((growth) => growth.map_type === "map[int32]string");
					expect(cache.some((growth) => growth.kind === "same-size" && growth.cause === "overflow")).toBe(true);
				}
				await demo.stop();
			},
			TIMEOUT,
		);
	}
});

tracingTest(
	"without a target every Go program is watched",
	async () => {
		const demos = [startDemo("1.23"), startDemo("1.27")];
		for (const demo of demos) await demo.untilOutput(/pid/);
		const program = startGomapgrow(["watch", "--json", "--duration", "2s"]);
		const trace = toTrace(program, await program.finish());
		expect(trace.exit.code).toBe(0);
		for (const demo of demos) {
			expect(trace.targets.map((target) => target.pid)).toContain(demo.pid);
			const growths = trace.growths.filter((growth) => growth.pid === demo.pid);
			expect(growths.length).toBeGreaterThan(0);
			const { map_impl } = trace.targets.find((target) => target.pid === demo.pid) ?? {};
			for (const growth of growths) expect(growth.impl).toBe(map_impl as "classic" | "swiss");
			await demo.stop();
		}
	},
	TIMEOUT,
);

testWith(missingForTracing(), missingCommands("jq"))(
	"jq understands every line",
	async () => {
		const demo = startDemo("1.27");
		await demo.untilOutput(/pid/);
		const program = start(["sh", "-c", `"$0" watch --json --duration 2s ${demo.pid} | jq -r .type`, GOMAPGROW]);
		expect((await program.finish()).code).toBe(0);
		const types = program.stdout.split("\n");
		expect(types.slice(0, 2)).toEqual(["start", "target"]);
		expect(types.slice(-2)).toEqual(["end", ""]);
		expect(new Set(types.slice(2, -2)).difference(new Set(["work", "throttle"]))).toEqual(
			new Set(["growth", "window"]),
		);
		await demo.stop();
	},
	TIMEOUT,
);

describe("text in a pipe", () => {
	for (const [name, args, env] of [
		["by default", [], {}],
		["with NO_COLOR and a terminal's TERM", [], { NO_COLOR: "1", TERM: "xterm-256color", CI: "true" }],
		["with --color never", ["--color", "never"], { TERM: "xterm-256color", CI: "true" }],
	] as const) {
		tracingTest(
			`is a line a window without escape codes ${name}`,
			async () => {
				const demo = startDemo("1.23");
				await demo.untilOutput(/pid/);
				const program = startGomapgrow(["watch", "--duration", "2500ms", ...args, String(demo.pid)], {
					env: { ...process.env, ...env },
				});
				expect((await program.finish()).code).toBe(0);
				const lines = program.stdout.trimEnd().split("\n");
				expect(lines.length).toBeGreaterThanOrEqual(2);
				expect(lines.length).toBeLessThanOrEqual(3);
				for (const line of lines)
					expect(line).toMatch(
						new RegExp(`^time=\\d\\d:\\d\\d:\\d\\dZ target=demo-1\\.23\\S*/${demo.pid} growth=\\S+ `),
					);
				expect(program.stdout + program.stderr).not.toContain(ESCAPE);
				expect(program.stderr).toContain("growths of");
				expect(program.stderr).toMatch(/^measured: .* · no events lost/m);
				await demo.stop();
			},
			TIMEOUT,
		);
	}
});

describe("a terminal", () => {
	const terminalTest = testWith(missingForTracing(), missingCommands("script"));
	for (const [name, color] of [
		["with colour", true],
		["with NO_COLOR", false],
	] as const) {
		terminalTest(
			`is given back as it was, ${name}`,
			async () => {
				const demo = startDemo("1.27");
				await demo.untilOutput(/pid/);
				const command = `${GOMAPGROW} watch --duration 2500ms ${demo.pid}; stty -a`;
				const program = start(["script", "-qec", command, "/dev/null"], {
					env: { PATH: process.env.PATH, TERM: "xterm-256color", ...(color ? {} : { NO_COLOR: "1" }) },
				});
				expect((await program.finish()).code).toBe(0);
				const text = program.stdout;
				const entered = text.indexOf(`${ESCAPE}[?1049h`);
				const left = text.lastIndexOf(`${ESCAPE}[?1049l`);
				expect(entered).toBeGreaterThanOrEqual(0);
				expect(left).toBeGreaterThan(entered);
				expect(text.lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(text.lastIndexOf(`${ESCAPE}[?25l`));
				// The summary is on the normal screen, and the line discipline is that of before.
				expect(text.slice(left)).toContain("growths of");
				expect(text.slice(left)).toMatch(/ icanon /);
				expect(text.slice(left)).toMatch(/ echo /);
				const screen = text.slice(entered, left);
				expect(screen).toContain("demo-1.27");
				// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape codes
				expect(/\u001b\[(?:3[0-7]|9[0-7]|38;5;\d+|38;2;[\d;]+)m/.test(screen)).toBe(color);
				await demo.stop();
			},
			TIMEOUT,
		);
	}
});

test("the version and the help need no privileges and no terminal", async () => {
	for (const [args, pattern] of [
		[["--version"], /^gomapgrow[ /]\d+\.\d+\.\d+/],
		[["--help"], /watch[\s\S]*run[\s\S]*doctor/],
	] as const) {
		const program = startGomapgrow([...args], { env: {} });
		expect((await program.finish()).code).toBe(0);
		expect(program.stdout).toMatch(pattern);
		expect(program.stdout).not.toContain(ESCAPE);
		expect(program.stderr).toBe("");
	}
});
