/** `gomapgrow run` with its defaults: of commands and builds nothing is sampled, and what it says equals the kernel's own perf events on the same run. */
import { describe, expect } from "bun:test";
import { copyFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { missingForTracing, testWith } from "../support/capability.ts";
import { exactCalls, exactly, exactSum } from "../support/figures.ts";
import { goRoot } from "../support/go-binaries.ts";
import { PerfCounts } from "../support/perf-counts.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { writeGoPackage, writeModules } from "../support/sources.ts";
import { GOMAPGROW, ledgerFaults, recordedTrace, type Trace } from "../support/trace.ts";
import { cpuSecondsToEnd, firstChild } from "../support/usage.ts";

const folder = temporaryFolder("run-defaults");
const ESBUILD = resolve(import.meta.dir, "../../node_modules/@esbuild/linux-x64/bin/esbuild");

/** A copy: perf counts whoever runs the file. */
function ownCopy(path: string, name: string): string {
	const copy = join(folder, name);
	copyFileSync(path, copy);
	return copy;
}

function bundling(): string[] {
	const entry = writeModules(join(folder, "modules"), 150);
	const options = ["--bundle", "--minify", "--sourcemap", "--log-level=error", `--outfile=${join(folder, "out.js")}`];
	return [ownCopy(ESBUILD, "esbuild"), entry, ...options];
}

function compiling(): string[] {
	const compiler = join(goRoot("1.26"), "pkg/tool/linux_amd64/compile");
	return [
		ownCopy(compiler, "compile"),
		"-p",
		"big",
		"-o",
		join(folder, "big.o"),
		...writeGoPackage(join(folder, "big"), 15),
	];
}

async function traced(command: string[]): Promise<Trace> {
	const file = join(folder, `records-${Date.now()}.ndjson`);
	const program = start([GOMAPGROW, "run", "-o", file, "--", ...command]);
	const trace = recordedTrace(file, program, await program.finish(120_000));
	expect(trace.exit.code).toBe(0);
	return trace;
}

/** Everything that is said of growths is said exactly, and adds up. */
function checkExact({ end, windows, growths }: Trace): void {
	const total = exactly(end.growths, "growths");
	expect(end.ledger.growth).toMatchObject({ hits: total, recorded: total });
	expect(growths).toHaveLength(total);
	expect(
		exactSum(
			windows.map((window) => window.growths),
			"windows",
		),
	).toBe(total);
	for (const rows of [end.sites, end.types]) {
		expect(
			exactSum(
				rows.map((row) => row.growths),
				"rows",
			),
		).toBe(total);
		expect(
			exactSum(
				rows.map((row) => row.bytes),
				"bytes",
			),
		).toBe(exactly(end.bytes, "bytes"));
	}
	expect(ledgerFaults(end.ledger)).toEqual([]);
	expect(end.complete).toBe(true);
	expect(end.measured?.growth).toBe("all");
}

/** User and system time of the command, in seconds. */
async function alone(command: string[]): Promise<number> {
	const program = start(command);
	const seconds = await cpuSecondsToEnd(program.pid);
	expect((await program.finish()).code).toBe(0);
	return seconds;
}

async function watched(command: string[]): Promise<number> {
	const program = start([GOMAPGROW, "run", "-o", join(folder, "records.ndjson"), "--", ...command]);
	const seconds = await cpuSecondsToEnd(await firstChild(program));
	expect((await program.finish(120_000)).code).toBe(0);
	return seconds;
}

const tracingTest = testWith(missingForTracing());
const PAIRS = 5;
/** The median of the pairs. */
const MOST_ADDED = 0.1;

describe("run with its defaults", () => {
	for (const [name, command] of [
		["esbuild 0.25.0, Go 1.23, bundling 150 modules", bundling],
		["the compiler of Go 1.26 on a package", compiling],
	] as const) {
		tracingTest(
			`records and counts each growth of ${name}, as perf does`,
			async () => {
				const argv = command();
				const perf = new PerfCounts(argv[0] ?? "");
				try {
					const trace = await traced(argv);
					const counted = perf.read();
					checkExact(trace);
					const calls = exactCalls(
						Object.fromEntries(Object.keys(counted).map((fn) => [fn, trace.end.calls[fn] ?? 0])),
					);
					expect(calls).toEqual(counted);
					expect(exactly(trace.end.growths)).toBe(Object.values(counted).reduce((sum, n) => sum + n, 0));
					expect(exactly(trace.end.growths)).toBeGreaterThan(1000);
					console.log(
						name,
						JSON.stringify(counted),
						JSON.stringify(trace.end.measured),
						"work",
						JSON.stringify(trace.end.work),
					);
				} finally {
					perf.close();
				}
			},
			180_000,
		);

		tracingTest(
			`adds little to the processor time of ${name}`,
			async () => {
				const argv = command();
				const added: number[] = [];
				for (let pair = 0; pair < PAIRS; pair++) {
					const first = pair % 2 === 0;
					const before = first ? await alone(argv) : undefined;
					const under = await watched(argv);
					added.push(under / (before ?? (await alone(argv))) - 1);
				}
				added.sort((a, b) => a - b);
				console.log(`${name}: added ${added.map((share) => `${(100 * share).toFixed(1)} %`).join(", ")}`);
				expect(added[Math.floor(PAIRS / 2)]).toBeLessThan(MOST_ADDED);
			},
			300_000,
		);
	}
});
