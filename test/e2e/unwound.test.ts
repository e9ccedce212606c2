/**
 * Growth functions that do not return: a panic unwinds them, or the goroutine ends. None of these may be taken for a call that has ended, nor its time
 * for that of another one, while goroutines change threads and stacks move. The program's runtime knows which calls returned and how long they
 * took; what a panic unwinds the program counts itself.
 */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { temporaryFolder } from "../support/processes.ts";
import { ledgerFaults, recordedTrace, startGomapgrow, type Trace, withoutDuration } from "../support/trace.ts";
import { buildProgram, buildTimed } from "./build-program.ts";

const GOROUTINES = 300;

interface Report {
	/** Of the functions that the runtime measures: calls that returned, their durations in all and, of the first ones, each. */
	functions: Record<string, { calls: number; sum: number; first: number[] }>;
	/** Calls that a panic has unwound, by function. */
	left: Record<string, number>;
	/** How long it all took. */
	wall: number;
}

function sum(numbers: readonly number[]): number {
	return numbers.reduce((total, n) => total + n, 0);
}

const descending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => b - a);

/** Durations and their sums against those that the runtime took around the same calls: none of ours is longer. */
function checkDurations({ end, growths }: Trace, { functions, wall }: Report): void {
	const seen: Record<string, number> = {};
	for (const { fn, count, sum_ns, max_ns } of end.latency) {
		seen[fn] = (seen[fn] ?? 0) + count;
		expect(max_ns).toBeLessThan(wall);
		expect(sum_ns).toBeLessThan(wall * GOROUTINES);
	}
	for (const [fn, { calls, sum: theirs, first }] of Object.entries(functions)) {
		expect({ [fn]: seen[fn] ?? 0 }).toEqual({ [fn]: calls });
		expect(sum(end.latency.filter((row) => row.fn === fn).map((row) => row.sum_ns))).toBeLessThanOrEqual(theirs);
		const ours = growths.flatMap((growth) => (growth.fn === fn ? [growth.duration_ns ?? 0] : []));
		if (ours.length === 0 || first.length < calls) continue;
		// Each lies within its own, so the longest within the longest, the second within the second and so on.
		const longest = descending(first);
		expect(descending(ours).findIndex((duration, i) => duration > (longest[i] ?? 0))).toBe(-1);
	}
}

const tracingTest = testWith(missingForTracing());

describe("calls that do not return are counted as left, and nothing else is", () => {
	for (const [version, level] of [
		...([
			["1.15", "inner"],
			["1.19", "outer"],
			["1.23", "inner"],
		] as const),
		...([
			["1.24", "inner"],
			["1.27", "outer"],
		] as const),
	]) {
		tracingTest(
			`Go ${version}, ${level} functions measured`,
			async () => {
				const records = join(temporaryFolder("unwound"), "records.ndjson");
				const command = [buildTimed(version, level, "unwound"), String(GOROUTINES)];
				const program = startGomapgrow(["run", "--output", records, "--", ...command]);
				const exit = await program.finish(250_000);
				const report = JSON.parse(/^\{.*\}$/m.exec(program.stdout)?.[0] ?? "") as Report;
				const trace = recordedTrace(records, program, exit);
				expect(trace.exit.code).toBe(0);
				expect(ledgerFaults(trace.end.ledger)).toEqual([]);
				const { left } = report;
				// A tenth of the goroutines, twice each.
				const torn = (2 * GOROUTINES) / 10;
				expect(sum(Object.values(left))).toBeGreaterThanOrEqual(torn);
				expect(trace.end.ledger.latency?.unpaired).toEqual({
					left: sum(Object.values(left)),
					evicted: 0,
					withdrawn: 0,
				});
				const unpaired: Record<string, number> = {};
				for (const [fn, calls] of Object.entries(trace.end.calls)) {
					const timed = sum(trace.end.latency.filter((row) => row.fn === fn).map((row) => row.count));
					if (Number(calls) > timed) unpaired[fn] = Number(calls) - timed;
				}
				expect(unpaired).toEqual(left);
				// What a panic has unwound in a growth function itself is a growth without a duration.
				const growthsLeft = sum(
					Object.entries(left).map(([fn, calls]) => (/growToTable|rehash|hashGrow/.test(fn) ? calls : 0)),
				);
				const without = trace.growths.filter(({ duration_ns }) => duration_ns === undefined).length;
				expect(without).toBeGreaterThanOrEqual(growthsLeft);
				// Those that took longer than they are waited for have none either.
				expect(withoutDuration(trace.growths, trace.end)).toBeLessThanOrEqual(growthsLeft);
				checkDurations(trace, report);
			},
			300_000,
		);
	}
});

/** More goroutines than the kernel's table of calls under way has places for (GMG_GOROUTINES). */
const CROWD = 20_000;

describe("a crowd of goroutines", () => {
	tracingTest(
		"hardly a call is forgotten, and what is forgotten is counted",
		async () => {
			const records = join(temporaryFolder("regrow"), "records.ndjson");
			const command = [buildProgram("regrow", "1.27"), String(CROWD)];
			const program = startGomapgrow(["run", "--output", records, "--", ...command]);
			const { exit, end } = recordedTrace(records, program, await program.finish(100_000));
			expect(exit.code).toBe(0);
			expect(end.calls["internal/runtime/maps.(*Map).growToTable"]).toBe(2 * CROWD);
			const { hits, recorded, unpaired } = end.ledger.latency ?? { hits: 0, recorded: 0 };
			expect(hits).toBeGreaterThanOrEqual(2 * CROWD);
			expect(unpaired).toEqual({ left: 0, evicted: hits - recorded, withdrawn: 0 });
			expect(recorded).toBeGreaterThan(0.99 * hits);
			expect(ledgerFaults(end.ledger).filter((fault) => !fault.endsWith(" lost"))).toEqual([]);
		},
		150_000,
	);
});
