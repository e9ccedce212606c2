/** Growths that overlap an iteration, against a program that counts them itself; with --iter only. */
import { describe, expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { holds } from "../support/figures.ts";
import { goBuild } from "../support/go-binaries.ts";
import { CASES, expectIterated, truthIn } from "../support/iterated.ts";
import { type Program, start } from "../support/processes.ts";
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

/** Steps and time that the program has told so far. */
function progress(program: Program): { steps: number; ns: number } {
	const [steps = 0, ns = 0] = (program.stdout.match(/^\d+ \d+$/gm)?.at(-1) ?? "").split(" ").map(Number);
	return { steps, ns };
}

async function stepsPerSecond(program: Program, seconds: number): Promise<number> {
	const before = progress(program);
	await Bun.sleep(seconds * 1000);
	const after = progress(program);
	return ((after.steps - before.steps) * 1e9) / (after.ns - before.ns);
}

describe("a program that does nothing but iterate", () => {
	for (const version of ["1.23", "1.27"]) {
		tracingTest(
			`is watched part of the time, and nothing is taken for an overlap, Go ${version}`,
			async () => {
				const program = start([goBuild({ version, program: "iterbusy" }), "40"]);
				await program.untilOutput(/^\d+ \d+$/m);
				// Short: until its map grows next takes the program four times as long as it has run.
				const alone = await stepsPerSecond(program, 1.5);
				const first = progress(program);
				const tool = startGomapgrow(["watch", "--json", "--iter", "--budget", "5%", String(program.pid)]);
				await tool.untilOutput(/^\{"type":"throttle".*"tier":"iteration"/m);
				await Bun.sleep(1000);
				const watched = await stepsPerSecond(program, 14);
				tool.signal("SIGINT");
				const trace = toTrace(tool, await tool.finish());
				const after = progress(program);
				// Each step would cost it a hundred times as much as it takes alone. Iterations of a classic map that is growing take three times as long.
				expect(watched / alone).toBeGreaterThan(0.2);
				const probed = trace.windows.flatMap(({ overhead = [] }) => overhead.map((row) => row.iteration_probed ?? 1));
				expect(Math.max(...probed.slice(3))).toBeLessThan(0.2);
				// The probes have been in again, the map has grown between two rounds, and no round was one that had begun before.
				expect(probed.slice(3).filter((share) => share > 0).length).toBeGreaterThanOrEqual(2);
				expect(trace.growths.length).toBeGreaterThan(0);
				expect(trace.overlaps).toEqual([]);
				expect(trace.end.complete).toBe(true);
				const steps = version === "1.23" ? "runtime.mapiternext" : "internal/runtime/maps.(*Iter).Next";
				const told = trace.end.calls[steps];
				const truth = after.steps - first.steps;
				expect({ told, truth, holds: told !== undefined && holds(told, truth) }).toMatchObject({ holds: true });
				await program.stop();
			},
			90_000,
		);
	}
});
