/** Hosts with musl (Alpine): the executable for glibc does not start there, dist/gomapgrow-musl does. A root with musl's loader and busybox, and no glibc. */
import { describe, expect } from "bun:test";
import { copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { missingCommands, missingFile, missingForTracing, testWith } from "../support/capability.ts";
import { expectError } from "../support/expect-error.ts";
import { run } from "../support/go-binaries.ts";
import { type Program, type StartOptions, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, ledgerFaults, toTrace } from "../support/trace.ts";
import { buildCounted, buildProgram } from "./build-program.ts";

const TIMEOUT = 60_000;
const EXECUTABLE = resolve(import.meta.dir, "../../dist/gomapgrow-musl");
const cache = process.env.GOMAPGROW_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gomapgrow");
/** What test/musl/libraries.sh brings. */
const library = (name: string) => join(cache, "musl", name);

const muslTest = testWith(
	missingForTracing(),
	missingFile(EXECUTABLE),
	missingFile(library("ld-musl-x86_64.so.1")),
	missingCommands("busybox", "gcc", "unshare", "chroot", "mount"),
);

const folder = temporaryFolder("musl");
let made = false;

/** The root; made once. */
function root(): string {
	if (made) return folder;
	made = true;
	const put = (from: string, to: string) => copyFileSync(from, join(folder, to));
	for (const name of ["bin", "lib", "proc", "sys"]) mkdirSync(join(folder, name));
	put(library("ld-musl-x86_64.so.1"), "lib/ld-musl-x86_64.so.1");
	symlinkSync("ld-musl-x86_64.so.1", join(folder, "lib/libc.musl-x86_64.so.1"));
	put(Bun.which("busybox") ?? "", "bin/busybox");
	symlinkSync("busybox", join(folder, "bin/sh"));
	put(GOMAPGROW, "bin/gomapgrow");
	put(EXECUTABLE, "bin/gomapgrow-musl");
	put(buildProgram("grow", "1.27", { stripped: true }), "bin/grow");
	put(buildProgram("demo", "1.27", { stripped: true }), "bin/demo");
	put(buildCounted("1.23"), "bin/counted");
	// Beside musl: libstdc++, as `apk add libstdc++` puts it there.
	mkdirSync(join(folder, "libstdc++"));
	for (const name of ["libstdc++.so.6", "libgcc_s.so.1"]) put(library(name), `libstdc++/${name}`);
	const shim = join(folder, "libstdc++/ld-linux-x86-64.so.2");
	const options = ["-shared", "-fPIC", "-O1", "-nostdlib", "-fno-stack-protector", "-fno-builtin", "-Wall", "-Werror"];
	run(["gcc", ...options, "-o", shim, resolve(import.meta.dir, "../musl/shim.c")]);
	return folder;
}

/** Starts a command in there. */
function inside(command: string[], options: StartOptions = {}): Program {
	const script = 'cd "$1"; shift; mount -t proc proc proc; mount --bind /sys sys; exec chroot . "$@"';
	const env = { PATH: "/bin:/usr/sbin:/usr/bin:/sbin", LD_LIBRARY_PATH: "", ...options.env };
	return start(["unshare", "--mount", "sh", "-euc", script, "sh", root(), ...command], { ...options, env });
}

const WITH_LIBRARY = { env: { LD_LIBRARY_PATH: "/libstdc++" } };

describe("a host with musl and no glibc", () => {
	muslTest(
		"does not find the loader of the executable for glibc, and the shell says so",
		async () => {
			const program = inside(["sh", "-c", "gomapgrow --version"]);
			const exit = await program.finish();
			expect(program.stderr).toBe("sh: gomapgrow: not found\n");
			expect(exit.code).toBe(127);
		},
		TIMEOUT,
	);

	muslTest(
		"needs the package libstdc++, and the loader names it",
		async () => {
			const program = inside(["gomapgrow-musl", "--version"]);
			const exit = await program.finish();
			expect(program.stderr).toContain("Error loading shared library libstdc++.so.6: No such file or directory");
			expect(exit.code).toBe(127);
		},
		TIMEOUT,
	);

	muslTest(
		"runs gomapgrow-musl: every growth of a command",
		async () => {
			const program = inside(["gomapgrow-musl", "run", "--json", "--", "grow", "int", "2000"], WITH_LIBRARY);
			const { growths, end } = toTrace(program, await program.finish());
			// Known from growths.test.ts.
			const known = growths.filter(({ map_type, goid }) => map_type === "map[int]int" && goid === 1);
			expect(known).toHaveLength(10);
			expect(known.every(({ stack }) => stack.some(({ fn }) => fn === "main.growInt"))).toBe(true);
			expect(end.complete).toBe(true);
		},
		TIMEOUT,
	);

	muslTest(
		"counts as many calls as the program itself",
		async () => {
			const command = ["gomapgrow-musl", "run", "--json", "--budget", "off", "--", "counted", "60000", "200"];
			const program = inside(command, { ...WITH_LIBRARY, stdin: "pipe" });
			await program.until("the program's start", () => (program.stderr.includes('"phase":"ready"') ? true : undefined));
			program.writeLine("go");
			const { end } = toTrace(program, await program.finish());
			const [line = ""] = /^\{"phase":"end".*$/m.exec(program.stderr) ?? [];
			const { calls } = JSON.parse(line) as { calls: Record<string, number> };
			const called = (all: object) => Object.entries(all).filter(([, n]) => n !== 0);
			expect(called(calls).length).toBeGreaterThan(6);
			expect(Object.fromEntries(called(end.calls))).toEqual(Object.fromEntries(called(calls)));
			expect(ledgerFaults(end.ledger)).toEqual([]);
		},
		TIMEOUT,
	);

	muslTest(
		"watches, verifies and takes snapshots of a process that runs",
		async () => {
			const demo = inside(["demo", "-for", "60s"]);
			await demo.untilOutput(/pid/);
			const pid = String(demo.pid);
			const watch = inside(["gomapgrow-musl", "watch", "--json", "--duration", "1s", pid], WITH_LIBRARY);
			expect(toTrace(watch, await watch.finish()).growths.length).toBeGreaterThan(0);
			const verify = inside(["gomapgrow-musl", "verify", "--duration", "1s", "--json", pid], WITH_LIBRARY);
			expect((await verify.finish()).code).toBe(0);
			const snapshot = inside(["gomapgrow-musl", "snapshot", "--json", pid], WITH_LIBRARY);
			expect((await snapshot.finish()).code).toBe(0);
			expect(snapshot.stdout).toContain('"main.main"');
			await demo.stop();
			await expectError(inside(["gomapgrow-musl", "watch", pid], WITH_LIBRARY), "E-TARGET-GONE");
		},
		TIMEOUT,
	);
});
