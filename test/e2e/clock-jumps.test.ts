/** The wall clock is set while the tool watches, an hour forward or back, ten times a second: nothing is late, early or out of order. */
import { describe, expect } from "bun:test";
import { join, resolve } from "node:path";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { run } from "../support/go-binaries.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, ledgerFaults, toTrace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const clockTest = testWith(missingForTracing(), missingCommands("gcc", "bash"));
const folder = temporaryFolder("clock");
const TIMEOUT = 60_000;
const HOUR = 3600;

function jumping(seconds: number): Record<string, string | undefined> {
	const library = join(folder, "jumping-clock.so");
	const source = resolve(import.meta.dir, "../support/jumping-clock.c");
	run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-O2", "-o", library, source]);
	return { ...process.env, LD_PRELOAD: library, CLOCK_JUMP_SECONDS: String(seconds) };
}

async function startDemo(): Promise<Program> {
	const target = start([buildProgram("demo", "1.27"), "-for", "50s"]);
	await target.untilOutput(/pid/);
	return target;
}

for (const [way, seconds] of [
	["forward", HOUR],
	["back", -HOUR],
] as const) {
	describe(way, () => {
		clockTest(
			"the runtime that is built in sees it jump",
			async () => {
				const code = "const t = Date.now(); await Bun.sleep(1000); console.log(Date.now() - t)";
				const program = start([process.execPath, "-e", code], { env: jumping(seconds) });
				await program.finish();
				expect(Math.sign(seconds) * Number(program.stdout)).toBeGreaterThan(5 * HOUR * 1000);
			},
			TIMEOUT,
		);

		clockTest(
			"windows have their lengths, records their times, and the duration is kept",
			async () => {
				const target = await startDemo();
				const options = ["--json", "--budget", "off", "--interval", "200ms", "--duration", "2s"];
				const before = performance.now();
				const program = start([GOMAPGROW, "watch", ...options, String(target.pid)], { env: jumping(seconds) });
				const { end, windows, growths, exit } = toTrace(program, await program.finish());
				expect(performance.now() - before).toBeLessThan(6000);
				expect(exit.code).toBe(0);
				expect(end).toMatchObject({ reason: "duration", complete: true });
				expect(ledgerFaults(end.ledger)).toEqual([]);
				expect(end.elapsed_ns).toBeGreaterThanOrEqual(2e9);
				expect(end.elapsed_ns).toBeLessThan(3e9);
				expect(growths.length).toBeGreaterThan(100);
				expect(windows.length).toBeGreaterThanOrEqual(5);
				expect(windows.length).toBeLessThanOrEqual(end.elapsed_ns / 0.2e9 + 2);
				const times = windows.map(({ time }) => Date.parse(time));
				expect(times).toEqual(times.toSorted((a, b) => a - b));
				expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(3000);
				await target.stop();
			},
			TIMEOUT,
		);

		clockTest(
			"a reader that does not read is not waited for any longer",
			async () => {
				const target = await startDemo();
				const script = `"$0" watch --json --budget off --interval 100ms ${target.pid} > >(unset LD_PRELOAD; exec sleep 30) & echo $!; wait $!; echo "code $?"`;
				const program = start(["bash", "-c", script, GOMAPGROW], { env: jumping(seconds) });
				const pid = Number((await program.untilOutput(/^(\d+)\n/))[1]);
				await Bun.sleep(3000);
				const before = performance.now();
				process.kill(pid, "SIGINT");
				await program.untilOutput(/^code \d+$/m, 10_000);
				expect(performance.now() - before).toBeLessThan(1500);
				await program.stop();
				await target.stop();
			},
			TIMEOUT,
		);
	});
}
