/** What a user can do wrong or lack: a stable code on standard error, the right exit code, nothing on standard output. */
import { describe, expect } from "bun:test";
import {
	chmodSync,
	closeSync,
	copyFileSync,
	mkdirSync,
	openSync,
	readFileSync,
	readSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { ErrorCode } from "../../src/errors/error.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { expectError } from "../support/expect-error.ts";
import { run } from "../support/go-binaries.ts";
import { copyOfSleep, type StartOptions, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, startGomapgrow, toTrace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
const TIMEOUT = 60_000;
const folder = temporaryFolder("errors");

async function failing(args: string[], code: ErrorCode, options?: StartOptions): Promise<string> {
	return expectError(startGomapgrow(args, options), code);
}

function executable(name: string, bytes: Uint8Array | string): string {
	const path = join(folder, name);
	writeFileSync(path, bytes);
	chmodSync(path, 0o755);
	return path;
}

/** The first bytes of a file. */
function head(path: string, length: number): Buffer {
	const fd = openSync(path, "r");
	const bytes = Buffer.alloc(length);
	readSync(fd, bytes, 0, length, 0);
	closeSync(fd);
	return bytes;
}

/** An ELF header of 52 bytes (elf(5), Elf32_Ehdr) for i386, without any segment. */
function elf32(): Uint8Array {
	const bytes = new Uint8Array(52);
	const view = new DataView(bytes.buffer);
	bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
	view.setUint16(16, 2, true); // e_type EXEC
	view.setUint16(18, 3, true); // e_machine 386
	view.setUint32(20, 1, true);
	view.setUint16(40, 52, true); // e_ehsize
	view.setUint16(42, 32, true); // e_phentsize
	return bytes;
}

describe("an executable", () => {
	tracingTest("that is a script is no ELF file, but what it starts may be Go's", async () => {
		const script = executable("script", "#!/bin/sh\necho ran\n");
		await failing(["run", "--no-follow", "--", script], "E-BIN-NOT-ELF");
		const program = startGomapgrow(["run", "--", script]);
		expect((await program.finish()).code).toBe(0);
		expect(program.stdout).toBe("ran\n");
		expect(program.stderr).toContain("0 Go programs");
	});
	tracingTest("that is empty is no ELF file", () => failing(["run", "--", executable("empty", "")], "E-BIN-NOT-ELF"));
	tracingTest("of which only the beginning is there is truncated", async () => {
		const grow = buildProgram("grow", "1.27");
		for (const length of [40, 64, 4096, 100_000]) {
			await failing(["run", "--", executable(`truncated-${length}`, head(grow, length))], "E-BIN-TRUNCATED");
		}
	});
	tracingTest("for 32-bit machines", () => failing(["run", "--", executable("elf32", elf32())], "E-BIN-32BIT"));
	tracingTest("for arm64", async () => {
		const bytes = readFileSync(buildProgram("grow", "1.27"));
		bytes.writeUInt16LE(183, 18); // e_machine EM_AARCH64
		await failing(["run", "--", executable("arm64", bytes)], "E-BIN-ARCH");
	});
	tracingTest("that is not written in Go", async () => {
		expect(await failing(["run", "--no-follow", "--", "/bin/true"], "E-BIN-NOT-GO")).toContain(
			"/bin/true: an ELF executable",
		);
		const sleep = start([copyOfSleep(folder, "gmgnotgo"), "60"]);
		await failing(["watch", String(sleep.pid)], "E-BIN-NOT-GO");
		expect(await failing(["watch", "gmgnotgo", "--json"], "E-BIN-NOT-GO")).toContain(join(folder, "gmgnotgo"));
		await failing(["snapshot", String(sleep.pid)], "E-BIN-NOT-GO");
		expect(sleep.running).toBe(true);
		await sleep.stop();
	});
	tracingTest("whose bytes are noise", async () => {
		const bytes = readFileSync(buildProgram("grow", "1.27"));
		for (let i = 0x100; i < bytes.length; i++) bytes[i] = (i * 2_654_435_761) >>> 24;
		const program = startGomapgrow(["run", "--no-follow", "--", executable("noise", bytes)]);
		await program.finish();
		expect(program.stderr).toMatch(/^error\[E-BIN-(MALFORMED|NOT-GO|TRUNCATED)\]: /);
		expect(program.stdout).toBe("");
	});
	tracingTest("that is not there, no file or not executable", async () => {
		await failing(["run", "--", "./no-such-program"], "E-TARGET-EXEC");
		await failing(["run", "--", "no-such-program-in-path"], "E-TARGET-EXEC");
		await failing(["run", "--", folder], "E-TARGET-EXEC");
		const locked = executable("locked", "x");
		chmodSync(locked, 0o644);
		await failing(["run", "--", locked], "E-TARGET-EXEC");
	});
});

describe("a process", () => {
	tracingTest("that has ended is gone", async () => {
		const sleep = start(["sleep", "60"]);
		await sleep.stop();
		expect(await failing(["watch", String(sleep.pid)], "E-TARGET-GONE")).toContain(String(sleep.pid));
		expect(await failing(["snapshot", String(sleep.pid)], "E-TARGET-GONE")).toContain(String(sleep.pid));
	});
	tracingTest("of which there is none by that name", async () => {
		const sleep = start([copyOfSleep(folder, "gmgnearly"), "60"]);
		const text = await failing(["watch", "gmgnearky"], "E-TARGET-NOT-FOUND");
		expect(text).toContain("gmgnearly");
		await failing(["watch", "./no/such/path"], "E-TARGET-NOT-FOUND");
		await sleep.stop();
	});
	for (const [command, ...options] of [
		["watch"],
		["watch", "--json"],
		["record", "-o", join(folder, "none.ndjson")],
		["verify"],
	]) {
		tracingTest(`of which there is none by the name behind --: ${command} ${options.join(" ")}`, async () => {
			for (const name of ["gmgnowhere", "--json"]) {
				const text = await failing([command as string, ...options, "--", name], "E-TARGET-NOT-FOUND");
				expect(text).toContain(JSON.stringify(name));
			}
		});
	}
	tracingTest("of which there are several by that name, none of them Go", async () => {
		const path = copyOfSleep(folder, "gmgtwins");
		const twins = [start([path, "60"]), start([path, "61"])];
		for (const twin of twins)
			await twin.until("exec", () =>
				readFileSync(`/proc/${twin.pid}/comm`, "utf8") === "gmgtwins\n" ? true : undefined,
			);
		await failing(["watch", "gmgtwins"], "E-BIN-NOT-GO");
		for (const twin of twins) await twin.stop();
	});
	tracingTest(
		"is found by its number directly after --json",
		async () => {
			const demo = start([buildProgram("demo", "1.27"), "-for", "20s"]);
			await demo.untilOutput(/pid/);
			const program = startGomapgrow(["watch", "--duration", "300ms", "--json", String(demo.pid)]);
			expect((await program.finish()).code).toBe(0);
			expect(program.stdout).toStartWith('{"type":"start"');
			await demo.stop();
		},
		TIMEOUT,
	);
});

describe("usage", () => {
	for (const args of [
		["wach"],
		["watch", "1", "--no-such-option"],
		["watch", "1", "--duration", "soon"],
		["watch", "1", "--duration"],
		["watch", "1", "--interval", "-1s"],
		["watch", "1", "--interval", "1ms"],
		["watch", "1", "--color", "sometimes"],
		["run"],
		["run", "--"],
		["snapshot"],
		["snapshot", "1", "--count", "0"],
		["snapshot", "1", "--count", "some"],
		["snapshot", "1", "--interval", "0"],
	]) {
		tracingTest(`gomapgrow ${args.join(" ")}`, () => failing(args, "E-USAGE"));
	}
	tracingTest("nothing at all shows the help", async () => {
		const program = startGomapgrow([]);
		expect((await program.finish()).code).toBe(2);
		expect(program.stdout + program.stderr).toContain("watch");
	});
});

describe("privileges", () => {
	/** The executable where another user can reach it. */
	function reachable(): string {
		const open = join(folder, "open");
		chmodSync(folder, 0o755);
		mkdirSync(open, { recursive: true });
		const copy = join(open, "gomapgrow");
		copyFileSync(GOMAPGROW, copy);
		chmodSync(copy, 0o755);
		return copy;
	}
	const nobody = [
		"setpriv",
		"--reuid=65534",
		"--regid=65534",
		"--clear-groups",
		"--inh-caps=-all",
		"--bounding-set=-all",
	];
	const dropTest = testWith(missingForTracing(), missingCommands("setpriv"));

	dropTest(
		"as another user without capabilities",
		async () => {
			const demo = start([buildProgram("demo", "1.27"), "-for", "30s"]);
			await demo.untilOutput(/pid/);
			const copy = reachable();
			const text = await expectError(start([...nobody, copy, "watch", String(demo.pid)]), "E-HOST-CAPS");
			expect(text).toContain("CAP_BPF");
			expect(text).toContain(`  run:  sudo ${copy} watch ${demo.pid}\n`);
			await expectError(start([...nobody, copy, "run", "--json", "--", "/bin/true"]), "E-HOST-CAPS");
			const denied = await expectError(start([...nobody, copy, "snapshot", String(demo.pid)]), "E-TARGET-DENIED");
			expect(denied).toContain("sudo");
			await demo.stop();
		},
		TIMEOUT,
	);

	/** As another user, with these capabilities and no others. */
	const nobodyWith = (...capabilities: string[]): string[] => {
		const set = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
		const drop = ["--inh-caps", "--ambient-caps", "--bounding-set"].map((option) => `${option}=${set}`);
		return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...drop];
	};

	dropTest(
		"CAP_BPF and CAP_PERFMON are enough for one's own processes, and neither alone",
		async () => {
			const copy = reachable();
			const program = join(folder, "open", "grow");
			copyFileSync(buildProgram("grow", "1.27", { stripped: true }), program);
			chmodSync(program, 0o755);
			const command = [copy, "run", "--json", "--", program, "int", "2000"];
			const traced = start([...nobodyWith("bpf", "perfmon"), ...command]);
			const { growths, end } = toTrace(traced, await traced.finish());
			expect(end.complete).toBe(true);
			expect(growths.filter(({ stack }) => stack.some(({ fn }) => fn === "main.growInt"))).toHaveLength(10);
			expect(await expectError(start([...nobodyWith("bpf"), ...command]), "E-HOST-CAPS")).toContain("CAP_PERFMON");
			expect(await expectError(start([...nobodyWith("perfmon"), ...command]), "E-HOST-CAPS")).toContain("CAP_BPF");
		},
		TIMEOUT,
	);

	dropTest(
		"another user's process takes CAP_SYS_PTRACE, too",
		async () => {
			const demo = start([buildProgram("demo", "1.27"), "-for", "60s"]);
			await demo.untilOutput(/pid/);
			const command = [reachable(), "watch", "--json", "--duration", "1s", String(demo.pid)];
			await expectError(start([...nobodyWith("bpf", "perfmon"), ...command]), "E-TARGET-DENIED");
			const traced = start([...nobodyWith("bpf", "perfmon", "sys_ptrace"), ...command]);
			const { growths, end } = toTrace(traced, await traced.finish());
			expect(end.reason).toBe("duration");
			expect(growths.length).toBeGreaterThan(0);
			await demo.stop();
		},
		TIMEOUT,
	);

	dropTest(
		"an executable that only its owner may read takes CAP_DAC_READ_SEARCH, too",
		async () => {
			const copy = reachable();
			const program = join(folder, "open", "private");
			copyFileSync(buildProgram("demo", "1.27"), program);
			chmodSync(program, 0o700);
			const demo = start([program, "-for", "60s"]);
			await demo.untilOutput(/pid/);
			const command = [copy, "watch", "--json", "--duration", "300ms", String(demo.pid)];
			const capabilities = ["bpf", "perfmon", "sys_ptrace"];
			const text = await expectError(start([...nobodyWith(...capabilities), ...command]), "E-TARGET-DENIED");
			expect(text).toContain("CAP_DAC_READ_SEARCH");
			expect(text).toContain(`  run:  sudo ${command.join(" ")} `);
			const traced = start([...nobodyWith(...capabilities, "dac_read_search"), ...command]);
			expect(toTrace(traced, await traced.finish()).end.reason).toBe("duration");
			await demo.stop();
		},
		TIMEOUT,
	);

	dropTest("as root without the capabilities", async () => {
		const text = await expectError(
			start(["setpriv", "--bounding-set=-all", "--inh-caps=-all", GOMAPGROW, "watch", "1"]),
			"E-HOST-CAPS",
		);
		expect(text).toContain("CAP_PERFMON");
		expect(text).not.toContain("sudo");
	});

	dropTest(
		"doctor says what is missing",
		async () => {
			const program = start([...nobody, reachable(), "doctor"]);
			expect((await program.finish()).code).toBe(3);
			expect(program.stdout).toContain("CAP_BPF");
			expect(program.stdout).toContain("sudo");
		},
		TIMEOUT,
	);

	testWith(missingForTracing(), missingCommands("setcap"))(
		"doctor warns of a file with capabilities that everybody may execute",
		async () => {
			const copy = reachable();
			const conclusion = async (): Promise<string | undefined> => {
				const program = start([copy, "doctor"]);
				expect((await program.finish()).code).toBe(0);
				return program.stdout.trimEnd().split("\n").at(-1);
			};
			expect(await conclusion()).toStartWith("This host is ready: ");
			run(["setcap", "cap_bpf,cap_perfmon,cap_sys_ptrace+ep", copy]);
			expect(await conclusion()).toStartWith(`This host is ready, but everybody may execute ${copy}, `);
			chmodSync(copy, 0o750);
			expect(await conclusion()).toStartWith("This host is ready: ");
		},
		TIMEOUT,
	);

	tracingTest("doctor shows what the verifier says of each program", async () => {
		const program = startGomapgrow(["doctor", "--verifier-log"]);
		expect((await program.finish()).code).toBe(0);
		const programs = [...program.stdout.matchAll(/^# program (\w+)$/gm)].map(([, name]) => name);
		expect(programs).toEqual(["growth", "work", "leave", "iterate", "make"]);
		expect(program.stdout.match(/^processed \d+ insns/gm)?.length).toBe(5);
	});

	tracingTest("doctor is content here", async () => {
		const program = startGomapgrow(["doctor"]);
		expect((await program.finish()).code).toBe(0);
		expect(program.stdout).toContain("ready");
		const json = startGomapgrow(["doctor", "--json"]);
		expect((await json.finish()).code).toBe(0);
		expect(typeof JSON.parse(json.stdout)).toBe("object");
	});
});
