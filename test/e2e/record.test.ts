/** Recording to files and reporting on them, with the real executable on real programs. */
import { afterAll, describe, expect, test } from "bun:test";
import { createWriteStream, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { gunzipSync } from "node:zlib";
import type { EndRecord, GomapgrowRecord } from "../../src/records/records.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { exactly } from "../support/figures.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { compileSchema, validateRecords } from "../support/schema.ts";
import { syntheticLines, syntheticRecording } from "../support/synthetic-recording.ts";
import { GOMAPGROW, parseRecords, startGomapgrow } from "../support/trace.ts";
import { peakUntilEnd } from "../support/usage.ts";
import { buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 90_000;
const folder = temporaryFolder("record");
/** On a busy machine probing would be throttled, and records would stand for several growths. */
const EXACT = ["--budget", "off"];

async function startDemo(version: string): Promise<Program> {
	const demo = start([buildProgram("demo", version), "-for", "60s"]);
	await demo.untilOutput(/pid/);
	return demo;
}

/** Runs it to its end, which must be the expected one. */
async function gomapgrow(args: string[], code = 0): Promise<Program> {
	const program = startGomapgrow(args);
	const exit = await program.finish(60_000);
	expect(`${exit.code} ${code === 0 ? program.stderr.match(/^error.*/m)?.[0] : ""}`).toBe(
		`${code} ${code === 0 ? undefined : ""}`,
	);
	return program;
}

function recordsIn(path: string): GomapgrowRecord[] {
	const bytes = readFileSync(path);
	return parseRecords((path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString());
}

function endOf(records: readonly GomapgrowRecord[]): EndRecord {
	const end = records.at(-1);
	if (end?.type !== "end") throw new Error("the last record is no end");
	return end;
}

/** The lines of a summary: from its totals to the ledger. */
function summaryIn(text: string): string {
	const found =
		/^.* · (?:\d.*growth|no map has grown).*\n(?:top call site:.*\n)?(?:map that grew most:.*\n)?(?:note:.*\n)?(?:measured:.*\n)?ledger:.*\n/m.exec(
			text,
		);
	if (found === null) throw new Error(`no summary in ${text}`);
	return found[0];
}

/** What maps hold at the end of an observation is no sum of growths. */
function withoutNow(value: unknown): unknown {
	return Array.isArray(value) ? value.map(({ now: _, ...row }) => row) : value;
}

describe("a recording", () => {
	for (const [version, name, more] of [
		["1.23", "classic.ndjson.gz", ["--iter", ...EXACT]],
		["1.27", "swiss.ndjson", EXACT],
	] as const) {
		tracingTest(
			`of Go ${version} is what the report shows: ${name}`,
			async () => {
				const demo = await startDemo(version);
				const path = join(folder, name);
				const recorder = await gomapgrow([
					"record",
					"--duration",
					"3s",
					"--interval",
					"500ms",
					...more,
					"-o",
					path,
					String(demo.pid),
				]);
				await demo.stop();
				expect(recorder.stdout).toBe("");
				const records = recordsIn(path);
				expect(validateRecords(records)).toEqual([]);
				const end = endOf(records);
				expect(end).toMatchObject({ reason: "duration", complete: true });
				expect(end.growths).toBe(records.filter((record) => record.type === "growth").length);
				expect(end.growths).toBeGreaterThan(50);

				const table = await gomapgrow(["report", path]);
				expect(summaryIn(table.stdout)).toBe(summaryIn(recorder.stderr));
				expect(table.stdout).toContain(`demo-${version}`);
				for (const title of ["call sites", "map types", "maps", "goroutines", "latency"]) {
					expect(table.stdout).toMatch(new RegExp(`^${title}(, the first|$)`, "m"));
				}
				expect(table.stdout).not.toContain("missing");
				const report = JSON.parse((await gomapgrow(["report", path, "--json"])).stdout);
				for (const key of [
					"growths",
					"work",
					"bytes",
					"calls",
					"types",
					"sites",
					"maps",
					"goroutines",
					"ledger",
					"elapsed_ns",
				] as const) {
					expect(withoutNow(report[key])).toEqual(withoutNow(end[key]));
				}
				expect(report).toMatchObject({ complete: true, missing: [], recording_count: 1 });

				const folded = (await gomapgrow(["report", path, "--folded"])).stdout.trimEnd().split("\n");
				const sum = folded.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
				expect(sum).toBe(exactly(end.growths));
				const ascii = (await gomapgrow(["report", path, "--ascii", "--metric", "bytes"])).stdout;
				expect(ascii).toStartWith("Bytes allocated by growing maps · ");
			},
			TIMEOUT,
		);
	}

	tracingTest(
		"is made beside the view, which stays",
		async () => {
			const demo = await startDemo("1.27");
			const path = join(folder, "beside.ndjson");
			const flame = join(folder, "live.svg");
			const args = [
				"watch",
				...EXACT,
				"--json",
				"--duration",
				"2s",
				"--output",
				path,
				"--flame",
				flame,
				String(demo.pid),
			];
			const watcher = await gomapgrow(args);
			await demo.stop();
			expect(watcher.stdout).toMatch(/^time=\d\d:\d\d:\d\dZ target=demo-1\.27/);
			const records = recordsIn(path);
			expect(validateRecords(records)).toEqual([]);
			const end = endOf(records);
			expect(readFileSync(flame, "utf8")).toContain(
				`${exactly(end.growths).toLocaleString("en-US")} growths · demo-1.27`,
			);
			// The same picture from the file.
			const again = join(folder, "report.svg");
			await gomapgrow(["report", path, "--flame", again]);
			expect(readFileSync(again, "utf8")).toBe(readFileSync(flame, "utf8"));
		},
		TIMEOUT,
	);

	tracingTest(
		"of a command leaves its output and exit code alone, also with --json",
		async () => {
			const path = join(folder, "command.ndjson.gz");
			const script = join(folder, "command.sh");
			writeFileSync(script, `#!/bin/sh\nexec "$@"\n`, { mode: 0o755 });
			const program = await gomapgrow([
				"run",
				...EXACT,
				"--json",
				"-o",
				path,
				"--",
				buildProgram("demo", "1.27"),
				"-for",
				"1s",
			]);
			expect(program.stdout).toContain("demo: pid");
			expect(program.stdout).not.toContain('{"type"');
			const records = recordsIn(path);
			expect(validateRecords(records)).toEqual([]);
			expect(endOf(records)).toMatchObject({ reason: "target-exit", complete: true });
		},
		TIMEOUT,
	);

	tracingTest(
		"ended by a signal is whole; one that was killed is used as far as it goes",
		async () => {
			const demo = await startDemo("1.27");
			for (const [name, signal] of [
				["interrupted.ndjson", "SIGINT"],
				["interrupted.ndjson.gz", "SIGTERM"],
				["killed.ndjson", "SIGKILL"],
				["killed.ndjson.gz", "SIGKILL"],
			] as const) {
				const path = join(folder, name);
				const recorder = startGomapgrow(["record", ...EXACT, "--interval", "200ms", "-o", path, String(demo.pid)]);
				// A compressed file is written every two seconds.
				await recorder.until(
					"records",
					() => (existsSync(path) && statSync(path).size > 2000 ? true : undefined),
					30_000,
				);
				recorder.signal(signal);
				await recorder.finish();
				const report = JSON.parse((await gomapgrow(["report", path, "--json"])).stdout);
				expect(report.growths).toBeGreaterThan(0);
				if (signal === "SIGKILL") {
					expect(report.complete).toBe(false);
					expect(report.missing[0]).toStartWith(`${path}: its end is missing: growths are counted until `);
				} else {
					expect(report).toMatchObject({
						complete: true,
						recordings: [{ reason: signal === "SIGINT" ? "interrupt" : "terminate" }],
					});
				}
			}
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"to a pipe",
		async () => {
			const demo = await startDemo("1.27");
			const path = join(folder, "piped.ndjson");
			const program = start([
				"bash",
				"-c",
				`"$0" record --budget off --duration 1500ms -o >(cat >"$1") "$2"; wait`,
				GOMAPGROW,
				path,
				String(demo.pid),
			]);
			expect((await program.finish()).code).toBe(0);
			await program.until("the whole file", () =>
				/^\{"type":"end".*\n$/m.test(readFileSync(path, "utf8")) ? true : undefined,
			);
			expect(validateRecords(recordsIn(path))).toEqual([]);
			await demo.stop();
		},
		TIMEOUT,
	);

	testWith(missingForTracing(), missingCommands("script"))(
		"shows on a terminal how far it is, in one line that it takes away",
		async () => {
			const demo = await startDemo("1.27");
			const path = join(folder, "progress.ndjson");
			const command = `stty cols 70; ${GOMAPGROW} record --duration 4500ms -o ${path} ${demo.pid}`;
			const program = start(["script", "-qec", command, "/dev/null"], {
				env: { PATH: process.env.PATH, TERM: "xterm" },
			});
			expect((await program.finish()).code).toBe(0);
			await demo.stop();
			const drawn = program.stdout.split("\r\u001b[K");
			// Nothing, then as many lines, then none again before the summary.
			expect(drawn.length).toBeGreaterThanOrEqual(4);
			for (const line of drawn.slice(1, -1)) {
				// What was written follows where the numbers of a fast machine leave room for it.
				expect(line).toMatch(
					/^recording p\S*n {2}00:0\d {2}[\d,]+ growths {2}[\d.,]+\/s(?: {2}[\d.]+ \w+ written)?(?: {2}Ctrl-C ends)?$/,
				);
				expect(line.length).toBeLessThan(70);
			}
			expect(drawn.at(-1)).toMatch(/^[\d.]+ s · /);
		},
		TIMEOUT,
	);
});

describe("a file that cannot be written", () => {
	const small = join(folder, "small");
	const mountTest = testWith(missingForTracing(), missingCommands("mount", "umount"));
	afterAll(() => {
		if (existsSync(small)) Bun.spawnSync(["umount", small]);
	});

	for (const name of ["full.ndjson", "full.ndjson.gz"]) {
		mountTest(
			`because the disk is full ends the recording with whole records: ${name}`,
			async () => {
				if (!existsSync(small)) {
					mkdirSync(small);
					expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", small]).exitCode).toBe(0);
				}
				const path = join(small, name);
				const demo = await startDemo("1.23");
				const recorder = startGomapgrow(["record", ...EXACT, "-o", path, String(demo.pid)]);
				const exit = await recorder.finish(60_000);
				expect(exit.code).toBe(1);
				expect(recorder.stderr).toContain(`error[E-IO]: wanted to write the output; found ENOSPC writing ${path}\n`);
				expect(summaryIn(recorder.stderr)).toContain("growths");
				expect(demo.running).toBe(true);
				await demo.stop();
				// Whole lines, whole members.
				const records = recordsIn(path);
				expect(records.length).toBeGreaterThan(20);
				expect(validateRecords(records)).toEqual([]);
				const report = JSON.parse((await gomapgrow(["report", path, "--json"])).stdout);
				expect(report.missing.length).toBe(1);
				// Windows count growths whose records were still waiting for their ends.
				const recorded = records.filter((record) => record.type === "growth").length;
				expect(report.growths).toBeGreaterThanOrEqual(recorded);
				expect(report.growths).toBeLessThan(recorded + 2000);
				Bun.spawnSync(["rm", path]);
			},
			TIMEOUT,
		);
	}

	tracingTest(
		"from the beginning",
		async () => {
			const demo = await startDemo("1.27");
			for (const [path, found] of [
				["/dev/full", "ENOSPC"],
				[join(folder, "no/such/folder.ndjson"), "ENOENT"],
				[folder, "EISDIR"],
			] as const) {
				const recorder = await gomapgrow(["record", "-o", path, String(demo.pid)], 1);
				expect(recorder.stderr).toMatch(new RegExp(`error\\[E-IO\\]: .*${found}`));
			}
			const flame = await gomapgrow(["watch", "--duration", "1s", "--flame", "/dev/full", String(demo.pid)], 1);
			expect(flame.stderr).toContain("error[E-IO]: wanted to write the output; found ENOSPC writing /dev/full");
			await gomapgrow(["watch", "--flame", join(folder, "none/x.svg"), String(demo.pid)], 1);
			expect(demo.running).toBe(true);
			await demo.stop();
		},
		TIMEOUT,
	);

	tracingTest("that is not named", async () => {
		const recorder = await gomapgrow(["record", "1"], 2);
		expect(recorder.stderr).toContain(
			`error[E-USAGE]: wanted a file to write the records to; found none\n  run:  ${GOMAPGROW} record 1 -o run.ndjson.gz\n`,
		);
	});
});

describe("report", () => {
	const whole = syntheticRecording({ seed: 21, windows: 3 });
	const path = join(folder, "synthetic.ndjson");
	writeFileSync(path, whole.text);

	test("reads a pipe, also of several recordings", async () => {
		const program = start(["sh", "-c", `cat "$1" "$1" | "$0" report - --json`, GOMAPGROW, path]);
		expect((await program.finish()).code).toBe(0);
		expect(JSON.parse(program.stdout)).toMatchObject({
			growths: exactly(whole.end.growths) * 2,
			recording_count: 2,
			missing: [],
		});
	});

	test("says on standard error what is missing when only a picture is printed", async () => {
		const cut = join(folder, "cut.ndjson");
		writeFileSync(cut, whole.text.slice(0, -100));
		const program = await gomapgrow(["report", cut, "--folded"]);
		expect(program.stderr).toMatch(/^missing: \S+: its end is missing: .*\nmissing: .* is cut off\n$/);
		expect(program.stdout).not.toContain("missing");
		expect((await gomapgrow(["report", cut])).stdout).toMatch(/^missing: .*its end is missing/m);
	});

	for (const [name, text, code] of [
		["newer", whole.text.replace('"schema":1', '"schema":2'), "E-RECORD-SCHEMA"],
		["foreign", "hello\n", "E-RECORD-MALFORMED"],
	] as const) {
		test(`refuses a ${name} file with ${code}`, async () => {
			const file = join(folder, `${name}.ndjson`);
			const flame = join(folder, `${name}.svg`);
			writeFileSync(file, text);
			const program = await gomapgrow(["report", file, "--flame", flame], 1);
			expect(program.stderr).toStartWith(`error[${code}]: wanted `);
			expect(program.stdout).toBe("");
			// No empty picture is left.
			expect(existsSync(flame)).toBe(false);
		});
	}

	test(
		"takes little memory for much",
		async () => {
			const large = join(folder, "large.ndjson");
			await pipeline(
				Readable.from(syntheticLines({ windows: 200, growthsPerWindow: 1000, samples: 10 })),
				createWriteStream(large),
			);
			expect(statSync(large).size).toBeGreaterThan(150 << 20);
			const program = start([GOMAPGROW, "report", large, "--json"]);
			const peak = await peakUntilEnd(program);
			expect((await program.exited).code).toBe(0);
			expect(JSON.parse(program.stdout)).toMatchObject({ growths: 200_000, complete: true });
			// Bun alone takes some 60 MiB.
			expect(peak).toBeGreaterThan(50 << 20);
			expect(peak).toBeLessThan(200 << 20);
		},
		TIMEOUT,
	);
});

describe("schema, completion and manual page", () => {
	test("the printed schema accepts the records", async () => {
		const program = await gomapgrow(["schema"]);
		const validate = compileSchema(JSON.parse(program.stdout), { strict: true }).get("any");
		for (const line of syntheticRecording().lines) expect(validate?.(JSON.parse(line))).toBe(true);
	});
	testWith(missingCommands("bash"))("the completion script can be sourced", async () => {
		const program = start(["bash", "-c", `source <("$0" completion bash) && complete -p gomapgrow`, GOMAPGROW]);
		expect((await program.finish()).code).toBe(0);
		expect(program.stdout).toBe("complete -F _gomapgrow gomapgrow\n");
	});
	test("every command has help that names it", async () => {
		for (const command of ["watch", "run", "record", "report", "inspect", "doctor", "schema", "completion", "man"]) {
			const program = await gomapgrow([command, "--help"]);
			expect(program.stdout).toStartWith(`gomapgrow ${command}: `);
			expect((await gomapgrow(["help", command])).stdout).toBe(program.stdout);
		}
	});
	test("the manual page beside the executable is what it prints", async () => {
		expect((await gomapgrow(["man"])).stdout).toBe(readFileSync(`${GOMAPGROW}.1`, "utf8"));
	});
	for (const [args, text] of [
		[["wacth"], 'found "wacth": did you mean watch?'],
		[["watch", "--duratoin", "1s"], 'found "--duratoin": did you mean --duration?'],
		[["report", "--metric", "colour", "run.ndjson"], "wanted one of growths, work, time, bytes, moved after --metric"],
		[["report", "--json", "--ascii", "run.ndjson"], "found --json and --ascii"],
		[["report", "--rows", "x", "run.ndjson"], "wanted a whole number from 1 on after --rows"],
		[["watch", "--color"], "wanted --color <when>, once; found no value"],
		[["watch", "--json=yes"], 'wanted --json without a value, once; found "--json=yes"'],
		[["record", "-o", "a", "-o", "b"], "wanted --output <file>, once; found it 2 times"],
		[["completion", "tcsh"], "wanted bash, zsh or fish"],
	] as const) {
		test(`gomapgrow ${args.join(" ")} is told what is wrong`, async () => {
			const program = await gomapgrow([...args], 2);
			expect(program.stderr).toStartWith("error[E-USAGE]: wanted ");
			expect(program.stderr).toContain(text);
		});
	}
});
