import { describe, expect, test } from "bun:test";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describeProcess, isPid, resolveTarget, resolveTargets } from "../../../src/process/discover.ts";
import { readCmdline, readExe, readStat } from "../../../src/process/procfs.ts";
import { copyOfSleep, type Program, start, temporaryFolder } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

const folder = temporaryFolder("discover");

async function run(path: string): Promise<Program> {
	const program = start([path, "60"]);
	// The command line appears a little later than the executable.
	await program.until("exec", () =>
		readExe(program.pid).path.startsWith(path) && readCmdline(program.pid)[0] === path ? true : undefined,
	);
	return program;
}

describe("a PID", () => {
	test("is described", async () => {
		const path = copyOfSleep(folder, "gmgpid");
		const { pid } = await run(path);
		expect(resolveTarget(String(pid))).toEqual({
			pid,
			startTime: readStat(pid).startTime,
			comm: "gmgpid",
			exe: path,
			exeDeleted: false,
			uid: process.geteuid?.() ?? -1,
			namespacePid: pid,
		});
		rmSync(path);
		expect(resolveTarget(String(pid))).toMatchObject({ exe: path, exeDeleted: true });
	});

	test("that nobody has is E-TARGET-GONE", async () => {
		const program = await run(copyOfSleep(folder, "gmgended"));
		await program.stop();
		expect(thrownBy(() => resolveTarget(String(program.pid)))).toMatchObject({ code: "E-TARGET-GONE", exitCode: 4 });
	});

	test("that cannot be one is E-TARGET-NOT-FOUND", () => {
		for (const target of ["0", "4194305", "99999999999999999999"]) {
			expect(thrownBy(() => resolveTarget(target)).code).toBe("E-TARGET-NOT-FOUND");
		}
	});

	test("of our own is refused", () => {
		expect(thrownBy(() => resolveTarget(String(process.pid))).found).toBe("gomapgrow itself");
	});

	test("of a kernel thread is refused by its name", () => {
		const kthreadd = readStat(2);
		if (!kthreadd.kernelThread) {
			// In a PID namespace the kernel's threads cannot be seen.
			expect(kthreadd.comm).not.toBe("kthreadd");
			return;
		}
		const error = thrownBy(() => resolveTarget("2"));
		expect(error.code).toBe("E-TARGET-NOT-FOUND");
		expect(error.found).toContain("kernel thread [kthreadd]");
	});

	test("of a zombie is E-TARGET-GONE", async () => {
		const parent = start(["sh", "-c", "sleep 0.3 & echo $!; exec sleep 60"]);
		const pid = Number((await parent.untilOutput(/(\d+)\n/))[1]);
		await parent.until("zombie", () => (readStat(pid).ended ? true : undefined));
		const error = thrownBy(() => describeProcess(pid));
		expect(error.code).toBe("E-TARGET-GONE");
		expect(error.found).toContain("has ended");
	});
});

describe("a name", () => {
	test("is the base name of the executable, however long", async () => {
		const name = "gmg-a-name-of-more-than-fifteen-bytes";
		const { pid } = await run(copyOfSleep(folder, name));
		expect(readStat(pid).comm).toBe("gmg-a-name-of-m");
		expect(resolveTarget(name).pid).toBe(pid);
		expect(resolveTarget("gmg-a-name-of-m").pid).toBe(pid);
	});

	test("finds a deleted executable", async () => {
		const path = copyOfSleep(folder, "gmg-deleted-executable");
		const { pid } = await run(path);
		rmSync(path);
		expect(resolveTarget("gmg-deleted-executable")).toMatchObject({ pid, exe: path, exeDeleted: true });
	});

	test("that nothing has is E-TARGET-NOT-FOUND with similar names", async () => {
		await run(copyOfSleep(folder, "gmgsimilar"));
		const error = thrownBy(() => resolveTarget("gmgsimilr"));
		expect(error.code).toBe("E-TARGET-NOT-FOUND");
		expect(error.found).toBe("none; running under similar names: gmgsimilar");
		expect(error.mend).toBe("gomapgrow watch gmgsimilar");
	});

	test("that several have is E-TARGET-AMBIGUOUS and lists at most ten", async () => {
		const path = copyOfSleep(folder, "gmgmany");
		const programs = [await run(path), await run(path)];
		const two = thrownBy(() => resolveTarget("gmgmany"));
		const [first, second] = programs.map((program) => program.pid).sort((a, b) => a - b);
		expect(two).toMatchObject({ code: "E-TARGET-AMBIGUOUS", exitCode: 4, mend: `gomapgrow watch ${first}` });
		const shown = path.length > 60 ? `${path.slice(0, 59)}…` : path;
		const cmdline = `${path} 60`.length > 80 ? `${`${path} 60`.slice(0, 79)}…` : `${path} 60`;
		expect(two.found.split("\n")).toEqual([
			"2:",
			`    ${first}  ${shown}  ${cmdline}`,
			`    ${second}  ${shown}  ${cmdline}`,
		]);

		for (let i = 0; i < 9; i++) programs.push(await run(path));
		const eleven = thrownBy(() => resolveTarget("gmgmany")).found.split("\n");
		expect(eleven).toHaveLength(12);
		expect(eleven[0]).toBe("11:");
		expect(eleven[11]).toBe("    and 1 more");
	});

	test("never means this process", async () => {
		const own = await run(copyOfSleep(folder, "gmgself"));
		const other = await run(copyOfSleep(folder, "gmgself"));
		expect(resolveTarget("gmgself", own.pid).pid).toBe(other.pid);
		await other.stop();
		expect(thrownBy(() => resolveTarget("gmgself", own.pid)).code).toBe("E-TARGET-NOT-FOUND");
	});

	test("cannot smuggle control characters into a message", async () => {
		const path = copyOfSleep(folder, "gmgevil\u001b[31m");
		await run(path);
		await run(path);
		expect(thrownBy(() => resolveTarget("gmgevil\u001b[31m")).message).not.toContain("\u001b");
		expect(thrownBy(() => resolveTarget("gmgevil\u001b[3m")).message).not.toContain("\u001b");
	});
});

describe("a path", () => {
	test("means the process that executes that file, under any name of it", async () => {
		const path = copyOfSleep(folder, "gmgpath");
		const { pid } = await run(path);
		await run(copyOfSleep(folder, "gmgpath2"));
		symlinkSync("gmgpath", join(folder, "link"));
		expect(resolveTarget(path).pid).toBe(pid);
		expect(resolveTarget(join(folder, "link")).pid).toBe(pid);
		expect(resolveTarget(join(folder, ".", "..", folder.slice(folder.lastIndexOf("/") + 1), "gmgpath")).pid).toBe(pid);
	});

	test("that nobody executes or that is not there is E-TARGET-NOT-FOUND", () => {
		const path = copyOfSleep(folder, "gmgidle");
		expect(thrownBy(() => resolveTarget(path))).toMatchObject({
			code: "E-TARGET-NOT-FOUND",
			found: "no process that executes this file",
			mend: `gomapgrow run -- ${path}`,
		});
		expect(thrownBy(() => resolveTarget(join(folder, "nothing")))).toMatchObject({
			code: "E-TARGET-NOT-FOUND",
			found: "no such file",
		});
	});
});

describe("all processes that a target means", () => {
	const pids = (target: string, selfPid?: number): number[] =>
		resolveTargets(target, selfPid)
			.map(({ pid }) => pid)
			.sort((a, b) => a - b);

	test("of one name or one file", async () => {
		const [path, other] = [copyOfSleep(folder, "gmgall"), copyOfSleep(folder, "gmgall2")];
		const programs = [await run(path), await run(path), await run(other)];
		const expected = programs.map(({ pid }) => pid).sort((a, b) => a - b);
		const [last] = programs.slice(-1);
		expect(pids("gmgall")).toEqual(expected.filter((pid) => pid !== last?.pid));
		expect(pids(path)).toEqual(expected.filter((pid) => pid !== last?.pid));
		expect(pids("gmgall2")).toEqual([last?.pid ?? 0]);
		expect(resolveTargets("gmgall2")).toEqual([resolveTarget("gmgall2")]);
	});

	test("never include this process", async () => {
		const path = copyOfSleep(folder, "gmgallself");
		const [own, second] = [await run(path), await run(path)];
		expect(pids("gmgallself", own.pid)).toEqual([second.pid]);
		expect(thrownBy(() => resolveTargets(String(own.pid), own.pid)).found).toBe("gomapgrow itself");
	});

	test("of a PID are the one", async () => {
		const { pid } = await run(copyOfSleep(folder, "gmgallpid"));
		expect(resolveTargets(String(pid))).toEqual([resolveTarget(String(pid))]);
	});

	test("are an error when there is none, as for one", () => {
		for (const target of ["gmgallnobody", join(folder, "no-such-file"), "99999999999"]) {
			const [one, all] = [thrownBy(() => resolveTarget(target)), thrownBy(() => resolveTargets(target))];
			expect([all.code, all.found, all.mend]).toEqual([one.code, one.found, one.mend]);
		}
	});
});

test("a PID is digits, and nothing else", () => {
	for (const target of ["0", "1", "4711", "99999999999999999999"]) expect(isPid(target)).toBe(true);
	for (const target of ["", "-1", "1.5", "0x10", "4711 ", "etcd", "1e3", "/4711", "١"])
		expect(isPid(target)).toBe(false);
});
