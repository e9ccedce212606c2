/** What a container or a bare host keeps from us: one error each, or no difference where it is not needed. test/vm/forbidden.test.ts has what takes another kernel. */
import { describe, expect } from "bun:test";
import { join, resolve } from "node:path";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { expectDiagnosis, expectError } from "../support/expect-error.ts";
import { run } from "../support/go-binaries.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, toTrace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const TIMEOUT = 60_000;
const folder = temporaryFolder("forbidden");
const confinedTest = testWith(missingForTracing(), missingCommands("gcc", "unshare", "mount", "setpriv"));

const WITHOUT_CAPABILITIES = ["setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin", "--inh-caps=-all"];

const grow = () => buildProgram("grow", "1.27", { stripped: true });
const runGrow = (): string[] => [GOMAPGROW, "run", "--json", "--budget", "off", "--", grow(), "int", "2000"];

/** The growths of 2000 keys, known from growths.test.ts, all of them. */
async function expectAllGrowths(program: Program): Promise<void> {
	const { growths, end } = toTrace(program, await program.finish());
	expect(growths.filter(({ map_type, goid }) => map_type === "map[int]int" && goid === 1)).toHaveLength(10);
	expect(end.complete).toBe(true);
}

describe("a seccomp filter", () => {
	// x86-64's numbers (arch/x86/entry/syscalls/syscall_64.tbl), and the answers of Docker's and of newer Podman profiles.
	const [BPF, PERF_EVENT_OPEN, ACCT] = ["321", "298", "163"];
	const [EPERM, ENOSYS] = ["1", "38"];
	let compiled: string | undefined;

	function refusing(errno: string, ...calls: string[]): string[] {
		compiled ??= join(folder, "refuse-calls");
		run(["gcc", "-Wall", "-Werror", "-o", compiled, resolve(import.meta.dir, "../support/refuse-calls.c")]);
		return [compiled, errno, ...calls, "--"];
	}

	for (const [name, errno] of [
		["EPERM", EPERM],
		["ENOSYS", ENOSYS],
	] as const) {
		confinedTest(
			`that answers bpf(2) with ${name}`,
			async () => {
				const refuse = refusing(errno, BPF);
				const text = await expectError(start([...refuse, ...runGrow()]), "E-HOST-SECCOMP");
				expect(text).toContain(`answers ${name}: a seccomp filter refuses bpf\n`);
				expect(text).toContain("docker run --security-opt seccomp=unconfined");
				await expectDiagnosis(start([...refuse, GOMAPGROW, "doctor"]), "E-HOST-SECCOMP");
			},
			TIMEOUT,
		);
	}

	confinedTest(
		"that refuses perf_event_open(2) matters only where probes are perf events",
		async () => {
			const refuse = refusing(EPERM, PERF_EVENT_OPEN);
			await expectAllGrowths(start([...refuse, ...runGrow()]));
			const env = { ...process.env, GOMAPGROW_ATTACH: "perf-cookie" };
			const text = await expectError(start([...refuse, ...runGrow()], { env }), "E-HOST-SECCOMP");
			expect(text).toContain("found EPERM: a seccomp filter refuses perf_event_open\n");
			await expectDiagnosis(start([...refuse, GOMAPGROW, "doctor"], { env }), "E-HOST-SECCOMP");
			const demo = start([buildProgram("demo", "1.27"), "-for", "30s"]);
			await demo.untilOutput(/pid/);
			const verify = start([...refuse, GOMAPGROW, "verify", "--duration", "1s", "--json", String(demo.pid)]);
			expect((await verify.finish()).code).toBe(3);
			expect(verify.stderr).toContain("error[E-HOST-SECCOMP]: ");
			// Nothing is left behind in it, and it goes on.
			expect(demo.running).toBe(true);
			await demo.stop();
		},
		TIMEOUT,
	);

	confinedTest(
		"that refuses something else is not blamed",
		async () => {
			const refuse = refusing(EPERM, ACCT);
			await expectAllGrowths(start([...refuse, ...runGrow()]));
			await expectError(start([...refuse, ...WITHOUT_CAPABILITIES, ...runGrow()]), "E-HOST-CAPS");
		},
		TIMEOUT,
	);
});

describe("a container", () => {
	confinedTest(
		"without root's capabilities: sudo would not help root",
		async () => {
			const text = await expectError(start([...WITHOUT_CAPABILITIES, ...runGrow()]), "E-HOST-CAPS");
			expect(text).toContain("found user 0 without CAP_BPF and CAP_PERFMON\n");
			expect(text).toContain("docker run --cap-add=BPF --cap-add=PERFMON");
			expect(text).not.toContain("sudo");
		},
		TIMEOUT,
	);

	confinedTest(
		"in a user namespace: its capabilities do not count",
		async () => {
			const inside = ["unshare", "--user", "--map-root-user"];
			expect(await expectError(start([...inside, ...runGrow()]), "E-HOST-CAPS")).toContain("user namespace");
			await expectDiagnosis(start([...inside, GOMAPGROW, "doctor"]), "E-HOST-CAPS");
		},
		TIMEOUT,
	);
});

describe("a host", () => {
	/** Runs a command in a mount namespace of its own, where `script` takes something away first and fails unless it is gone. */
	function without(script: string, command: string[]): Program {
		return start(["unshare", "--mount", "sh", "-euc", `${script}; exec "$@"`, "sh", ...command]);
	}

	confinedTest(
		"without BTF is as good",
		() =>
			expectAllGrowths(
				without("mount -t tmpfs none /sys/kernel/btf; ! test -e /sys/kernel/btf/vmlinux || exit 99", runGrow()),
			),
		TIMEOUT,
	);

	for (const mode of ["multi", "perf-cookie"]) {
		confinedTest(
			`without tracefs and debugfs is as good (${mode})`,
			() => {
				const hide =
					"for path in tracing debug; do mount -t tmpfs none /sys/kernel/$path; done; ! grep -qE ' (tracefs|debugfs) ' /proc/self/mounts";
				// Mounts below those that are covered stay in the list.
				const umount =
					"umount /sys/kernel/tracing 2>/dev/null || true; umount /sys/kernel/debug/tracing /sys/kernel/debug 2>/dev/null || true";
				return expectAllGrowths(without(`${umount}; export GOMAPGROW_ATTACH=${mode}; ${hide} || exit 99`, runGrow()));
			},
			TIMEOUT,
		);
	}

	confinedTest(
		"without /sys lacks what libbpf must know",
		async () => {
			const hide = "mount -t tmpfs none /sys";
			expect(await expectError(without(hide, runGrow()), "E-HOST-OS")).toContain("run:  mount -t sysfs sysfs /sys\n");
			await expectDiagnosis(without(hide, [GOMAPGROW, "doctor"]), "E-HOST-OS");
		},
		TIMEOUT,
	);
});
