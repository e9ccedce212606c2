/**
 * bench/hit-cost.ts [GO VERSION] [ROUNDS]: what one hit costs with our programs and with an empty one on the same instruction, the branch of
 * growWork_fast64's stack check, from the CPU time that the program needs for a fill of a map. Everything in turns in one run; medians.
 */

import { attachModeOf, detectFeatures } from "../src/kernel/features.ts";
import { monotonicNs, wallNs } from "../src/kernel/libc.ts";
import { UprobeLink } from "../src/kernel/uprobe-link.ts";
import { Session } from "../src/session/session.ts";
import { Target } from "../src/session/target.ts";
import { EmptyProgram } from "./lib/empty-program.ts";
import { buildFill, FillProgram, type Progress } from "./lib/fill-program.ts";
import { median } from "./lib/median.ts";

const [version = "1.23", rounds = "15"] = process.argv.slice(2);
const FUNCTION = "runtime.growWork_fast64";
const WINDOW_MS = 400;
const DRAIN_MS = 20;

const mode = attachModeOf(detectFeatures());
const program = new FillProgram(buildFill(version));
const empty = new EmptyProgram(mode);
const path = `/proc/${program.pid}/exe`;

function openTarget(): Target {
	const target = new Target({ pid: program.pid, name: "fill", exe: path, openPath: path });
	target.readBias();
	target.plan.probes = target.plan.probes.filter(({ fn }) => fn === FUNCTION);
	if (target.plan.probes.length === 0) throw new Error(`${FUNCTION} is not in the program`);
	return target;
}

interface Measured extends Progress {
	/** Hits; 0 when they were not counted. */
	hits: number;
}

async function unprobed(): Promise<Measured> {
	return { ...(await program.measure(WINDOW_MS)), hits: 0 };
}

async function withEmpty(): Promise<Measured> {
	const target = openTarget();
	const fileOffset = target.plan.probes[0]?.site.fileOffset ?? 0;
	const link = new UprobeLink(empty, "empty", program.pid, path, [{ index: 0, fileOffset }]);
	const result = await unprobed();
	link.destroy();
	target.close();
	return result;
}

/** `chance`: of a call to become a record. */
async function withOurs(chance: number, latency: boolean): Promise<Measured> {
	const anchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	const session = new Session({ mode, anchor, latency, iterations: false, maxSites: 64 });
	session.setSampling(chance, 1e12);
	session.attach(openTarget());
	const drain = setInterval(() => session.drain(() => {}), DRAIN_MS);
	const [first, before] = [await program.fresh(), session.readCounters().calls.get(FUNCTION) ?? 0];
	const result = await program.measure(WINDOW_MS);
	const [last, after] = [await program.fresh(), session.readCounters().calls.get(FUNCTION) ?? 0];
	const hits = ((after - before) / (last.fills - first.fills)) * result.fills;
	clearInterval(drain);
	session.close();
	return { ...result, hits };
}

// This process, too, must get the CPU when it wants it.
Bun.spawnSync(["chrt", "--all-tasks", "--rr", "--pid", "1", String(process.pid)]);

const variants: Record<string, () => Promise<Measured>> = {
	unprobed,
	empty: withEmpty,
	"counting every call (--no-latency)": () => withOurs(1 / 4096, false),
	"counting, durations and samples (default)": () => withOurs(1 / 4096, true),
};
const costs = new Map<string, number[]>(Object.keys(variants).map((name) => [name, []]));
const hitsPerFill: number[] = [];

await program.measure(1000);
for (let round = 0; round < Number(rounds); round++) {
	for (const [name, run] of Object.entries(variants)) {
		const { fills, cpuNs, hits } = await run();
		costs.get(name)?.push(cpuNs / fills);
		if (hits > 0) hitsPerFill.push(hits / fills);
	}
}
await program.stop();

const hits = median(hitsPerFill);
const bare = costs.get("unprobed") ?? [];
/** Against the unprobed window of the same round. */
const perHit = (name: string) => (costs.get(name) ?? []).map((ns, round) => (ns - (bare[round] ?? Number.NaN)) / hits);
const emptyCosts = perHit("empty");
console.log(
	`Go ${version}, ${FUNCTION}: ${hits.toFixed(0)} hits a fill, unprobed ${(median(bare) / 1000).toFixed(0)} µs of CPU a fill; ${rounds} rounds, medians`,
);
for (const name of Object.keys(variants).slice(1)) {
	const own = perHit(name);
	const ratio = median(own) / median(emptyCosts);
	const spread = [...own].sort((a, b) => a - b);
	console.log(
		`${name.padEnd(44)} ${median(own).toFixed(0).padStart(6)} ns a hit (quartiles ${spread[Math.floor(spread.length / 4)]?.toFixed(0)} to ${spread[Math.floor((3 * spread.length) / 4)]?.toFixed(0)})  ${ratio.toFixed(2)} of empty`,
	);
}
