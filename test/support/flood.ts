/** A program that calls the growth functions as often as it can, under observation: what the tool takes, loses and uses meanwhile. */
import type { EndRecord } from "../../src/records/records.ts";
import { goBuild } from "./go-binaries.ts";
import { Program } from "./processes.ts";
import { GOMAPGROW, parseRecords } from "./trace.ts";
import { cpuSecondsOf, memoryOf } from "./usage.ts";

export interface Flood {
	/** Calls a second that the program makes unobserved, and hits a second under observation. */
	offered: number;
	hits: number;
	end: EndRecord;
	/** Of the tool: most memory in bytes; processor time as a share of one processor, in that third of the time in which it was least: others only add to it. */
	peakBytes: number;
	cpuShare: number;
	/** Longest time for which the program made no progress, in seconds. */
	longestPause: number;
	exitCode: number;
	targetExitCode: number;
	targetOutput: string;
}

const SLICES = 3;

interface Progress {
	fills: number;
	seconds: number;
}

function progressOf(target: Program): Progress[] {
	return [...target.stdout.matchAll(/^(\d+) (\d+)$/gm)].map(([, fills, ns]) => ({
		fills: Number(fills),
		seconds: Number(ns) / 1e9,
	}));
}

/** Fills in a second, while `during` goes on. */
async function rateWhile(target: Program, during: () => Promise<unknown>): Promise<number> {
	await Bun.sleep(200);
	const before = progressOf(target).at(-1);
	await during();
	await Bun.sleep(200);
	const after = progressOf(target).at(-1);
	if (before === undefined || after === undefined) throw new Error("the program makes no progress");
	return (after.fills - before.fills) / (after.seconds - before.seconds);
}

/** `file`: where the records go. */
export async function flood(options: { version: string; keys: number; seconds: number; file: string }): Promise<Flood> {
	const { version, keys, seconds, file } = options;
	const target = new Program([goBuild({ version, program: "flood" }), String(keys)]);
	let tool: Program | undefined;
	try {
		await target.untilOutput(/^\d+ \d+$/m);
		const unobserved = await rateWhile(target, () => Bun.sleep(1500));
		const watching = new Program([
			...[GOMAPGROW, "watch", "--budget", "off", "--interval", "500ms", "-o", file, String(target.pid)],
		]);
		tool = watching;
		await watching.untilOutput(/growth=/, 60_000);
		const shares: number[] = [];
		const observed = await rateWhile(target, async () => {
			for (let slice = 0; slice < SLICES; slice++) {
				const [cpu, begun] = [cpuSecondsOf(watching.pid), performance.now()];
				await Bun.sleep((seconds * 1000) / SLICES);
				shares.push((cpuSecondsOf(watching.pid) - cpu) / ((performance.now() - begun) / 1000));
			}
		});
		const cpuShare = Math.min(...shares);
		const peakBytes = memoryOf(watching.pid).peak;
		watching.signal("SIGINT");
		const exit = await watching.finish(60_000);
		target.signal("SIGTERM");
		const targetExit = await target.finish(60_000);
		const end = parseRecords(await Bun.file(file).text()).at(-1);
		if (end?.type !== "end") throw new Error(`no end record; standard error: ${watching.stderr.slice(-2000)}`);
		const hits = (end.ledger.growth.hits + end.ledger.work.hits) / (end.elapsed_ns / 1e9);
		const progress = progressOf(target);
		const pauses = progress.slice(1).map(({ seconds: at }, i) => at - (progress[i]?.seconds ?? at));
		return {
			...{ offered: (hits / observed) * unobserved, hits, end, peakBytes, cpuShare },
			longestPause: Math.max(...pauses),
			...{ exitCode: exit.code, targetExitCode: targetExit.code, targetOutput: target.stdout.slice(-200) },
		};
	} finally {
		await tool?.stop();
		await target.stop();
	}
}
