/** Goroutine stacks read from outside must be those that the program's own runtime prints, and Delve's. */
import { describe, expect } from "bun:test";
import type { Frame } from "../../src/records/records.ts";
import type { SnapshotGroup, SnapshotRecord } from "../../src/snapshot/record.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { type DumpedFrame, isShown, parseDump } from "../support/goroutine-dump.ts";
import { type Program, start } from "../support/processes.ts";
import { validateRecords } from "../support/schema.ts";
import { GOMAPGROW, startGomapgrow } from "../support/trace.ts";
import { type BuildOptions, buildProgram } from "./build-program.ts";

interface Parked {
	mutex: string;
	rw: string;
	rwWrite: string;
	goroutines: number;
	stacks: string;
}

/** Starts test/programs/parked and waits until everything in it is at rest. */
async function park(path: string, args: string[] = []): Promise<{ program: Program; parked: Parked }> {
	const program = start([path, ...args], { stdin: "pipe", env: { ...process.env, GOTRACEBACK: "system" } });
	const [line] = await program.untilOutput(/^\{.*\}$/m, 60_000);
	return { program, parked: JSON.parse(line) };
}

async function snapshots(pid: number, args: string[] = []): Promise<SnapshotRecord[]> {
	const program = startGomapgrow(["snapshot", "--json", ...args, String(pid)]);
	const exit = await program.finish();
	expect([exit.code, program.stderr]).toEqual([0, ""]);
	const records: SnapshotRecord[] = program.stdout
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));
	expect(validateRecords(records)).toEqual([]);
	return records;
}

async function snapshot(pid: number): Promise<SnapshotRecord> {
	const [first] = await snapshots(pid);
	if (first === undefined) throw new Error("no snapshot");
	return first;
}

function groupOf(record: SnapshotRecord, goid: number): SnapshotGroup {
	const groups = record.groups.filter(({ goids }) => goids.includes(goid));
	expect([goid, groups.length]).toEqual([goid, 1]);
	return groups[0] as SnapshotGroup;
}

/** The group of the goroutine in whose stack this function is the outermost of those named. */
function groupWith(record: SnapshotRecord, fn: string): SnapshotGroup {
	const group = record.groups.find(({ stack }) => stack.some((frame) => frame.fn === fn));
	if (group === undefined) throw new Error(`no goroutine in ${fn}`);
	return group;
}

const plain = (frames: readonly Frame[]): DumpedFrame[] =>
	frames.map(({ fn, file, line }) => ({ fn, file: file ?? "", line: line ?? 0 }));

/**
 * Compares the program's own goroutines, but for the main one, frame by frame. `shown`: which frames.
 * Returns how many frames were compared.
 */
function compareWithDump(record: SnapshotRecord, dump: string, shown: (frame: DumpedFrame) => boolean): number {
	let compared = 0;
	const dumped = parseDump(dump);
	expect(dumped.length).toBeGreaterThan(33);
	for (const { goid, state, frames: printed, elidedAt, createdBy, parentGoid } of dumped) {
		const group = groupOf(record, goid);
		// The main goroutine has gone on since it printed. The runtime's own goroutines may run for a moment at any time.
		if (goid === 1 || group.system === true) continue;
		const stack = plain(group.stack).filter(shown);
		const frames = printed.filter(shown);
		if (elidedAt === undefined) {
			expect({ goid, stack }).toEqual({ goid, stack: frames });
		} else {
			const innermost = printed.slice(0, elidedAt).filter(shown);
			expect({ goid, stack: stack.slice(0, innermost.length) }).toEqual({ goid, stack: innermost });
			const outermost = printed.slice(elidedAt).filter(shown);
			if (group.stack_truncated !== true && outermost.length > 0) {
				expect({ goid, stack: stack.slice(-outermost.length) }).toEqual({ goid, stack: outermost });
			}
		}
		compared += frames.length;
		expect([goid, group.wait_reason ?? group.status]).toEqual([goid, state]);
		expect({ goid, file: group.created_by?.file, line: group.created_by?.line }).toEqual({
			goid,
			file: createdBy?.file as string,
			line: createdBy?.line as number,
		});
		if (parentGoid !== undefined) expect(parentGoid).toBe(1);
	}
	return compared;
}

function checkLocks(record: SnapshotRecord, parked: Parked): void {
	const put = groupWith(record, "main.(*store).put");
	expect([put.count, put.waits_for]).toEqual([3, [parked.mutex]]);
	const locks = new Map(record.locks.map((lock) => [lock.address, lock]));
	expect(locks.get(parked.mutex)).toEqual({
		address: parked.mutex,
		kind: "sync.Mutex",
		waiting: 3,
		waiting_goids: put.goids,
		locked: true,
		// Of a method that loops over a map of its object, under the object's lock.
		loops: [
			{
				...{ goid: groupWith(record, "main.(*store).loopLocked").goids[0] ?? 0, map_type: "map[string]int" },
				...{ map: expect.stringMatching(/^0x/), fn: "main.(*store).loopLocked", evidence: "lock-address" },
				...{ file: expect.stringMatching(/main\.go$/), line: expect.any(Number) },
			},
		],
		// They wait for longer than a millisecond, but only one that was woken and lost again makes it starve.
	});
	expect(locks.get(parked.rw)).toMatchObject({
		kind: "sync.RWMutex",
		waiting: 4,
		waiting_readers: 2,
		locked: false,
		readers: 1,
	});
	expect(locks.get(parked.rwWrite)).toMatchObject({
		kind: "sync.RWMutex",
		waiting: 1,
		waiting_readers: 1,
		locked: true,
		readers: 0,
	});
	const group = record.locks.filter(({ kind }) => kind === "semaphore");
	expect(group.map(({ of, waiting }) => [of, waiting])).toEqual([["sync.(*WaitGroup).Wait", 1]]);
	expect(record.locks).toHaveLength(4);
}

function checkMaps(record: SnapshotRecord): void {
	const strings = groupWith(record, "main.loopOverStrings");
	const classic = record.map_impl === "classic";
	expect(strings.iterations).toEqual([
		{
			fn: "main.loopOverStrings",
			map_type: "map[string]int",
			count: 1,
			entries: [120, 120],
			slots: [expect.any(Number), expect.any(Number)],
			...(classic ? { growing: 0 } : {}),
		},
	]);
	const [ints, ...others] = groupWith(record, "main.loopOverInts").iterations ?? [];
	expect(others).toEqual([]);
	expect(ints).toMatchObject({
		...{ fn: "main.loopOverInts", map_type: "map[int]int", count: 1, entries: [209, 209] },
		slots: [expect.any(Number), expect.any(Number)],
	});
	// Go 1.21 begins to grow at 192 entries instead of 208, and may be done with 209.
	if (classic && !record.go_version.startsWith("go1.21")) {
		// The loop writes nothing: the growth that its 209th entry has begun stays as it is.
		expect(ints?.growing).toBe(1);
		expect(ints?.half_grown).toMatchObject([{ of: 32, written: false }]);
	}
	expect(groupWith(record, "main.afterLoop").iterations).toBeUndefined();
	expect(record.goroutines).toMatchObject({ iterating: 3, map_code: 0, map_growth: 0, torn: 0 });
}

const snapshotTest = testWith(missingForTracing());
const TIMEOUT = 120_000;

async function check(version: string, options: BuildOptions): Promise<void> {
	const { program, parked } = await park(buildProgram("parked", version, options));
	const record = await snapshot(program.pid);
	expect(record.type).toBe("snapshot");
	expect(record.pid).toBe(program.pid);
	expect(record.notes).toEqual([]);
	expect(compareWithDump(record, parked.stacks, isShown)).toBeGreaterThan(300);
	checkLocks(record, parked);
	checkMaps(record);
	expect(record.goroutines.total - record.goroutines.system).toBe(parked.goroutines);
	// The runtime of Go 1.15 now and then crashes when it prints a stack that goes through C, also when nobody looked before.
	if (version === "1.15" && options.cgo === true) return;
	// It was not stopped. Now it says everything, its runtime's frames and goroutines too.
	program.signal("SIGQUIT");
	expect((await program.finish()).code).toBe(2);
	const all = program.stderr.slice(program.stderr.search(/^goroutine \d+ /m)).split("\n\nrax")[0] ?? "";
	expect(parseDump(all)).toHaveLength(record.goroutines.total);
	expect(compareWithDump(record, all, () => true)).toBeGreaterThan(400);
}

describe("stacks are those of the program's own runtime", () => {
	for (const version of ["1.15", "1.19", "1.21", "1.23", "1.24", "1.25", "1.26", "1.27"]) {
		snapshotTest(`Go ${version}`, () => check(version, {}), TIMEOUT);
		snapshotTest(`Go ${version}, stripped`, () => check(version, { stripped: true }), TIMEOUT);
	}
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		snapshotTest(`Go ${version}, PIE, stripped`, () => check(version, { pie: true, stripped: true }), TIMEOUT);
	}
	const cgoTest = testWith(missingForTracing(), missingCommands("gcc"));
	for (const version of ["1.15", "1.19", "1.23", "1.24", "1.27"]) {
		cgoTest(
			`Go ${version}, PIE with cgo, stripped`,
			async () => {
				await check(version, { cgo: true, pie: true, stripped: true });
			},
			TIMEOUT,
		);
	}
	cgoTest(
		"in C, and called from C",
		async () => {
			const { program } = await park(buildProgram("parked", "1.27", { cgo: true }));
			const record = await snapshot(program.pid);
			const inC = groupWith(record, "main.inC");
			expect([inC.status, inC.stack[0]?.fn]).toEqual(["syscall", "runtime.cgocall"]);
			const called = groupWith(record, "main.goCallback").stack.map(({ fn }) => fn);
			expect(called).toContain("runtime.cgocallbackg");
			expect(called.slice(-3)).toEqual(["runtime.cgocall", "main._Cfunc_callBack", "main.throughC"]);
		},
		TIMEOUT,
	);
});

describe("stacks are those of Delve", () => {
	testWith(missingForTracing(), missingCommands("dlv"))(
		"Go 1.19",
		async () => {
			const { program } = await park(buildProgram("parked", "1.19"));
			const record = await snapshot(program.pid);
			const dlv = start(["dlv", "attach", String(program.pid), "--allow-non-terminal-interactive=true"], {
				stdin: "pipe",
			});
			dlv.writeLine("goroutines -t 60");
			dlv.writeLine("quit");
			// No, it is not to end the program.
			dlv.writeLine("n");
			dlv.closeInput();
			await dlv.finish(60_000);
			const seen = delveStacks(dlv.stdout);
			expect(seen.size).toBe(record.goroutines.total);
			let compared = 0;
			for (const [goid, stack] of seen) {
				const group = groupOf(record, goid);
				// Where the kernel interrupted it for Delve.
				if (group.status === "syscall" || goid === 1 || group.system === true) continue;
				// Delve takes the innermost frame's line from the return address, not from the call, and goes on to runtime.goexit.
				const own = group.stack.map(({ fn, line }, index) => (index === 0 ? fn : `${fn} ${line}`));
				const theirs = stack
					.map((frame, index) => (index === 0 ? frame.replace(/ \d+$/, "") : frame))
					.filter((frame) => !frame.startsWith("runtime.goexit "));
				expect({ goid, own: own.slice(0, theirs.length) }).toEqual({ goid, own: theirs });
				compared++;
			}
			expect(compared).toBeGreaterThan(28);
		},
		TIMEOUT,
	);
});

/** "main.receive 54" and so on by goroutine, from the output of `goroutines -t`. */
function delveStacks(output: string): Map<number, string[]> {
	const stacks = new Map<number, string[]>();
	let stack: string[] = [];
	const lines = output.split("\n");
	lines.forEach((line, index) => {
		const head = /^(?:\(dlv\) )?[ *]*Goroutine (\d+) - /.exec(line);
		if (head !== null) {
			stack = [];
			stacks.set(Number(head[1]), stack);
		}
		const frame = /^\s+\d+\s+0x[0-9a-f]+ in (\S+)/.exec(line);
		const place = /^\s+at .*:(\d+)$/.exec(lines[index + 1] ?? "");
		if (frame !== null && place !== null) stack.push(`${frame[1]} ${place[1]}`);
	});
	return stacks;
}

describe("several snapshots", () => {
	snapshotTest(
		"of a program at rest: all stay, and none runs",
		async () => {
			const { program } = await park(buildProgram("parked", "1.27", { stripped: true }));
			const records = await snapshots(program.pid, ["--count", "3", "--interval", "100ms"]);
			expect(records.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
			const [first, , last] = records;
			expect(first?.changes).toBeUndefined();
			// A timer may fire up to a millisecond early.
			expect((last?.elapsed_ns ?? 0) - (first?.elapsed_ns ?? 0)).toBeGreaterThanOrEqual(198e6);
			const own = last?.groups.filter(({ system }) => system !== true) ?? [];
			expect(own.map(({ stayed, idle }) => [stayed, idle])).toEqual(own.map(({ count }) => [count, count]));
			expect(last?.changes).toMatchObject({ started: 0, ended: 0 });
		},
		TIMEOUT,
	);

	snapshotTest(
		"end when the user or the program ends them, or nobody reads on, and show what was seen",
		async () => {
			const { program } = await park(buildProgram("parked", "1.23"));
			const text = startGomapgrow(["snapshot", "--count", "1000", "--interval", "20ms", String(program.pid)]);
			await Bun.sleep(1500);
			text.signal("SIGINT");
			expect(await text.finish()).toEqual({ code: 0, signal: undefined });
			expect(text.stdout).toMatch(/^parked\S* \d+ {2}go1\.23.* snapshot \d+ of 1000, /);

			const shell = start([
				"sh",
				"-c",
				`"$0" snapshot --json --count 1000000 --interval 10ms ${program.pid} | head -n 2`,
				GOMAPGROW,
			]);
			expect((await shell.finish()).code).toBe(0);
			expect(shell.stdout.trim().split("\n")).toHaveLength(2);

			const rest = startGomapgrow(["snapshot", "--count", "1000", "--interval", "20ms", String(program.pid)]);
			await Bun.sleep(1500);
			program.closeInput();
			expect((await rest.finish()).code).toBe(4);
			expect(rest.stderr).toStartWith("error[E-TARGET-GONE]: ");
			expect(rest.stdout).toContain("main.receive");
		},
		TIMEOUT,
	);
});
