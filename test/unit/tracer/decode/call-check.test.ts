/** Which calls a return address of arm64 can come from: encodings of the ARM Architecture Reference Manual (C6.2, BL and BLR). */
import { describe, expect, test } from "bun:test";
import { mayCall } from "../../../../src/tracer/decode/call-check.ts";

const CALLER = { name: "main.caller", entry: 0x10000, end: 0x10100 };
const BEFORE = { name: "main.before", entry: 0x8000, end: 0x8100 };
const BEHIND = { name: "main.behind", entry: 0x20000, end: 0x20100 };
const FUNCTIONS = [BEFORE, CALLER, BEHIND];

/** A caller with this instruction at 0x10010. */
function withInstruction(word: number) {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, word, true);
	return {
		functionAt: (vaddr: number) => FUNCTIONS.find(({ entry, end }) => vaddr >= entry && vaddr < end),
		bytesAt: () => bytes,
	};
}

/** (0x20000 - 0x10010) / 4, and (0x8000 - 0x10010) / 4 in 26 bits. */
const BL_BEHIND = 0x94000000 | 0x3ffc;
const BL_BEFORE = 0x94000000 | (-0x2004 & 0x3ffffff);

describe("a return address behind", () => {
	test.each([
		["a call of the function that the frame inside is in", BL_BEHIND, 0x20040, true],
		["a call backwards", BL_BEFORE, 0x8004, true],
		["a call of another function", BL_BEHIND, 0x8004, false],
		["a call of nothing that is known", BL_BEHIND, 0x30000, false],
		["an indirect call: blr x3", 0xd63f0060, 0x8004, true],
		["a branch that is no call: br x3", 0xd61f0060, 0x8004, false],
		["no branch: nop", 0xd503201f, 0x8004, false],
	])("%s", (_, word, callee, expected) => {
		expect(mayCall(withInstruction(word), 0x10014, callee)).toBe(expected);
	});

	test("no code, or no instruction", () => {
		expect(mayCall(withInstruction(BL_BEHIND), 0x30014, 0x20040)).toBe(false);
		expect(mayCall(withInstruction(BL_BEHIND), 0x10016, 0x20040)).toBe(false);
	});
});
