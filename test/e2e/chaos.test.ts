/**
 * What nobody plans: the tool is killed at any moment, targets are stopped under it, its tables are far too small. The target goes on, nothing of the probes
 * stays behind, and what was written is whole. CHAOS_KILLS=100 for more of it.
 */
import { describe, expect } from "bun:test";
import { copyFileSync, existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attachModeOf, detectFeatures } from "../../src/kernel/features.ts";
import { monotonicNs, wallNs } from "../../src/kernel/libc.ts";
import type { GomapgrowRecord } from "../../src/records/records.ts";
import { Executable } from "../../src/tracer/executable.ts";
import { Session } from "../../src/tracer/session.ts";
import { Target } from "../../src/tracer/target.ts";
import { heldBpfObjects, stillThere } from "../support/bpf-objects.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { expectUntouched, targetRecord } from "../support/probed-bytes.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { parseRecords, startGomapgrow, toTrace, unaccounted } from "../support/trace.ts";
import { buildCounted, buildProgram } from "./build-program.ts";

const KILLS = Number(process.env.CHAOS_KILLS ?? 20);
const folder = temporaryFolder("chaos");
const tracingTest = testWith(missingForTracing());
const kernelTest = testWith(missingForTracing(), missingCommands("bpftool"));

/** The whole lines of a file that may end in the middle of one. */
function wholeRecords(path: string): GomapgrowRecord[] {
	if (!existsSync(path)) return [];
	const text = readFileSync(path, "utf8");
	return parseRecords(text.slice(0, text.lastIndexOf("\n") + 1));
}

describe("the tool is killed", () => {
	for (const version of ["1.23", "1.27"]) {
		kernelTest(
			`at ${KILLS / 2} moments, Go ${version}`,
			async () => {
				const target = start([buildProgram("torture", version), "-for", "600s"]);
				await target.untilOutput(/^pid/m);
				let attached: Parameters<typeof targetRecord>[0] | undefined;
				// From before it has loaded anything to well after the first windows; the first run tells how long that takes here.
				let latestMs = 0;
				for (let kill = 0; kill <= KILLS / 2; kill++) {
					const path = join(folder, `${version}-${kill}.ndjson`);
					// With a budget probes come and go all the time, by a process beside the tool.
					const budget = kill % 2 === 0 ? "off" : "1%";
					const tool = startGomapgrow([
						"watch",
						"--budget",
						budget,
						"--interval",
						"100ms",
						"-o",
						path,
						String(target.pid),
					]);
					if (latestMs > 0) await Bun.sleep(Math.random() * latestMs);
					else {
						const begun = performance.now();
						await tool.untilOutput(/growth=.*\n.*growth=/, 30_000);
						latestMs = 1.5 * (performance.now() - begun);
					}
					// So that it has what it is asked for until the end.
					tool.signal("SIGSTOP");
					const held = heldBpfObjects(tool.pid);
					tool.signal("SIGKILL");
					await tool.exited;
					await target.until(
						`end of the BPF objects of run ${kill}`,
						() => (Object.values(stillThere(held)).every((ids) => ids.length === 0) ? true : undefined),
						60_000,
					);
					const records = wholeRecords(path);
					if (records.some(({ type }) => type === "target")) attached = { stdout: readFileSync(path, "utf8") };
					expect(target.running).toBe(true);
				}
				if (attached === undefined) throw new Error("the probes were never there");
				await expectUntouched(target, targetRecord(attached));
			},
			60_000 + KILLS * 10_000,
		);
	}
});

describe("a target", () => {
	tracingTest(
		"that is stopped all the time is left as it was, and goes on",
		async () => {
			const target = start([buildProgram("torture", "1.27"), "-for", "600s"]);
			await target.untilOutput(/^pid/m);
			target.signal("SIGSTOP");
			const tool = startGomapgrow(["watch", "--json", "--interval", "100ms", "--duration", "1s", String(target.pid)]);
			const trace = toTrace(tool, await tool.finish());
			expect(trace.exit.code).toBe(0);
			expect(trace.end).toMatchObject({ reason: "duration", complete: true });
			target.signal("SIGCONT");
			await expectUntouched(target, targetRecord(tool));
		},
		60_000,
	);

	tracingTest(
		"that is stopped and continued while it is watched is whole at the end",
		async () => {
			const target = start([buildProgram("torture", "1.23"), "-for", "8s"]);
			await target.untilOutput(/^pid/m);
			const tool = startGomapgrow(["watch", "--interval", "100ms", String(target.pid)]);
			await tool.untilOutput(/growth=/);
			for (let i = 0; i < 20; i++) {
				target.signal("SIGSTOP");
				await Bun.sleep(Math.random() * 100);
				target.signal("SIGCONT");
				await Bun.sleep(Math.random() * 200);
			}
			expect((await target.finish(60_000)).code).toBe(0);
			expect(target.stdout).toMatch(/^OK /m);
			expect((await tool.finish()).code).toBe(0);
		},
		90_000,
	);

	tracingTest(
		"whose file is gone and replaced by a damaged one is watched as the program that it is",
		async () => {
			const path = join(folder, "damaged");
			copyFileSync(buildProgram("demo", "1.27"), path);
			const target = start([path, "-for", "60s"]);
			await target.untilOutput(/pid/);
			copyFileSync(path, `${path}.new`);
			truncateSync(`${path}.new`, 5000);
			renameSync(`${path}.new`, path);
			const tool = startGomapgrow(["watch", "--json", "--duration", "1s", String(target.pid)]);
			const trace = toTrace(tool, await tool.finish());
			expect(trace.growths.length).toBeGreaterThan(0);
			expect(trace.end.complete).toBe(true);
			// Under its path there is another file now, that nobody executes.
			const other = startGomapgrow(["watch", path]);
			expect((await other.finish()).code).toBe(4);
			expect(other.stderr).toStartWith("error[E-TARGET-NOT-FOUND]");
			writeFileSync(path, "");
			expect((await startGomapgrow(["run", "--", path]).finish()).code).toBe(4);
			expect(target.running).toBe(true);
			await target.stop();
		},
		60_000,
	);
});

describe("tables that are far too small", () => {
	for (const version of ["1.23", "1.27"]) {
		tracingTest(
			`lose details, are accounted for and change no count: Go ${version}`,
			async () => {
				const program = start([buildCounted(version), "400000", "2000"], { stdin: "pipe" });
				const phase = async (name: string): Promise<Record<string, number>> => {
					const [line] = await program.untilOutput(new RegExp(`^{"phase":"${name}".*}$`, "m"), 120_000);
					return (JSON.parse(line) as { calls: Record<string, number> }).calls;
				};
				const before = await phase("ready");
				const openPath = `/proc/${program.pid}/exe`;
				const target = new Target(
					{ pid: program.pid, name: "counted", exe: openPath, openPath },
					new Executable(openPath),
				);
				target.readBias();
				const session = new Session({
					...{ mode: attachModeOf(detectFeatures()), latency: true, iterations: false, maxSites: 100 },
					anchor: { wallNs: wallNs(), monotonicNs: monotonicNs() },
					sizes: { events: 4096, call_rows: 2, latency_rows: 1, goroutines: 2 },
				});
				try {
					session.attach(target);
					session.setSampling(1, 1e6);
					program.writeLine("go");
					let given = 0;
					const take = (): void => {
						given++;
					};
					// Seldom: the ring has room for ten growths.
					const drain = setInterval(() => session.drain(take), 50);
					const after = await phase("end");
					clearInterval(drain);
					session.detach();
					while (session.drain(take) > 0);
					session.flush(take);
					const { ledger, calls } = session.readFinalCounters();
					for (const [name, tier] of Object.entries(ledger)) {
						expect({ name, rest: unaccounted(tier) }).toEqual({ name, rest: 0 });
					}
					expect(given).toBe(ledger.growth.recorded + (ledger.sample?.recorded ?? 0));
					expect(ledger.growth.lost).toBeGreaterThan(0);
					expect(ledger.work.lost).toBeGreaterThan(0);
					for (const [fn, count] of Object.entries(after)) {
						expect({ fn, calls: calls.get(fn) ?? 0 }).toEqual({ fn, calls: count - (before[fn] ?? 0) });
					}
				} finally {
					session.close();
				}
				expect((await program.finish(60_000)).code).toBe(0);
			},
			240_000,
		);
	}
});
