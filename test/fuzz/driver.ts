/** Runs damaged programs through the readers in child processes, and ends and notes those that hang or die. */
import { join } from "node:path";
import { Cases, type Which } from "./cases.ts";
import type { Message } from "./child.ts";

/** Wall-clock seconds without news after which a case counts as hanging; generous, since machines are shared. */
const SILENCE_SECONDS = 20;
/** As long may it take to find the places to damage in all programs. */
const PREPARATION_SECONDS = 240;

export interface FuzzOptions {
	which: Which;
	seed: number;
	/** Cases first, first + 1, … */
	first?: number;
	cases?: number;
	/** Wall-clock limit, without the time to build the programs; the case under way is finished. */
	seconds: number;
}

export interface FuzzResult {
	cases: number;
	/** Cases in which the file was still taken for a Go program. */
	opened: number;
	calls: number;
	refused: number;
	slowest: { index: number; call: string; ms: number };
	/** Most memory that a case took on top, in MiB. */
	peakMiB: number;
	failures: { index: number; what: string; violations: string[] }[];
}

export async function fuzz(
	options: FuzzOptions,
	onFailure?: (failure: FuzzResult["failures"][number]) => void,
): Promise<FuzzResult> {
	const result: FuzzResult = {
		...{ cases: 0, opened: 0, calls: 0, refused: 0, peakMiB: 0, failures: [] },
		slowest: { index: -1, call: "", ms: 0 },
	};
	const fail = (index: number, what: string, violations: string[]): void => {
		const failure = { index, what, violations };
		result.failures.push(failure);
		onFailure?.(failure);
	};
	const all = new Cases(options.which, options.seed);
	all.subjects.build(all.programs);
	const deadline = Date.now() + options.seconds * 1000;
	const last = Math.min(all.count, (options.first ?? 0) + (options.cases ?? Number.MAX_SAFE_INTEGER));
	let next = options.first ?? 0;
	while (next < last && Date.now() < deadline) {
		const from = next;
		const running = { index: from, what: "before the first case" };
		const end = await runChild(options, from, last, deadline, (message) => {
			if (message.event === "ready") return;
			if (message.event === "start") {
				running.index = message.index;
				running.what = message.what;
				return;
			}
			const { index, outcome, peakMiB } = message;
			next = index + 1;
			result.cases++;
			result.calls += outcome.calls;
			result.refused += outcome.refused;
			if (outcome.opened) result.opened++;
			if (outcome.slowest.ms > result.slowest.ms) result.slowest = { index, ...outcome.slowest };
			result.peakMiB = Math.max(result.peakMiB, peakMiB);
			if (outcome.violations.length > 0) fail(index, running.what, outcome.violations);
		});
		if (end !== undefined) {
			fail(running.index, running.what, [end]);
			if (running.what === "before the first case") break;
			next = running.index + 1;
		}
	}
	return result;
}

/** Until the cases or the time are over: undefined; else how the child ended. */
async function runChild(
	options: FuzzOptions,
	first: number,
	last: number,
	deadline: number,
	onMessage: (message: Message) => void,
): Promise<string | undefined> {
	const script = join(import.meta.dir, "child.ts");
	const child = Bun.spawn(
		[process.execPath, script, options.which, String(options.seed), String(first), String(last)],
		{
			stdout: "pipe",
			stderr: "pipe",
		},
	);
	const errors = new Response(child.stderr).text();
	let heard = Date.now();
	let patience = PREPARATION_SECONDS;
	let ended: string | undefined;
	let stopped = false;
	const watchdog = setInterval(() => {
		if (Date.now() - heard > patience * 1000) {
			ended = `hang: no end after ${patience} s`;
			child.kill("SIGKILL");
		}
	}, 500);
	let rest = "";
	const decoder = new TextDecoder();
	for await (const chunk of child.stdout) {
		heard = Date.now();
		const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) {
			const message = JSON.parse(line) as Message;
			patience = SILENCE_SECONDS;
			onMessage(message);
			if (message.event === "end" && Date.now() >= deadline) {
				stopped = true;
				child.kill("SIGKILL");
				break;
			}
		}
		if (stopped) break;
	}
	clearInterval(watchdog);
	const status = await child.exited;
	if (stopped) return undefined;
	return (
		ended ??
		(status === 0
			? undefined
			: `the process ended with ${child.signalCode ?? status}: ${(await errors).trim().slice(-2000)}`)
	);
}
