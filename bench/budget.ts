/**
 * bench/budget.ts [fill|served|iterate] [GO VERSION] [ROUNDS] [SECONDS] [BUDGETS]: what a program loses under --budget 1%, 5% and off: of its speed, and of what it does in a second of its
 * processor time, which other load on the machine disturbs less; and whether the growth counts were exact and the intervals contained the truth, by the program's own
 * counters. One process is watched and left alone by turns, and each time that it is watched is compared with those before and after. `fill` does nothing but grow maps, `iterate`, watched with --iter, nothing but iterate over one, `served` is
 * an HTTP server under load from a client on the same machine. Under "none" nobody watches at any time: what is lost then is the noise of the method.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goBuild } from "../test/support/go-binaries.ts";
import { Program } from "../test/support/processes.ts";
import { buildServed, Server } from "../test/support/served.ts";
import { GOMAPGROW, parseRecords } from "../test/support/trace.ts";
import { cpuSecondsOf } from "../test/support/usage.ts";
import { median } from "./lib/median.ts";

const [what = "fill", version = "1.23", rounds = "5", length = "4", budgets = "none,1%,5%,off"] = process.argv.slice(2);
const seconds = Number(length);
/** The governor has found its share by then. */
const SETTLE_SECONDS = 3;
const folder = mkdtempSync(join(tmpdir(), "gomapgrow-bench-"));

interface Subject {
	pid: number;
	/** Maps or requests a second. */
	rate(): Promise<number>;
	counts(): Promise<Record<string, number>>;
	stop(): Promise<void>;
}

/** A program that prints how much it has done, and in how many nanoseconds. */
async function counting(command: string[]): Promise<Subject> {
	const program = new Program(command);
	await program.untilOutput(/^\d+ \d+$/m);
	const progress = (): number[] => (program.stdout.match(/^\d+ \d+$/gm)?.at(-1) ?? "").split(" ").map(Number);
	return {
		pid: program.pid,
		rate: async () => {
			const [done = 0, ns = 0] = progress();
			await Bun.sleep(seconds * 1000);
			const [laterDone = 0, laterNs = 0] = progress();
			return ((laterDone - done) * 1e9) / (laterNs - ns);
		},
		// It has no counters: test/e2e/budget.test.ts and iterate.test.ts compare with programs that have.
		counts: async () => ({}),
		stop: () => program.stop(),
	};
}

async function served(path: string): Promise<Subject> {
	const server = new Server(path);
	await server.ready();
	return {
		pid: server.pid,
		rate: () => server.load(4, seconds),
		counts: () => server.counts(),
		stop: () => server.stop(),
	};
}

interface Speed {
	perSecond: number;
	perCpuSecond: number;
}

async function speedOf(subject: Subject): Promise<Speed> {
	const [cpu, begun] = [cpuSecondsOf(subject.pid), performance.now()];
	const perSecond = await subject.rate();
	const elapsed = (performance.now() - begun) / 1000;
	return { perSecond, perCpuSecond: (perSecond * elapsed) / (cpuSecondsOf(subject.pid) - cpu) };
}

/** Of percents: their median, their mean with its standard error, and all of them. */
function told(percents: readonly number[]): string {
	const sorted = [...percents].sort((x, y) => x - y).map((percent) => percent.toFixed(1));
	const mean = percents.reduce((sum, percent) => sum + percent, 0) / percents.length;
	const squares = percents.reduce((sum, percent) => sum + (percent - mean) ** 2, 0);
	const error = Math.sqrt(squares / (percents.length - 1) / percents.length);
	return `${median(percents).toFixed(1)} % (mean ${mean.toFixed(1)} ± ${error.toFixed(1)}; ${sorted.join(", ")})`;
}

async function watch(subject: Subject, budget: string, file: string): Promise<Program | undefined> {
	if (budget === "none") return undefined;
	const iterations = what === "iterate" ? ["--iter"] : [];
	const tool = new Program([GOMAPGROW, "watch", ...iterations, "--budget", budget, "-o", file, String(subject.pid)]);
	await tool.untilOutput(/growth=/, 60_000);
	return tool;
}

const path = what === "served" ? buildServed(version, folder) : "";

async function begin(): Promise<Subject> {
	if (what === "served") return await served(path);
	if (what === "iterate") return await counting([goBuild({ version, program: "iterbusy" }), "36000", "5000"]);
	return await counting([goBuild({ version, program: "flood" }), "10000", "1"]);
}

console.log(`${what}, Go ${version}, ${rounds} rounds of ${seconds} s`);
for (const budget of budgets.split(",")) {
	const lost = { perSecond: [] as number[], perCpuSecond: [] as number[] };
	const truth = { growths: 0, exact: 0, intervals: 0, inside: 0 };
	const subject = await begin();
	await subject.rate();
	let before = await speedOf(subject);
	for (let round = 0; round < Number(rounds); round++) {
		const file = join(folder, `${budget}-${round}.ndjson`);
		const counted = await subject.counts();
		const tool = await watch(subject, budget, file);
		for (let settled = 0; settled < SETTLE_SECONDS; settled += seconds) await subject.rate();
		const observed = await speedOf(subject);
		const counts = await subject.counts();
		tool?.signal("SIGINT");
		await tool?.finish(60_000);
		const after = await speedOf(subject);
		for (const of of ["perSecond", "perCpuSecond"] as const) {
			lost[of].push(100 * (1 - observed[of] / ((before[of] + after[of]) / 2)));
		}
		before = after;
		if (tool === undefined) continue;
		const end = parseRecords(await Bun.file(file).text()).at(-1);
		if (end?.type !== "end") throw new Error("no end record");
		for (const [fn, calls] of Object.entries(counts)) {
			const [real, told] = [calls - (counted[fn] ?? 0), end.calls[fn] ?? 0];
			if (typeof told === "number") {
				truth.growths++;
				if (told === real) truth.exact++;
			} else {
				truth.intervals++;
				const [low, high] = "at_least" in told ? [told.at_least, Number.POSITIVE_INFINITY] : [told.low, told.high];
				if (low <= real && real <= high) truth.inside++;
			}
		}
		rmSync(file);
	}
	await subject.stop();
	console.log(
		`budget ${budget.padEnd(4)} lost of its speed ${told(lost.perSecond)}, per processor second ${told(lost.perCpuSecond)}; ` +
			(budget === "none"
				? "the noise"
				: `counts exact ${truth.exact} of ${truth.growths}, intervals with the truth ${truth.inside} of ${truth.intervals}`),
	);
}
rmSync(folder, { recursive: true, force: true });
