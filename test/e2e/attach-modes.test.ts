/** Kernels without uprobe_multi or attach cookies get the same answers: each way of attaching is forced in turn. */
import { describe, expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { start } from "../support/processes.ts";
import { startGomapgrow, toTrace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const COUNTS = [8, 13, 26, 52, 104, 208, 416, 832, 1664];

describe("attach mode", () => {
	for (const mode of ["multi", "perf-cookie", "perf-address"]) {
		const env = { ...process.env, GOMAPGROW_ATTACH: mode };
		const modeTest = testWith(missingForTracing());

		modeTest(
			mode,
			async () => {
				const command = ["run", "--json", "--", buildProgram("grow", "1.23"), "int", "2000"];
				const program = startGomapgrow(command, { env });
				const trace = toTrace(program, await program.finish(30_000));
				expect(trace.end.complete).toBe(true);
				const own = trace.growths.filter((growth) => growth.map_type === "map[int]int");
				expect(own.map((growth) => growth.count)).toEqual(COUNTS);
			},
			60_000,
		);

		modeTest(
			`${mode}: only the process that was asked for, though others execute the same file`,
			async () => {
				const programs = Array.from({ length: 3 }, () => start([buildProgram("relay", "1.23")], { stdin: "pipe" }));
				const pid = programs[1]?.pid ?? 0;
				const observer = startGomapgrow(["watch", "--json", String(pid)], { env });
				await observer.untilOutput(/^\{"type":"target".*\n/m);
				for (const program of programs) {
					program.writeLine("");
					await program.untilOutput(/2000\n/);
				}
				for (const program of programs) program.closeInput();
				const trace = toTrace(observer, await observer.finish());
				expect(trace.growths.map((growth) => [growth.pid, growth.count])).toEqual(COUNTS.map((count) => [pid, count]));
				expect(trace.end.calls["runtime.hashGrow"]).toBe(COUNTS.length);
				expect(trace.end.complete).toBe(true);
			},
			60_000,
		);
	}
});
