/**
 * bench/budget.ts [fill|served|demo|iterate] [GO VERSION] [MOST PAIRS] [SECONDS] [BUDGETS]: what a program loses under the default budget, 5% and off: processor time for each
 * unit of what it does, by its own counter, watched against alone. One process is measured in the order alone, watched, watched, alone, again and again, until the 95 %
 * interval of the loss is below half a point to each side. An interval that lies above the budget is a failure (exit code 1), one that stays wider is not shown to hold.
 * `fill` does nothing but grow maps, `iterate`, watched with --iter, nothing but iterate over one, `served` is an HTTP server under load from a client on the same machine,
 * `demo` a service that is idle most of the time. Under "none" nobody watches at any time: what is lost then is the noise of the method. Where the program counts its own
 * growths, what was said of them is compared, too.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holds } from "../test/support/figures.ts";
import { goBuild } from "../test/support/go-binaries.ts";
import { buildWithGrowthClock, GrowthClock, type Reading } from "../test/support/growth-clock.ts";
import { Program } from "../test/support/processes.ts";
import { buildServed, Server } from "../test/support/served.ts";
import { GOMAPGROW, parseRecords } from "../test/support/trace.ts";
import { cpuSecondsOf } from "../test/support/usage.ts";
import { buildFill, FillProgram } from "./lib/fill-program.ts";

const [what = "fill", version = "1.23", most = "60", length = "4", budgets = "none,1%,5%,off"] = process.argv.slice(2);
const seconds = Number(length);
const MOST_PAIRS = Number(most);
const LEAST_PAIRS = 4;
/** Points to each side of the loss. */
const WANTED = 0.5;
/** Steps down have been taken by then. The first second is measured by itself nowhere: it is in each pair. */
const SETTLE_MS = 500;
const folder = mkdtempSync(join(tmpdir(), "gomapgrow-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

interface Subject {
	pid: number;
	/** Works for some seconds; returns the processor seconds that a unit took. */
	work(): Promise<number>;
	/** Calls of growth functions so far; empty where it has no counters. */
	counts(): Promise<Record<string, number>>;
	stop(): Promise<void>;
}

/** Of what is done meanwhile, by a counter outside of the program. */
async function cpuPerUnit(pid: number, work: () => Promise<number>): Promise<number> {
	const before = cpuSecondsOf(pid);
	const units = await work();
	return (cpuSecondsOf(pid) - before) / units;
}

/** A program that prints how much it has done. */
async function counting(command: string[]): Promise<Subject> {
	const program = new Program(command);
	await program.untilOutput(/^\d+ \d+$/m);
	const done = (): number => Number((program.stdout.match(/^\d+ \d+$/gm)?.at(-1) ?? "").split(" ")[0]);
	const work = async (): Promise<number> => {
		const before = done();
		await Bun.sleep(seconds * 1000);
		return done() - before;
	};
	return {
		pid: program.pid,
		work: () => cpuPerUnit(program.pid, work),
		counts: async () => ({}),
		stop: () => program.stop(),
	};
}

function fill(): Subject {
	const program = new FillProgram(buildFill(version), true);
	return {
		pid: program.pid,
		work: async () => {
			const { fills, cpuNs } = await program.measure(seconds * 1000);
			return cpuNs / 1e9 / fills;
		},
		counts: async () => ({}),
		stop: () => program.stop(),
	};
}

async function served(): Promise<Subject> {
	const server = new Server(buildServed(version, folder));
	await server.ready();
	return {
		pid: server.pid,
		work: () => cpuPerUnit(server.pid, async () => (await server.load(4, seconds)) * seconds),
		counts: () => server.counts(),
		stop: () => server.stop(),
	};
}

/** Units are its own growths. */
async function demo(): Promise<Subject> {
	const program = new Program([buildWithGrowthClock("demo", version, folder)]);
	await program.untilOutput(/^@/m);
	const latest = (): Reading => new GrowthClock(program).latest;
	const grown = ({ calls }: Reading): number =>
		Object.entries(calls).reduce((sum, [fn, n]) => (/hashGrow|growToTable|rehash/.test(fn) ? sum + n : sum), 0);
	return {
		pid: program.pid,
		work: async () => {
			const before = latest();
			await Bun.sleep(seconds * 1000);
			const after = latest();
			return (after.cpuNs - before.cpuNs) / 1e9 / (grown(after) - grown(before));
		},
		counts: async () => latest().calls,
		stop: () => program.stop(),
	};
}

async function begin(): Promise<Subject> {
	if (what === "served") return await served();
	if (what === "demo") return await demo();
	if (what === "iterate") return await counting([goBuild({ version, program: "iterbusy" }), "36000", "5000"]);
	return fill();
}

async function watch(subject: Subject, budget: string, file: string): Promise<Program | undefined> {
	if (budget === "none") return undefined;
	const iterations = what === "iterate" ? ["--iter"] : [];
	const tool = new Program([GOMAPGROW, "watch", ...iterations, "--budget", budget, "-o", file, String(subject.pid)]);
	await tool.untilOutput(/growth=/, 60_000);
	return tool;
}

const STUDENT = [12.7, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

/** Mean of percents, and half of its 95 % interval. */
function interval(percents: readonly number[]): { mean: number; half: number } {
	const mean = percents.reduce((sum, percent) => sum + percent, 0) / percents.length;
	const squares = percents.reduce((sum, percent) => sum + (percent - mean) ** 2, 0);
	const error = Math.sqrt(squares / (percents.length - 1) / percents.length);
	return { mean, half: error * (STUDENT[percents.length - 2] ?? 2) };
}

interface Told {
	exact: number;
	wrong: number;
	intervals: number;
	inside: number;
}

async function compare(file: string, before: Record<string, number>, after: Record<string, number>, told: Told) {
	const end = parseRecords(await Bun.file(file).text()).at(-1);
	if (end?.type !== "end") throw new Error("no end record");
	for (const [fn, calls] of Object.entries(after)) {
		const [real, figure] = [calls - (before[fn] ?? 0), end.calls[fn]];
		if (figure === undefined) continue;
		if (typeof figure === "number") {
			if (figure === real) told.exact++;
			else told.wrong++;
		} else {
			told.intervals++;
			if (holds(figure, real)) told.inside++;
		}
	}
}

console.log(`${what}, Go ${version}: alone, watched, watched, alone, ${seconds} s each`);
for (const budget of budgets.split(",")) {
	const losses: number[] = [];
	const told: Told = { exact: 0, wrong: 0, intervals: 0, inside: 0 };
	const subject = await begin();
	await subject.work();
	let result = { mean: Number.NaN, half: Number.POSITIVE_INFINITY };
	while (losses.length < MOST_PAIRS && (losses.length < LEAST_PAIRS || result.half > WANTED)) {
		const file = join(folder, "records.ndjson");
		const first = await subject.work();
		const before = await subject.counts();
		const tool = await watch(subject, budget, file);
		await Bun.sleep(SETTLE_MS);
		const watched = [await subject.work(), await subject.work()];
		tool?.signal("SIGINT");
		await tool?.finish(60_000);
		const after = await subject.counts();
		const last = await subject.work();
		losses.push(100 * (1 - (first + last) / watched.reduce((sum, each) => sum + each, 0)));
		if (losses.length > 1) result = interval(losses);
		if (tool === undefined) continue;
		// Growths while it was attached and detached are not in it: only a program that waits for its client is idle then.
		if (what === "served") await compare(file, before, after, told);
	}
	await subject.stop();
	const { mean, half } = result;
	const promise = budget.endsWith("%") ? Number.parseFloat(budget) : undefined;
	const broken = promise !== undefined && mean - half > promise;
	const verdict =
		promise === undefined ? "" : broken ? ", MORE THAN PROMISED" : half > WANTED ? ", not shown" : ", as promised";
	if (broken) process.exitCode = 1;
	console.log(
		`budget ${budget.padEnd(4)} lost ${mean.toFixed(2)} ± ${half.toFixed(2)} % of what it does in a processor second, ${losses.length} rounds${verdict}` +
			(what !== "served" || budget === "none"
				? ""
				: `; counts exact ${told.exact}, wrong ${told.wrong}, intervals with the truth ${told.inside} of ${told.intervals}`),
	);
}
