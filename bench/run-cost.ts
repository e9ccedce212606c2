/**
 * What `gomapgrow run` with its defaults adds to the processor time of a command: `bun bench/run-cost.ts [PAIRS]`. In each
 * pair the command runs once alone and once under run, in turns. The tool's own time is not in it, but for what its child does before it becomes the command.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS } from "../test/support/commands.ts";
import { Program } from "../test/support/processes.ts";
import { GOMAPGROW } from "../test/support/trace.ts";
import { cpuSecondsOfChildren } from "../test/support/usage.ts";

const PAIRS = Number(process.argv[2] ?? 15);
const folder = mkdtempSync(join(tmpdir(), "gomapgrow-run-cost-"));

/** User and system time of the command, in seconds. */
async function alone(command: string[]): Promise<number> {
	const child = Bun.spawn(command, { stdout: "ignore", stderr: "ignore" });
	await child.exited;
	return Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6;
}

async function watched(command: string[]): Promise<number> {
	const program = new Program([GOMAPGROW, "run", "-o", join(folder, "records.ndjson"), "--", ...command]);
	const seconds = await cpuSecondsOfChildren(program);
	await program.finish(120_000);
	return seconds;
}

for (const [name, prepare] of COMMANDS) {
	const argv = prepare(folder);
	const added: number[] = [];
	for (let pair = 0; pair < PAIRS; pair++) {
		const before = pair % 2 === 0 ? await alone(argv) : undefined;
		const under = await watched(argv);
		added.push(100 * (under / (before ?? (await alone(argv))) - 1));
	}
	added.sort((a, b) => a - b);
	const median = added[Math.floor(PAIRS / 2)] ?? Number.NaN;
	console.log(`${name}: median ${median.toFixed(1)} % (${added.map((share) => share.toFixed(1)).join(", ")})`);
}
rmSync(folder, { recursive: true });
