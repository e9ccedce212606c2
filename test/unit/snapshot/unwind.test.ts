/** The walk of a stack, by frame sizes alone. */
import { describe, expect, test } from "bun:test";
import { type StackCode, walkStack } from "../../../src/snapshot/unwind.ts";
import { setWord } from "./pretended-process.ts";

/** Functions of 0x100 bytes each: the entry, the name, the size of the frame. */
const FUNCTIONS = [
	{ entry: 0x1000, fn: "main.inner", frameSize: 24 },
	{ entry: 0x1100, fn: "main.outer", frameSize: 0 },
	{ entry: 0x1200, fn: "runtime.asyncPreempt", frameSize: 16 },
	{ entry: 0x1300, fn: "runtime.goexit", frameSize: 0 },
	{ entry: 0x1400, fn: "main.without", frameSize: undefined },
];

const CODE: StackCode = {
	pointAt: (pc, exact) => {
		const found = FUNCTIONS.find(({ entry }) => pc >= entry && pc < entry + 0x100);
		if (found === undefined) return undefined;
		return { at: exact || pc === found.entry ? pc : pc - 1, frameSize: found.frameSize, fn: found.fn };
	},
};
const BASE = 0xc000010000;

function copy(...words: number[]): { address: number; bytes: Uint8Array } {
	const bytes = new Uint8Array(words.length * 8);
	for (const [index, word] of words.entries()) setWord(bytes, index * 8, word);
	return { address: BASE, bytes };
}

const walk = (stack: ReturnType<typeof copy>, pc: number, limit = 100, exact = false) =>
	walkStack(CODE, stack, { pc, sp: BASE, exact }, limit);

describe("a walk", () => {
	test("goes from return address to return address", () => {
		const found = walk(copy(1, 2, 3, 0x1180, 0x1301), 0x1080);
		expect(found).toEqual({
			end: "bottom",
			frames: [
				{ pc: 0x107f, sp: BASE, end: BASE + 24 },
				{ pc: 0x117f, sp: BASE + 32, end: BASE + 32 },
			],
		});
	});

	test("takes registers as they are, and a function's entry too", () => {
		expect(walk(copy(1, 2, 3, 0x1301), 0x1080, 100, true).frames[0]?.pc).toBe(0x1080);
		expect(walk(copy(0x1301), 0x1100).frames[0]?.pc).toBe(0x1100);
	});

	test("does not step back from where a signal interrupted", () => {
		expect(walk(copy(1, 2, 0x1050, 1, 2, 3, 0x1301), 0x1280).frames.map(({ pc }) => pc)).toEqual([0x127f, 0x1050]);
	});

	test("says where the copy ends", () => {
		const found = walk(copy(1, 2, 3, 0x1180), 0x1080);
		expect([found.end, found.next]).toEqual(["deep", { pc: 0x1180, sp: BASE + 32 }]);
		expect(walk(copy(1), 0x1080)).toMatchObject({ end: "deep", frames: [], next: { pc: 0x1080, sp: BASE } });
	});

	test("has a limit", () => {
		const found = walk(copy(...Array.from({ length: 50 }, () => 0x1180)), 0x1180, 10);
		expect([found.end, found.frames.length, found.next]).toEqual(["deep", 10, undefined]);
	});

	test("breaks off at what is no code, and at code without a frame size", () => {
		expect(walk(copy(1, 2, 3, 0x9999, 0), 0x1080)).toMatchObject({ end: "broken", frames: [{ pc: 0x107f }] });
		expect(walk(copy(1, 2, 3, 0x1410, 0), 0x1080).end).toBe("broken");
		expect(walk(copy(0), 0x9999)).toEqual({ end: "broken", frames: [] });
	});
});
