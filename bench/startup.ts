/**
 * bench/startup.ts [GO VERSION] [ROUNDS]: how long gomapgrow and bpftrace take from their start until the probe on a function is in a running program, and
 * until the first window of 100 ms is printed; and from Ctrl-C until the probe is out, and until they have ended. In turns in one run; medians.
 * bpftrace probes that one function, gomapgrow all that it knows.
 */
import { Executable } from "../src/tracer/executable.ts";
import { requireBpftrace, startBpftrace } from "./lib/bpftrace.ts";
import { Breakpoint } from "./lib/breakpoint.ts";
import { buildFill, FillProgram } from "./lib/fill-program.ts";
import { median } from "./lib/median.ts";
import { Tracer } from "./lib/tracer.ts";

const [version = "1.23", rounds = "5"] = process.argv.slice(2);
/** How long the tracers are left alone before they are ended. */
const CALM_MS = 300;

requireBpftrace();
const path = buildFill(version);
const program = new FillProgram(path, true);
const executable = new Executable(path);
const { plan } = executable;
// The growth function: the one that is probed last and taken out first is another matter.
const [probe] = plan.probes.filter(({ tier }) => tier === "growth");
if (probe === undefined) throw new Error("no growth function in the program");
const probes = plan.probes.length + plan.probes.reduce((sum, { exits }) => sum + exits.length, 0);

interface Times {
	attached: number;
	window: number;
	detached: number;
	ended: number;
}

async function time(tracer: Tracer, window: string): Promise<Times> {
	const first = tracer.prints(window);
	const attached = await tracer.attached();
	const printed = await first;
	await Bun.sleep(CALM_MS);
	const { detachedMs, endedMs } = await tracer.end();
	return { attached, window: printed, detached: detachedMs, ended: endedMs };
}

const contestants: Record<string, () => Promise<Times>> = {
	gomapgrow: () => {
		const command = [
			"dist/gomapgrow",
			"watch",
			String(program.pid),
			"--json",
			"--interval",
			"100ms",
			"--budget",
			"off",
		];
		return time(new Tracer(command, new Breakpoint(program.pid, probe.site.address)), '"type":"window"');
	},
	bpftrace: () => time(startBpftrace(program.pid, path, probe.fn, probe.entry, true), "@calls"),
};

const results = new Map<string, Times[]>(Object.keys(contestants).map((name) => [name, []]));
for (let round = 0; round <= Number(rounds); round++) {
	for (const [name, run] of Object.entries(contestants)) {
		const times = await run();
		// The first round brings the files into the page cache.
		if (round > 0) results.get(name)?.push(times);
	}
}
await program.stop();
executable.release();

console.log(
	`Go ${version}, ${rounds} rounds in turns, medians; gomapgrow sets ${probes} probes, bpftrace one, on ${probe.fn}`,
);
console.log(`${"".padEnd(10)}  start to probe in  start to first window  Ctrl-C to probe out  Ctrl-C to end`);
for (const [name, times] of results) {
	const column = (value: (one: Times) => number, width: number): string =>
		`${median(times.map(value)).toFixed(0)} ms`.padStart(width);
	const columns = [
		...[column(({ attached }) => attached, 17), column(({ window }) => window, 21)],
		...[column(({ detached }) => detached, 19), column(({ ended }) => ended, 13)],
	];
	console.log(`${name.padEnd(10)}  ${columns.join("  ")}`);
}
process.exit(0);
