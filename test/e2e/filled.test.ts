/** How full maps are that watch has seen to grow, and those that do not grow: against the program's own numbers and a census. */
import { describe, expect } from "bun:test";
import type { CensusRecord } from "../../src/census/record.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { type Program, start } from "../support/processes.ts";
import { startOnTerminal } from "../support/pty.ts";
import { GOMAPGROW, startGomapgrow, toTrace, watchTraced } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 120_000;

async function startFilled(version: string): Promise<Program> {
	const program = start([buildProgram("filled", version, { stripped: true })], { stdin: "pipe" });
	await program.untilOutput(/^ready/m);
	return program;
}

async function fill(program: Program, entries: number): Promise<void> {
	program.writeLine(`${entries}`);
	await program.untilOutput(new RegExp(`^filled ${entries} `, "m"), 60_000);
}

async function census(pid: number): Promise<CensusRecord> {
	const program = startGomapgrow(["maps", "--json", "--top", "20", String(pid)]);
	expect((await program.finish(60_000)).code).toBe(0);
	return JSON.parse(program.stdout);
}

describe("maps that grow", () => {
	for (const version of ["1.19", "1.24", "1.27"]) {
		tracingTest(
			`${version}: rows have what is in the map now, and the slots of the whole map`,
			async () => {
				const program = await startFilled(version);
				const watch = await watchTraced(program.pid);
				await fill(program, 90_000);
				// The window of the last growth, and one after it.
				const windows = watch.stdout.split('{"type":"window"').length;
				await watch.until("two windows more", ({ stdout }) =>
					stdout.split('{"type":"window"').length > windows + 2 ? true : undefined,
				);
				const { maps = [] } = await census(program.pid);
				watch.signal("SIGINT");
				const trace = toTrace(watch, await watch.finish());
				const counted: Record<string, number> = { "map[int]int": 90_000, "map[string]*main.session": 30_000 };
				for (const [type, entries] of Object.entries(counted)) {
					const row = trace.end.maps.find(({ map_type }) => map_type === type);
					const address = trace.growths.findLast(({ map }) => map === row?.map)?.address;
					const found = maps.find((map) => map.address === address);
					expect(found).toMatchObject({ entries });
					// Two ways to read it: with the shapes of all types of the program, and by the header alone.
					const now = { entries, slots: found?.slots ?? 0 };
					expect(row?.now).toMatchObject(now);
					expect(Math.abs((row?.now?.bytes ?? 0) / (found?.bytes ?? 1) - 1)).toBeLessThan(0.01);
					const sites = trace.end.sites.filter(({ map_type, growths }) => map_type === type && growths !== 0);
					expect(sites).toHaveLength(1);
					expect(sites[0]).toMatchObject({ max_capacity: found?.slots ?? 0, now: { ...now, map: row?.map } });
				}
			},
			TIMEOUT,
		);
	}
});

describe("maps that do not grow", () => {
	tracingTest(
		"are a view of the screen, found beside the observation",
		async () => {
			const program = await startFilled("1.27");
			await fill(program, 90_000);
			const watch = startOnTerminal([GOMAPGROW, "watch", String(program.pid)], { columns: 120, rows: 30 });
			await watch.untilShown(/no growth yet[\s\S]*\d+ maps? holds? /, 60_000);
			watch.type("6");
			await watch.untilShown(
				/90,000 +[\d,]+ +\d+ % map\[int\]int[\s\S]*30,000 +[\d,]+ +\d+ % map\[string\]\*main\.session/,
			);
			watch.type("q");
		},
		TIMEOUT,
	);

	tracingTest(
		"are spoken of beside the lines, unless that is not wanted",
		async () => {
			const program = await startFilled("1.22");
			await fill(program, 90_000);
			const watch = startGomapgrow(["watch", "--interval", "200ms", String(program.pid)]);
			const said =
				/no map has grown so far: \d+ maps? holds? .*the largest: 90,000 entries in [\d,]+ slots, .*map\[int\]int/;
			await watch.until("what is there", ({ stderr }) => said.exec(stderr) ?? undefined, 60_000);
			expect(watch.stderr).toContain("made with their size");
			watch.signal("SIGINT");
			await watch.finish();
			const without = startGomapgrow([
				"watch",
				"--no-census",
				"--interval",
				"100ms",
				"--duration",
				"2s",
				String(program.pid),
			]);
			await without.finish();
			expect(without.stderr).not.toContain("no map has grown so far");
		},
		TIMEOUT,
	);
});
