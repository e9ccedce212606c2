/** The text of `snapshot`, exactly. */
import { describe, expect, test } from "bun:test";
import { stripVTControlCharacters } from "node:util";
import type { SnapshotGroup, SnapshotRecord } from "../../../src/snapshot/record.ts";
import { snapshotText } from "../../../src/snapshot/text.ts";
import { expectGolden } from "../report/golden.ts";

const frame = (fn: string, file: string, line: number) => ({ fn, file: `/src/shop/${file}`, line });
const park = [frame("runtime.gopark", "proc.go", 402), frame("runtime.chanrecv", "chan.go", 583)];
const main = frame("main.main", "main.go", 40);

const WORKERS: SnapshotGroup = {
	count: 4096,
	goids: Array.from({ length: 1000 }, (_, index) => 18 + index),
	status: "waiting",
	wait_reason: "chan receive",
	waiting_ns: 184_000_000_000,
	stack: [
		...park,
		frame("example.com/shop/pool.(*Pool).worker", "pool.go", 44),
		frame("main.main.func1", "main.go", 51),
	],
	stack_origin: "saved",
	created_by: main,
	start_fn: "main.main.func1",
	stayed: 4096,
	idle: 4096,
};

const RECORD: SnapshotRecord = {
	type: "snapshot",
	time: "2026-11-24T09:47:12.188923286Z",
	elapsed_ns: 812_000_000,
	sequence: 5,
	pid: 9777,
	name: "shopd",
	go_version: "go1.23.5",
	map_impl: "classic",
	duration_ns: 14_200_000,
	goroutines: {
		...{ total: 4117, running: 2, runnable: 1, waiting: 4112, syscall: 1, other: 1 },
		...{ system: 4, map_code: 3, map_growth: 1, iterating: 2, torn: 1 },
	},
	groups: [
		WORKERS,
		{
			count: 7,
			goids: [4120, 4121, 4122, 4125, 4130, 4132, 4133],
			status: "waiting",
			wait_reason: "sync.Mutex.Lock",
			stack: [...park, frame("main.(*sessionStore).open", "main.go", 48), frame("main.main.func2", "main.go", 154)],
			stack_origin: "saved",
			waits_for: ["0xc000064030"],
			created_by: main,
			start_fn: "main.main.func2",
			stayed: 3,
			idle: 1,
		},
		{
			count: 1,
			goids: [4119],
			status: "running",
			stack: [
				frame("runtime.memclrNoHeapPointers", "memclr_amd64.s", 93),
				frame("runtime.hashGrow", "map.go", 1139),
				frame("runtime.mapassign_faststr", "map_faststr.go", 296),
				frame("main.(*sessionStore).open", "main.go", 48),
				frame("main.main.func2", "main.go", 154),
			],
			stack_origin: "sample",
			map_work: { role: "growth", fn: "runtime.hashGrow", site: frame("main.(*sessionStore).open", "main.go", 48) },
			created_by: main,
			start_fn: "main.main.func2",
			stayed: 0,
			idle: 0,
		},
		{
			count: 2,
			goids: [4200, 4207],
			status: "preempted",
			stack: [frame("main.(*indexer).rebuild", "index.go", 111), frame("main.main.func3", "main.go", 160)],
			stack_origin: "saved",
			iterations: [
				{
					...{
						fn: "main.(*indexer).rebuild",
						map_type: "map[string]int",
						count: 2,
						entries: [120, 13_312],
						growing: 1,
					},
					slots: [256, 262_144],
					half_grown: [{ map: "0xc000010000", evacuated: 12, of: 16_384, written: false }],
				},
			],
			created_by: main,
			start_fn: "main.main.func3",
			stayed: 1,
			idle: 0,
		},
		{
			count: 1,
			goids: [1],
			status: "syscall",
			stack: [
				frame("syscall.Syscall", "asm.s", 18),
				...Array.from({ length: 30 }, () => frame("main.walk", "walk.go", 12)),
				...Array.from({ length: 22 }, (_, index) => frame(`main.step${index}`, "walk.go", 20 + index)),
				frame("runtime.main", "proc.go", 250),
			],
			stack_origin: "saved",
			start_fn: "runtime.main",
			stayed: 1,
			idle: 0,
		},
		{
			count: 1,
			goids: [5001],
			status: "running",
			stack: [],
			no_stack: "it moved whenever it was looked at",
			created_by: main,
			start_fn: "main.main.func4",
			stayed: 0,
			idle: 0,
		},
		{
			count: 3,
			goids: [2, 3, 4],
			status: "waiting",
			wait_reason: "GC worker (idle)",
			system: true,
			stack: [frame("runtime.gcBgMarkWorker", "mgc.go", 1412)],
			stack_origin: "saved",
			start_fn: "runtime.gcBgMarkWorker",
			stayed: 3,
			idle: 3,
		},
		{
			count: 1,
			goids: [5],
			status: "waiting",
			wait_reason: "GC sweep wait",
			system: true,
			stack: [frame("runtime.bgsweep", "mgcsweep.go", 278)],
			stack_origin: "saved",
			start_fn: "runtime.bgsweep",
			stayed: 1,
			idle: 1,
		},
	],
	locks: [
		{
			address: "0xc000064030",
			kind: "sync.Mutex",
			waiting: 7,
			waiting_goids: [4120, 4121, 4122, 4125, 4130, 4132, 4133],
			locked: true,
			starving: true,
			growers: [
				{
					...{ goid: 4119, growth_fn: "runtime.hashGrow", fn: "main.(*sessionStore).open" },
					...{ file: "/src/shop/main.go", line: 48, evidence: "object-address" },
					...{ object: "0xc000064000", lock_offset: 48 },
				},
			],
		},
		{
			address: "0x5d5b90",
			kind: "sync.RWMutex",
			...{ waiting: 4, waiting_goids: [19, 20, 21, 33], waiting_readers: 2 },
			...{ locked: false, readers: 1 },
		},
		{ address: "0x5d5b68", kind: "semaphore", of: "sync.(*WaitGroup).Wait", waiting: 1, waiting_goids: [23] },
	],
	changes: { stayed: 4100, moved: 15, started: 2, ended: 1 },
	retried: 6,
	notes: [],
};

describe("snapshot as text", () => {
	test("a busy service", async () => {
		await expectGolden("snapshot-service.txt", snapshotText(RECORD, 5, false));
	});

	test("colours change nothing else", () => {
		const colored = snapshotText(RECORD, 5, true);
		expect(colored).not.toBe(snapshotText(RECORD, 5, false));
		expect(stripVTControlCharacters(colored)).toBe(snapshotText(RECORD, 5, false));
	});

	test("one snapshot has nothing to compare with", () => {
		const { changes: _, ...record } = RECORD;
		const groups = RECORD.groups.map(({ stayed: _stayed, idle: _idle, ...group }) => group);
		const text = snapshotText({ ...record, sequence: 1, elapsed_ns: 0, groups }, 1, false);
		expect(text).not.toMatch(/stayed|snapshot|moved ·/);
		expect(text.split("\n")[0]).toBe("shopd 9777  go1.23.5 classic  09:47:12Z");
	});

	test("of very many different stacks those in map code are never left out", () => {
		const other = (index: number): SnapshotGroup => {
			return { ...WORKERS, count: 1, goids: [index], stack: [frame(`main.f${index}`, "f.go", index)] };
		};
		const groups = Array.from({ length: 100 }, (_, index) => other(index));
		const growing = RECORD.groups[2] as SnapshotGroup;
		const text = snapshotText({ ...RECORD, groups: [...groups, growing] }, 5, false);
		expect(text).toContain("growing a map: runtime.hashGrow");
		expect(text).toContain("main.f59");
		expect(text).not.toContain("main.f60");
		expect(text).toContain("40 goroutines at 40 other places: --json has them all");
	});
});
