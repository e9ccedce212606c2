/** Growths that overlap an iteration, against a program that counts them itself; with --iter only. */
import { describe, expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { goBuild } from "../support/go-binaries.ts";
import { CASES, expectIterated, truthIn } from "../support/iterated.ts";
import { startGomapgrow, toTrace } from "../support/trace.ts";

async function iterate(version: string, options: string[]) {
	const executable = goBuild({ version, program: "iterate", ldflags: "-s -w" });
	const program = startGomapgrow(["run", "--json", ...options, "--", executable, ...Object.keys(CASES)]);
	const trace = toTrace(program, await program.finish());
	return { trace, truth: truthIn(program.stderr) };
}

const tracingTest = testWith(missingForTracing());

describe("iterations", () => {
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		tracingTest(`every overlap is reported once, with both goroutines, Go ${version}`, async () => {
			const { trace, truth } = await iterate(version, ["--iter"]);
			expectIterated(trace, truth);
			expect(trace.end.complete).toBe(true);
			const { growth, work, latency } = trace.end.ledger;
			// Steps of iterations are not timed, and not taken for calls whose end was not seen.
			expect(latency).toMatchObject({
				...{ hits: growth.hits + work.hits, recorded: growth.hits + work.hits },
				unpaired: { left: 0, evicted: 0 },
			});
		});
	}

	tracingTest("are not watched without the option", async () => {
		const { trace } = await iterate("1.23", []);
		expect(trace.overlaps).toEqual([]);
		expect(trace.end.overlaps).toBeUndefined();
		expect(trace.end.ledger.iteration).toBeUndefined();
		expect(Object.keys(trace.end.calls)).not.toContain("runtime.mapiternext");
	});
});
