/** Targets that come, go and change while they are observed. */
import { describe, expect } from "bun:test";
import { copyFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GomapgrowRecord, GrowthRecord, TargetRecord } from "../../src/records/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { goRelease } from "../support/go-binaries.ts";
import { withoutBuildInfo } from "../support/hidden-version.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { parseRecords, startGomapgrow, toTrace } from "../support/trace.ts";
import { type BuildOptions, buildProgram } from "./build-program.ts";

const tracingTest = testWith(missingForTracing());
/** Growths of 2,000 ints: doublings to 512 buckets; one small map, six doublings of the table and three splits. */
const GROWTHS = { classic: 9, swiss: 10 };

const folder = temporaryFolder("targets");

function executable(name: string, version: string, options: BuildOptions = {}): string {
	const path = join(folder, name);
	copyFileSync(buildProgram("relay", version, options), `${path}.new`);
	// Renamed, so that a file that is being executed is replaced and not written into.
	renameSync(`${path}.new`, path);
	return path;
}

const relay = (path: string): Program => start([path], { stdin: "pipe" });

/** Whole lines so far. */
function records(program: Program): GomapgrowRecord[] {
	return parseRecords(program.stdout.slice(0, program.stdout.lastIndexOf("\n") + 1));
}

async function targetOf(observer: Program, pid: number, count = 1): Promise<TargetRecord> {
	return await observer.until(`target record of process ${pid}`, () => {
		const found = records(observer).filter(
			(record): record is TargetRecord => record.type === "target" && record.pid === pid,
		);
		return found.length >= count ? found.at(-1) : undefined;
	});
}

/** Lets the program grow its map and waits until it says so. */
async function grow(program: Program, line = ""): Promise<void> {
	const before = program.stdout.length;
	program.writeLine(line);
	await program.until("answer", () => (program.stdout.length > before ? true : undefined));
}

const growthsOf = (growths: readonly GrowthRecord[], pid: number) =>
	growths.filter((growth) => growth.pid === pid && growth.stack.some(({ fn }) => fn === "main.growInt"));

describe("watch", () => {
	tracingTest("without a target finds a program that has no build information", async () => {
		const path = join(folder, "no-build-info");
		writeFileSync(path, withoutBuildInfo(buildProgram("relay", "1.27")), { mode: 0o755 });
		const program = relay(path);
		await grow(program);
		const observer = startGomapgrow(["watch", "--json", "--interval", "100ms"]);
		expect((await targetOf(observer, program.pid)).go_version).toBe(goRelease("1.27"));
		await grow(program);
		await observer.until("growths", () =>
			records(observer).filter((record) => record.type === "growth" && record.pid === program.pid).length >=
			GROWTHS.swiss
				? true
				: undefined,
		);
		await observer.stop();
		await program.stop();
	});
	tracingTest("sees processes of the same file that start later, and ends some time after the last one", async () => {
		const path = executable("later", "1.23");
		const first = relay(path);
		const observer = startGomapgrow(["watch", "--json", "--interval", "100ms", path]);
		await targetOf(observer, first.pid);
		await grow(first);
		const second = relay(path);
		await targetOf(observer, second.pid);
		await grow(first);
		await grow(second);
		for (const program of [first, second]) program.closeInput();
		await Promise.all([first.finish(), second.finish()]);
		// A service that is restarted.
		const third = relay(path);
		await targetOf(observer, third.pid);
		await grow(third);
		third.closeInput();
		const trace = toTrace(observer, await observer.finish());
		expect(trace.end.reason).toBe("target-exit");
		expect([first, second, third].map(({ pid }) => growthsOf(trace.growths, pid).length)).toEqual([
			2 * GROWTHS.classic,
			GROWTHS.classic,
			GROWTHS.classic,
		]);
		expect(trace.end.calls["runtime.hashGrow"]).toBe(trace.growths.length);
		expect(trace.end.complete).toBe(true);
	});

	tracingTest("sees both versions of a file that is replaced while it runs", async () => {
		const path = executable("replaced", "1.23");
		const old = relay(path);
		const observer = startGomapgrow(["watch", "--json", "--interval", "100ms", "replaced"]);
		await targetOf(observer, old.pid);
		executable("replaced", "1.27");
		const fresh = relay(path);
		const target = await targetOf(observer, fresh.pid);
		expect(target.map_impl).toBe("swiss");
		await grow(old);
		await grow(fresh);
		for (const program of [old, fresh]) program.closeInput();
		const trace = toTrace(observer, await observer.finish());
		expect(growthsOf(trace.growths, old.pid).map(({ impl }) => impl)).toEqual(Array(GROWTHS.classic).fill("classic"));
		expect(growthsOf(trace.growths, fresh.pid).map(({ impl }) => impl)).toEqual(Array(GROWTHS.swiss).fill("swiss"));
		expect(trace.end.complete).toBe(true);
	});

	tracingTest("stays with a process that executes another program", async () => {
		const program = relay(executable("before", "1.23"));
		const observer = startGomapgrow(["watch", "--json", "--interval", "100ms", String(program.pid)]);
		await targetOf(observer, program.pid);
		await grow(program);
		program.writeLine(executable("after", "1.27", { pie: true }));
		const target = await targetOf(observer, program.pid, 2);
		expect(target.go_version).toStartWith("go1.27");
		await grow(program);
		program.closeInput();
		const trace = toTrace(observer, await observer.finish());
		const impls = growthsOf(trace.growths, program.pid).map(({ impl }) => impl);
		expect(impls).toEqual([...Array(GROWTHS.classic).fill("classic"), ...Array(GROWTHS.swiss).fill("swiss")]);
		expect(trace.end.reason).toBe("target-exit");
		expect(trace.end.complete).toBe(true);
	});

	tracingTest("sees what a process forks and executes by its path, and nothing of it by a PID", async () => {
		const path = executable("parent", "1.23");
		const parent = relay(path);
		const options = ["watch", "--json", "--interval", "100ms"];
		const byPath = startGomapgrow([...options, path]);
		const byPid = startGomapgrow([...options, String(parent.pid)]);
		await targetOf(byPath, parent.pid);
		await targetOf(byPid, parent.pid);
		await grow(parent, `& ${path}`);
		const child = Number(parent.stdout.trim());
		await targetOf(byPath, child);
		await grow(parent);
		await grow(parent, ">");
		await grow(parent, ">");
		parent.closeInput();
		const [all, one] = [toTrace(byPath, await byPath.finish()), toTrace(byPid, await byPid.finish())];
		expect([parent.pid, child].map((pid) => growthsOf(all.growths, pid).length)).toEqual([
			...[GROWTHS.classic, 2 * GROWTHS.classic],
		]);
		expect(one.growths.every(({ pid }) => pid === parent.pid)).toBe(true);
		expect(growthsOf(one.growths, parent.pid)).toHaveLength(GROWTHS.classic);
		for (const { growths, end } of [all, one]) {
			expect(end.calls["runtime.hashGrow"]).toBe(growths.length);
			expect(end.complete).toBe(true);
		}
	});

	tracingTest("observes many processes of one name and many programs at once", async () => {
		const many = executable("many", "1.27");
		const programs = [...Array.from({ length: 12 }, () => relay(many)), relay(executable("single", "1.19"))];
		const observer = startGomapgrow(["watch", "--json", "--interval", "100ms", "many", "single"]);
		await Promise.all(programs.map(({ pid }) => targetOf(observer, pid)));
		await Promise.all(programs.map((program) => grow(program)));
		for (const program of programs) program.closeInput();
		const trace = toTrace(observer, await observer.finish());
		const counts = programs.map(({ pid }) => growthsOf(trace.growths, pid).length);
		expect(counts).toEqual([...Array(12).fill(GROWTHS.swiss), GROWTHS.classic]);
		expect(trace.end.complete).toBe(true);
	});

	tracingTest("without a name observes every Go program, and those that start later", async () => {
		const first = relay(executable("all-first", "1.27"));
		const observer = startGomapgrow(["watch", "--json", "--interval", "100ms"]);
		await targetOf(observer, first.pid);
		const second = relay(executable("all-second", "1.23"));
		await targetOf(observer, second.pid);
		await grow(first);
		await grow(second);
		observer.signal("SIGINT");
		const trace = toTrace(observer, await observer.finish());
		expect(growthsOf(trace.growths, first.pid)).toHaveLength(GROWTHS.swiss);
		expect(growthsOf(trace.growths, second.pid)).toHaveLength(GROWTHS.classic);
	});

	tracingTest("uses its places again when processes come and go", async () => {
		const path = executable("coming", "1.23");
		let program = relay(path);
		const observer = startGomapgrow(["watch", "--json", "--interval", "100ms", path]);
		const pids: number[] = [];
		for (let round = 0; round < 6; round++) {
			await targetOf(observer, program.pid);
			pids.push(program.pid);
			await grow(program);
			const next = relay(path);
			program.closeInput();
			await program.finish();
			program = next;
		}
		program.closeInput();
		const trace = toTrace(observer, await observer.finish());
		expect(pids.map((pid) => growthsOf(trace.growths, pid).length)).toEqual(Array(6).fill(GROWTHS.classic));
		expect(trace.end.growths).toBe(trace.growths.length);
		expect(trace.end.complete).toBe(true);
	});
});
