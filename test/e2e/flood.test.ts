/** As many calls of the growth functions as a program can make: nothing is unaccounted for, no growth is lost, and the tool stays small. bench/flood.ts takes a minute of it. */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { heldBpfObjects } from "../support/bpf-objects.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { flood } from "../support/flood.ts";
import { start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, unaccounted } from "../support/trace.ts";
import { memoryOf } from "../support/usage.ts";
import { buildProgram } from "./build-program.ts";

/** README, "Safe?": the most memory that the tool takes. */
const MEMORY_CEILING = 256 << 20;
const SECONDS = 6;
const folder = temporaryFolder("flood");
const tracingTest = testWith(missingForTracing());

describe("a flood of calls", () => {
	for (const version of ["1.23", "1.27"]) {
		tracingTest(
			`is counted whole and taken in by less than a processor, Go ${version}`,
			async () => {
				const result = await flood({ version, keys: 10_000, seconds: SECONDS, file: join(folder, version) });
				const { end, peakBytes, cpuShare, longestPause } = result;
				for (const [name, tier] of Object.entries(end.ledger)) {
					expect({ name, rest: unaccounted(tier) }).toEqual({ name, rest: 0 });
				}
				expect(end.ledger.growth).toMatchObject({ recorded: end.ledger.growth.hits, lost: 0, throttled: 0 });
				expect(end.ledger.growth.hits).toBeGreaterThan(0);
				expect(peakBytes).toBeLessThan(MEMORY_CEILING);
				// 0.5 to 0.6 where a processor is slow.
				expect(cpuShare).toBeLessThan(0.85);
				// Nothing waits for the tool; how long a busy machine lets it wait is another matter.
				expect(longestPause).toBeLessThan(5);
				expect(result).toMatchObject({ exitCode: 0, targetExitCode: 0 });
				expect(result.targetOutput).toEndWith("OK\n");
			},
			120_000,
		);
	}

	testWith(missingForTracing(), missingCommands("bash"))(
		"of growths whose records nobody reads costs records, not memory, and does not stop the program",
		async () => {
			const target = start([buildProgram("flood", "1.27"), "40"]);
			await target.untilOutput(/^\d+ \d+$/m);
			// The reader of the pipe sleeps: it is soon full, and so is what waits for it.
			const shell = start([
				...["bash", "-c", `"$0" watch --json --budget off ${target.pid} > >(exec sleep 60) & echo $!; wait $!`],
				GOMAPGROW,
			]);
			const pid = Number((await shell.untilOutput(/^(\d+)\n/))[1]);
			await shell.until("probes", () => (heldBpfObjects(pid).link.length > 0 ? true : undefined));
			await Bun.sleep(SECONDS * 1000);
			const before = target.stdout.length;
			expect(memoryOf(pid).peak).toBeLessThan(MEMORY_CEILING);
			await target.until("progress", () => (target.stdout.length > before ? true : undefined));
			process.kill(pid, "SIGTERM");
			await shell.until("ledger", ({ stderr }) => (/^ledger: .*\n/m.test(stderr) ? true : undefined), 30_000);
			const text = shell.stderr;
			const [, hits, recorded, lost] =
				/^ledger: growth ([\d,]+) hits = ([\d,]+) recorded \+ ([\d,]+) lost/m
					.exec(text)
					?.map((n) => Number(n.replaceAll(",", ""))) ?? [];
			expect(hits).toBeGreaterThan(0);
			expect(hits).toBe((recorded ?? Number.NaN) + (lost ?? Number.NaN));
			expect(text).toContain("events lost in the ring buffer");
			await shell.stop();
			await target.stop();
		},
		120_000,
	);
});
