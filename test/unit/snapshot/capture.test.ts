/** Goroutines read while they move: what stands still is shown, what does not is read again, and what never does is said to be torn. */
import { describe, expect, test } from "bun:test";
import { type Capture, captureGoroutines } from "../../../src/snapshot/capture.ts";
import { decodeGoroutine } from "../../../src/snapshot/goroutine-state.ts";
import { ProgramCode } from "../../../src/snapshot/program-code.ts";
import { StackShapes } from "../../../src/snapshot/stack-shapes.ts";
import { thrownBy } from "../../support/thrown.ts";
import { BIAS, BINARY, LAYOUT, PretendedMemory, PretendedProcess, placeIn, setWord } from "./pretended-process.ts";

const WAITING = 4;
const RUNNING = 2;
const DEAD = 6;
const FUNCTIONS = ["main.small", "main.main", "runtime.main"];

function capture({ memory }: { memory: PretendedMemory }): Capture {
	const code = new ProgramCode(BINARY, BIAS);
	const shapes = new StackShapes(code);
	return captureGoroutines({ memory, code, shapes, layout: LAYOUT, allgs: (BINARY.allgs ?? 0) + BIAS });
}

const names = (found: Capture, index = 0): string[] | undefined =>
	found.goroutines[index]?.stack?.shape.frames.filter(({ inlined }) => inlined !== true).map(({ fn }) => fn);

describe("at rest", () => {
	test("a stack, down to its bottom", () => {
		const process = new PretendedProcess();
		process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		const found = capture(process);
		expect(names(found)).toEqual(FUNCTIONS);
		expect(found.goroutines[0]?.stack?.shape.end).toBe("bottom");
		expect(found).toMatchObject({ leftOut: 0, implausible: 0, retried: 0 });
	});

	test("dead ones are not there, and equal stacks are one", () => {
		const process = new PretendedProcess();
		process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		process.add({ goid: 2, status: DEAD, functions: FUNCTIONS });
		process.add({ goid: 3, status: WAITING, functions: FUNCTIONS });
		const found = capture(process);
		expect(found.goroutines.map(({ state }) => state.goid)).toEqual([1, 3]);
		expect(found.goroutines[0]?.stack?.shape).toBe(found.goroutines[1]?.stack?.shape as never);
	});

	test("one that the garbage collector looks at, and one that has not run yet", () => {
		const process = new PretendedProcess();
		const scanned = process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		scanned.bytes[LAYOUT.atomicstatus + 1] = 0x10;
		const fresh = process.add({ goid: 2, status: 1, functions: ["main.small"] });
		const fn = BINARY.functionsByName(["main.small"]).get("main.small");
		setWord(fresh.bytes, LAYOUT.schedPc, (fn?.entry ?? 0) + BIAS);
		setWord(fresh.bytes, LAYOUT.schedSp, fresh.sp + placeIn("main.small").frameSize);
		const found = capture(process);
		expect(found.goroutines[0]?.state.status).toBe("waiting");
		expect([names(found, 1), found.goroutines[1]?.stack?.shape.end]).toEqual([["main.small"], "bottom"]);
		// The first line of the function, not the last one of that before.
		expect(found.goroutines[1]?.stack?.shape.frames[0]?.line).toBe(fn?.line as number);
	});

	test("in a system call it is where it entered that", () => {
		const process = new PretendedProcess();
		const { bytes, sp } = process.add({ goid: 1, status: 3, functions: FUNCTIONS });
		setWord(bytes, LAYOUT.syscallsp, sp);
		setWord(bytes, LAYOUT.syscallpc, placeIn("main.small").pc);
		setWord(bytes, LAYOUT.schedSp, 0);
		expect(names(capture(process))).toEqual(FUNCTIONS);
	});

	test("one that runs has no stack, unless its thread is on the system stack", () => {
		const process = new PretendedProcess();
		const own = process.add({ goid: 1, status: RUNNING, functions: FUNCTIONS });
		setWord(own.bytes, LAYOUT.schedSp, 0);
		process.add({ goid: 2, status: RUNNING, functions: ["runtime.systemstack_switch", ...FUNCTIONS] });
		const stale = process.add({ goid: 3, status: RUNNING, functions: FUNCTIONS });
		expect(stale.sp).toBeGreaterThan(0);
		const found = capture(process);
		expect(found.goroutines.map(({ stack, torn }) => [stack?.origin, torn])).toEqual([
			[undefined, undefined],
			["system-stack", undefined],
			[undefined, undefined],
		]);
	});
});

describe("moving", () => {
	/** Reads: 1 and 2 the list, then per look fields, stacks, fields. */
	const SECOND_LOOK_AT_FIELDS = 5;

	test("one that ran between the two looks at its fields is read again", () => {
		const process = new PretendedProcess();
		const { bytes } = process.add({ goid: 1, status: WAITING, functions: FUNCTIONS, runs: 7 });
		process.memory.beforeRead = (number) => {
			if (number === SECOND_LOOK_AT_FIELDS) bytes[LAYOUT.trackingSeq ?? 0] = 8;
		};
		const found = capture(process);
		expect([found.retried, found.goroutines[0]?.torn, names(found)]).toEqual([1, undefined, FUNCTIONS]);
	});

	test("one that never stands still is torn, and has no stack", () => {
		const process = new PretendedProcess();
		const { bytes } = process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		process.memory.beforeRead = (number) => {
			bytes[LAYOUT.trackingSeq ?? 0] = number;
		};
		const found = capture(process);
		expect(found.goroutines).toHaveLength(1);
		expect([found.retried, found.goroutines[0]?.torn, found.goroutines[0]?.stack]).toEqual([3, true, undefined]);
	});

	test("a stack that is written to while it is read does not lead to its bottom: it is read again", () => {
		const process = new PretendedProcess();
		const { stack } = process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		const whole = stack.slice();
		process.memory.beforeRead = (number) => {
			if (number === 4) stack.fill(0x41);
			if (number === SECOND_LOOK_AT_FIELDS) stack.set(whole);
		};
		const found = capture(process);
		expect([found.retried, found.goroutines[0]?.stack?.shape.end, names(found)]).toEqual([1, "bottom", FUNCTIONS]);
	});

	test("one that is woken up stands still as long as it has not run", () => {
		const process = new PretendedProcess();
		const { bytes } = process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		process.memory.beforeRead = (number) => {
			if (number === SECOND_LOOK_AT_FIELDS) bytes[LAYOUT.atomicstatus] = 1;
		};
		const found = capture(process);
		expect([found.retried, found.goroutines[0]?.state.status, names(found)]).toEqual([0, "waiting", FUNCTIONS]);
	});

	test("one that ends meanwhile is not there", () => {
		const process = new PretendedProcess();
		process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		const { bytes } = process.add({ goid: 2, status: WAITING, functions: FUNCTIONS });
		process.memory.beforeRead = (number) => {
			if (number === SECOND_LOOK_AT_FIELDS) bytes[LAYOUT.atomicstatus] = DEAD;
		};
		expect(capture(process).goroutines.map(({ state }) => state.goid)).toEqual([1]);
	});

	test("a list that moves while it is read is read again", () => {
		const process = new PretendedProcess();
		process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		process.memory.beforeRead = (number) => setWord(process.slice, 0, number === 2 ? 0xc000500000 : 0xc000400000);
		expect(capture(process).goroutines).toHaveLength(1);
		expect(process.memory.reads).toBe(7);
	});
});

describe("hostile memory", () => {
	test("a stack that makes no sense ends where it stops to", () => {
		const process = new PretendedProcess();
		const { stack, sp } = process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		setWord(stack, sp - 0xc000200000 + placeIn("main.small").frameSize, 0x4141414141);
		const found = capture(process);
		expect([names(found), found.goroutines[0]?.stack?.shape.end]).toEqual([["main.small"], "broken"]);
	});

	test("a stack that is not mapped, and a place outside it", () => {
		const process = new PretendedProcess();
		const first = process.add({ goid: 1, status: WAITING, functions: FUNCTIONS });
		setWord(first.bytes, LAYOUT.stackLo, 0x7f0000000000);
		setWord(first.bytes, LAYOUT.stackHi, 0x7f0000002000);
		setWord(first.bytes, LAYOUT.schedSp, 0x7f0000001000);
		const second = process.add({ goid: 2, status: WAITING, functions: FUNCTIONS });
		setWord(second.bytes, LAYOUT.schedSp, 0x1000);
		expect(capture(process).goroutines.map(({ stack, torn }) => [stack, torn])).toEqual([
			[undefined, undefined],
			[undefined, undefined],
		]);
	});

	test.each([
		["no memory at all", (memory: PretendedMemory) => memory.put((BINARY.allgs ?? 0) + BIAS, new Uint8Array(0))],
		["an empty list", (memory: PretendedMemory) => memory.words((BINARY.allgs ?? 0) + BIAS, 0, 0, 0)],
		["a length over the capacity", (memory: PretendedMemory) => memory.words((BINARY.allgs ?? 0) + BIAS, 4096, 9, 8)],
		["an endless list", (memory: PretendedMemory) => memory.words((BINARY.allgs ?? 0) + BIAS, 4096, 2 ** 50, 2 ** 50)],
		["a list that is not mapped", (memory: PretendedMemory) => memory.words((BINARY.allgs ?? 0) + BIAS, 4096, 8, 8)],
		[
			"a list of nothing",
			(memory: PretendedMemory) => {
				memory.words((BINARY.allgs ?? 0) + BIAS, 0xc000400000, 8, 8);
				memory.put(0xc000400000, new Uint8Array(64));
			},
		],
	])("%s is no list of goroutines", (_what, prepare) => {
		const memory = new PretendedMemory();
		prepare(memory);
		expect(thrownBy(() => capture({ memory })).code).toBe("E-BIN-MALFORMED");
	});

	test("no noise is taken for a goroutine's fields", () => {
		let taken = 0;
		for (let round = 0; round < 2000; round++) {
			const bytes = new Uint8Array(512).map((_, index) => ((index + 1) * (round + 7) * 2_654_435_761) >>> 24);
			const decoded = decodeGoroutine(bytes, LAYOUT, 0xc000100000);
			if (decoded !== undefined && decoded !== "none") taken++;
		}
		expect(taken).toBe(0);
	});
});
