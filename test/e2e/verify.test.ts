/**
 * `gomapgrow verify`: two counters that share nothing must say the same, and both what the program's own runtime has counted. So must perf and bpftrace, with
 * the commands that it prints.
 */
import { describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { VerificationRecord } from "../../src/verify/record.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { type Program, start } from "../support/processes.ts";
import { validateRecords } from "../support/schema.ts";
import { startGomapgrow } from "../support/trace.ts";
import { expectCountersAgree } from "../support/verified.ts";
import { buildCounted, buildProgram } from "./build-program.ts";

type Calls = Record<string, number>;

const TIMEOUT = 300_000;
const PATIENCE_MS = 200_000;
/** Until the process ends. */
const LONG = "1000s";
/** Insertions, and keys of a map: tens of thousands of calls, which is a second or so. */
const WORK: Record<string, string[]> = {
	"1.15": ["400000", "2000"],
	"1.19": ["400000", "2000"],
	"1.23": ["400000", "2000"],
	"1.24": ["400000", "200"],
	"1.27": ["400000", "200"],
};

/** A program that waits for a line, and then works. */
async function startCounted(
	version: string,
	path = buildCounted(version),
): Promise<{ path: string; program: Program; before: Calls }> {
	const program = start([path, ...(WORK[version] ?? [])], { stdin: "pipe" });
	return { path, program, before: await calls(program, "ready") };
}

async function calls(program: Program, phase: "ready" | "end"): Promise<Calls> {
	const [line] = await program.untilOutput(new RegExp(`^{"phase":"${phase}".*}$`, "m"), PATIENCE_MS);
	return JSON.parse(line).calls;
}

/** Lets it work to its end. Returns what its runtime has counted since `before`. */
async function work(program: Program, before: Calls): Promise<Calls> {
	program.writeLine("go");
	const after = await calls(program, "end");
	expect((await program.finish()).code).toBe(0);
	return Object.fromEntries(Object.entries(after).map(([fn, n]) => [fn, n - (before[fn] ?? 0)]));
}

/** Starts `verify` and waits until both count. */
async function startVerify(pid: number, options: string[]): Promise<Program> {
	const program = startGomapgrow(["verify", String(pid), ...options]);
	await program.until("counting", ({ stderr }) => (/^counting /m.test(stderr) ? true : undefined), 30_000);
	return program;
}

async function finished(verify: Program): Promise<{ record: VerificationRecord; code: number }> {
	const { code } = await verify.finish(60_000);
	expect(verify.stderr).toMatch(/^counting \d+ functions of .* twice for .*\n$/);
	const record: VerificationRecord = JSON.parse(verify.stdout);
	expect(validateRecords([record])).toEqual([]);
	return { record, code };
}

function passesOf(record: VerificationRecord, by: "bpf" | "perf"): Calls {
	return Object.fromEntries(record.functions.map(({ fn, passes }) => [fn, passes[by]]));
}

function callsOf(record: VerificationRecord): Calls {
	return Object.fromEntries(record.functions.map((row) => [row.fn, row.calls]));
}

/** Of those functions that are in the program. */
function ofProbed(truth: Calls, record: VerificationRecord): Calls {
	const probed = new Set(record.functions.map(({ fn }) => fn));
	expect(Object.entries(truth).filter(([fn, n]) => n > 0 && !probed.has(fn))).toEqual([]);
	return Object.fromEntries(record.functions.map(({ fn }) => [fn, truth[fn] ?? 0]));
}

const tracingTest = testWith(missingForTracing());
const onlyHere = readlinkSync("/proc/self/ns/pid") === "pid:[4026531836]";

describe("both counters, and the program's own runtime", () => {
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		tracingTest(
			`Go ${version}`,
			async () => {
				const { program, before } = await startCounted(version);
				const verify = await startVerify(program.pid, ["--duration", LONG, "--json"]);
				const truth = await work(program, before);
				const { record, code } = await finished(verify);
				expect(record).toMatchObject({ type: "verification", pid: program.pid, reason: "target-exit" });
				expect(record.scope).toBe(onlyHere ? "processors" : "threads");
				expect(callsOf(record)).toEqual(ofProbed(truth, record));
				for (const { calls, restarts, passes } of record.functions) expect(passes.bpf).toBe(calls + restarts);
				if (record.scope === "processors") expectCountersAgree(record);
				expect(record.functions.reduce((sum, row) => sum + row.calls, 0)).toBeGreaterThan(2000);
				expect(code).toBe(0);
			},
			TIMEOUT,
		);
	}

	tracingTest(
		"thread by thread, where another process executes the same file: threads that start can do so",
		async () => {
			const { path, program, before } = await startCounted("1.23");
			const { program: other, before: otherBefore } = await startCounted("1.23", path);
			const verify = await startVerify(program.pid, ["--duration", LONG, "--json"]);
			// It must not be counted, and it keeps the processors busy meanwhile.
			const othersWork = work(other, otherBefore);
			const truth = await work(program, before);
			await othersWork;
			const { record, code } = await finished(verify);
			expect(record.scope).toBe("threads");
			expect(callsOf(record)).toEqual(ofProbed(truth, record));
			for (const { passes, verdict } of record.functions) {
				expect(passes.perf).toBeLessThanOrEqual(passes.bpf);
				if (verdict === "equal") expect(passes.perf).toBe(passes.bpf);
			}
			const differ = record.functions.filter(({ passes }) => passes.perf !== passes.bpf);
			if (differ.length > 0) expect(record.threads_started).toBeGreaterThan(0);
			expect(
				differ.filter(({ explanation }) => !/threads? ha(s|ve) started meanwhile/.test(explanation ?? "")),
			).toEqual([]);
			expect([record.verdict, code]).toEqual([differ.length > 0 ? "explained" : "equal", 0]);
		},
		TIMEOUT,
	);

	testWith(missingForTracing(), onlyHere ? undefined : "not all processes can be seen from inside a container")(
		"what a process does that comes and goes unseen is a difference without an explanation: exit code 1",
		async () => {
			const { path, program } = await startCounted("1.19");
			for (let attempt = 1; ; attempt++) {
				const verify = await startVerify(program.pid, ["--duration", LONG, "--json"]);
				const short = start([path, "200", "200"], { stdin: "pipe" });
				const before = await calls(short, "ready");
				const truth = await work(short, before);
				verify.signal("SIGINT");
				const { record, code } = await finished(verify);
				expect(record.reason).toBe("interrupt");
				expect(callsOf(record)).toEqual(ofProbed({}, record));
				// Perf has counted its passes, which are its calls and restarts.
				for (const { fn, difference, passes } of record.functions) {
					expect(difference).toEqual({ low: passes.perf, high: passes.perf });
					expect(passes.perf).toBeGreaterThanOrEqual(truth[fn] ?? 0);
				}
				expect(record.functions.some(({ passes }) => passes.perf > 0)).toBe(true);
				if (record.other_processes === undefined) {
					expect([record.verdict, code]).toEqual(["unexplained", 1]);
					return;
				}
				// On a slow machine it is still there when it is looked for.
				expect([record.verdict, code]).toEqual(["explained", 0]);
				expect(attempt).toBeLessThan(10);
			}
		},
		TIMEOUT,
	);
});

describe("a program that works all the time", () => {
	tracingTest(
		"is counted without a difference that has no explanation, and shown as text",
		async () => {
			const program = start([buildProgram("demo", "1.27", { stripped: true })]);
			const verify = startGomapgrow(["verify", String(program.pid), "--duration", "2s"]);
			expect((await verify.finish(60_000)).code).toBe(0);
			expect(verify.stdout).toMatch(/^\S+ \d+ {2}go1\.27\S* swiss\ncounted twice for /);
			expect(verify.stdout).toMatch(/^maps\.\(\*table\)\.rehash +[\d,]+ +0 +[\d,]+ +[\d,]+ {2}\S/m);
			expect(verify.stdout).toMatch(/^(equal|explained): /m);
			expect(verify.stdout).toMatch(/^ {2}bpftrace --unsafe -p \d+ -e 'uprobe:/m);
			expect(program.running).toBe(true);
		},
		TIMEOUT,
	);

	tracingTest(
		"errors: no Go program, and none at all",
		async () => {
			const sleep = start(["sleep", "100"]);
			const noGo = startGomapgrow(["verify", String(sleep.pid)]);
			expect((await noGo.finish()).code).toBe(4);
			expect(noGo.stderr).toStartWith("error[E-BIN-NOT-GO]: ");
			const none = startGomapgrow(["verify", "gmg-no-such-program"]);
			expect((await none.finish()).code).toBe(4);
			expect(none.stderr).toStartWith("error[E-TARGET-NOT-FOUND]: ");
			const wrong = startGomapgrow(["verify", String(sleep.pid), "--duration", "long"]);
			expect((await wrong.finish()).code).toBe(2);
		},
		TIMEOUT,
	);
});

const TRACEFS = "/sys/kernel/tracing/uprobe_events";
const missingTracefs = existsSync(TRACEFS) ? undefined : "no tracefs is mounted at /sys/kernel/tracing";

function shell(command: string): void {
	const { exitCode, stderr } = Bun.spawnSync(["bash", "-c", command]);
	expect([exitCode, stderr.toString()]).toEqual([0, ""]);
}

/** The child of this process that executes a program of this name. */
function childOf(pid: number, name: string): number | undefined {
	return readdirSync(`/proc/${pid}/task`)
		.flatMap((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, "utf8").trim().split(" "))
		.filter((child) => child !== "" && readFileSync(`/proc/${child}/comm`, "utf8") === `${name}\n`)
		.map(Number)[0];
}

/** A verification that ends at once: for the commands that it prints. */
async function commandsFor(pid: number): Promise<NonNullable<VerificationRecord["by_hand"]>> {
	const verify = await startVerify(pid, ["--duration", "1s", "--json"]);
	const { by_hand } = (await finished(verify)).record;
	if (by_hand === undefined) throw new Error("no commands");
	return by_hand;
}

describe("the commands for other tools count the same", () => {
	for (const { version, program: tool } of [
		{ version: "1.19", program: "perf" },
		{ version: "1.27", program: "perf" },
		{ version: "1.23", program: "bpftrace" },
		{ version: "1.24", program: "bpftrace" },
	]) {
		testWith(missingForTracing(), missingCommands(tool), missingTracefs)(
			`${tool}, Go ${version}`,
			async () => {
				const { program, before } = await startCounted(version);
				const commands = await commandsFor(program.pid);
				const verify = await startVerify(program.pid, ["--duration", LONG, "--json"]);
				const other = tool === "perf" ? await startPerf(commands.perf) : await startBpftrace(commands.bpftrace);
				try {
					const truth = await work(program, before);
					const { record } = await finished(verify);
					expect(callsOf(record)).toEqual(ofProbed(truth, record));
					const seen = await other.counts();
					expect(seen).toEqual(Object.values(passesOf(record, "bpf")).filter((passes) => passes > 0));
				} finally {
					other.remove();
				}
			},
			TIMEOUT,
		);
	}
});

interface OtherTool {
	/** Passes of the functions, in the order of the commands, without those that had none. */
	counts(): Promise<number[]>;
	remove(): void;
}

async function startPerf([define = "", count = "", remove = ""]: string[]): Promise<OtherTool> {
	expect(count).toEndWith(" -- sleep 1");
	shell(define);
	const perf = start(["bash", "-c", `exec ${count.replace(/ sleep 1$/, " sleep 1000")}`]);
	// It starts the command once it counts.
	const sleep = await perf.until("sleep of perf", ({ pid }) => childOf(pid, "sleep"), 60_000);
	return {
		async counts() {
			process.kill(sleep, "SIGINT");
			await perf.finish(60_000);
			const rows = [...perf.stderr.matchAll(/^\s*([\d,]+)\s+gomapgrow_\d+:\w+/gm)];
			return rows.map(([, number = ""]) => Number(number.replaceAll(",", ""))).filter((passes) => passes > 0);
		},
		remove: () => shell(remove),
	};
}

async function startBpftrace(command: string): Promise<OtherTool> {
	const order = [...command.matchAll(/@\["([^"]+)"\]/g)].map(([, fn = ""]) => fn);
	const program = command.replace("interval:s:1 { exit(); }", 'interval:ms:100 { printf("attached\\n"); }');
	expect(program).not.toBe(command);
	const bpftrace = start(["bash", "-c", `exec ${program}`]);
	await bpftrace.untilOutput(/^attached$/m, 60_000);
	return {
		async counts() {
			// It ends with the process.
			await bpftrace.finish(60_000);
			const seen = new Map([...bpftrace.stdout.matchAll(/^@\[(.+)\]: (\d+)$/gm)].map(([, fn, n]) => [fn, Number(n)]));
			return order.flatMap((fn) => seen.get(fn) ?? []);
		},
		remove: () => {},
	};
}
