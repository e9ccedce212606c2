/** Processes have other numbers in each PID namespace; whatever side of one gomapgrow and the target are on, counts are exact and numbers are those of gomapgrow's side. */
import { describe, expect } from "bun:test";
import { copyFileSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { expectDiagnosis, expectError } from "../support/expect-error.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, ledgerFaults, type Trace, toTrace, watchTraced } from "../support/trace.ts";
import { buildCounted, buildProgram } from "./build-program.ts";

const TIMEOUT = 60_000;
const namespaceTest = testWith(missingForTracing(), missingCommands("unshare", "nsenter", "bash"));

/** As a container has it: its own processes, its own /proc. */
const CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
const MODES = ["multi", "perf-cookie", "perf-address"];
/** Insertions and keys of each map. */
const WORK = ["60000", "200"];

const childrenOf = (pid: number): number[] =>
	readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(/\s+/).filter(Boolean).map(Number);

/** The process that `unshare --fork` has started in the new namespace, once it is the program. */
async function inside(container: Program, exe: string): Promise<number> {
	return container.until(`${exe} in the namespace`, () => {
		const [child] = childrenOf(container.pid);
		return child !== undefined && readlinkSync(`/proc/${child}/exe`) === exe ? child : undefined;
	});
}

/** Runs a command beside that process of a container. */
const entering = (pid: number): string[] => ["nsenter", "--target", String(pid), "--pid", "--mount"];

/** What the program's own runtime has counted at that phase. */
function callsAt(phase: "ready" | "end", text: string): Record<string, number> | undefined {
	const line = new RegExp(`^{"phase":"${phase}".*}$`, "m").exec(text)?.[0];
	return line === undefined ? undefined : (JSON.parse(line) as { calls: Record<string, number> }).calls;
}

function calledBetween(text: string): Record<string, number> {
	const [before, after] = [callsAt("ready", text), callsAt("end", text)];
	const calls = Object.entries(after ?? {}).map(([fn, n]) => [fn, n - (before?.[fn] ?? 0)] as const);
	return Object.fromEntries(calls.filter(([, n]) => n > 0));
}

const positive = (calls: Readonly<Record<string, unknown>>) =>
	Object.fromEntries(Object.entries(calls).filter(([, n]) => n !== 0));

/** The counts are those of the program, and every record is of process `pid`. */
function expectExact(trace: Trace, truth: Record<string, number>, pid: number): void {
	expect(Object.keys(truth).length).toBeGreaterThan(2);
	expect(positive(trace.end.calls)).toEqual(truth);
	expect(ledgerFaults(trace.end.ledger)).toEqual([]);
	expect(trace.end.complete).toBe(true);
	expect(trace.end.growths).toBe(trace.growths.length);
	const seen = [...trace.targets, ...trace.growths, ...trace.work, ...trace.end.goroutines].map((one) => one.pid);
	expect([...new Set(seen)]).toEqual([pid]);
	// Of 16 workers at least.
	expect(new Set(trace.growths.map(({ goid }) => goid)).size).toBeGreaterThanOrEqual(16);
}

describe("a program in a container, observed from the host", () => {
	namespaceTest(
		"is counted exactly, under its number on the host",
		async () => {
			const counted = buildCounted("1.27");
			const container = start([...CONTAINER, counted, ...WORK], { stdin: "pipe" });
			await container.untilOutput(/^\{"phase":"ready"/m);
			const pid = await inside(container, counted);
			const tids = readdirSync(`/proc/${pid}/task`).map(Number);
			const watch = start([GOMAPGROW, "watch", "--json", "--budget", "off", "--interval", "100ms", String(pid)]);
			await watch.untilOutput(/^\{"type":"window"/m);
			container.writeLine("go");
			const trace = toTrace(watch, await watch.finish());
			await container.finish();
			expectExact(trace, calledBetween(container.stdout), pid);
			// Threads have their numbers on the host, too: inside they begin at 1.
			expect(Math.min(...trace.growths.map(({ tid }) => tid))).toBeGreaterThanOrEqual(Math.min(...tids));
		},
		TIMEOUT,
	);

	namespaceTest(
		"is found by its name",
		async () => {
			const demo = join(temporaryFolder("contained"), "gmgcontained");
			copyFileSync(buildProgram("demo", "1.27"), demo);
			const container = start([...CONTAINER, demo, "-for", "30s"]);
			const pid = await inside(container, demo);
			const watch = await watchTraced("gmgcontained", ["--duration", "1s"]);
			const { targets, growths } = toTrace(watch, await watch.finish());
			expect(targets.map((target) => target.pid)).toEqual([pid]);
			expect(growths.length).toBeGreaterThan(0);
			await container.stop();
		},
		TIMEOUT,
	);
});

describe("gomapgrow in a container", () => {
	for (const mode of MODES) {
		const env = { ...process.env, GOMAPGROW_ATTACH: mode };

		namespaceTest(
			`observes the command that it starts (${mode})`,
			async () => {
				const command = [GOMAPGROW, "run", "--json", "--budget", "off", "--", buildCounted("1.27"), ...WORK];
				const traced = start([...CONTAINER, ...command], { env, stdin: "pipe" });
				await traced.until("line of the program", () => callsAt("ready", traced.stderr));
				traced.writeLine("go");
				const trace = toTrace(traced, await traced.finish());
				const [target] = trace.targets;
				// The first process of a new namespace has number 1.
				expect(target?.pid).toBeLessThan(20);
				expectExact(trace, positive(callsAt("end", trace.stderr) ?? {}) as Record<string, number>, target?.pid ?? 0);
				expect(Math.max(...trace.growths.map(({ tid }) => tid))).toBeLessThan(200);
			},
			TIMEOUT,
		);

		namespaceTest(
			`observes its neighbours, as with docker exec (${mode})`,
			async () => {
				const counted = buildCounted("1.27");
				// Its first process must outlive the program: with it everything in there ends.
				const script = '"$@"; exec sleep 60';
				const container = start([...CONTAINER, "bash", "-c", script, "sh", counted, ...WORK], { stdin: "pipe" });
				// The number that the program itself knows.
				const [, pid = ""] = await container.untilOutput(/^\{"phase":"ready","pid":(\d+),/m);
				const options = ["--json", "--budget", "off", "--interval", "100ms"];
				const [first = 0] = childrenOf(container.pid);
				const watch = start([...entering(first), GOMAPGROW, "watch", ...options, pid], { env });
				await watch.untilOutput(/^\{"type":"window"/m);
				container.writeLine("go");
				const trace = toTrace(watch, await watch.finish());
				expectExact(trace, calledBetween(container.stdout), Number(pid));
				await container.stop();
			},
			TIMEOUT,
		);
	}

	namespaceTest(
		"refuses a program in a container inside of its own, of which the kernel tells neither number",
		async () => {
			const demo = buildProgram("demo", "1.27");
			// With something behind it the shell stays.
			const script = `${CONTAINER.join(" ")} "$1" -for 30s; exit`;
			const outer = start([...CONTAINER, "bash", "-c", script, "sh", demo]);
			await outer.untilOutput(/pid 1 /);
			const [shell = 0] = childrenOf(outer.pid);
			const [program = 0] = childrenOf(shell).flatMap(childrenOf);
			expect(readlinkSync(`/proc/${program}/exe`)).toBe(demo);
			// On the host, in the outer container, in the inner one (proc(5), NSpid).
			const [, number = ""] = /^NSpid:\t\d+\t(\d+)\t1$/m.exec(readFileSync(`/proc/${program}/status`, "utf8")) ?? [];
			const text = await expectError(start([...entering(shell), GOMAPGROW, "watch", number]), "E-TARGET-PIDNS");
			expect(text).toContain(`run:  nsenter --target 1 --pid --mount ${GOMAPGROW} watch PID`);
			await outer.stop();
		},
		TIMEOUT,
	);

	namespaceTest(
		"refuses the host's /proc, where its numbers mean other processes",
		async () => {
			const unmounted = CONTAINER.filter((option) => option !== "--mount-proc");
			const commands = [
				["watch", "1"],
				["snapshot", "1"],
				["verify", "1"],
				["run", "--json", "--", "/bin/true"],
			];
			for (const command of commands) {
				const text = await expectError(start([...unmounted, GOMAPGROW, ...command]), "E-HOST-PIDNS");
				expect(text).toContain("run:  mount -t proc proc /proc");
			}
			await expectDiagnosis(start([...unmounted, GOMAPGROW, "doctor"]), "E-HOST-PIDNS");
		},
		TIMEOUT,
	);
});
