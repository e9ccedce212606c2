/** `gomapgrow run` with its defaults: of commands and builds nothing is sampled, and what it says equals the kernel's own perf events on the same run. */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { COMMANDS } from "../support/commands.ts";
import { exactCalls, exactGrowths, exactly } from "../support/figures.ts";
import { PerfCounts } from "../support/perf-counts.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, recordedTrace, type Trace } from "../support/trace.ts";

const folder = temporaryFolder("run-defaults");

async function traced(command: string[]): Promise<Trace> {
	const file = join(folder, `records-${Date.now()}.ndjson`);
	const program = start([GOMAPGROW, "run", "-o", file, "--", ...command]);
	const trace = recordedTrace(file, program, await program.finish(120_000));
	expect(trace.exit.code).toBe(0);
	return trace;
}

/** Everything that is said of growths is said exactly, and adds up. */
function checkExact(trace: Trace): void {
	const total = exactGrowths(trace);
	expect(trace.end.ledger.growth).toMatchObject({ hits: total, recorded: total });
	expect(trace.growths).toHaveLength(total);
}

const tracingTest = testWith(missingForTracing());

describe("run with its defaults", () => {
	for (const [name, command] of COMMANDS) {
		tracingTest(
			`records and counts each growth of ${name}, as perf does`,
			async () => {
				const argv = command(folder);
				const perf = new PerfCounts(argv[0] ?? "");
				try {
					const trace = await traced(argv);
					const counted = perf.read();
					checkExact(trace);
					const calls = exactCalls(
						Object.fromEntries(Object.keys(counted).map((fn) => [fn, trace.end.calls[fn] ?? 0])),
					);
					expect(calls).toEqual(counted);
					expect(exactly(trace.end.growths)).toBe(Object.values(counted).reduce((sum, n) => sum + n, 0));
					expect(exactly(trace.end.growths)).toBeGreaterThan(1000);
					console.log(
						name,
						JSON.stringify(counted),
						JSON.stringify(trace.end.measured),
						"work",
						JSON.stringify(trace.end.work),
					);
				} finally {
					perf.close();
				}
			},
			180_000,
		);
	}
});
