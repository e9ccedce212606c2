import { describe, expect, test } from "bun:test";
import { findReturns } from "../../../../src/isa/arm64/returns.ts";

const NOP = 0xd503201f;
const RET = 0xd65f03c0;
const UNDEF = 0xbea71700;
const BL = 0x94000010; // somewhere else
const b = (count: number): number => (0x14000000 | (count & 0x3ffffff)) >>> 0;
const cbz = (count: number): number => (0xb4000000 | ((count & 0x7ffff) << 5)) >>> 0;

function returns(...words: number[]): number[] | string {
	return findReturns(new Uint8Array(Uint32Array.from(words).buffer));
}

describe("findReturns", () => {
	test("all returns, ascending, loops and calls passed", () => {
		expect(returns(cbz(4), BL, cbz(-1), RET, NOP, cbz(-5), RET)).toEqual([12, 24]);
	});

	test("a literal that looks like a return, jumped over or behind the end", () => {
		expect(returns(b(2), RET, NOP, RET)).toEqual([12]);
		expect(returns(NOP, RET, RET)).toEqual([4]);
	});

	test("code behind a call that does not come back", () => {
		expect(returns(cbz(3), BL, UNDEF, RET, 0x00000000)).toEqual([12]);
	});

	test("what hides a way out", () => {
		expect(returns(NOP, b(4), RET)).toMatch(/another function from \+0x4$/);
		expect(returns(NOP, b(-4), RET)).toMatch(/another function from \+0x4$/);
		expect(returns(cbz(2), RET, 0xd61f0040)).toMatch(/address from a register at \+0x8$/);
		expect(returns(cbz(2), RET, 0xd65f0bff)).toMatch(/authenticated return at \+0x8$/);
		expect(returns(cbz(2), RET, NOP)).toMatch(/\+0xc is no known instruction$/);
		expect(returns(b(0))).toBe("it never returns");
		expect(returns()).toMatch(/\+0x0 is no known instruction$/);
	});
});
