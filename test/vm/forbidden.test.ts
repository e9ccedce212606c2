/**
 * What only another kernel forbids: lockdown, and locked memory where BPF counts for it (before Linux 5.11). `make test-kernels` boots the oldest and the newest
 * kernel in both modes of lockdown, `make test` the oldest in the stricter one.
 */
import { afterAll, describe, expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildProgram } from "../e2e/build-program.ts";
import { missingCommands, testWith } from "../support/capability.ts";
import { GOMAPGROW, ledgerFaults, toTrace } from "../support/trace.ts";
import { boot, kernelOf, missingForMachines, type Outcome, packRoot } from "./machine.ts";

const ALL = process.env.GOMAPGROW_KERNELS === undefined;
const SERIES = ALL ? ["5.10", "7"] : ["5.10"];
const LOCKDOWNS = ALL ? ["confidentiality", "integrity"] : ["confidentiality"];
const BOOT_MS = 900_000;
setDefaultTimeout(BOOT_MS);

const missing = missingForMachines(SERIES) ?? missingCommands("setpriv");
const kernelTest = testWith(missing);
const work = resolve(import.meta.dir, "../../dist/vm");
const archive = join(work, "root-forbidden.cpio");

function prepare(): void {
	mkdirSync(work, { recursive: true });
	packRoot(
		"x64",
		[
			{ path: "bin/gomapgrow", from: GOMAPGROW },
			{ path: "programs/grow", from: buildProgram("grow", "1.27", { stripped: true }) },
			{ path: "programs/demo", from: buildProgram("demo", "1.27", { stripped: true }) },
			{ path: "programs/grow-old", from: buildProgram("grow", "1.15", { stripped: true }) },
			// busybox's drops no capabilities.
			{ path: "programs/setpriv", from: Bun.which("setpriv") ?? "" },
		],
		archive,
		"forbidden.sh",
	);
}
if (missing === undefined) prepare();
afterAll(() => rmSync(archive, { force: true }));

const text = ({ files }: Outcome, name: string): string => files.get(name) ?? `no ${name}`;

/** The growths of 2000 keys, known from growths.test.ts, all of them, and nothing else. */
function expectAllGrowths(outcome: Outcome, step: string): void {
	const exit = { code: Number(text(outcome, `${step}.code`)), signal: undefined };
	const trace = toTrace({ stdout: text(outcome, `${step}.out`), stderr: text(outcome, `${step}.err`) }, exit);
	expect(exit.code).toBe(0);
	expect(trace.growths.filter(({ goid, map_type }) => goid === 1 && map_type === "map[int]int")).toHaveLength(10);
	expect(new Set([...trace.targets, ...trace.growths].map(({ pid }) => pid)).size).toBe(1);
	expect(ledgerFaults(trace.end.ledger)).toEqual([]);
	expect(trace.end.complete).toBe(true);
}

function expectError(outcome: Outcome, step: string, code: string): string {
	expect(text(outcome, `${step}.err`)).toStartWith(`error[${code}]: wanted `);
	expect(text(outcome, `${step}.out`)).toBe("");
	expect(text(outcome, `${step}.code`)).toBe("3\n");
	return text(outcome, `${step}.err`);
}

for (const series of SERIES) {
	for (const lockdown of LOCKDOWNS) {
		describe(`Linux ${series}, lockdown=${lockdown}`, () => {
			let booted: Promise<Outcome> | undefined;
			const machine = (): Promise<Outcome> => {
				booted ??= boot(kernelOf(series), archive, work, BOOT_MS, `lsm=lockdown,capability,yama lockdown=${lockdown}`);
				return booted;
			};

			kernelTest("is really locked down, and watched as any other", async () => {
				const outcome = await machine();
				console.log(`Linux ${series}, lockdown=${lockdown}: ${outcome.seconds.toFixed(1)} s`);
				expect(text(outcome, "lockdown")).toContain(`[${lockdown}]`);
				expectAllGrowths(outcome, "run");
			});

			kernelTest("keeps the durations of Go 1.15 back in the stricter mode alone, and says so", async () => {
				const outcome = await machine();
				const exit = { code: Number(text(outcome, "old.code")), signal: undefined };
				const trace = toTrace({ stdout: text(outcome, "old.out"), stderr: text(outcome, "old.err") }, exit);
				expect(trace.end.complete).toBe(true);
				const own = trace.growths.filter(({ stack }) => stack.some(({ fn }) => fn === "main.growInt"));
				expect(own.map(({ count }) => count)).toEqual([8, 13, 26, 52, 104, 208, 416, 832, 1664]);
				const timed = lockdown !== "confidentiality";
				expect(new Set(own.map(({ duration_ns }) => duration_ns !== undefined))).toEqual(new Set([timed]));
				expect(trace.targets[0]?.limits ?? []).toHaveLength(timed ? 0 : 1);
			});

			kernelTest("allows snapshots", async () => {
				const outcome = await machine();
				expect(text(outcome, "snapshot.err")).toBe("");
				expect(text(outcome, "snapshot.out")).toContain('"main.main"');
				expect(text(outcome, "snapshot.code")).toBe("0\n");
			});

			kernelTest("numbers processes rightly in a PID namespace", async () => {
				expectAllGrowths(await machine(), "pid-namespace");
			});

			kernelTest("64 KiB of locked memory", async () => {
				const outcome = await machine();
				if (series !== "5.10") {
					expectAllGrowths(outcome, "memlock");
					return;
				}
				const error = expectError(outcome, "memlock", "E-HOST-MEMLOCK");
				expect(error).toContain("at most 64 KiB may be locked");
				expect(error).toContain("  run:  prlimit --memlock=unlimited --pid $$");
				expect(text(outcome, "memlock-doctor.out")).toContain("not ready: error[E-HOST-MEMLOCK]: ");
				expect(text(outcome, "memlock-doctor.code")).toBe("3\n");
			});

			kernelTest("kernel.unprivileged_bpf_disabled makes no difference", async () => {
				for (const allowed of [0, 2]) {
					const error = expectError(await machine(), `unprivileged-${allowed}`, "E-HOST-CAPS");
					expect(error).toContain("found user 65534 without CAP_BPF and CAP_PERFMON\n");
				}
			});

			kernelTest("CAP_BPF and CAP_PERFMON are enough, but for perf events where Debian restricts them", async () => {
				const outcome = await machine();
				expectAllGrowths(outcome, "least");
				if (series !== "5.10") {
					expectAllGrowths(outcome, "paranoid");
					return;
				}
				const error = expectError(outcome, "paranoid", "E-HOST-CAPS");
				expect(error).toContain("found EACCES: this kernel asks for CAP_SYS_ADMIN for perf events on uprobes\n");
			});

			kernelTest("perf events on uprobes take CAP_SYS_ADMIN on newer kernels", async () => {
				const outcome = await machine();
				expectAllGrowths(outcome, "perf-admin");
				if (series === "5.10") {
					expectAllGrowths(outcome, "perf");
					return;
				}
				const error = expectError(outcome, "perf", "E-HOST-CAPS");
				expect(error).toContain("found EACCES: this kernel asks for CAP_SYS_ADMIN for perf events on uprobes\n");
			});
		});
	}
}
