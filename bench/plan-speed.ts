/**
 * plan-speed [MEGABYTES...]: time and memory from the path of an executable to a complete probe plan, next to what else lists the functions of
 * a Go program: `go tool nm`, `readelf -s` and, when it is installed (apt-get install bpftrace), `bpftrace -l`. In turns in one run, on
 * generated programs of 10, 50 and 210 MB, stripped and with DWARF; files are in the page cache. Medians of five. Needs GNU time (apt-get
 * install time) to measure memory. On a busy machine look at the processor time, and at the least of five: others only add to it.
 *
 * What plan and gomapgrow take at least is what Bun takes to start an executable that does nothing; that row comes first. Of the other
 * tools only those count that list the growth function: without a symbol table they end at once and list nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type BigProgram, bigProgram, goCommand } from "./lib/big-program.ts";
import { median } from "./lib/median.ts";

const ROUNDS = 5;
const VERSIONS = ["1.23", "1.27"];
const GROWTH: Record<string, string> = { "1.23": "runtime.hashGrow", "1.27": "internal/runtime/maps.(*table).rehash" };

const root = join(import.meta.dir, "..");
const planEntry = join(root, "dist", "bench", "plan-entry");
const emptyEntry = join(root, "dist", "bench", "empty-entry");
const gomapgrow = join(root, "dist", "gomapgrow");
const scratch = mkdtempSync(join(tmpdir(), "plan-speed-"));
const output = join(scratch, "output");
const peak = join(scratch, "peak");

/** The names of the rows that the others are compared with. */
const EMPTY = "empty Bun executable";
const IDLE = "idle (only starts)";
const PLAN = "plan";
const OURS = new Set([EMPTY, IDLE, PLAN, "gomapgrow --version", "gomapgrow inspect"]);

interface Run {
	/** By the clock, and what the processors worked. */
	ms: number;
	cpuMs: number;
	/** Peak of the resident memory. */
	mib: number;
	/** Whether the output has what was asked for. */
	answered: boolean;
	/** Bytes read of the file, by plan-entry's own account. */
	bytesRead?: number;
}

function run(command: readonly string[], wanted: string): Run {
	// A process that a large one starts has that one's memory as its peak, so a small one stands between.
	writeFileSync(output, "");
	const timed = ["time", "-q", "-f", "%M", "-o", peak, ...command];
	const started = performance.now();
	const { resourceUsage } = Bun.spawnSync(timed, { stdout: Bun.file(output), stderr: "ignore" });
	const ms = performance.now() - started;
	const text = readFileSync(output, "latin1");
	const bytesRead = /"bytes":(\d+)/.exec(text)?.[1];
	return {
		ms,
		cpuMs: Number(resourceUsage.cpuTime.total) / 1000,
		mib: Number(readFileSync(peak, "latin1")) / 1024,
		answered: text.includes(wanted),
		...(bytesRead === undefined ? {} : { bytesRead: Number(bytesRead) }),
	};
}

function contestants(program: BigProgram): { name: string; command: string[]; wanted: string }[] {
	const { path, version } = program;
	const growth = GROWTH[version] ?? "";
	const list = [
		{ name: EMPTY, command: [emptyEntry], wanted: '"probes":[]' },
		{ name: IDLE, command: [planEntry], wanted: '"probes":[]' },
		{ name: PLAN, command: [planEntry, path], wanted: growth },
		{ name: "gomapgrow --version", command: [gomapgrow, "--version"], wanted: "gomapgrow" },
		{ name: "gomapgrow inspect", command: [gomapgrow, "inspect", path, "--json"], wanted: growth },
		{ name: "readelf -s", command: ["readelf", "-sW", path], wanted: growth },
		{ name: "go tool nm", command: [goCommand("1.23"), "tool", "nm", path], wanted: growth },
	];
	if (Bun.which("bpftrace") !== null) {
		const pattern = `uprobe:${path}:${version === "1.23" ? "runtime.*" : "internal/runtime/maps.*"}`;
		list.push({ name: "bpftrace -l", command: ["bpftrace", "-l", pattern], wanted: growth });
	}
	return list;
}

function build(): void {
	for (const outfile of [planEntry, emptyEntry]) {
		const script = join(root, "bench", `${basename(outfile)}.ts`);
		const flags = ["--compile", "--minify", "--bytecode", "--format=esm", "--outfile", outfile];
		const built = Bun.spawnSync([process.execPath, "build", ...flags, script], { stdout: "ignore", stderr: "inherit" });
		if (!built.success) throw new Error("bun build failed");
	}
	const made = Bun.spawnSync(["make", "-s", "build"], { cwd: root, stdout: "ignore", stderr: "inherit" });
	if (!made.success) throw new Error("make build failed");
}

function compare(program: BigProgram): void {
	const rows = contestants(program).map((contestant) => ({ ...contestant, runs: [] as Run[] }));
	// One round more, which brings the files into the page cache.
	for (let round = 0; round <= ROUNDS; round++) {
		for (const row of rows) {
			const result = run(row.command, row.wanted);
			if (round > 0) row.runs.push(result);
		}
	}
	const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
	console.log(
		`\n${`Go ${program.version}, ${program.debug}, ${mb(program.size)} MB`.padEnd(22)}  by the clock, processors, at least, peak memory`,
	);
	const runsOf = (wanted: string): readonly Run[] => rows.find(({ name }) => name === wanted)?.runs ?? [];
	const of = (runs: readonly Run[], value: (one: Run) => number): number => median(runs.map(value));
	const least = (runs: readonly Run[]): number => Math.min(...runs.map(({ cpuMs }) => cpuMs));
	for (const { name, runs } of rows) {
		const notes: string[] = runs.every(({ answered }) => answered) ? [] : ["does not find the function"];
		if (name === PLAN) {
			const over = (start: string): string => {
				const more = (value: (one: Run) => number): string => (of(runs, value) - of(runsOf(start), value)).toFixed(0);
				const cpu = (least(runs) - least(runsOf(start))).toFixed(0);
				return `${more(({ ms }) => ms)} ms, processors ${more(({ cpuMs }) => cpuMs)} ms (least ${cpu}), ${more(({ mib }) => mib)} MiB`;
			};
			notes.push(`over idle: ${over(IDLE)}`, `over an empty one: ${over(EMPTY)}`);
			notes.push(`reads ${((runs[0]?.bytesRead ?? 0) / 1e6).toFixed(1)} MB`);
		}
		const columns = [
			`${of(runs, ({ ms }) => ms).toFixed(0)} ms`.padStart(8),
			`${of(runs, ({ cpuMs }) => cpuMs).toFixed(0)} ms`.padStart(8),
			`${least(runs).toFixed(0)} ms`.padStart(8),
			`${of(runs, ({ mib }) => mib).toFixed(0)} MiB`.padStart(8),
		];
		console.log(`  ${name.padEnd(20)} ${columns.join(" ")}  ${notes.join("; ")}`.trimEnd());
	}
	const rivals = rows.filter(({ name, runs }) => !OURS.has(name) && runs.every(({ answered }) => answered));
	const [fastest] = rivals.toSorted((a, b) => least(a.runs) - least(b.runs));
	if (fastest === undefined) {
		console.log("  no other tool lists the function");
		return;
	}
	const [plan, empty, other] = [least(runsOf(PLAN)), least(runsOf(EMPTY)), least(fastest.runs)];
	const verdict =
		plan <= other ? "faster, start included" : plan - empty <= other ? "faster but for Bun's start" : "slower";
	console.log(
		`  plan next to the fastest that lists it, ${fastest.name} (least processor time): ${verdict}, ${plan.toFixed(0)} ms to ${other.toFixed(0)} ms`,
	);
}

if (Bun.which("time") === null) throw new Error("wanted GNU time; found none; run: apt-get install time");
const sizes = process.argv.slice(2).map(Number);
try {
	build();
	for (const megabytes of sizes.length > 0 ? sizes : [10, 50, 210]) {
		for (const version of VERSIONS) {
			for (const debug of ["stripped", "dwarf"] as const) compare(bigProgram(megabytes, version, debug));
		}
	}
} finally {
	rmSync(scratch, { recursive: true, force: true });
}
