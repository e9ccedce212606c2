/** What several snapshots say of one process: who stays, who has run, who is new. */
import { describe, expect, test } from "bun:test";
import { GomapgrowError } from "../../../src/errors/error.ts";
import type { SnapshotRecord } from "../../../src/snapshot/record.ts";
import type { ThreadPlace, ThreadReader } from "../../../src/snapshot/running.ts";
import { Snapshots } from "../../../src/snapshot/snapshots.ts";
import { Prng } from "../../support/prng.ts";
import { thrownBy } from "../../support/thrown.ts";
import { BIAS, BINARY, LAYOUT, PretendedProcess, placeIn, setWord } from "./pretended-process.ts";

const WAITING = 4;
const RUNNING = 2;
const NO_THREADS: ThreadReader = { places: () => new Map(), isStill: () => false };
const CHAN_RECEIVE = BINARY.waitReasons?.indexOf("chan receive") ?? -1;
const STACK = ["main.small", "main.main", "runtime.main"];

function snapshots(process: PretendedProcess, threads: ThreadReader = NO_THREADS): () => SnapshotRecord {
	const taken = new Snapshots({ memory: process.memory, threads }, BINARY, BIAS, { pid: 7, name: "shop\u001b[2Jd" });
	let ns = 1_000_000_000;
	return () => {
		ns += 200_000_000;
		return taken.take(
			() => ({ time: "2026-11-24T08:00:00.000000000Z", elapsedNs: ns - 1_200_000_000, monotonicNs: ns }),
			() => 1234,
		);
	};
}

describe("one snapshot", () => {
	test("has groups, counts and words for what is waited for", () => {
		const process = new PretendedProcess();
		for (const goid of [9, 3, 5]) {
			const { bytes } = process.add({ goid, status: WAITING, functions: STACK, waitReason: CHAN_RECEIVE });
			if (goid === 5) setWord(bytes, LAYOUT.waitsince, 700_000_000);
		}
		process.add({ goid: 1, status: 1, functions: STACK });
		process.add({ goid: 2, status: WAITING, functions: ["runtime.bgsweep"], waitReason: CHAN_RECEIVE });
		const record = snapshots(process)();
		expect(record).toMatchObject({
			...{ type: "snapshot", sequence: 1, pid: 7, name: "shop\\x1b[2Jd", map_impl: "swiss", duration_ns: 1234 },
			goroutines: { total: 5, running: 0, runnable: 1, waiting: 4, syscall: 0, other: 0, system: 1, torn: 0 },
			...{ notes: [], locks: [], retried: 0 },
		});
		expect(record.changes).toBeUndefined();
		const [first, second, third] = record.groups;
		expect(first).toMatchObject({ count: 3, goids: [3, 5, 9], status: "waiting", wait_reason: "chan receive" });
		expect(first?.waiting_ns).toBe(1_200_000_000 - 700_000_000);
		expect(first?.stack.filter(({ inlined }) => inlined !== true).map(({ fn }) => fn)).toEqual(STACK);
		expect([first?.start_fn, first?.created_by?.fn, first?.system]).toEqual(["runtime.main", "main.main", undefined]);
		expect([second?.goids, second?.status, second?.wait_reason]).toEqual([[1], "runnable", undefined]);
		// The first goroutine was made by nobody's go statement.
		expect(second?.created_by).toBeUndefined();
		expect([third?.goids, third?.system]).toEqual([[2], true]);
	});

	test("sees map code, and the place that uses the map", () => {
		const process = new PretendedProcess();
		const grow = "internal/runtime/maps.(*table).grow";
		process.add({ goid: 1, status: 1, functions: [grow, "runtime.mapassign_faststr", ...STACK] });
		const record = snapshots(process)();
		expect(record.goroutines).toMatchObject({ map_code: 1, map_growth: 1 });
		expect(record.groups[0]?.map_work).toMatchObject({ role: "growth", fn: grow, site: { fn: "main.small" } });
	});
});

describe("two snapshots", () => {
	test("tell who stayed, who ran in between, who went elsewhere, who came and who ended", () => {
		const process = new PretendedProcess();
		const add = (goid: number) => process.add({ goid, status: WAITING, functions: STACK, waitReason: CHAN_RECEIVE });
		const [idle, ran, moved, ended] = [1, 2, 3, 4].map(add);
		const take = snapshots(process);
		take();
		if (idle === undefined || ran === undefined || moved === undefined || ended === undefined) throw new Error();
		ran.bytes[LAYOUT.trackingSeq ?? 0] = 1;
		setWord(moved.bytes, LAYOUT.schedPc, placeIn("main.small").pc + 1);
		ended.bytes[LAYOUT.atomicstatus] = 6;
		add(5);
		const second = take();
		expect(second.changes).toEqual({ stayed: 2, moved: 1, started: 1, ended: 1 });
		const group = second.groups.find(({ goids }) => goids.includes(1));
		expect([group?.goids, group?.stayed, group?.idle]).toEqual([[1, 2, 5], 2, 1]);
		const third = take();
		expect(third.changes).toEqual({ stayed: 4, moved: 0, started: 0, ended: 0 });
		const again = third.groups.find(({ goids }) => goids.includes(1));
		// Number 5 was not there in the first.
		expect([again?.stayed, again?.idle]).toEqual([2, 1]);
		expect(third.groups.find(({ goids }) => goids.includes(3))?.stayed).toBe(0);
	});
});

describe("goroutines that run", () => {
	const M = 0xc000600000;
	const TID = 4711;

	/** A goroutine that runs, and the thread's runtime.m that says so. */
	function running() {
		const process = new PretendedProcess();
		const goroutine = process.add({ goid: 1, status: RUNNING, functions: STACK });
		setWord(goroutine.bytes, LAYOUT.schedSp, 0);
		setWord(goroutine.bytes, LAYOUT.m, M);
		const machine = process.memory.put(M, new Uint8Array(1024));
		setWord(machine, BINARY.layouts.m?.procid ?? 0, TID);
		setWord(machine, BINARY.layouts.m?.curg ?? 0, goroutine.address);
		return { process, goroutine, machine };
	}

	function threads(place: ThreadPlace | string, still = true): ThreadReader {
		return {
			places: (tids) => new Map(tids.map((tid) => [tid, tid === TID ? place : "another"])),
			isStill: () => still,
		};
	}

	test("have the stack that was sampled with their registers", () => {
		const { process, goroutine } = running();
		const stack = goroutine.stack.slice(goroutine.sp - 0xc000200000);
		goroutine.stack.fill(0);
		const place: ThreadPlace = { pc: placeIn("main.small").pc, sp: goroutine.sp, origin: "sample", stack };
		const [group] = snapshots(process, threads(place))().groups;
		expect([group?.status, group?.stack_origin]).toEqual(["running", "sample"]);
		expect(group?.stack.filter(({ inlined }) => inlined !== true).map(({ fn }) => fn)).toEqual(STACK);
	});

	test("whose thread sleeps in the kernel have the stack in memory, if it still sleeps", () => {
		const { process, goroutine } = running();
		const place: ThreadPlace = { pc: placeIn("main.small").pc, sp: goroutine.sp, origin: "kernel" };
		const [group] = snapshots(process, threads(place))().groups;
		expect([group?.stack_origin, group?.stack.at(-1)?.fn]).toEqual(["kernel", "runtime.main"]);
		const [lost] = snapshots(process, threads(place, false))().groups;
		expect([lost?.stack, lost?.no_stack]).toEqual([[], "it has left its thread meanwhile"]);
	});

	test("have none when the thread is on another stack, runs another goroutine, or cannot be asked", () => {
		const { process, goroutine, machine } = running();
		const elsewhere: ThreadPlace = { pc: placeIn("main.small").pc, sp: 0x7f0000000000, origin: "kernel" };
		const reason = (reader: ThreadReader) => snapshots(process, reader)().groups[0]?.no_stack;
		expect(reason(threads(elsewhere))).toBe("its thread is on the runtime's own stack");
		expect(reason(threads("it got no processor"))).toBe("it got no processor");
		expect(reason(threads({ ...elsewhere, sp: goroutine.sp, pc: 0x10 }))).toBe("its registers are outside Go code");
		setWord(machine, BINARY.layouts.m?.curg ?? 0, 0xc000777000);
		expect(reason(threads({ ...elsewhere, sp: goroutine.sp }))).toBe("it has left its thread meanwhile");
	});

	test("that have come to rest meanwhile are where they rest", () => {
		const { process, goroutine } = running();
		const reader = threads("never asked");
		// Read 6 is the second look: it waits now.
		process.memory.beforeRead = (number) => {
			if (number !== 6) return;
			goroutine.bytes[LAYOUT.atomicstatus] = WAITING;
			setWord(goroutine.bytes, LAYOUT.schedSp, goroutine.sp);
		};
		const [group] = snapshots(process, reader)().groups;
		expect([group?.status, group?.stack_origin, group?.stack.at(-1)?.fn]).toEqual(["waiting", "saved", "runtime.main"]);
	});
});

describe("a program that cannot be read", () => {
	const open = (changed: object) => {
		const binary = Object.create(BINARY, Object.getOwnPropertyDescriptors(changed));
		return thrownBy(
			() =>
				new Snapshots({ memory: new PretendedProcess().memory, threads: NO_THREADS }, binary, 0, { pid: 1, name: "" }),
		);
	};

	test("has another machine's code, unknown layouts, or no list of goroutines", () => {
		const same = { version: BINARY.version, layouts: BINARY.layouts, allgs: BINARY.allgs, arch: "amd64" };
		expect(open({ ...same, arch: "arm64" }).code).toBe("E-BIN-ARCH");
		expect(open({ ...same, layouts: {} }).code).toBe("E-BIN-GO-NEW");
		expect(open({ ...same, allgs: undefined }).code).toBe("E-BIN-MALFORMED");
	});
});

describe("memory that makes no sense", () => {
	test("is shown as far as it does, or refused with an error of ours", () => {
		const random = new Prng(20261124);
		const outcomes = { records: 0, refused: 0, broken: 0 };
		for (let round = 0; round < 400; round++) {
			const process = new PretendedProcess();
			for (let goid = 1; goid <= 6; goid++) {
				const status = [WAITING, 1, 3, 9, RUNNING, 8][goid % 6] ?? WAITING;
				const { bytes, sp } = process.add({
					goid,
					status,
					functions: ["runtime.semacquire1", ...STACK],
					waitReason: goid,
				});
				setWord(bytes, LAYOUT.syscallsp, status === 3 ? sp : 0);
				setWord(bytes, LAYOUT.syscallpc, placeIn("main.small").pc);
			}
			const places = process.goroutines.flatMap(({ bytes, stack }) => [bytes, stack.subarray(stack.length - 1024)]);
			for (let change = 0; change < 1 + (round % 40); change++) {
				const bytes = random.chance(0.005) ? process.slice : random.pick(places);
				const at = random.below(bytes.length / 8) * 8;
				// A word that means something elsewhere, or none at all.
				const words = [
					0,
					1,
					2 ** 48 - 8,
					0xc000200000 + random.below(0xc000),
					placeIn("main.main").pc,
					BIAS + random.below(2 ** 24),
				];
				if (random.below(2) === 0) setWord(bytes, at, words[random.below(words.length)] ?? 0);
				else bytes[at + random.below(8)] = random.below(256);
			}
			try {
				const record = snapshots(process)();
				outcomes.records++;
				outcomes.broken += record.groups.filter(({ stack_broken }) => stack_broken === true).length;
				expect(JSON.stringify(record).length).toBeLessThan(1 << 20);
			} catch (error) {
				expect(error).toBeInstanceOf(GomapgrowError);
				outcomes.refused++;
			}
		}
		expect(outcomes.records).toBeGreaterThan(300);
		expect(outcomes.broken).toBeGreaterThan(50);
	});
});
