/** A realistic program under the default budget: an HTTP server whose handlers fill maps, with a client that asks as fast as it answers. */
import { expect } from "bun:test";
import { join } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { Coverage } from "../support/figures.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { buildServed, Server } from "../support/served.ts";
import { GOMAPGROW, recordedTrace, unaccounted } from "../support/trace.ts";

const VERSION = "1.23";
const SECONDS = 5;
const BUDGET = 0.01;
const TOLERATED = 0.1;
const folder = temporaryFolder("served");

/** Counting the calls of /counts itself takes a map or two. */
const SLACK = 20;

/** Growths are exact with the default; how often intervals of growth work hold the truth. */
async function watchOnce(): Promise<Coverage> {
	const server = new Server(buildServed(VERSION, folder));
	try {
		await server.ready();
		const file = join(folder, "records.ndjson");
		const tool = start([GOMAPGROW, "watch", "--interval", "500ms", "-o", file, String(server.pid)]);
		const before = await server.counts();
		await tool.untilOutput(/growth=/, 60_000);
		expect(await server.load(4, SECONDS)).toBeGreaterThan(0);
		const after = await server.counts();
		tool.signal("SIGINT");
		const trace = recordedTrace(file, tool, await tool.finish(60_000));
		expect(trace.exit.code).toBe(0);

		const coverage = new Coverage();
		for (const [fn, calls] of Object.entries(after)) {
			const real = calls - (before[fn] ?? 0);
			coverage.take(fn, trace.end.calls[fn] ?? 0, { low: real - SLACK, high: real + SLACK });
		}
		for (const [name, tier] of Object.entries(trace.end.ledger)) {
			expect({ name, rest: unaccounted(tier) }).toEqual({ name, rest: 0 });
		}
		for (const { overhead = [] } of trace.windows) {
			for (const { budget } of overhead) expect(budget).toBe(BUDGET);
		}
		return coverage;
	} finally {
		await server.stop();
	}
}

testWith(missingForTracing())(
	"an HTTP server goes on answering, its growths are exact or said to be sampled, and the truth is in the intervals",
	async () => {
		let run = await watchOnce();
		// The functions of a run err together, and one run in twenty may: another one must not.
		if (run.missed.length > TOLERATED * run.all) run = await watchOnce();
		if (run.missed.length > TOLERATED * run.all) expect(run.missed).toEqual([]);
	},
	400_000,
);
