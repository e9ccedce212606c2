/**
 * bench/throughput.ts [GO VERSION] [ROUNDS]: how fast a program that does nothing but fill maps is while its map growth is traced, and what one hit
 * costs: by the kernel alone (an empty BPF program), by our programs, by bpftrace. Everything in turns in one run; medians of the rounds; the program
 * has its processor for itself. Of the function that is probed most, growWork or, in swiss maps, rehash.
 */
import { attachModeOf, detectFeatures } from "../src/kernel/features.ts";
import { monotonicNs, wallNs } from "../src/kernel/libc.ts";
import { UprobeLink } from "../src/kernel/uprobe-link.ts";
import type { PlannedProbe } from "../src/plan/probe-plan.ts";
import { Executable } from "../src/tracer/executable.ts";
import { Session } from "../src/tracer/session.ts";
import { Target } from "../src/tracer/target.ts";
import { requireBpftrace, startBpftrace } from "./lib/bpftrace.ts";
import { Breakpoint } from "./lib/breakpoint.ts";
import { EmptyProgram } from "./lib/empty-program.ts";
import { buildFill, FillProgram, type Progress } from "./lib/fill-program.ts";
import { median } from "./lib/median.ts";
import { Tracer } from "./lib/tracer.ts";

const [version = "1.23", rounds = "5"] = process.argv.slice(2);
const FUNCTION =
	Number(version.split(".")[1]) < 24 ? "runtime.growWork_fast64" : "internal/runtime/maps.(*table).rehash";
const WINDOW_MS = 1000;
const DRAIN_MS = 20;
/** As gomapgrow samples at some 200,000 hits a second. */
const CHANCE = 1 / 1000;
/** The budget needs some seconds to find out what it may probe. */
const SETTLE_MS = 3000;

requireBpftrace();
const mode = attachModeOf(detectFeatures());
const path = buildFill(version);
const program = new FillProgram(path);
// Until then it may still be chrt.
await program.next();
const empty = new EmptyProgram(mode);
const openPath = `/proc/${program.pid}/exe`;

/** With probes on FUNCTION alone; or on those functions, too, whose exits are the end of its calls, so that durations can be measured. */
function openTarget(timed = false): Target {
	const target = new Target({ pid: program.pid, name: "fill", exe: path, openPath }, new Executable(openPath));
	target.readBias();
	const wanted = new Set([FUNCTION]);
	for (const { fn, exits } of timed ? target.plan.probes : []) {
		if (fn === FUNCTION) for (const { handsOverTo } of exits) if (handsOverTo !== undefined) wanted.add(handsOverTo);
	}
	target.plan.probes = target.plan.probes.filter(({ fn }) => wanted.has(fn));
	return target;
}

function findProbe(): PlannedProbe {
	const target = openTarget();
	const [probe] = target.plan.probes;
	target.close();
	if (probe === undefined) throw new Error(`${FUNCTION} is not in the program`);
	return probe;
}

const probe = findProbe();

interface Measured extends Progress {
	/** Hits; 0 when they were not counted. */
	hits: number;
}

async function unprobed(ms = WINDOW_MS): Promise<Measured> {
	return { ...(await program.measure(ms)), hits: 0 };
}

/** A program that does nothing, at our site or at the function's first instruction. */
async function withEmpty(distance: number): Promise<Measured> {
	const fileOffset = probe.site.fileOffset - distance;
	const link = new UprobeLink(empty, "empty", program.pid, openPath, [{ index: 0, fileOffset }]);
	const result = await unprobed();
	link.destroy();
	return result;
}

async function withSession(latency: boolean): Promise<Measured> {
	const anchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	const session = new Session({ mode, anchor, latency, iterations: false, maxSites: 64 });
	session.setSampling(CHANCE, 1e12);
	session.attach(openTarget(latency));
	const calls = (): number =>
		session
			.readCounters()
			.calls.values()
			.reduce((sum, count) => sum + count, 0);
	const drain = setInterval(() => session.drain(() => {}), DRAIN_MS);
	const [first, before] = [await program.fresh(), calls()];
	const result = await program.measure(WINDOW_MS);
	const [last, after] = [await program.fresh(), calls()];
	clearInterval(drain);
	const { hits: timed, recorded: paired } = session.readCounters().ledger.latency ?? { hits: 0, recorded: 0 };
	session.close();
	if (latency && paired < 0.9 * timed) throw new Error(`durations of ${paired} of ${timed} calls`);
	// Each call passes one exit.
	const hits = ((after - before) / (last.fills - first.fills)) * result.fills * (latency ? 2 : 1);
	return { ...result, hits };
}

async function withTracer(tracer: Tracer, settleMs: number, ms = WINDOW_MS): Promise<Measured> {
	await tracer.attached();
	await Bun.sleep(settleMs);
	const result = await unprobed(ms);
	await tracer.end();
	return result;
}

function watch(...options: string[]): Tracer {
	const command = ["dist/gomapgrow", "watch", String(program.pid), "--json", ...options];
	return new Tracer(command, new Breakpoint(program.pid, probe.site.address));
}

interface Variant {
	name: string;
	/** Whether it is known how many hits there are in a fill. */
	perHit: boolean;
	run(): Promise<Measured>;
}

// Growths are not only counted.
const COUNTING = probe.tier === "growth" ? "ours, a record of every call" : "ours, counting every call";
const TIMED = "ours, durations, sampled stacks";
const BPFTRACE = "bpftrace, counting every call";
const EMPTY = "empty program at our site";
const atEntry = probe.site.address - probe.entry;
const variants: Variant[] = [
	{ name: "unprobed", perHit: false, run: () => unprobed() },
	{ name: EMPTY, perHit: true, run: () => withEmpty(0) },
	{ name: "empty program at the first instruction", perHit: true, run: () => withEmpty(atEntry) },
	{ name: COUNTING, perHit: true, run: () => withSession(false) },
	{ name: TIMED, perHit: true, run: () => withSession(true) },
	{
		name: BPFTRACE,
		perHit: true,
		run: () => withTracer(startBpftrace(program.pid, path, FUNCTION, probe.entry), 0),
	},
	{ name: "gomapgrow watch, --budget off", perHit: false, run: () => withTracer(watch("--budget", "off"), 0) },
	{
		name: "gomapgrow watch, --budget off --no-latency",
		perHit: false,
		run: () => withTracer(watch("--budget", "off", "--no-latency"), 0),
	},
	{
		name: "gomapgrow watch, default budget of 1 %",
		perHit: false,
		run: () => withTracer(watch(), SETTLE_MS, 3 * WINDOW_MS),
	},
];

/** This process, too, must get a processor when it wants one. */
Bun.spawnSync(["chrt", "--all-tasks", "--rr", "--pid", "1", String(process.pid)]);
const measured = new Map<string, Measured[]>(variants.map(({ name }) => [name, []]));
await program.measure(1000);
for (let round = 0; round < Number(rounds); round++) {
	for (const { name, run } of variants) measured.get(name)?.push(await run());
}
await program.stop();

const of = (name: string): Measured[] => measured.get(name) ?? [];
const rate = (name: string): number => median(of(name).map(({ fills, wallNs }) => fills / (wallNs / 1e9)));
/** Hits in a fill; those of FUNCTION's entry where they were not counted. */
const hitsAFill = (name: string): number => {
	const counted = of(name).flatMap(({ hits, fills }) => (hits > 0 ? [hits / fills] : []));
	return counted.length > 0 || name === COUNTING ? median(counted) : hitsAFill(COUNTING);
};
/** Against the unprobed window of the same round. */
const hitNs = (name: string): number =>
	median(
		of(name).map(({ cpuNs, fills }, round) => {
			const bare = of("unprobed")[round];
			return bare === undefined ? Number.NaN : (cpuNs / fills - bare.cpuNs / bare.fills) / hitsAFill(name);
		}),
	);

console.log(
	`Go ${version}, ${FUNCTION}: ${hitsAFill(COUNTING).toFixed(0)} calls a fill, ${hitsAFill(TIMED).toFixed(0)} hits with exits and the functions that share them; ${rounds} rounds in turns, medians`,
);
console.log(`${"".padEnd(42)} fills/s  of unprobed  of bpftrace's  ns a hit  over empty`);
for (const { name, perHit } of variants) {
	const share = `${((100 * rate(name)) / rate("unprobed")).toFixed(1)} %`;
	const times = `${(rate(name) / rate(BPFTRACE)).toFixed(1)} x`;
	const columns = [rate(name).toFixed(0).padStart(7), share.padStart(11), times.padStart(14)];
	if (perHit) {
		const ns = hitNs(name);
		columns.push(ns.toFixed(0).padStart(8), `${(ns - hitNs(EMPTY)).toFixed(0)} ns`.padStart(10));
	}
	console.log(`${name.padEnd(42)} ${columns.join("  ")}`);
}
process.exit(0);
