/** Every form of stack check that the Go compiler emits on x86-64, and things that only look like one. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findStackCheck } from "../../../../src/isa/amd64/stack-check.ts";

function code(hex: string): Uint8Array {
	return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

/** Bytes as `go tool objdump` shows them for the functions named. */
const FORMS: [name: string, hex: string, size: number, expected: ReturnType<typeof findStackCheck>][] = [
	[
		"growWork (1.19): cmp rsp,[r14+16]; jbe rel8",
		"49 3b 66 10 76 5f",
		0x99,
		{ branchOffset: 4, branchLength: 2, target: 0x65, gRegister: "r14" },
	],
	[
		"hashGrow (1.23): cmp rsp,[r14+16]; jbe rel32",
		"49 3b 66 10 0f 86 c2 01 00 00",
		0x1ea,
		{ branchOffset: 4, branchLength: 6, target: 0x1cc, gRegister: "r14" },
	],
	[
		"evacuate (1.23): lea r12,[rsp-48]; cmp r12,[r14+16]; jbe rel32",
		"4c 8d 64 24 d0 4d 3b 66 10 0f 86 4d 05 00 00",
		0x585,
		{ branchOffset: 9, branchLength: 6, target: 0x55c, gRegister: "r14" },
	],
	[
		"a frame of several hundred bytes: lea r12,[rsp-disp32]",
		"4c 8d a4 24 00 fe ff ff 4d 3b 66 10 0f 86 10 00 00 00",
		0x100,
		{ branchOffset: 12, branchLength: 6, target: 0x22, gRegister: "r14" },
	],
	[
		"hashGrow (1.15): mov rcx,fs:-8; cmp rsp,[rcx+16]; jbe rel32",
		"64 48 8b 0c 25 f8 ff ff ff 48 3b 61 10 0f 86 02 02 00 00",
		0x21f,
		{ branchOffset: 13, branchLength: 6, target: 0x215, gRegister: "rcx", fsOffset: -8 },
	],
	[
		"evacuate (1.15): mov rcx,fs:-8; lea rax,[rsp-48]; cmp rax,[rcx+16]",
		"64 48 8b 0c 25 f8 ff ff ff 48 8d 44 24 d0 48 3b 41 10 0f 86 ee 05 00 00",
		0x610,
		{ branchOffset: 18, branchLength: 6, target: 0x606, gRegister: "rcx", fsOffset: -8 },
	],
	[
		"hashGrow (1.15 PIE): mov rcx,-8; mov rcx,fs:[rcx]; cmp rsp,[rcx+16]; jbe rel8",
		"48 c7 c1 f8 ff ff ff 64 48 8b 09 48 3b 61 10 76 30",
		0x90,
		{ branchOffset: 15, branchLength: 2, target: 0x41, gRegister: "rcx", fsOffset: -8 },
	],
];

describe("findStackCheck", () => {
	for (const [name, hex, size, expected] of FORMS) {
		test(name, () => expect(findStackCheck(code(hex), size)).toEqual(expected));
	}

	test("code without a stack check", () => {
		expect(findStackCheck(code("55 48 89 e5 48 83 ec 10 c3"), 64)).toBeUndefined();
	});

	test("another condition than below-or-equal", () => {
		expect(findStackCheck(code("49 3b 66 10 77 5f"), 0x99)).toBeUndefined();
	});

	test("the comparison of a large frame without its lea", () => {
		expect(findStackCheck(code("4d 3b 66 10 76 5f"), 0x99)).toBeUndefined();
	});

	test("a branch backwards or out of the function", () => {
		expect(findStackCheck(code("49 3b 66 10 76 80"), 0x99)).toBeUndefined();
		expect(findStackCheck(code("49 3b 66 10 76 5f"), 0x65)).toBeUndefined();
	});

	test("every truncation of every form", () => {
		for (const [, hex, size] of FORMS) {
			const whole = code(hex);
			for (let length = 0; length < whole.length; length++) {
				expect(findStackCheck(whole.subarray(0, length), size)).toBeUndefined();
			}
		}
	});

	test("whatever is found is a jbe that stays inside the function", () => {
		const prefix = fc.constantFrom(...FORMS.map(([, hex]) => code(hex)));
		fc.assert(
			fc.property(prefix, fc.uint8Array({ maxLength: 32 }), fc.nat(64), fc.nat(2000), (form, noise, at, size) => {
				const bytes = Uint8Array.from([...form.subarray(0, at), ...noise]);
				const check = findStackCheck(bytes, size);
				if (check === undefined) return;
				const opcode = bytes[check.branchOffset];
				expect(opcode === 0x76 || (opcode === 0x0f && bytes[check.branchOffset + 1] === 0x86)).toBe(true);
				expect(check.branchOffset + check.branchLength).toBeLessThanOrEqual(bytes.length);
				expect(check.target).toBeGreaterThan(check.branchOffset);
				expect(check.target).toBeLessThan(size);
			}),
		);
	});
});
