/** Kernels without uprobe_multi or attach cookies get the same answers: each way of attaching is forced in turn. */
import { describe, expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { startGomapgrow, toTrace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const COUNTS = [8, 13, 26, 52, 104, 208, 416, 832, 1664];

describe("attach mode", () => {
	for (const mode of ["multi", "perf-cookie", "perf-address"]) {
		testWith(missingForTracing())(
			mode,
			async () => {
				const program = startGomapgrow(["run", "--json", "--", buildProgram("grow", "1.23"), "int", "2000"], {
					env: { ...process.env, GOMAPGROW_ATTACH: mode },
				});
				const trace = toTrace(program, await program.finish(30_000));
				expect(trace.end.complete).toBe(true);
				const own = trace.growths.filter((growth) => growth.map_type === "map[int]int");
				expect(own.map((growth) => growth.count)).toEqual(COUNTS);
			},
			60_000,
		);
	}
});
