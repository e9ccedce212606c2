/** Whatever ends the observation: it says what it saw, leaves within a second, with the right code, and takes its probes along. */
import { describe, expect } from "bun:test";
import { heldBpfObjects, stillThere } from "../support/bpf-objects.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { expectUntouched, INT3, siteBytes, targetRecord } from "../support/probed-bytes.ts";
import { type Exit, type Program, start } from "../support/processes.ts";
import {
	GOMAPGROW,
	ledgerFaults,
	parseRecords,
	startGomapgrow,
	toTrace,
	unaccounted,
	watchTraced,
} from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 60_000;
const VERSIONS = ["1.23", "1.27"];

async function startTorture(version: string): Promise<Program> {
	const target = start([buildProgram("torture", version), "-for", "50s"]);
	await target.untilOutput(/^pid/m);
	return target;
}

/** A program with moderate growth, which the observer follows with ease. */
async function startDemo(version: string): Promise<Program> {
	const target = start([buildProgram("demo", version), "-for", "50s"]);
	await target.untilOutput(/pid/);
	return target;
}

async function timed(ending: Promise<Exit>): Promise<{ exit: Exit; ms: number }> {
	const before = performance.now();
	const exit = await ending;
	return { exit, ms: performance.now() - before };
}

describe("a signal", () => {
	for (const [signal, reason] of [
		["SIGINT", "interrupt"],
		["SIGTERM", "terminate"],
		["SIGHUP", "hangup"],
	] as const) {
		for (const version of VERSIONS) {
			tracingTest(
				`${signal}, Go ${version}`,
				async () => {
					const target = await startDemo(version);
					const program = await watchTraced(target.pid);
					program.signal(signal);
					const { exit, ms } = await timed(program.finish());
					expect({ ...exit, stderr: exit.code === 0 ? "" : program.stderr }).toEqual({
						...{ code: 0, signal: undefined, stderr: "" },
					});
					expect(ms).toBeLessThan(1000);
					const trace = toTrace(program, exit);
					expect(trace.end.reason).toBe(reason);
					expect(program.stderr).toMatch(/^ledger: /m);
					await expectUntouched(target, targetRecord(program));
				},
				TIMEOUT,
			);
		}
	}

	tracingTest(
		"in a storm of growths",
		async () => {
			const target = await startTorture("1.27");
			const program = await watchTraced(target.pid);
			await Bun.sleep(1500);
			program.signal("SIGINT");
			const { exit, ms } = await timed(program.finish());
			expect(ms).toBeLessThan(1000);
			const trace = toTrace(program, exit);
			expect(unaccounted(trace.end.ledger.growth)).toBe(0);
			expect(trace.growths).toHaveLength(trace.end.ledger.growth.recorded);
			await target.stop();
		},
		TIMEOUT,
	);

	tracingTest(
		"twice, and to text output",
		async () => {
			const target = await startDemo("1.27");
			const program = startGomapgrow(["watch", "--interval", "100ms", String(target.pid)]);
			await program.untilOutput(/growth=/);
			program.signal("SIGINT");
			program.signal("SIGINT");
			const { exit, ms } = await timed(program.finish());
			expect(exit.code).toBe(0);
			expect(ms).toBeLessThan(1000);
			expect(program.stderr.match(/^ledger: /gm)).toHaveLength(1);
			await target.stop();
		},
		TIMEOUT,
	);

	for (const version of VERSIONS) {
		tracingTest(
			`SIGKILL leaves nothing in the target, Go ${version}`,
			async () => {
				const target = await startTorture(version);
				const program = await watchTraced(target.pid);
				const record = targetRecord(program);
				expect(siteBytes(target.pid, record)).toEqual(record.probes.map(() => INT3));
				program.signal("SIGKILL");
				await program.exited;
				await expectUntouched(target, record);
			},
			TIMEOUT,
		);
	}

	testWith(missingForTracing(), missingCommands("bpftool"))(
		"SIGKILL leaves nothing in the kernel",
		async () => {
			const target = await startTorture("1.27");
			const program = await watchTraced(target.pid);
			const held = heldBpfObjects(program.pid);
			for (const ids of Object.values(held)) expect(ids.length).toBeGreaterThan(0);
			program.signal("SIGKILL");
			await program.exited;
			await target.until(
				"end of the BPF objects",
				() => (Object.values(stillThere(held)).every((ids) => ids.length === 0) ? true : undefined),
				10_000,
			);
		},
		TIMEOUT,
	);
});

describe("a reader that goes away", () => {
	for (const [name, json] of [
		["records", true],
		["text", false],
	] as const) {
		testWith(missingForTracing(), missingCommands("bash"))(
			`closes the pipe: ${name} | head -n 1`,
			async () => {
				const target = await startDemo("1.27");
				const before = performance.now();
				const script = `"$0" watch ${json ? "--json" : ""} --interval 100ms ${target.pid} | head -n 1; echo "codes \${PIPESTATUS[*]}"`;
				const program = start(["bash", "-c", script, GOMAPGROW]);
				await program.finish();
				expect(performance.now() - before).toBeLessThan(3000);
				const [first = "", codes = ""] = program.stdout.split("\n");
				if (json) expect(parseRecords(`${first}\n`)[0]?.type).toBe("start");
				else expect(first).toMatch(/growth=/);
				expect(codes).toBe("codes 0 0");
				expect(program.stderr).toMatch(/^ledger: /m);
				expect(program.stderr).not.toMatch(/EPIPE|error/);
				expect(target.running).toBe(true);
				await target.stop();
			},
			TIMEOUT,
		);
	}

	testWith(missingForTracing(), missingCommands("bash"))(
		"or does not read does not keep it from leaving",
		async () => {
			const target = await startTorture("1.27");
			// The reader of the pipe sleeps: 64 KiB are soon full.
			const program = start([
				"bash",
				"-c",
				`"$0" watch --json --interval 100ms ${target.pid} > >(exec sleep 20) & echo $!; wait $!; echo "code $?"`,
				GOMAPGROW,
			]);
			const pid = Number((await program.untilOutput(/^(\d+)\n/))[1]);
			await program.until("probes", () => (heldBpfObjects(pid).link.length > 0 ? true : undefined));
			await Bun.sleep(1500);
			const before = performance.now();
			process.kill(pid, "SIGINT");
			await program.untilOutput(/^code \d+$/m);
			expect(performance.now() - before).toBeLessThan(1000);
			expect(program.stderr).toMatch(/^ledger: /m);
			await program.stop();
			await target.stop();
		},
		TIMEOUT,
	);
});

describe("the end", () => {
	for (const signal of ["SIGTERM", "SIGKILL"] as const) {
		tracingTest(
			`of the target by ${signal}`,
			async () => {
				const target = await startDemo("1.23");
				const program = await watchTraced(target.pid);
				target.signal(signal);
				const { exit, ms } = await timed(program.finish());
				expect(exit.code).toBe(0);
				expect(ms).toBeLessThan(1000);
				const trace = toTrace(program, exit);
				expect(trace.end.reason).toBe("target-exit");
				expect(trace.end.growths).toBe(trace.end.ledger.growth.recorded);
			},
			TIMEOUT,
		);
	}

	tracingTest(
		"of the duration",
		async () => {
			const target = await startDemo("1.23");
			const program = startGomapgrow(["watch", "--json", "--duration", "1500ms", String(target.pid)]);
			const { exit, ms } = await timed(program.finish());
			const trace = toTrace(program, exit);
			expect(exit.code).toBe(0);
			expect(trace.end).toMatchObject({ reason: "duration", complete: true });
			expect(ledgerFaults(trace.end.ledger)).toEqual([]);
			expect(trace.end.elapsed_ns).toBeGreaterThanOrEqual(1.5e9);
			expect(trace.end.elapsed_ns).toBeLessThan(2.5e9);
			expect(ms).toBeLessThan(3500);
			expect(target.running).toBe(true);
			await target.stop();
		},
		TIMEOUT,
	);
});
