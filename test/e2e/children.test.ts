/**
 * What a command starts is observed, too: shells and scripts, launchers, constructors that fork, builds, many short
 * programs. The counts of each process are those of its own runtime, from its first instruction.
 */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GrowthRecord } from "../../src/records/records.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { exactSum } from "../support/figures.ts";
import { cache, goRoot } from "../support/go-binaries.ts";
import { type Program, temporaryFolder } from "../support/processes.ts";
import { ledgerFaults, startGomapgrow, type Trace, toTrace } from "../support/trace.ts";
import { buildFamily } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const cgoTest = testWith(missingForTracing(), missingCommands("gcc"));
const TIMEOUT = 120_000;
/** On a machine that is busy with other things a program may have to go on before its probes are attached. */
const TRIES = 4;
const PATIENCE_MS = 60_000;
/** Functions whose calls are growths. */
const GROWTHS = /\.(hashGrow|growToTable|rehash)$/;

type Calls = Record<string, number>;

interface Observed {
	trace: Trace;
	/** What the processes have counted themselves, by PID. */
	truth: Map<number, Calls>;
}

const countsFile = (): string => join(temporaryFolder("children"), "counts");

function add(sum: Calls, calls: Calls): Calls {
	for (const [fn, count] of Object.entries(calls)) sum[fn] = (sum[fn] ?? 0) + count;
	return sum;
}

/** A process that executes another program has a line of each. */
function truthOf(file: string): Map<number, Calls> {
	const truth = new Map<number, Calls>();
	if (!existsSync(file)) return truth;
	for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) {
		const { pid, calls } = JSON.parse(line) as { pid: number; calls: Calls };
		truth.set(pid, add(truth.get(pid) ?? {}, calls));
	}
	return truth;
}

function startRun(command: string[], counts: string, env: Record<string, string> = {}): Program {
	return startGomapgrow(["run", "--json", "--", ...command], { env: { ...process.env, COUNTS: counts, ...env } });
}

/** Runs it until none of its programs had begun before its probes were attached. */
async function observed(
	command: string[],
	env: Record<string, string> = {},
	tryUntil: number = TRIES,
): Promise<Observed> {
	for (let tries = 1; ; tries++) {
		const counts = countsFile();
		const program = startRun(command, counts, env);
		const trace = toTrace(program, await program.finish(PATIENCE_MS));
		const { late, missed } = trace.end.children ?? {};
		// What is not exact is said.
		expect(trace.end.complete).toBe(late === 0 && missed?.length === 0);
		if (trace.end.complete || tries === tryUntil) return { trace, truth: truthOf(counts) };
	}
}

function growthsOf(growths: readonly GrowthRecord[]): Map<number, Calls> {
	const seen = new Map<number, Calls>();
	for (const { pid, fn } of growths) seen.set(pid, add(seen.get(pid) ?? {}, { [fn]: 1 }));
	return seen;
}

const growthCalls = (calls: Calls): Calls =>
	Object.fromEntries(Object.entries(calls).filter(([fn, count]) => count > 0 && GROWTHS.test(fn)));

/** Each process has the growths that it has counted itself, as records and in its rows, and all calls add up. */
function expectExact({ trace, truth }: Observed, processes: number): void {
	const { growths, end, targets } = trace;
	expect(end.children).toMatchObject({ late: 0, missed: [] });
	expect(truth.size).toBe(processes);
	const seen = growthsOf(growths);
	for (const [pid, calls] of truth) {
		expect(seen.get(pid) ?? {}).toEqual(growthCalls(calls));
		const all = Object.values(growthCalls(calls)).reduce((sum, count) => sum + count, 0);
		expect(exactSum(end.sites.filter((row) => row.pid === pid).map((row) => row.growths))).toBe(all);
		expect(targets.map((target) => target.pid)).toContain(pid);
	}
	const sum = [...truth.values()].reduce<Calls>(add, {});
	for (const [fn, figure] of Object.entries(end.calls)) expect([fn, figure]).toEqual([fn, sum[fn] ?? 0]);
	expect([ledgerFaults(end.ledger), end.complete]).toEqual([[], true]);
}

describe("run observes", () => {
	tracingTest(
		"three programs of a script, in a pipe and in a subshell, of two map implementations",
		async () => {
			const [classic, swiss] = [buildFamily("1.23"), buildFamily("1.27")];
			const script = join(temporaryFolder("script"), "three.sh");
			writeFileSync(script, `#!/bin/sh\n${swiss} grow 2000\n${classic} grow 500 | cat\n( ${swiss} grow 300 )\n`, {
				mode: 0o755,
			});
			const result = await observed([script]);
			expectExact(result, 3);
			const { targets, exits } = result.trace;
			expect(targets.map(({ command }) => command)).toEqual([
				[swiss, "grow", "2000"],
				[classic, "grow", "500"],
				[swiss, "grow", "300"],
			]);
			const pids = targets.map(({ pid }) => pid);
			expect(exits.filter(({ pid }) => pids.includes(pid)).map(({ code }) => code)).toEqual([0, 0, 0]);
		},
		TIMEOUT,
	);

	tracingTest(
		"what a shell becomes, and a launcher that executes another program",
		async () => {
			const family = buildFamily("1.27");
			const result = await observed(["sh", "-c", `exec ${family} exec 2000`]);
			expectExact(result, 1);
			// Before and after its execve.
			expect(result.trace.targets).toHaveLength(2);
			expect(new Set(result.trace.targets.map(({ pid }) => pid)).size).toBe(1);
		},
		TIMEOUT,
	);

	cgoTest(
		"the child of a C constructor that forks before Go starts",
		async () => {
			const family = buildFamily("1.23", true);
			const result = await observed([family, "grow", "2000"], { FORK: "1" });
			expectExact(result, 1);
		},
		TIMEOUT,
	);

	tracingTest(
		"a hundred programs of a file, whose probes are attached once",
		async () => {
			const family = buildFamily("1.23");
			const result = await observed([family, "spawn", "100", "300"]);
			expectExact(result, 101);
			expect(result.trace.end.children).toMatchObject({ executed: 101, observed: 100 });
		},
		TIMEOUT,
	);

	tracingTest(
		"go test of two packages: the go command, its tools and the tests",
		async () => {
			const folder = temporaryFolder("module");
			writeFileSync(join(folder, "go.mod"), "module example.org/m\ngo 1.22\n");
			for (const name of ["a", "b"]) {
				mkdirSync(join(folder, name));
				writeFileSync(
					join(folder, name, `${name}_test.go`),
					`package ${name}
import "testing"
func TestGrow(t *testing.T) {
	m := map[int]int{}
	for i := 0; i < 2000; i++ { m[i] = i }
	if len(m) != 2000 { t.Fatal(len(m)) }
}
`,
				);
			}
			const root = goRoot("1.23");
			const modules = { GO111MODULE: "on", GOTOOLCHAIN: "local", GOFLAGS: "", CGO_ENABLED: "0" };
			const env = { GOROOT: root, GOCACHE: join(cache, "gocache"), ...modules };
			const command = ["sh", "-c", `cd ${folder} && ${root}/bin/go test -vet=off -count=1 ./...`];
			// Compiles what of the standard library is not in the cache yet: that grows thousands of maps.
			expect(Bun.spawnSync(command, { env: { ...process.env, ...env } }).exitCode).toBe(0);
			const { trace } = await observed(command, env, 1);
			const names = trace.targets.map(({ name }) => name);
			for (const name of ["go", "a.test", "b.test"]) expect(names).toContain(name);
			// Tools of the toolchain take long to be planned on a busy machine.
			if (!trace.end.complete) return;
			// A map doubles at 9 counts on the way to 2000 entries (test/support/grown.ts).
			for (const name of ["a", "b"]) {
				const rows = trace.end.sites.filter(({ fn }) => fn === `example.org/m/${name}.TestGrow`);
				expect(rows.map(({ growths }) => growths)).toEqual([9]);
			}
		},
		TIMEOUT,
	);
});

describe("when gomapgrow cannot go on", () => {
	const CHILDREN = 30;
	for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
		tracingTest(
			`${signal}: what the command starts goes on, to its end`,
			async () => {
				const family = buildFamily("1.23");
				const counts = countsFile();
				const program = startRun([family, "spawn", String(CHILDREN), "300"], counts);
				await program.until("some of its children", () => (truthOf(counts).size >= 5 ? true : undefined));
				program.signal(signal);
				for (let waited = 0; truthOf(counts).size < CHILDREN + 1 && waited < 60; waited++) await Bun.sleep(1000);
				expect(truthOf(counts).size).toBe(CHILDREN + 1);
				if (signal === "SIGKILL") return;
				program.signal("SIGCONT");
				const trace = toTrace(program, await program.finish());
				// Those that were started meanwhile were not stopped, or not until their probes were attached.
				const { late = 0, missed = [] } = trace.end.children ?? {};
				expect(late + missed.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0);
				expect(trace.end.complete).toBe(false);
			},
			TIMEOUT,
		);
	}
});

tracingTest(
	"--no-follow observes the command alone",
	async () => {
		const family = buildFamily("1.23");
		const counts = countsFile();
		const program = startGomapgrow(["run", "--json", "--no-follow", "--", family, "spawn", "3", "300"], {
			env: { ...process.env, COUNTS: counts },
		});
		const trace = toTrace(program, await program.finish());
		expect(trace.targets).toHaveLength(1);
		expect(trace.end.children).toBeUndefined();
		const own = growthCalls(truthOf(counts).get(trace.targets[0]?.pid ?? 0) ?? {});
		expect(growthsOf(trace.growths).get(trace.targets[0]?.pid ?? 0)).toEqual(own);
	},
	TIMEOUT,
);
