/** Snapshots of programs that never rest: goroutines that run, maps that grow under locks, and nothing that disturbs them. */
import { describe, expect } from "bun:test";
import type { SnapshotGroup, SnapshotRecord } from "../../src/snapshot/record.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { start } from "../support/processes.ts";
import { validateRecords } from "../support/schema.ts";
import { GOMAPGROW, startGomapgrow } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const busyTest = testWith(missingForTracing());
const TIMEOUT = 240_000;

interface Contended {
	mutex: string;
	rw: string;
	roles: Record<"mutex" | "rw" | "alone" | "spin", number[]>;
}

async function snapshots(pid: number, count: number, interval: string, timeoutMs = 60_000): Promise<SnapshotRecord[]> {
	const args = ["snapshot", "--json", "--count", String(count), "--interval", interval, String(pid)];
	const program = startGomapgrow(args);
	const exit = await program.finish(timeoutMs);
	expect([exit.code, program.stderr]).toEqual([0, ""]);
	const records: SnapshotRecord[] = program.stdout
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));
	expect(records).toHaveLength(count);
	expect(validateRecords(records)).toEqual([]);
	return records;
}

function groupsOf(records: readonly SnapshotRecord[], goid: number): SnapshotGroup[] {
	return records.flatMap(({ groups }) => groups.filter(({ goids }) => goids.includes(goid)));
}

/** What must hold of every snapshot, whatever the program does. */
function checkSound(records: readonly SnapshotRecord[]): void {
	for (const { goroutines, groups, notes } of records) {
		expect(notes).toEqual([]);
		expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(goroutines.total);
		for (const group of groups) {
			// Every stack that is shown leads down to the function that the goroutine was started with, or by which it ends.
			if (group.stack.length > 0 && group.stack_truncated !== true) {
				const bottom = group.stack.at(-1)?.fn;
				expect([group.stack_broken, bottom === "runtime.goexit1" || bottom === group.start_fn]).toEqual([
					undefined,
					true,
				]);
			}
			expect(group.stack.length === 0).toBe(group.no_stack !== undefined);
		}
	}
}

describe("goroutines that contend for locks", () => {
	for (const [version, options] of [
		["1.15", {}],
		["1.19", { stripped: true }],
		["1.23", { stripped: true, pie: true }],
		["1.27", { stripped: true }],
	] as const) {
		busyTest(
			`Go ${version}${"stripped" in options ? ", stripped" : ""}`,
			async () => {
				const program = start([buildProgram("contended", version, options)]);
				const [line] = await program.untilOutput(/^\{.*\}$/m);
				const { mutex, rw, roles }: Contended = JSON.parse(line);
				const records = await snapshots(program.pid, 150, "10ms");
				expect(program.running).toBe(true);
				checkSound(records);

				// A goroutine that computes and calls nothing.
				const spin = groupsOf(records, roles.spin[0] ?? 0);
				expect(spin).toHaveLength(150);
				const seen = spin.filter(({ stack }) => stack.length > 0);
				const elsewhere = seen.filter(({ stack }) => !stack.some(({ fn }) => fn === "main.spin"));
				expect(elsewhere.map(({ stack }) => stack)).toEqual([]);
				expect(spin.some(({ status, stack_origin }) => status === "running" && stack_origin === "sample")).toBeTrue();

				// Growth without a lock.
				const alone = groupsOf(records, roles.alone[0] ?? 0);
				expect(
					alone.some(({ map_work }) => map_work?.role === "growth" && map_work.site?.fn === "main.putOwn"),
				).toBeTrue();

				for (const [address, kind, users, fn] of [
					[mutex, "sync.Mutex", roles.mutex, "main.(*store).put"],
					[rw, "sync.RWMutex", roles.rw, "main.putShared"],
				] as const) {
					const locks = records.flatMap((record) => record.locks.filter((lock) => lock.address === address));
					expect(locks.length).toBeGreaterThan(10);
					for (const lock of locks) {
						expect(lock.kind).toBe(kind);
						expect(lock.waiting_goids.filter((goid) => !users.includes(goid))).toEqual([]);
						for (const grower of lock.growers ?? []) {
							expect([users.includes(grower.goid), lock.waiting_goids.includes(grower.goid)]).toEqual([true, false]);
							expect(grower.fn).toBe(fn);
						}
					}
					expect(locks.some(({ growers }) => growers !== undefined)).toBeTrue();
				}
				await program.stop();
			},
			TIMEOUT,
		);
	}
});

describe("a thousand snapshots", () => {
	busyTest(
		"of programs that check themselves, which do not notice",
		async () => {
			const programs = ["1.19", "1.27"].map((version) =>
				start([buildProgram("torture", version, { stripped: true }), "-for", "150s"]),
			);
			const all = await Promise.all(programs.map(({ pid }) => snapshots(pid, 1000, "5ms", 140_000)));
			for (const program of programs) program.signal("SIGTERM");
			const exits = await Promise.all(programs.map((program) => program.finish(60_000)));
			for (const [index, program] of programs.entries()) {
				expect(program.stderr).toBe("");
				expect(program.stdout).toMatch(/\nOK [1-9]\d* keys inserted, [1-9]\d* stacks grown, [1-9]\d* collections\n$/);
				expect(exits[index]).toEqual({ code: 0, signal: undefined });
			}
			for (const records of all) {
				checkSound(records);
				const sum = (of: (record: SnapshotRecord) => number): number => records.reduce((n, each) => n + of(each), 0);
				expect(sum(({ goroutines }) => goroutines.map_growth)).toBeGreaterThan(100);
				// They run all the time, and their stacks grow and shrink.
				expect(sum(({ retried }) => retried)).toBeGreaterThan(0);
				expect(sum(({ goroutines }) => goroutines.torn)).toBeLessThan(sum(({ goroutines }) => goroutines.total) / 20);
			}
		},
		TIMEOUT,
	);
});

describe("many goroutines", () => {
	busyTest(
		"5,000 of them in well under a second",
		async () => {
			const program = start([buildProgram("parked", "1.23", { stripped: true }), "-many", "5000"], { stdin: "pipe" });
			await program.untilOutput(/^\{.*\}$/m, 60_000);
			const records = await snapshots(program.pid, 5, "50ms");
			checkSound(records);
			for (const { groups } of records) {
				// A quarter of a thousand at each of 20 depths.
				const deep = groups.filter(({ start_fn, count }) => start_fn?.startsWith("main.main.func") && count === 250);
				expect(
					deep.map(({ stack }) => stack.filter(({ fn }) => fn === "main.deep").length).sort((a, b) => a - b),
				).toEqual(Array.from({ length: 20 }, (_, depth) => depth + 1));
			}
			// Processor time of the whole command, start included: how long it takes depends on what else the machine does.
			const once = Bun.spawnSync([GOMAPGROW, "snapshot", String(program.pid)]);
			expect(once.exitCode).toBe(0);
			expect(once.resourceUsage.cpuTime.total).toBeLessThan(1_000_000n);
			await program.stop();
		},
		TIMEOUT,
	);
});
