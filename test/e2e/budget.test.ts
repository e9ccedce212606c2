/** The overhead budget, on a program that does nothing but grow maps and whose runtime counts its calls itself. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ThrottleRecord } from "../../src/model/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { type Exit, type Program, start, temporaryFolder } from "../support/processes.ts";
import { parseRecords, startGomapgrow, type Trace, toTrace, unaccounted } from "../support/trace.ts";
import { buildCounted } from "./build-program.ts";

type Counts = Record<string, number>;

async function counted(phase: string, program: Program): Promise<Counts> {
	const pattern = new RegExp(`^{"phase":"${phase}".*}$`, "m");
	const [line] = await program.until(
		`line of phase ${phase}`,
		() => pattern.exec(program.stdout) ?? undefined,
		120_000,
	);
	return (JSON.parse(line) as { calls: Counts }).calls;
}

const folder = temporaryFolder("budget");

/** Records to a file, which is no slow reader; the lines on standard output say when the probes are there. */
async function watchTo(file: string, pid: number, budget: string): Promise<Program> {
	const output = ["--output", join(folder, file)];
	const observer = startGomapgrow(["watch", ...output, "--budget", budget, "--interval", "500ms", String(pid)]);
	await observer.untilOutput(/growth=/);
	return observer;
}

function traceIn(file: string, observer: Program, exit: Exit): Trace {
	return toTrace(observer, exit, readFileSync(join(folder, file), "utf8"));
}

const tracingTest = testWith(missingForTracing());

describe("a budget of one per cent", () => {
	for (const version of ["1.23", "1.27"]) {
		tracingTest(
			`makes a tier that is too dear be probed part of the time, and says so, Go ${version}`,
			async () => {
				const target = start([buildCounted(version), "12000000", "2000"], { stdin: "pipe" });
				await counted("ready", target);
				const observer = await watchTo(`${version}.ndjson`, target.pid, "1%");
				target.writeLine("go");
				await counted("end", target);
				const trace = traceIn(`${version}.ndjson`, observer, await observer.finish(60_000));

				const throttles = parseRecords(trace.stdout).filter(
					(record): record is ThrottleRecord => record.type === "throttle",
				);
				expect(throttles[0]).toMatchObject({ pid: target.pid, from: 1, budget: 0.01 });
				expect(throttles[0]?.overhead).toBeGreaterThan(0.01);
				for (const { reason } of throttles) expect(reason).not.toBe("");

				const estimates = Object.values(trace.end.calls).filter((count) => typeof count === "object");
				expect(estimates.length).toBeGreaterThan(0);
				for (const { low, estimate, high } of estimates) {
					expect(low).toBeLessThanOrEqual(estimate);
					expect(estimate).toBeLessThanOrEqual(high);
				}
				// What was counted adds up all the same.
				for (const [name, tier] of Object.entries(trace.end.ledger)) {
					expect({ name, rest: unaccounted(tier) }).toEqual({ name, rest: 0 });
				}
			},
			240_000,
		);
	}
});

describe("no budget", () => {
	tracingTest("means that every call is counted", async () => {
		const target = start([buildCounted("1.23"), "400000", "2000"], { stdin: "pipe" });
		const before = await counted("ready", target);
		const observer = await watchTo("off.ndjson", target.pid, "off");
		target.writeLine("go");
		const after = await counted("end", target);
		const trace = traceIn("off.ndjson", observer, await observer.finish(60_000));
		for (const [fn, calls] of Object.entries(after)) expect(trace.end.calls[fn] ?? 0).toBe(calls - (before[fn] ?? 0));
		expect(trace.stdout).not.toContain('"type":"throttle"');
	});
});
