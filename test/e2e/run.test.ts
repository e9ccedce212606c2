/** `run` is transparent: the command has its own input, output, environment and end. */
import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, parseRecords, startGomapgrow, toTrace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 60_000;

/** test/programs/transparent under the newest runtime. */
function transparent(): string {
	return buildProgram("transparent", "1.27");
}

describe("the exit code", () => {
	for (const code of [0, 1, 3, 255]) {
		tracingTest(
			`${code} is passed on`,
			async () => {
				for (const json of [[], ["--json"]]) {
					const program = startGomapgrow(["run", ...json, "--", transparent(), "exit", String(code)]);
					expect((await program.finish()).code).toBe(code);
				}
			},
			TIMEOUT,
		);
	}

	for (const [signal, code] of [
		["SIGKILL", 137],
		["SIGTERM", 143],
	] as const) {
		tracingTest(
			`is ${code} when the command dies by ${signal}`,
			async () => {
				const program = startGomapgrow(["run", "--json", "--", transparent(), "die", signal]);
				const exit = await program.finish();
				expect(exit).toEqual({ code, signal: undefined });
				expect(toTrace(program, exit).end.reason).toBe("target-exit");
			},
			TIMEOUT,
		);
	}
});

describe("a signal to gomapgrow", () => {
	for (const [signal, reason] of [
		["SIGINT", "interrupt"],
		["SIGTERM", "terminate"],
	] as const) {
		tracingTest(
			`${signal} reaches the command, whose exit code is passed on`,
			async () => {
				const program = startGomapgrow(["run", "--json", "--", transparent(), "wait"]);
				await program.until("start of the command", () => (program.stderr.includes("waiting") ? true : undefined));
				const before = performance.now();
				program.signal(signal);
				const exit = await program.finish();
				expect(performance.now() - before).toBeLessThan(1000);
				// The command ends itself with 40 + the number of the signal that it got.
				expect(exit.code).toBe(signal === "SIGINT" ? 42 : 55);
				expect(["target-exit", reason]).toContain(toTrace(program, exit).end.reason);
			},
			TIMEOUT,
		);
	}
});

describe("the output of the command", () => {
	tracingTest(
		"is its own standard output without --json",
		async () => {
			const program = startGomapgrow(["run", "--", transparent(), "speak"]);
			expect((await program.finish()).code).toBe(0);
			expect(program.stdout).toBe("on standard output\n");
			expect(program.stderr).toContain("on standard error\n");
			expect(program.stderr).toMatch(/^measured: .*no events lost/m);
		},
		TIMEOUT,
	);

	tracingTest(
		"goes to standard error with --json",
		async () => {
			const program = startGomapgrow(["run", "--json", "--", transparent(), "speak"]);
			const exit = await program.finish();
			expect(exit.code).toBe(0);
			expect(program.stderr).toContain("on standard output\n");
			expect(program.stderr).toContain("on standard error\n");
			expect(parseRecords(program.stdout).length).toBeGreaterThanOrEqual(3);
			expect(toTrace(program, exit).end.complete).toBe(true);
		},
		TIMEOUT,
	);
});

tracingTest(
	"the command gets its arguments, environment, folder, input, limits and descriptors as if it had been started directly",
	async () => {
		const folder = temporaryFolder("transparent");
		const args = ["describe", "a b", "", "--json", "-x", "$HOME", "ä\n"];
		const options = {
			cwd: folder,
			env: { PATH: process.env.PATH, HOME: "/nowhere", EMPTY: "", MULTI: "a\nb=c" },
			stdin: "pipe" as const,
		};
		const executable = transparent();
		const script = join(folder, "direct.sh");
		// The same parent for both, because limits are inherited.
		writeFileSync(script, '#!/bin/sh\n"$@"\nexit $?\n');
		const direct = start(["sh", script, executable, ...args], options);
		const observed = start(["sh", script, GOMAPGROW, "run", "--", executable, ...args], options);
		for (const program of [direct, observed]) {
			program.writeLine("a line of input");
			expect((await program.finish()).code).toBe(0);
		}
		expect(JSON.parse(observed.stdout)).toEqual(JSON.parse(direct.stdout));
		expect(JSON.parse(observed.stdout)).toMatchObject({ args, cwd: folder, input: "a line of input\n" });
	},
	TIMEOUT,
);

tracingTest(
	"a command is found through PATH, also when it has options like ours",
	async () => {
		const executable = transparent();
		const folder = executable.slice(0, executable.lastIndexOf("/"));
		const program = startGomapgrow(
			["run", "--", executable.slice(folder.length + 1), "describe", "--duration", "1s", "--help", "0x10"],
			{
				env: { PATH: `/nowhere:${folder}` },
				stdin: "pipe",
			},
		);
		program.writeLine("x");
		expect((await program.finish()).code).toBe(0);
		expect(JSON.parse(program.stdout)).toMatchObject({
			args: ["describe", "--duration", "1s", "--help", "0x10"],
			cwd: process.cwd(),
		});
	},
	TIMEOUT,
);

tracingTest(
	"--duration ends the observation, not the command",
	async () => {
		const program = startGomapgrow(["run", "--json", "--duration", "500ms", "--", transparent(), "wait", "1500ms"]);
		const exit = await program.finish();
		expect(exit.code).toBe(7);
		const { end, windows } = toTrace(program, exit);
		expect(end.reason).toBe("duration");
		const observedNs = windows.reduce((sum, { interval_ns }) => sum + interval_ns, 0);
		expect(observedNs).toBeGreaterThan(0.49e9);
		expect(observedNs).toBeLessThan(1.4e9);
	},
	TIMEOUT,
);
