/** Which processes are observed as they come, go and change, with real processes and a clock of our own. */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readExe } from "../../../src/process/procfs.ts";
import type { Target } from "../../../src/tracer/target.ts";
import { type TargetChanges, WatchedTargets } from "../../../src/tracer/watched-targets.ts";
import { goBuild } from "../../support/go-binaries.ts";
import { withVersion } from "../../support/patched-version.ts";
import { copyOfSleep, type Program, start, temporaryFolder } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

// A program may have to be built, and the standard library before.
setDefaultTimeout(120_000);

/** A service that is restarted has this long. */
const ABSENCE_MS = 5000;
const folder = temporaryFolder("watched");
let names = 0;

/** A Go program that waits, under a name that nothing else has; at most 15 bytes, so that it is its comm, too. */
function newProgram(options: { version?: string; buildmode?: "pie" } = {}): { name: string; path: string } {
	const name = `gmgw${process.pid}x${names++}`;
	const path = join(folder, name);
	copyFileSync(goBuild({ version: options.version ?? "1.27", program: "relay", ...options }), path);
	return { name, path };
}

async function run(path: string, args: string[] = []): Promise<Program> {
	const program = start([path, ...args], { stdin: "pipe" });
	await program.until("exec", () => (readExe(program.pid).path === path ? true : undefined));
	return program;
}

const open: Target[] = [];
afterEach(() => {
	for (const target of open.splice(0)) target.close();
});

/** With a clock that stands still between the tests' steps. It is ahead of every other clock. */
class Watch {
	readonly watched: WatchedTargets;
	now = Math.ceil(performance.now()) + 1e9;

	constructor(...targets: string[]) {
		this.watched = new WatchedTargets(targets, {});
	}
	start(): number[] {
		const targets = this.watched.start();
		open.push(...targets);
		return targets.map(({ identity }) => identity.pid).sort((a, b) => a - b);
	}
	poll(afterMs = 0): { ended: number[]; started: number[]; over: boolean; targets: TargetChanges } {
		this.now += afterMs;
		const targets = this.watched.poll(this.now);
		open.push(...targets.started);
		const pids = (list: readonly Target[]): number[] => list.map(({ identity }) => identity.pid).sort((a, b) => a - b);
		return { ended: pids(targets.ended), started: pids(targets.started), over: targets.over, targets };
	}
	/** Without the targets themselves. */
	changes(afterMs = 0): Omit<ReturnType<Watch["poll"]>, "targets"> {
		const { targets: _, ...changes } = this.poll(afterMs);
		return changes;
	}
}

const NO_CHANGE = { ended: [], started: [], over: false };
const sorted = (...programs: Program[]): number[] => programs.map(({ pid }) => pid).sort((a, b) => a - b);

describe("at the start", () => {
	test("a name means all processes that have it, a path all that execute it, a PID the one", async () => {
		const { name, path } = newProgram();
		const programs = [await run(path), await run(path)] as const;
		const pids = sorted(...programs);
		expect(new Watch(name).start()).toEqual(pids);
		expect(new Watch(path).start()).toEqual(pids);
		expect(new Watch(String(programs[1].pid)).start()).toEqual([programs[1].pid]);
		// Whatever is meant twice is there once.
		expect(new Watch(String(programs[1].pid), name, path).start()).toEqual(pids);
	});

	test("a target knows its process and where it was loaded", async () => {
		const { name, path } = newProgram({ version: "1.23", buildmode: "pie" });
		const program = await run(path);
		const watched = new WatchedTargets([name], {});
		const [target] = watched.start();
		if (target === undefined) throw new Error("no target");
		open.push(target);
		expect(target.identity).toEqual({ pid: program.pid, name, exe: path, openPath: `/proc/${program.pid}/exe` });
		expect(target.plan.impl).toBe("classic");
		expect(target.bias).toBeGreaterThan(0);
	});

	test("what is no Go program, or not there, is an error", async () => {
		const { path } = newProgram();
		const program = await run(path);
		await run(copyOfSleep(folder, "gmgwnogo"), ["60"]);
		expect(thrownBy(() => new Watch("gmgwnogo").start()).code).toBe("E-BIN-NOT-GO");
		expect(thrownBy(() => new Watch(path, "gmgwnogo").start()).code).toBe("E-BIN-NOT-GO");
		expect(thrownBy(() => new Watch("gmgwnobody").start()).code).toBe("E-TARGET-NOT-FOUND");
		await program.stop();
		expect(thrownBy(() => new Watch(String(program.pid)).start()).code).toBe("E-TARGET-GONE");
		expect(thrownBy(() => new Watch(path).start()).code).toBe("E-TARGET-NOT-FOUND");
	});

	test("without a name, Go programs that are left out are said, others are not", async () => {
		const { path } = newProgram();
		const oldPath = join(folder, "gmgwold");
		writeFileSync(oldPath, withVersion(path, "go1.12.9"));
		chmodSync(oldPath, 0o755);
		await run(copyOfSleep(folder, "gmgwother"), ["60"]);
		const [program, old] = [await run(path), await run(oldPath)] as const;
		const watch = new Watch();
		expect(watch.start()).toContain(program.pid);
		const ours = watch.watched.leftOut.filter((left) => left.name.startsWith("gmgw"));
		expect(ours).toEqual([{ pid: old.pid, name: "gmgwold", why: expect.stringContaining("go1.12.9") }]);
	});
});

describe("later", () => {
	test("processes of the same name are found within a second, and those that end at once", async () => {
		const { name, path } = newProgram();
		const first = await run(path);
		const watch = new Watch(name);
		watch.start();
		expect(watch.changes()).toEqual(NO_CHANGE);
		const second = await run(path);
		// The last look was just now.
		expect(watch.changes(999)).toEqual(NO_CHANGE);
		expect(watch.changes(1)).toEqual({ ...NO_CHANGE, started: [second.pid] });
		expect(watch.changes(5000)).toEqual(NO_CHANGE);
		await first.stop();
		expect(watch.changes()).toEqual({ ...NO_CHANGE, ended: [first.pid] });
		expect(watch.changes()).toEqual(NO_CHANGE);
	});

	test("after the last one another is waited for, but not for long", async () => {
		const { name, path } = newProgram();
		const first = await run(path);
		const watch = new Watch(name);
		watch.start();
		await first.stop();
		expect(watch.changes(1000)).toEqual({ ...NO_CHANGE, ended: [first.pid] });
		expect(watch.changes(ABSENCE_MS / 2)).toEqual(NO_CHANGE);
		const second = await run(path);
		expect(watch.changes(ABSENCE_MS / 2 - 1)).toEqual({ ...NO_CHANGE, started: [second.pid] });
		// The time without any begins anew.
		expect(watch.changes(10_000)).toEqual(NO_CHANGE);
		await second.stop();
		expect(watch.changes()).toEqual({ ...NO_CHANGE, ended: [second.pid] });
		expect(watch.changes(ABSENCE_MS - 1)).toEqual(NO_CHANGE);
		expect(watch.changes(1)).toEqual({ ...NO_CHANGE, over: true });
	});

	test("nothing comes after a PID", async () => {
		const { path } = newProgram();
		const programs = [await run(path), await run(path)] as const;
		const watch = new Watch(...programs.map(({ pid }) => String(pid)));
		expect(watch.start()).toEqual(sorted(...programs));
		await programs[0].stop();
		expect(watch.changes()).toEqual({ ...NO_CHANGE, ended: [programs[0].pid] });
		await run(path);
		expect(watch.changes(2000)).toEqual(NO_CHANGE);
		await programs[1].stop();
		expect(watch.changes()).toEqual({ ended: [programs[1].pid], started: [], over: true });
	});

	test("a PID and a name: the name may come again", async () => {
		const [one, other] = [newProgram(), newProgram()];
		const programs = [await run(one.path), await run(other.path)] as const;
		const watch = new Watch(String(programs[0].pid), other.name);
		watch.start();
		await programs[0].stop();
		await programs[1].stop();
		expect(watch.changes()).toEqual({ ...NO_CHANGE, ended: sorted(...programs) });
		const again = await run(other.path);
		await run(one.path);
		expect(watch.changes(1000)).toEqual({ ...NO_CHANGE, started: [again.pid] });
	});

	test("without a name they are all Go programs, and nothing else", async () => {
		const watch = new Watch();
		const first = await run(newProgram().path);
		const other = await run(copyOfSleep(folder, "gmgwsleep"), ["60"]);
		const pids = watch.start();
		expect(pids).toContain(first.pid);
		expect(pids).not.toContain(other.pid);
		expect(pids).not.toContain(process.pid);
		const second = await run(newProgram({ version: "1.23" }).path);
		const { started } = watch.poll(1000);
		expect(started).toContain(second.pid);
		for (const pid of [first.pid, other.pid, process.pid]) expect(started).not.toContain(pid);
		await Promise.all([first.stop(), second.stop()]);
		expect(watch.poll().ended).toEqual(expect.arrayContaining(sorted(first, second)));
	});

	test("an executable that was no Go program is looked at again when it has been written anew", async () => {
		const { path: first } = newProgram();
		await run(first);
		const path = copyOfSleep(folder, "gmgwanew");
		const watch = new Watch();
		watch.start();
		for (let i = 0; i < 2; i++) {
			const sleep = await run(path, ["60"]);
			expect(watch.poll(1000).started).not.toContain(sleep.pid);
			await sleep.stop();
		}
		copyFileSync(first, path);
		const again = await run(path);
		expect(watch.poll(1000).started).toContain(again.pid);
	});

	test("a process that executes another program is another target", async () => {
		const { name, path } = newProgram({ version: "1.23" });
		const other = newProgram({ version: "1.27" });
		const program = await run(path);
		const watch = new Watch(name);
		watch.start();
		program.writeLine(other.path);
		await program.until("execve", () => (readExe(program.pid).path === other.path ? true : undefined));
		const { targets, ...changes } = watch.poll();
		expect(changes).toMatchObject({ ended: [program.pid], started: [program.pid], over: false });
		expect(targets.ended[0]?.plan.impl).toBe("classic");
		expect(targets.started[0]?.plan.impl).toBe("swiss");
		expect(targets.started[0]?.identity.exe).toBe(other.path);
		expect(watch.changes(1000)).toEqual(NO_CHANGE);
	});

	test("processes that execute the same file share what is known of it, as long as one is left", async () => {
		const { name, path } = newProgram();
		const first = await run(path);
		const watch = new Watch(name);
		watch.start();
		const second = await run(path);
		watch.poll(1000);
		const [one, other] = open.slice(-2) as [Target, Target];
		expect(other.identity.pid).toBe(second.pid);
		expect(other.plan).toBe(one.plan);
		await first.stop();
		expect(watch.changes()).toEqual({ ...NO_CHANGE, ended: [first.pid] });
		one.close();
		one.close();
		// Still open.
		expect(other.binary.symbolize(other.plan.probes[0]?.site.address ?? 0).at(-1)?.fn).toBe(other.plan.probes[0]?.fn);
		await second.stop();
		expect(watch.changes()).toEqual({ ...NO_CHANGE, ended: [second.pid] });
		other.close();
		// Written anew under the same name: what was known of it is not so any more.
		copyFileSync(goBuild({ version: "1.23", program: "relay" }), path);
		const third = await run(path);
		expect(watch.changes(1000)).toEqual({ ...NO_CHANGE, started: [third.pid] });
		expect(open.at(-1)?.plan.impl).toBe("classic");
	});

	test("a process that executes what is no Go program has ended", async () => {
		const { path } = newProgram();
		const sleep = copyOfSleep(folder, "gmgwexec");
		const program = await run(path);
		const watch = new Watch(String(program.pid));
		watch.start();
		program.writeLine(`${sleep} 60`);
		await program.until("execve", () => (readExe(program.pid).path === sleep ? true : undefined));
		expect(watch.changes()).toEqual({ ended: [program.pid], started: [], over: true });
	});

	test("a target that could not be attached is not tried again, and does not end", async () => {
		const { name, path } = newProgram();
		const first = await run(path);
		const watch = new Watch(name);
		watch.start();
		const second = await run(path);
		const [target] = watch.poll(1000).targets.started;
		if (target === undefined) throw new Error("no target");
		watch.watched.drop(target);
		expect(watch.changes(1000)).toEqual(NO_CHANGE);
		await second.stop();
		expect(watch.changes(1000)).toEqual(NO_CHANGE);
		await first.stop();
		expect(watch.changes()).toEqual({ ...NO_CHANGE, ended: [first.pid] });
	});

	test("any clock that goes forward will do", async () => {
		const { name, path } = newProgram();
		await run(path);
		const watch = new Watch(name);
		watch.now = 0;
		watch.start();
		expect(watch.changes()).toEqual(NO_CHANGE);
		const second = await run(path);
		expect(watch.changes(1000)).toEqual({ ...NO_CHANGE, started: [second.pid] });
	});
});
