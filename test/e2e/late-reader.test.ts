/** Growths are recorded whole however late the ring is read; samples of the work tier, of which there can be far more, leave them their room. */
import { expect } from "bun:test";
import { join } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { ledgerFaults, recordedTrace, startGomapgrow, type Trace, withoutDuration } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

/** Three growths each. */
const MAPS = 3500;
/** In this time without a call the sampling comes to take every one. */
const QUIET_MS = 2000;

interface Late {
	target: Program;
	tracer: Program;
	trace(): Promise<Trace>;
}

/** A program that begins to fill maps now, with a tracer that has just been stopped. */
async function stoppedTracer(maps: number): Promise<Late> {
	const target = start([buildProgram("grow", "1.23"), "int", "30", String(maps), "1s"]);
	target.signal("SIGSTOP");
	const records = join(temporaryFolder("late"), "records.ndjson");
	const tracer = startGomapgrow(["watch", "--interval", "100ms", "--output", records, String(target.pid)]);
	await tracer.untilOutput(/growth=/);
	await Bun.sleep(QUIET_MS);
	tracer.signal("SIGSTOP");
	target.signal("SIGCONT");
	return { target, tracer, trace: async () => recordedTrace(records, tracer, await tracer.finish(120_000)) };
}

const tracingTest = testWith(missingForTracing());

tracingTest(
	"no growth is lost while the reader is stopped",
	async () => {
		const { target, tracer, trace } = await stoppedTracer(MAPS);
		expect((await target.finish(120_000)).code).toBe(0);
		tracer.signal("SIGCONT");
		const { growths, end } = await trace();
		const { growth, work, sample } = end.ledger;
		// The runtime's start has some of its own.
		expect(growth.hits).toBeGreaterThanOrEqual(3 * MAPS);
		expect(growth).toMatchObject({ recorded: growth.hits, lost: 0 });
		expect(ledgerFaults(end.ledger)).toEqual([]);
		expect(withoutDuration(growths, end)).toBe(0);
		// More samples were taken than the ring has room for.
		expect(work.hits).toBeGreaterThan(40_000);
		expect((sample?.recorded ?? 0) + (sample?.throttled ?? 0)).toBeGreaterThan(0.9 * work.hits);
		expect(sample?.throttled).toBeGreaterThan(0.5 * work.hits);
		expect(end.complete).toBe(true);
	},
	180_000,
);

tracingTest(
	"growths have their durations after the reader was late by more than it waits for them",
	async () => {
		const { tracer, trace } = await stoppedTracer(MAPS);
		await Bun.sleep(1500);
		tracer.signal("SIGCONT");
		const { growths, end } = await trace();
		expect(end.complete).toBe(true);
		expect(withoutDuration(growths, end)).toBe(0);
	},
	180_000,
);
