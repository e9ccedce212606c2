/** `gomapgrow report --from-perf`, on what a real perf has sampled while gomapgrow watched the same process. */
import { describe, expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Missing, missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, startGomapgrow } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const TIMEOUT = 240_000;
const GROWTH =
	/\s(runtime\.(hashGrow|growWork|evacuate)\w*|internal\/runtime\/maps\.\S+(growToTable|rehash|grow|split|pruneTombstones))\+0x/;

/** Sampling with a timer in user space, which no virtual machine lacks; perf must be one that runs on this kernel. */
function missingForPerf(): Missing {
	const absent = missingForTracing() ?? missingCommands("perf");
	if (absent !== undefined) return absent;
	const { exitCode, stderr } = Bun.spawnSync(["perf", "record", "-o", "/dev/null", "-e", "cpu-clock:u", "true"]);
	return exitCode === 0 ? undefined : `perf record does not work here: ${stderr.toString().slice(0, 200)}`;
}

interface Measured {
	folder: string;
	/** What perf script has printed. */
	script: string;
	/** Our recording of the same time. */
	recording: string;
}

async function measure(version: string, stripped: boolean): Promise<Measured> {
	const folder = temporaryFolder("perf");
	const program = start([buildProgram("demo", version, stripped ? { stripped } : {})]);
	const recording = join(folder, "run.ndjson");
	const watch = startGomapgrow(["watch", "--output", recording, "--interval", "100ms", String(program.pid)]);
	await watch.untilOutput(/ growth=[1-9]/, 30_000);
	const data = join(folder, "perf.data");
	const perf = start(
		["perf", "record", "-g", "-e", "cpu-clock:u", "-p", String(program.pid), "-o", data, "--", "sleep", "3"],
		{ cwd: folder },
	);
	expect((await perf.finish(60_000)).code).toBe(0);
	watch.signal("SIGINT");
	expect((await watch.finish(60_000)).code).toBe(0);
	const script = join(folder, "perf.data.txt");
	const { exitCode, stdout } = Bun.spawnSync(["perf", "script", "-i", data]);
	expect(exitCode).toBe(0);
	writeFileSync(script, stdout);
	return { folder, script, recording };
}

interface Share {
	samples: number;
	share: number;
	cpu_ns: number;
}

interface ProfileReport {
	perf: {
		event: string;
		span_ns: number;
		total: Share;
		growth: Share;
		functions: (Share & { fn: string })[];
		callers: (Share & { fn: string; file?: string; line?: number })[];
	};
	recording?: {
		growing_ns: number;
		functions: { fn: string; calls: number; samples: number }[];
		unknown_callers: string[];
	};
	missing: string[];
}

async function report(args: string[]): Promise<ProfileReport> {
	const program = startGomapgrow(["report", "--json", ...args]);
	expect([(await program.finish(60_000)).code, program.stderr]).toEqual([0, ""]);
	return JSON.parse(program.stdout);
}

const perfTest = testWith(missingForPerf());

describe("a profile of a service and a recording of the same time", () => {
	for (const { version, stripped } of [
		{ version: "1.23", stripped: false },
		{ version: "1.27", stripped: false },
		{ version: "1.23", stripped: true },
		{ version: "1.27", stripped: true },
	]) {
		perfTest(
			`Go ${version}${stripped ? ", stripped" : ""}: growth in the samples, called from where we saw it`,
			async () => {
				const { script, recording } = await measure(version, stripped);
				const { perf, recording: ours, missing } = await report(["--from-perf", script, recording]);
				const samples = readFileSync(script, "utf8")
					.split("\n\n")
					.filter((text) => text.trim() !== "");
				expect([perf.event, perf.total.samples]).toEqual(["cpu-clock:u", samples.length]);
				expect(missing).toEqual([]);
				expect(perf.growth.samples).toBeGreaterThan(0);
				expect(perf.growth.samples).toBeLessThan(perf.total.samples);
				// Of a stripped file perf knows no names: they are from the file's own tables.
				if (stripped) expect(samples.filter((text) => GROWTH.test(text))).toEqual([]);
				else expect(perf.growth.samples).toBe(samples.filter((text) => GROWTH.test(text)).length);
				expect(perf.growth.share).toBeCloseTo(perf.growth.samples / perf.total.samples, 10);
				// Each source confirms the other: who perf has seen growing maps are our call sites, and what it has seen of a function we have counted.
				expect(ours?.unknown_callers).toEqual([]);
				expect(perf.callers.length).toBeGreaterThan(0);
				for (const { fn, line } of perf.callers) {
					expect(fn).toStartWith("main.");
					expect(line).toBeGreaterThan(0);
				}
				for (const { fn, samples: seen, calls } of ours?.functions ?? []) {
					if (seen > 0) expect({ fn, calls }).toEqual({ fn, calls: expect.any(Number) });
					if (seen > 0) expect(calls).toBeGreaterThan(0);
				}
				// Ours is elapsed time, with what the kernel did meanwhile; perf's is but a sample.
				expect(ours?.growing_ns).toBeGreaterThan(perf.growth.cpu_ns / 4);
			},
			TIMEOUT,
		);
	}

	perfTest(
		"as text, compressed, from standard input, with lines that are none of perf's",
		async () => {
			const { folder, script, recording } = await measure("1.23", false);
			const whole = await report(["--from-perf", script]);
			expect(whole.recording).toBeUndefined();

			const text = startGomapgrow(["report", "--from-perf", script, recording]);
			expect((await text.finish()).code).toBe(0);
			expect(text.stdout).toMatch(
				/^perf {2}\S.*: [\d,]+ samples, .* of processor time of \d+ threads in .*, event cpu-clock:u\nmap growth {2}/,
			);
			expect(text.stdout).toMatch(/^inside map growth {2}recording .* in .* \(.* %\), perf .* in .* \(.* %\)$/m);
			expect(text.stdout).toMatch(/^ *SHARE +SAMPLES +TIME +CALLER OF MAP GROWTH$/m);

			const odd = join(folder, "odd.txt.gz");
			const lines = readFileSync(script, "utf8").split("\n");
			lines.splice(0, 0, "Warning: something", "# a comment");
			lines.splice(lines.indexOf("") + 1, 0, '{"type":"start"}');
			writeFileSync(odd, gzipSync(lines.join("\n")));
			const tolerant = await report(["--from-perf", odd]);
			expect(tolerant.perf).toEqual(whole.perf);
			expect(tolerant.missing).toEqual([`${odd}: 2 lines left out, the first is line 1`]);

			const piped = start(["sh", "-c", 'cat "$1" | "$0" report --json --from-perf -', GOMAPGROW, script]);
			expect((await piped.finish()).code).toBe(0);
			expect(JSON.parse(piped.stdout).perf).toEqual(whole.perf);
		},
		TIMEOUT,
	);
});

describe("errors", () => {
	const folder = temporaryFolder("perf-errors");
	const errorTest = testWith(missingForTracing());
	errorTest("what is no output of perf script", async () => {
		const path = join(folder, "other.txt");
		writeFileSync(path, "nothing\nof it\n");
		const program = startGomapgrow(["report", "--from-perf", path]);
		expect((await program.finish()).code).toBe(1);
		expect(program.stderr).toMatch(
			/^error\[E-RECORD-MALFORMED\]: wanted the output of perf script; found no sample in .*, 2 lines /,
		);
		expect(program.stderr).toContain("perf record -g -e cpu-clock:u");
	});
	errorTest("no such file", async () => {
		const program = startGomapgrow(["report", "--from-perf", join(folder, "none.txt")]);
		expect((await program.finish()).code).toBe(1);
		expect(program.stderr).toStartWith("error[E-IO]: ");
	});
	errorTest("what it does not draw", async () => {
		for (const option of [["--flame", join(folder, "x.svg")], ["--folded"], ["--ascii"]]) {
			const program = startGomapgrow(["report", "--from-perf", "perf.txt", ...option]);
			expect((await program.finish()).code).toBe(2);
			expect(program.stderr).toStartWith("error[E-USAGE]: ");
		}
	});
});
