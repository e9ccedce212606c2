/**
 * The number of calls must be that which the program's own runtime counted, to the last one: 16 goroutines at 16 stack depths, while
 * the garbage collector interrupts them and shrinks their stacks.
 */
import { describe, expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { type Program, start } from "../support/processes.ts";
import { ledgerFaults, startGomapgrow, type Trace, toTrace, unaccounted, watchTraced } from "../support/trace.ts";
import { buildCounted } from "./build-program.ts";

type Calls = Record<string, number>;

/** What the program's runtime counted, from its line of that phase. */
async function counted(phase: "ready" | "end", from: () => string, program: Program): Promise<Calls> {
	const pattern = new RegExp(`^{"phase":"${phase}".*}$`, "m");
	const [line] = await program.until(`line of phase ${phase}`, () => pattern.exec(from()) ?? undefined, 60_000);
	return (JSON.parse(line) as { calls: Calls }).calls;
}

function difference(after: Calls, before: Calls): Calls {
	return Object.fromEntries(Object.entries(after).map(([fn, calls]) => [fn, calls - (before[fn] ?? 0)]));
}

/** Functions that were called, with their calls. */
function called(calls: Calls): Calls {
	return Object.fromEntries(Object.entries(calls).filter(([, n]) => n > 0));
}

interface Outcome {
	trace: Trace;
	truth: Calls;
}

/** Observed from its first instruction: every call there ever was. */
async function viaRun(executable: string, args: string[]): Promise<Outcome> {
	const program = startGomapgrow(["run", "--json", "--", executable, ...args], { stdin: "pipe" });
	// The records own standard output; the program's lines come on standard error.
	await counted("ready", () => program.stderr, program);
	program.writeLine("go");
	const truth = await counted("end", () => program.stderr, program);
	return { trace: toTrace(program, await program.finish()), truth };
}

/** Observed from some moment on: what came after it. */
async function viaWatch(executable: string, args: string[]): Promise<Outcome> {
	const target = start([executable, ...args], { stdin: "pipe" });
	const before = await counted("ready", () => target.stdout, target);
	const program = await watchTraced(target.pid);
	target.writeLine("go");
	const after = await counted("end", () => target.stdout, target);
	const trace = toTrace(program, await program.finish());
	expect(trace.end.reason).toBe("target-exit");
	return { trace, truth: difference(after, before) };
}

function sum(numbers: number[]): number {
	return numbers.reduce((total, n) => total + n, 0);
}

function checkTotals({ trace, truth }: Outcome): void {
	expect(trace.exit.code).toBe(0);
	expect(called(trace.end.calls)).toEqual(called(truth));
	// The windows are the same calls, in slices.
	const windows: Calls = {};
	for (const window of trace.windows) {
		for (const [fn, calls] of Object.entries(window.calls)) windows[fn] = (windows[fn] ?? 0) + calls;
	}
	expect(called(windows)).toEqual(called(truth));
	const { growth, work } = trace.end.ledger;
	expect([unaccounted(growth), unaccounted(work)]).toEqual([0, 0]);
	expect(growth.hits + work.hits).toBe(sum(Object.values(truth)));
}

function checkComplete({ trace }: Outcome): void {
	expect(ledgerFaults(trace.end.ledger)).toEqual([]);
	expect(trace.end.complete).toBe(true);
	expect(trace.losses).toEqual([]);
	expect(trace.growths).toHaveLength(trace.end.ledger.growth.hits);
	expect(trace.end.growths).toBe(trace.end.ledger.growth.hits);
	expect(trace.end.work).toBe(trace.end.ledger.work.hits);
	expect(sum(trace.end.sites.map((site) => site.work))).toBe(trace.end.work);
	expect(sum(trace.end.types.map((type) => type.growths))).toBe(trace.end.growths);
}

/** The goroutines' depths are in the stacks: one for each multiple of three. */
function checkDepths({ trace }: Outcome): void {
	const depths = new Set(
		trace.growths.map((growth) => growth.stack.filter((frame) => frame.fn === "main.descend").length),
	);
	expect(depths.size).toBeGreaterThanOrEqual(12);
}

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 180_000;

describe("calls of growWork_fast64 and evacuate_fast64", () => {
	for (const [version, observe] of [
		["1.19", viaRun],
		["1.23", viaWatch],
	] as const) {
		tracingTest(
			`over a million, Go ${version}, ${observe === viaRun ? "run" : "watch"}`,
			async () => {
				const outcome = await observe(buildCounted(version), ["6500000", "2000"]);
				checkTotals(outcome);
				checkComplete(outcome);
				checkDepths(outcome);
				expect(outcome.truth["runtime.growWork_fast64"]).toBeGreaterThan(1_000_000);
			},
			TIMEOUT,
		);
	}
});

describe("calls of rehash", () => {
	for (const [version, observe] of [
		["1.24", viaRun],
		["1.27", viaWatch],
	] as const) {
		tracingTest(
			`each of them an event, Go ${version}, ${observe === viaRun ? "run" : "watch"}`,
			async () => {
				const outcome = await observe(buildCounted(version), ["8000000", "2000", "30ms"]);
				checkTotals(outcome);
				checkComplete(outcome);
				checkDepths(outcome);
				expect(outcome.truth["internal/runtime/maps.(*table).rehash"]).toBeGreaterThan(35_000);
			},
			TIMEOUT,
		);

		tracingTest(
			`faster than they can be recorded, Go ${version}: the calls are exact and the loss is said`,
			async () => {
				const outcome = await observe(buildCounted(version), ["6000000", "60"]);
				checkTotals(outcome);
				const { growth } = outcome.trace.end.ledger;
				expect(growth.hits).toBeGreaterThan(300_000);
				expect(outcome.trace.growths).toHaveLength(growth.recorded);
				expect(outcome.trace.end.complete).toBe(growth.lost === 0);
				expect(sum(outcome.trace.losses.filter((loss) => loss.tier === "growth").map((loss) => loss.lost))).toBe(
					growth.lost,
				);
			},
			TIMEOUT,
		);
	}
});
