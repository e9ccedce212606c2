/**
 * The number of calls must be that which the program's own runtime counted, to the last one: 16 goroutines at 16 stack depths fill and churn maps
 * with all kinds of keys, while the garbage collector interrupts them and shrinks their stacks, on more threads than there are CPUs.
 */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { exactSum } from "../support/figures.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import {
	GOMAPGROW,
	ledgerFaults,
	recordedTrace,
	startGomapgrow,
	type Trace,
	toTrace,
	unaccounted,
	withoutDuration,
} from "../support/trace.ts";
import { buildCounted } from "./build-program.ts";

type Calls = Record<string, number>;

interface Report {
	calls: Calls;
	/** Sum of all values that were in the maps at the end. */
	total: number;
}

interface Outcome {
	trace: Trace;
	/** What the program's runtime counted meanwhile. */
	truth: Calls;
}

interface Work {
	insertions: number;
	/** Keys that a map gets one after the other; in one round of four all but a tenth are deleted again. */
	keys: number;
}

const WORKERS = 16;
const KINDS = 4;
const PATIENCE_MS = 400_000;

/** What the program says at that phase. */
async function report(phase: "ready" | "end", from: () => string, program: Program): Promise<Report> {
	const pattern = new RegExp(`^{"phase":"${phase}".*}$`, "m");
	const [line] = await program.until(`line of phase ${phase}`, () => pattern.exec(from()) ?? undefined, PATIENCE_MS);
	return JSON.parse(line) as Report;
}

/** The sum that an intact program comes to. */
function intactTotal({ insertions, keys }: Work): number {
	const lastOnes = (count: number) => (count * (keys - 1 + keys - count)) / 2;
	let total = 0;
	for (let fill = 0; fill < Math.floor(insertions / keys / WORKERS) + 1; fill++) {
		const churns = Math.floor(fill / KINDS) % 4 === 3;
		total += lastOnes(churns ? Math.floor(keys / 10) + 1 : keys);
	}
	return WORKERS * total;
}

/** gomapgrow on its way, with a way to its records. */
interface Tracer {
	program: Program;
	finish(): Promise<Trace>;
}

/**
 * Starts gomapgrow. Its records go to a file; `brief`: through a pipe that keeps those of single events back, which would be gigabytes.
 */
function startTracer(command: "run" | "watch", args: string[], brief: boolean): Tracer {
	if (brief) {
		const withoutEvents = `"$@" | grep --line-buffered -v '^{"type":"\\(growth\\|work\\)"'`;
		const tracer = [GOMAPGROW, command, "--budget", "off", "--json", ...args];
		const program = start(["bash", "-o", "pipefail", "-c", withoutEvents, "bash", ...tracer], { stdin: "pipe" });
		return { program, finish: async () => toTrace(program, await program.finish()) };
	}
	const records = join(temporaryFolder("counted"), "records.ndjson");
	const program = startGomapgrow([command, "--output", records, ...args], { stdin: "pipe" });
	return { program, finish: async () => recordedTrace(records, program, await program.finish()) };
}

interface Observation {
	executable: string;
	work: Work;
	options: string[];
	brief: boolean;
}

type Observe = (observation: Observation) => Promise<Outcome>;

/** Observed from its first instruction: every call there ever was. */
const viaRun: Observe = async ({ executable, work, options, brief }) => {
	const args = [...options, "--", executable, String(work.insertions), String(work.keys)];
	const { program, finish } = startTracer("run", args, brief);
	// Where the records own standard output, the program's lines come on standard error.
	const lines = () => (brief ? program.stderr : program.stdout);
	await report("ready", lines, program);
	program.writeLine("go");
	const { calls, total } = await report("end", lines, program);
	expect(total).toBe(intactTotal(work));
	return { trace: await finish(), truth: calls };
};

/** Observed from some moment on: what came after it. */
const viaWatch: Observe = async ({ executable, work, options, brief }) => {
	const target = start([executable, String(work.insertions), String(work.keys)], { stdin: "pipe" });
	const before = await report("ready", () => target.stdout, target);
	const { program, finish } = startTracer("watch", ["--interval", "100ms", ...options, String(target.pid)], brief);
	await program.untilOutput(brief ? /^\{"type":"window"/m : / growth=/);
	target.writeLine("go");
	const after = await report("end", () => target.stdout, target);
	expect(after.total).toBe(intactTotal(work));
	expect((await target.exited).code).toBe(0);
	const trace = await finish();
	expect(trace.end.reason).toBe("target-exit");
	const truth = Object.entries(after.calls).map(([fn, calls]) => [fn, calls - (before.calls[fn] ?? 0)]);
	return { trace, truth: Object.fromEntries(truth) };
};

function sum(numbers: number[]): number {
	return numbers.reduce((total, n) => total + n, 0);
}

/** Functions that were called, with their calls; an estimate would not equal any number. */
function called(calls: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(calls).filter(([, n]) => n !== 0));
}

function checkTotals({ trace, truth }: Outcome): void {
	expect(trace.exit.code).toBe(0);
	expect(called(trace.end.calls)).toEqual(called(truth));
	// The windows are the same calls, in slices.
	const windows: Calls = {};
	for (const window of trace.windows) {
		for (const [fn, calls] of Object.entries(window.calls)) windows[fn] = (windows[fn] ?? 0) + Number(calls);
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
	expect(exactSum(trace.end.sites.map((site) => site.work))).toBe(trace.end.ledger.work.hits);
	expect(exactSum(trace.end.types.map((type) => type.growths))).toBe(trace.end.ledger.growth.hits);
}

/** Every function's calls have a duration; none was under way at the end, and none was forgotten. */
function checkDurations({ trace, truth }: Outcome): void {
	const calls = sum(Object.values(truth));
	expect(trace.end.ledger.latency).toMatchObject({
		...{ hits: calls, recorded: calls, unpaired: { left: 0, evicted: 0 } },
	});
	const timed: Calls = {};
	for (const { fn, count, buckets } of trace.end.latency) {
		expect(sum(buckets.map((bucket) => bucket.count))).toBe(count);
		timed[fn] = (timed[fn] ?? 0) + count;
	}
	expect(called(timed)).toEqual(called(truth));
	expect(withoutDuration(trace.growths, trace.end)).toBe(0);
}

/** The goroutines' depths are in the stacks: one for each multiple of three. */
function checkDepths({ trace }: Outcome): void {
	const depths = new Set(
		trace.growths.map((growth) => growth.stack.filter((frame) => frame.fn === "main.descend").length),
	);
	expect(depths.size).toBeGreaterThanOrEqual(12);
}

interface Case {
	version: string;
	observe: Observe;
	/** Of which functions there must have been how many calls at least. */
	atLeast: Calls;
}

const runtimeCalls = (calls: Calls) => Object.fromEntries(Object.entries(calls).map(([fn, n]) => [`runtime.${fn}`, n]));
const tableCalls = (calls: Calls) =>
	Object.fromEntries(Object.entries(calls).map(([fn, n]) => [`internal/runtime/maps.(*table).${fn}`, n]));

const allVariants = (growWork: number): Calls =>
	runtimeCalls(
		Object.fromEntries(
			["", "_fast32", "_fast64", "_faststr"].flatMap((variant) => [
				[`growWork${variant}`, growWork],
				[`evacuate${variant}`, 1.5 * growWork],
			]),
		),
	);

function checkAtLeast({ truth }: Outcome, atLeast: Calls): void {
	for (const [fn, calls] of Object.entries(atLeast)) {
		expect({ [fn]: truth[fn] ?? 0 }).toEqual({ [fn]: expect.any(Number) });
		expect(truth[fn]).toBeGreaterThan(calls);
	}
}

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 2 * PATIENCE_MS;

const CLASSIC: Work = { insertions: 10_000_000, keys: 2000 };
const SWISS: Work = { insertions: 9_000_000, keys: 30 };

/** More than ten million calls in all. */
const BULK: (Case & { work: Work; calls: number })[] = [
	{ version: "1.15", observe: viaRun, work: CLASSIC, calls: 1_000_000, atLeast: allVariants(50_000) },
	{ version: "1.19", observe: viaRun, work: CLASSIC, calls: 4_100_000, atLeast: allVariants(200_000) },
	{ version: "1.23", observe: viaWatch, work: CLASSIC, calls: 4_100_000, atLeast: allVariants(200_000) },
	{
		...{ version: "1.24", observe: viaRun, work: SWISS, calls: 1_100_000 },
		atLeast: tableCalls({ rehash: 400_000, grow: 400_000 }),
	},
	{
		...{ version: "1.27", observe: viaWatch, work: SWISS, calls: 1_300_000 },
		atLeast: tableCalls({ rehash: 300_000, grow: 300_000, pruneTombstones: 300_000 }),
	},
];

describe("over ten million calls are counted exactly", () => {
	for (const { version, observe, work, calls, atLeast } of BULK) {
		tracingTest(
			`Go ${version}, ${observe === viaRun ? "run" : "watch"}`,
			async () => {
				const executable = buildCounted(version);
				const outcome = await observe({ executable, work, options: ["--no-latency"], brief: true });
				checkTotals(outcome);
				expect(sum(Object.values(outcome.truth))).toBeGreaterThan(calls);
				checkAtLeast(outcome, atLeast);
				// A growth that came faster than it could be recorded is counted all the same, and its loss is said.
				const { losses, end } = outcome.trace;
				expect(end.complete).toBe(end.ledger.growth.lost === 0);
				expect(sum(losses.filter(({ tier }) => tier === "growth").map(({ lost }) => lost))).toBe(
					end.ledger.growth.lost,
				);
				expect(end.ledger.latency).toBeUndefined();
				expect(end.latency).toEqual([]);
			},
			TIMEOUT,
		);
	}
});

/** So few growths that all of them fit into the ring. */
const SOME: Work = { insertions: 500_000, keys: 2000 };

const TIMED: (Case & { growths: string[] })[] = [
	...[
		{ version: "1.19", observe: viaWatch },
		{ version: "1.23", observe: viaRun },
	].map((one) => ({
		...one,
		atLeast: { ...allVariants(10_000), ...runtimeCalls({ hashGrow: 1500 }) },
		growths: ["double load", "same-size overflow"],
	})),
	...[
		{ version: "1.24", observe: viaWatch },
		{ version: "1.27", observe: viaRun },
	].map((one) => ({
		...one,
		atLeast: tableCalls({ rehash: 1500, grow: 1000, split: 250 }),
		growths: ["small-to-table load", "table-double load", "table-double tombstones", "split load"],
	})),
];

describe("every call is counted, every growth recorded, and all durations are measured", () => {
	for (const { version, observe, atLeast, growths } of TIMED) {
		tracingTest(
			`Go ${version}, ${observe === viaRun ? "run" : "watch"}`,
			async () => {
				const executable = buildCounted(version);
				const outcome = await observe({ executable, work: SOME, options: [], brief: false });
				checkTotals(outcome);
				checkComplete(outcome);
				checkDurations(outcome);
				checkDepths(outcome);
				checkAtLeast(outcome, atLeast);
				const kinds = new Set(outcome.trace.growths.map(({ kind, cause }) => `${kind} ${cause}`));
				expect([...kinds].sort()).toEqual([...growths].sort());
			},
			TIMEOUT,
		);
	}
});
