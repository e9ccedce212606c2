/**
 * The durations of all growth functions against those that the program's own runtime measures around their calls (test/support/timing-overlay.ts),
 * call by call.
 */
import { beforeAll, describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import {
	durationFaults,
	type Faults,
	type Measured,
	measuredOf,
	probeCosts,
	type Truth,
} from "../support/duration-check.ts";
import { run } from "../support/go-binaries.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import type { TimedLevel } from "../support/timing-overlay.ts";
import { GOMAPGROW, ledgerFaults, recordedTrace, startGomapgrow, withoutDuration } from "../support/trace.ts";
import { buildProgram, buildTimed } from "./build-program.ts";

const MAPS = "40";

const readTruth = (file: string): Truth => JSON.parse(readFileSync(file, "utf8"));

interface Comparison {
	truth: Truth;
	measured: Measured;
	/** What the probes of each function cost a call. */
	costs: Record<string, number>;
	faults: Faults;
}

/** Runs until their costs agree. */
const ATTEMPTS = 4;

/** The program by itself. */
function bare(executable: string): Truth {
	const file = join(temporaryFolder("timed"), "truth.json");
	run([executable, MAPS, file]);
	return readTruth(file);
}

/** The program under the tracer. */
async function probed(executable: string): Promise<{ truth: Truth; measured: Measured }> {
	const folder = temporaryFolder("timed");
	const [file, records] = [join(folder, "truth.json"), join(folder, "records.ndjson")];
	const program = startGomapgrow(["run", "--output", records, "--", executable, MAPS, file]);
	const trace = recordedTrace(records, program, await program.finish(120_000));
	expect(trace.exit.code).toBe(0);
	expect(ledgerFaults(trace.end.ledger)).toEqual([]);
	expect(trace.end.ledger.latency?.unpaired).toEqual({ left: 0, evicted: 0, withdrawn: 0 });
	expect(withoutDuration(trace.growths, trace.end)).toBe(0);
	return { truth: readTruth(file), measured: measuredOf(trace) };
}

async function compare(version: string, level: TimedLevel): Promise<Comparison> {
	const executable = buildTimed(version, level);
	for (let attempt = 1; ; attempt++) {
		const unprobed = bare(executable);
		const { truth, measured } = await probed(executable);
		const costs = probeCosts(unprobed, truth);
		const faults = durationFaults(truth, measured, costs);
		const again = faults.impossible.length === 0 && faults.dear.length > 0 && attempt < ATTEMPTS;
		if (!again) return { truth, measured, costs, faults };
		console.warn(`${faults.dear.join("\n")}\nmeasured again`);
	}
}

const changed = (measured: Measured, change: (duration: number, i: number) => number): Measured => ({
	...measured,
	calls: measured.calls.map((call, i) => ({ ...call, duration_ns: change(call.duration_ns, i) })),
});

/** The next call of the same function gives its duration. */
function shifted({ calls, ...rest }: Measured): Measured {
	return {
		...rest,
		calls: calls.map((call, i) => ({
			...call,
			duration_ns: calls.slice(i + 1).find(({ fn }) => fn === call.fn)?.duration_ns ?? call.duration_ns,
		})),
	};
}

/** Each function has the totals of another one. */
function ofOtherFunctions(measured: Measured): Measured {
	const functions = Object.keys(measured.totals);
	const totals = functions.map((fn, i) => [fn, measured.totals[functions[i + 1] ?? functions[0] ?? ""]]);
	return { ...measured, totals: Object.fromEntries(totals) };
}

/** One call begins a millisecond later than it did. */
function sixthLate(measured: Measured): Measured {
	const sixth = measured.calls.filter(({ fn }) => measured.complete.includes(fn))[5];
	const calls = measured.calls.map((call) => (call === sixth ? { ...call, elapsed_ns: call.elapsed_ns + 1e6 } : call));
	return { ...measured, calls };
}

const missing = missingForTracing();
const tracingTest = testWith(missing);
const TIMEOUT = 300_000;

for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
	describe(`durations, Go ${version}`, () => {
		let levels: Record<TimedLevel, Comparison> | undefined;
		beforeAll(async () => {
			if (missing !== undefined) return;
			levels = { inner: await compare(version, "inner"), outer: await compare(version, "outer") };
		}, TIMEOUT);

		const comparison = (level: TimedLevel): Comparison => {
			if (levels === undefined) throw new Error("nothing was measured");
			return levels[level];
		};

		for (const level of ["inner", "outer"] as const) {
			tracingTest(`of ${level} functions lie within the calls as the runtime measures them`, () => {
				const { truth, measured, costs, faults } = comparison(level);
				expect(Object.values(costs).every((ns) => ns > 0)).toBe(true);
				for (const [fn, { calls }] of Object.entries(truth.functions)) {
					if (calls > 10_000) expect(measured.calls.filter((call) => call.fn === fn).length).toBeGreaterThan(20);
				}
				expect(faults).toEqual({ impossible: [], dear: [] });
			});
		}

		tracingTest("would be found wrong in another unit, of another call or of another function", () => {
			// Where the probes of the functions inside cost more than all else, only the other level tells.
			const found = (wrong: (level: Comparison) => Measured): number =>
				(["inner", "outer"] as const).reduce((sum, level) => {
					const { impossible, dear } = durationFaults(
						comparison(level).truth,
						wrong(comparison(level)),
						comparison(level).costs,
					);
					return sum + impossible.length + dear.length;
				}, 0);
			expect(found(({ measured }) => changed(measured, (ns) => ns * 1000))).toBeGreaterThan(0);
			expect(found(({ measured }) => changed(measured, (ns) => ns / 1000))).toBeGreaterThan(0);
			expect(
				found(({ measured, costs }) => changed(measured, (ns) => ns + Math.max(...Object.values(costs)))),
			).toBeGreaterThan(0);
			expect(found(({ measured }) => shifted(measured))).toBeGreaterThan(0);
			expect(found(({ measured }) => ofOtherFunctions(measured))).toBeGreaterThan(0);
			expect(found(({ measured }) => sixthLate(measured))).toBeGreaterThan(0);
		});
	});
}

describe("on a kernel that does not describe its types", () => {
	const hidden = testWith(missing, missingCommands("unshare", "mount"));
	for (const version of ["1.15", "1.19"]) {
		hidden(
			`Go ${version}${version === "1.15" ? " has no durations, and says why" : " has them"}`,
			async () => {
				const records = join(temporaryFolder("untyped"), "records.ndjson");
				const executable = buildProgram("grow", version, { stripped: true });
				const script = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"';
				const command = [GOMAPGROW, "run", "--budget", "off", "--output", records, "--", executable, "int", "2000"];
				const program = start(["unshare", "--mount", "sh", "-c", script, "sh", ...command]);
				const { exit, growths, end, targets } = recordedTrace(records, program, await program.finish(60_000));
				expect(exit.code).toBe(0);
				expect(end.complete).toBe(true);
				expect(growths.length).toBeGreaterThanOrEqual(9);
				const timed = version !== "1.15";
				expect(new Set(growths.map(({ duration_ns }) => duration_ns !== undefined))).toEqual(new Set([timed]));
				expect(end.latency.length > 0).toBe(timed);
				expect(targets[0]?.limits ?? []).toEqual(
					timed
						? []
						: [
								expect.stringMatching(
									/^durations of runtime\.hashGrow, .* are not measured: .*\/sys\/kernel\/btf\/vmlinux/,
								),
							],
				);
			},
			60_000,
		);
	}
});
