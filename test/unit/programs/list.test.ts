/** Real processes, with answers of our own about containers and processor time. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { describeProcess } from "../../../src/process/discover.ts";
import { readExe } from "../../../src/process/procfs.ts";
import { listPrograms, withProcessorUse } from "../../../src/programs/list.ts";
import { goBuild } from "../../support/go-binaries.ts";
import { withVersion } from "../../support/patched-version.ts";
import { copyOfSleep, type Program, start, temporaryFolder } from "../../support/processes.ts";

// A program may have to be built, and the standard library before.
setDefaultTimeout(120_000);

const folder = temporaryFolder("programs");

async function run(path: string, ...args: string[]): Promise<Program> {
	const program = start([path, ...args], { stdin: "pipe" });
	await program.until("exec", () => (readExe(program.pid).path === path ? true : undefined));
	return program;
}

test("Go processes with their containers, and why some cannot be watched", async () => {
	const relay = goBuild({ version: "1.27", program: "relay" });
	const path = join(folder, "gmglisted");
	copyFileSync(relay, path);
	const oldPath = join(folder, "gmgold");
	writeFileSync(oldPath, withVersion(relay, "go1.12.9"));
	chmodSync(oldPath, 0o755);
	const programs = [
		await run(path),
		await run(oldPath),
		await run(copyOfSleep(folder, "gmgother"), "60"),
		await run(path),
	];
	const [first, old, , nested] = programs.map(({ pid }) => pid) as [number, number, number, number];
	const listed = listPrograms({
		processes: programs.map(({ pid }) => describeProcess(pid)),
		containers: { of: (pid) => (pid === first ? { id: "f00", name: "a\u001bb" } : undefined) },
		requireProcess: (pid) => {
			if (pid === nested) throw new GomapgrowError("E-TARGET-PIDNS", { wanted: "", found: "nested" });
		},
		cpuNs: () => 5_000_000,
	});
	const common = { type: "process", name: "gmglisted", exe: path, map_impl: "swiss" };
	expect(listed.map(({ record }) => record)).toMatchObject([
		{ ...common, pid: first, watchable: true, container: { id: "f00", name: "a\\x1bb" } },
		{ pid: old, name: "gmgold", exe: oldPath, go_version: "go1.12.9", watchable: false, why: expect.any(String) },
		{ ...common, pid: nested, watchable: false, why: "nested" },
	]);
	const used = withProcessorUse(listed, (pid) => (pid === old ? undefined : 55_000_000), 100_000_000);
	expect(used.map(({ cpu_ns_per_second }) => cpu_ns_per_second)).toEqual([500_000_000, undefined, 500_000_000]);
	for (const program of programs) await program.stop();
});
