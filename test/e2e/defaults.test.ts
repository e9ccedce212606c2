/** What `gomapgrow watch PID` says with its defaults of a service that grows a steady thousand maps a second, against the service's own counters. */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { Coverage, exactGrowths, exactly, exactSum } from "../support/figures.ts";
import { buildWithGrowthClock, GrowthClock } from "../support/growth-clock.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, recordedTrace, type Trace } from "../support/trace.ts";

const SECONDS = 10;
const folder = temporaryFolder("defaults");
/** The service grows 1,250 maps a second; recording may take 8.6 ms/s, and costs are known to some 20 %. */
const recordingFits = 1250 * hitCostNs("growth") < 6.5e6;

/** What the machine takes for a hit. */
function hitCostNs(kind: string): number {
	const doctor = Bun.spawnSync([GOMAPGROW, "doctor", "--json"]);
	return JSON.parse(doctor.stdout.toString()).hit_cost_ns?.[kind] ?? Number.NaN;
}

const nsOf = (time: string): number => {
	const [whole = "", fraction = ""] = time.replace("Z", "").split(".");
	return Date.parse(`${whole}Z`) * 1e6 + Number(fraction.padEnd(9, "0"));
};

async function watched(version: string): Promise<{ trace: Trace; clock: GrowthClock }> {
	const demo = start([buildWithGrowthClock("demo", version, folder)]);
	await demo.untilOutput(/pid/);
	// Its maps are as large as they get.
	await Bun.sleep(1000);
	const file = join(folder, `${version}-${Date.now()}.ndjson`);
	const tool = start([GOMAPGROW, "watch", "-o", file, "--duration", `${SECONDS}s`, String(demo.pid)]);
	const trace = recordedTrace(file, tool, await tool.finish(90_000));
	await Bun.sleep(200);
	const clock = new GrowthClock(demo);
	await demo.stop();
	return { trace, clock };
}

function growthFunctions({ targets }: Trace): string[] {
	return (targets[0]?.probes ?? []).filter(({ tier }) => tier === "growth").map(({ fn }) => fn);
}

/** Each line is within so much of what the program grew in that second: growths come in bursts, and the second's ends are known to some milliseconds. */
function checkLines(trace: Trace, clock: GrowthClock, within: number): void {
	const functions = growthFunctions(trace);
	expect(trace.windows.length).toBeGreaterThanOrEqual(SECONDS);
	// The last one is a remainder, in which probes are detached.
	for (const { time, interval_ns, growths } of trace.windows.slice(0, -1)) {
		const { estimate } = clock.between(nsOf(time) - interval_ns, nsOf(time), functions);
		const told = exactly(growths, `growths of the second before ${time}`);
		expect({ time, told, estimate, near: Math.abs(told - estimate) <= within * estimate }).toMatchObject({
			near: true,
		});
	}
}

/** Growths, bytes and rows are exact, and each growth was recorded. */
function checkTotals(trace: Trace, clock: GrowthClock, busy: boolean): void {
	const { end, start: begun, targets, growths } = trace;
	const total = exactGrowths(trace);
	const functions = growthFunctions(trace);
	const [attached = begun.time] = targets.map(({ time }) => time);
	const most = clock.between(nsOf(attached) - 1e9, nsOf(end.time), functions).high;
	const least = clock.between(nsOf(attached) + 1e9, nsOf(end.time) - 1e9, functions).low;
	expect(total).toBeGreaterThanOrEqual(least);
	expect(total).toBeLessThanOrEqual(most);
	const calls = functions.map((fn) => end.calls[fn]);
	expect(exactSum(calls, "calls")).toBe(total);
	expect(end.ledger.growth).toMatchObject({ hits: total, lost: 0 });
	// Beside busy processors records may be sampled for a moment, and for long where a hit costs so much that they do not fit into the limit; counts may not.
	const recorded = recordingFits ? (busy ? 0.95 : 1) : 0.2;
	expect(growths.length).toBeGreaterThanOrEqual(recorded * total);
}

/** Growth work of all functions that have been called. */
function workCoverage(trace: Trace, clock: GrowthClock): Coverage {
	const { end, targets, windows } = trace;
	const growths = new Set(growthFunctions(trace));
	const coverage = new Coverage();
	const toNs = nsOf(end.time);
	const fromNs = nsOf(targets[0]?.time ?? "");
	const firstNs = nsOf(windows[0]?.time ?? "") - (windows[0]?.interval_ns ?? 0);
	for (const fn of clock.functions) {
		if (growths.has(fn)) continue;
		const low = clock.between(Math.max(fromNs, firstNs) + 0.1e9, toNs - 0.5e9, [fn]).low;
		const high = clock.between(Math.min(fromNs, firstNs) - 0.2e9, toNs, [fn]).high;
		if (high > 0) coverage.take(fn, end.calls[fn], { low, high });
	}
	return coverage;
}

function busyLoops(): Program[] {
	return [1, 2].map(() => start(["sh", "-c", "while :; do :; done"]));
}

const tracingTest = testWith(missingForTracing());
const coverage = new Coverage();
/** Of intervals: 5 % may miss, and functions of one run err together. */
const TOLERATED = 0.1;

describe("with the defaults, of a service that grows a thousand maps a second", () => {
	for (const version of ["1.23", "1.27"]) {
		for (const busy of [false, true]) {
			tracingTest(
				`all growths are told and recorded, Go ${version}, ${busy ? "beside programs that keep the processors busy" : "alone"}`,
				async () => {
					const loops = busy ? busyLoops() : [];
					const { trace, clock } = await watched(version);
					await Promise.all(loops.map((loop) => loop.stop()));
					expect(trace.exit.code).toBe(0);
					checkTotals(trace, clock, busy);
					checkLines(trace, clock, busy ? 0.35 : 0.2);
					const found = workCoverage(trace, clock);
					coverage.add(found);
					console.log(`work: ${found.intervals} intervals, ${found.bounds} bounds, missed: ${found.missed.join("; ")}`);
				},
				120_000,
			);
		}
	}

	tracingTest("growth work is within its interval", () => {
		if (coverage.missed.length > TOLERATED * coverage.all) expect(coverage.missed).toEqual([]);
	});
});
