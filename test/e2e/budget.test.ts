/** The overhead budget, on a program that does nothing but grow maps and whose runtime counts its calls itself. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ThrottleRecord } from "../../src/records/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { Coverage } from "../support/figures.ts";
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

/** Calls between the two phases, by the program's own counters. */
function callsBetween(before: Counts, after: Counts): [string, number][] {
	return Object.entries(after).map(([fn, calls]) => [fn, calls - (before[fn] ?? 0)]);
}

/** Of all runs of this file. */
const coverage = new Coverage();

function coverageOf(name: string, truth: readonly [string, number][], { end }: Trace): Coverage {
	const found = new Coverage();
	for (const [fn, calls] of truth) found.take(`${name}: ${fn}`, end.calls[fn] ?? 0, calls);
	return found;
}

const TOLERATED = 0.1;
const misses = ({ all, missed }: Coverage): boolean => missed.length > TOLERATED * all;

describe("the budget", () => {
	for (const [version, keys, budget] of [
		["1.23", "2000", 0.01],
		["1.27", "2000", 0.01],
		["1.23", "20000", 0.05],
		["1.27", "200", 0.05],
	] as const) {
		const percent = `${100 * budget}%`;
		tracingTest(
			`of ${percent} makes a tier that is too dear be probed part of the time, and says so: maps of ${keys} keys, Go ${version}`,
			async () => {
				let run = await watchOnce();
				// The functions of a run err together, and one run in twenty may: another one must not.
				if (misses(run)) run = await watchOnce();
				coverage.add(run);
			},
			480_000,
		);

		async function watchOnce(): Promise<Coverage> {
			const target = start([buildCounted(version), "8000000", keys], { stdin: "pipe" });
			const before = await counted("ready", target);
			const file = `${version}-${keys}.ndjson`;
			const observer = await watchTo(file, target.pid, percent);
			target.writeLine("go");
			const after = await counted("end", target);
			const trace = traceIn(file, observer, await observer.finish(60_000));

			const throttles = parseRecords(trace.stdout).filter(
				(record): record is ThrottleRecord => record.type === "throttle",
			);
			expect(throttles[0]).toMatchObject({ pid: target.pid, from: 1, budget });
			expect(throttles.some(({ overhead }) => overhead > budget)).toBe(true);
			for (const { reason } of throttles) expect(reason).not.toBe("");
			expect(Object.values(trace.end.calls).some((count) => typeof count === "object")).toBe(true);
			// What was counted adds up.
			for (const [name, tier] of Object.entries(trace.end.ledger)) {
				expect({ name, rest: unaccounted(tier) }).toEqual({ name, rest: 0 });
			}
			// What was counted is exact: growths, as long as they alone do not break the budget.
			return coverageOf(file, callsBetween(before, after), trace);
		}
	}

	tracingTest("comes with intervals that contain the truth at least nine times in ten", () => {
		expect(coverage.all).toBeGreaterThan(0);
		if (misses(coverage)) expect(coverage.missed).toEqual([]);
	});
});

describe("no budget", () => {
	tracingTest("means that every call is counted", async () => {
		const target = start([buildCounted("1.23"), "400000", "2000"], { stdin: "pipe" });
		const before = await counted("ready", target);
		const observer = await watchTo("off.ndjson", target.pid, "off");
		target.writeLine("go");
		const after = await counted("end", target);
		const trace = traceIn("off.ndjson", observer, await observer.finish(60_000));
		for (const [fn, calls] of callsBetween(before, after)) expect(trace.end.calls[fn] ?? 0).toBe(calls);
		expect(trace.stdout).not.toContain('"type":"throttle"');
	});
});
