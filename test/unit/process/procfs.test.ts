import { describe, expect, test } from "bun:test";
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GomapgrowError } from "../../../src/errors/error.ts";
import {
	exeInode,
	listPids,
	parseEntryPoint,
	parseMaps,
	readCmdline,
	readExe,
	readMaps,
	readStat,
	readStatus,
} from "../../../src/process/procfs.ts";
import { copyOfSleep, start, temporaryFolder } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

const folder = temporaryFolder("procfs");

/** What ps says, a reader of /proc that is not ours. */
function ps(pid: number, column: string): string {
	return Bun.spawnSync(["ps", "-o", `${column}=`, "-p", String(pid)])
		.stdout.toString()
		.trim();
}

async function sleeper(name: string) {
	const path = copyOfSleep(folder, name);
	const program = start([path, "60"]);
	await program.until("sleep", () => {
		return readExe(program.pid).path === path && readStat(program.pid).state === "S" ? true : undefined;
	});
	return { path, pid: program.pid, program };
}

describe("readStat", () => {
	test("agrees with ps on a running process", async () => {
		const { pid } = await sleeper("gmg-stat");
		const stat = readStat(pid);
		expect(stat.comm).toBe(ps(pid, "comm"));
		expect(stat.state).toBe(ps(pid, "stat")[0] ?? "");
		expect(stat.parentPid).toBe(process.pid);
		expect(stat).toMatchObject({ pid, kernelThread: false, ended: false });
		// Field 22 as awk counts it, for a name without spaces.
		const field = Bun.spawnSync(["awk", "{print $22}", `/proc/${pid}/stat`])
			.stdout.toString()
			.trim();
		expect(stat.startTime).toBe(Number(field));
	});

	test("reads a name with parentheses and spaces", async () => {
		const { pid } = await sleeper("a) R 1 (b) c");
		expect(readStat(pid)).toMatchObject({ comm: "a) R 1 (b) c", parentPid: process.pid, state: "S" });
	});

	test("knows a zombie", async () => {
		// The child ends when exec has replaced the shell, which would have waited for it.
		const parent = start(["sh", "-c", "sleep 0.3 & echo $!; exec sleep 60"]);
		const pid = Number((await parent.untilOutput(/(\d+)\n/))[1]);
		const stat = await parent.until("zombie", () => {
			const now = readStat(pid);
			return now.ended ? now : undefined;
		});
		expect(stat.state).toBe("Z");
		expect(readCmdline(pid)).toEqual([]);
		expect(thrownBy(() => readExe(pid)).code).toBe("E-TARGET-GONE");
	});

	test("fails with E-TARGET-GONE when there is no such process", async () => {
		const { pid, program } = await sleeper("gmg-gone");
		await program.stop();
		for (const read of [readStat, readStatus, readCmdline, readExe, readMaps, exeInode]) {
			expect(thrownBy(() => read(pid))).toMatchObject({ code: "E-TARGET-GONE", exitCode: 4 });
		}
	});
});

test("readStatus has the effective user and the PID in the namespace", async () => {
	const { pid } = await sleeper("gmg-status");
	expect(readStatus(pid)).toEqual({ uid: process.geteuid?.() ?? -1, namespacePid: pid });
});

test.skipIf(process.geteuid?.() !== 0)("readStatus sees a PID namespace from outside (needs root)", async () => {
	const path = copyOfSleep(folder, "gmg-namespace");
	start(["unshare", "--pid", "--fork", path, "60"]);
	const outer = await start(["sleep", "60"]).until("process in a namespace", () => {
		const found = Bun.spawnSync(["pgrep", "-x", "gmg-namespace"]).stdout.toString().trim();
		return found === "" ? undefined : Number(found);
	});
	expect(readStatus(outer)).toEqual({ uid: 0, namespacePid: 1 });
	process.kill(outer, "SIGKILL");
});

test("readCmdline keeps the arguments apart, empty ones too", async () => {
	const program = start(["sh", "-c", "read line", "a b", "", "c\nd"], { stdin: "pipe" });
	const args = await program.until("exec", () => {
		const now = readCmdline(program.pid);
		return now[0] === "sh" ? now : undefined;
	});
	expect(args).toEqual(["sh", "-c", "read line", "a b", "", "c\nd"]);
});

describe("readExe", () => {
	test("says that the file was removed", async () => {
		const { path, pid } = await sleeper("gmg-removed");
		const { dev, ino, mtimeNs, size } = statSync(path, { bigint: true });
		expect(readExe(pid)).toEqual({ path, deleted: false });
		expect(exeInode(pid)).toEqual({ dev, ino, mtimeNs, size: Number(size) });
		rmSync(path);
		expect(readExe(pid)).toEqual({ path, deleted: true });
		expect(exeInode(pid)).toEqual({ dev, ino, mtimeNs, size: Number(size) });
	});

	test("says that the file was replaced by a new version", async () => {
		const { path, pid } = await sleeper("gmg-replaced");
		writeFileSync(`${path}.new`, "another");
		renameSync(`${path}.new`, path);
		expect(readExe(pid)).toEqual({ path, deleted: true });
	});

	test('is not misled by a file called "x (deleted)"', async () => {
		const { path, pid } = await sleeper("gmg (deleted)");
		expect(readExe(pid)).toEqual({ path, deleted: false });
		rmSync(path);
		expect(readExe(pid)).toEqual({ path, deleted: true });
	});

	test.skipIf(process.geteuid?.() !== 0)(
		"fails with E-TARGET-DENIED on somebody else's process (needs root)",
		async () => {
			const { pid } = await sleeper("gmg-denied");
			const script = `
			import { readExe } from ${JSON.stringify(join(import.meta.dir, "../../../src/process/procfs.ts"))};
			try { readExe(${pid}); } catch (error) { console.log(error.code, error.mend); }`;
			const other = Bun.spawnSync([
				"setpriv",
				"--reuid=65534",
				"--regid=65534",
				"--clear-groups",
				"--inh-caps=-all",
				process.execPath,
				"-e",
				script,
			]);
			// A folder that this user cannot enter would be another failure.
			expect(other.stderr.toString()).toBe("");
			expect(other.stdout.toString()).toBe(
				"E-TARGET-DENIED sudo gomapgrow …   # in a container: docker run --cap-add=SYS_PTRACE\n",
			);
		},
	);
});

describe("maps", () => {
	test("a real process has its executable mapped", async () => {
		const { path, pid } = await sleeper("gmg-maps");
		const own = readMaps(pid).filter((mapping) => mapping.path === path);
		expect(own.some((mapping) => mapping.permissions === "r-xp")).toBe(true);
		expect(own[0]).toMatchObject({ offset: 0, inode: Number(statSync(path).ino) });
		for (const { start, end } of own) expect(end).toBeGreaterThan(start);
		expect(readMaps(pid).map((mapping) => mapping.path)).toContain("[stack]");
	});

	test("odd lines", () => {
		expect(
			parseMaps(
				[
					"00400000-00452000 r-xp 00001000 fe:01 1048602                            /opt/my app/srv (deleted)",
					"7ffd1e0c9000-7ffd1e0ea000 rw-p 00000000 00:00 0 ",
					"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
					"10000-20000 r--s 00000000 00:0d 7 /tmp/a\\012b",
					"30000-4",
					"",
				].join("\n"),
			),
		).toEqual([
			{
				start: 0x400000,
				end: 0x452000,
				permissions: "r-xp",
				offset: 0x1000,
				inode: 1048602,
				path: "/opt/my app/srv (deleted)",
			},
			{ start: 0x7ffd1e0c9000, end: 0x7ffd1e0ea000, permissions: "rw-p", offset: 0, inode: 0, path: "" },
			{ start: 0x10000, end: 0x20000, permissions: "r--s", offset: 0, inode: 7, path: "/tmp/a\nb" },
		]);
	});
});

test("listPids is ascending and has this process and the first one", () => {
	const pids = listPids();
	expect(pids).toContain(process.pid);
	expect(pids[0]).toBe(1);
	expect(pids).toEqual([...pids].sort((a, b) => a - b));
});

test("every failure is a GomapgrowError that names the process", () => {
	const error = thrownBy(() => readStat(4194304));
	expect(error).toBeInstanceOf(GomapgrowError);
	expect(error.found).toContain("4194304");
});

describe("the entry point", () => {
	const vector = (...words: bigint[]) => Buffer.from(BigUint64Array.from(words).buffer);

	test("is the value behind its number in the auxiliary vector", () => {
		expect(parseEntryPoint(vector(6n, 4096n, 9n, 0x55550123n, 0n, 0n))).toBe(0x55550123);
	});

	test("is unknown without it, and in a vector that is cut off", () => {
		expect(parseEntryPoint(vector(6n, 9n, 3n, 9n, 0n, 0n))).toBe(0);
		expect(parseEntryPoint(vector(9n))).toBe(0);
		expect(parseEntryPoint(Buffer.alloc(0))).toBe(0);
	});
});
