/** Locks by the words that waiting goroutines leave, and who grows a map next to one. */
import { describe, expect, test } from "bun:test";
import type { Frame } from "../../../src/records/records.ts";
import { findUsers } from "../../../src/snapshot/growers.ts";
import { lockWaitOf, readLockStates, resolveSemaphores } from "../../../src/snapshot/locks.ts";
import { PretendedMemory } from "./pretended-process.ts";

const frames = (...names: string[]): Frame[] => names.map((fn) => ({ fn }));
const PARKED = ["runtime.gopark", "runtime.goparkunlock", "runtime.semacquire1"];

describe("the kind of lock", () => {
	test.each<[string, string[], object]>([
		[
			"a Mutex (1.15)",
			["sync.runtime_SemacquireMutex", "sync.(*Mutex).lockSlow", "sync.(*Mutex).Lock", "main.put"],
			{ kind: "sync.Mutex", wish: "lock", address: 0x1000 },
		],
		[
			"a Mutex (1.27)",
			[
				...["internal/sync.runtime_SemacquireMutex", "internal/sync.(*Mutex).lockSlow"],
				...["internal/sync.(*Mutex).Lock", "sync.(*Mutex).Lock", "main.put"],
			],
			{ kind: "sync.Mutex", wish: "lock", address: 0x1000 },
		],
		[
			"a writer behind another writer",
			[
				"sync.runtime_SemacquireMutex",
				"sync.(*Mutex).lockSlow",
				"sync.(*Mutex).Lock",
				"sync.(*RWMutex).Lock",
				"main.put",
			],
			{ kind: "sync.RWMutex", wish: "lock", address: 0x1000 },
		],
		[
			"a writer behind readers",
			["sync.runtime_SemacquireRWMutex", "sync.(*RWMutex).Lock", "main.put"],
			{ kind: "sync.RWMutex", wish: "lock", address: 0xffc },
		],
		[
			"a reader",
			["sync.runtime_SemacquireRWMutexR", "sync.(*RWMutex).RLock", "main.get"],
			{ kind: "sync.RWMutex", wish: "read-lock", address: 0xff8 },
		],
		[
			"a WaitGroup",
			["sync.runtime_SemacquireWaitGroup", "sync.(*WaitGroup).Wait", "main.wait"],
			{ kind: "semaphore", wish: "acquire", address: 0x1004, of: "sync.(*WaitGroup).Wait" },
		],
		[
			"something of the program's own that is called from under a lock's function",
			["sync.runtime_Semacquire", "main.own", "sync.(*Mutex).Lock"],
			{ kind: "semaphore", wish: "acquire", address: 0x1004, of: "main.own" },
		],
		["the runtime", ["runtime.semacquire", "runtime.gcStart"], { kind: "semaphore", of: "runtime.gcStart" }],
	])("%s", (_what, names, expected) => {
		expect(lockWaitOf(frames(...PARKED, ...names), 0x1004)).toMatchObject(expected);
	});
});

describe("the semaphore", () => {
	test("is what the goroutine's own sudog says", () => {
		const memory = new PretendedMemory();
		const layout = { g: 0, elem: 24 };
		memory.words(0xc000001000, 0xc000aaa000, 0, 0, 0x1004);
		memory.words(0xc000002000, 0xc000bbb000, 0, 0, 0x2004);
		memory.words(0xc000003000, 0xc000ccc000, 0, 0, 0);
		const of = (goroutine: number, ...words: number[]) => ({ goroutine, words });
		expect(
			resolveSemaphores(memory, layout, [
				of(0xc000aaa000, 0xc000002000, 0x4000, 0xc000001000),
				of(0xc000bbb000, 0xc000001000),
				of(0xc000ccc000, 0xc000003000),
				of(0xc000bbb000, 0xc000002000),
			]),
		).toEqual([0x1004, undefined, undefined, 0x2004]);
	});
});

describe("the state of a lock", () => {
	const state = (kind: "sync.Mutex" | "sync.RWMutex" | "semaphore", ...words: number[]) => {
		const memory = new PretendedMemory();
		const bytes = new Uint8Array(Int32Array.from([...words, 0, 0, 0, 0, 0, 0]).buffer).slice(0, 24);
		memory.put(0x5000, bytes);
		return readLockStates(memory, [{ kind, address: 0x5000 }])[0];
	};

	test("sync/mutex.go: locked is bit 0, starving bit 2, the number of waiting ones above", () => {
		expect(state("sync.Mutex", 0)).toEqual({ locked: false, starving: false });
		expect(state("sync.Mutex", 1 | (3 << 3))).toEqual({ locked: true, starving: false });
		expect(state("sync.Mutex", 1 | 4 | (3 << 3))).toEqual({ locked: true, starving: true });
	});

	test("sync/rwmutex.go: readers, and a writer that waits or has it", () => {
		const rw = (mutex: number, readerCount: number, readerWait: number) =>
			state("sync.RWMutex", mutex, 0, 0, 0, readerCount, readerWait);
		expect(rw(0, 3, 0)).toEqual({ locked: false, readers: 3 });
		// Three read, a writer waits for them, two new readers wait for that.
		expect(rw(1, 5 - (1 << 30), 3)).toEqual({ locked: false, readers: 3 });
		expect(rw(1, 2 - (1 << 30), 0)).toEqual({ locked: true, readers: 0 });
	});

	test("nothing is said of what cannot be read", () => {
		expect(state("semaphore", 1)).toEqual({});
		expect(readLockStates(new PretendedMemory(), [{ kind: "sync.Mutex", address: 8 }])).toEqual([{}]);
	});
});

describe("a goroutine that grows a map", () => {
	const shape = {
		frames: frames("runtime.hashGrow", "runtime.mapassign_fast64", "main.inlined", "main.put", "main.work"),
		starts: [0, 1, 2, 4],
		functions: ["runtime.hashGrow", "runtime.mapassign_fast64", "main.put", "main.work"],
		end: "bottom" as const,
		work: { role: "growth" as const, fn: "runtime.hashGrow", site: undefined },
	};
	const growing = (...pointers: { frame: number; words: number[] }[]) => [{ goid: 7, shape, pointers }];
	const waiting = [[{ frame: 5, words: [0xc000000f00, 0xc0000f0000] }]];
	const LOCK = 0xc000001000;

	test("has the lock's address", () => {
		expect(
			findUsers(LOCK, waiting, growing({ frame: 3, words: [1, 0xc000000f00] }, { frame: 2, words: [LOCK] })),
		).toEqual([
			expect.objectContaining({
				user: expect.objectContaining({ goid: 7 }),
				frame: { fn: "main.inlined" },
				evidence: "lock-address",
			}),
		]);
	});

	test("works with the object from which those who wait reach the lock", () => {
		expect(findUsers(LOCK, waiting, growing({ frame: 3, words: [0xc000000f00] }))).toEqual([
			{
				...{ user: expect.objectContaining({ goid: 7 }), frame: { fn: "main.work" } },
				...{ evidence: "object-address", object: 0xc000000f00 },
			},
		]);
	});

	test("has nothing to do with the lock", () => {
		// Far below, above, and near but unknown to those who wait.
		for (const words of [[0xc0000f0000], [0xc000000000], [0xc000001008], [0xc000000f08]]) {
			expect(findUsers(LOCK, waiting, growing({ frame: 3, words }))).toEqual([]);
		}
	});
});
