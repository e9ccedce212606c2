/** The x86-64 decoder against binutils' disassembler: whole programs, every opcode, and bytes that are no instructions. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { decodeAmd64, MAX_LENGTH } from "../../../../src/isa/amd64/decode.ts";
import { missingCommands, testWith } from "../../../support/capability.ts";
import { compareText, decoded, listed } from "../../../support/decode-check.ts";
import { goBuild, goRoot } from "../../../support/go-binaries.ts";
import { type ListedInstruction, listing } from "../../../support/objdump.ts";
import { temporaryFolder } from "../../../support/processes.ts";

const TIMEOUT = 120_000;
const needed = missingCommands("objdump");
const folder = temporaryFolder("decode");

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const PROGRAMS: [name: string, path: () => string, atLeast: number][] = [
	["a small program of Go 1.15", () => goBuild({ version: "1.15", program: "chains" }), 150_000],
	["a small program of Go 1.19", () => goBuild({ version: "1.19", program: "chains" }), 130_000],
	[
		"a program of Go 1.23, not optimised",
		() => goBuild({ version: "1.23", program: "chains", gcflags: "all=-N -l" }),
		200_000,
	],
	[
		"a program of Go 1.27 with a whole C library",
		() => goBuild({ version: "1.27", program: "chains", cgo: true, ldflags: "-extldflags=-static" }),
		300_000,
	],
	["the linker of Go 1.27", () => join(goRoot("1.27"), "pkg/tool/linux_amd64/link"), 400_000],
];

describe("every instruction of .text as objdump has it", () => {
	for (const [name, path, atLeast] of PROGRAMS) {
		testWith(needed)(
			name,
			async () => {
				const { count, unknown, differences } = await compareText(path());
				expect(differences.slice(0, 20)).toEqual([]);
				expect(count).toBeGreaterThan(atLeast);
				// Data between functions.
				expect(unknown).toBeLessThan(10);
			},
			TIMEOUT,
		);
	}
});

/** Operand bytes: registers and memory in every addressing form, for every value of the reg field. */
const OPERANDS: number[][] = Array.from({ length: 8 }, (_, reg) => reg << 3).flatMap((reg) => [
	[reg],
	[reg | 4, 0x24],
	[reg | 4, 0x25], // base 5 without a displacement of its own
	[reg | 5],
	[reg | 0x44, 0x24],
	[reg | 0x83],
	[reg | 0xc0],
	[reg | 0xc7],
]);
const FEW_OPERANDS = [[0x01], [0xc1], [0x44, 0x24], [0x11], [0xd1], [0xe9], [0x22]];
const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

interface Form {
	bytes: number[];
	/** "0f 38 f0", "vex 2 90" */
	opcode: string;
}

function legacyForms(opcode: number): Form[] {
	const forms: Form[] = [];
	for (const lead of [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]]) {
		if (lead.length === 1 && (opcode === 0x38 || opcode === 0x3a)) continue;
		// objdump takes fwait together with the x87 instruction behind it; the processor does not.
		const isPrefix =
			PREFIXES.has(opcode) || (opcode & 0xf0) === 0x40 || [0x0f, 0x62, 0xc4, 0xc5, 0x9b].includes(opcode);
		if (lead.length === 0 && isPrefix) continue;
		const name = hex(Uint8Array.from([...lead, opcode]));
		for (const prefix of [[], [0x66], [0xf2], [0xf3], [0x48], [0x66, 0x48]]) {
			for (const operand of lead.length > 1 ? FEW_OPERANDS : OPERANDS) {
				forms.push({ bytes: [...prefix, ...lead, opcode, ...operand], opcode: name });
			}
		}
	}
	return forms;
}

function vexForms(opcode: number): Form[] {
	const forms: Form[] = [];
	for (const operand of FEW_OPERANDS) {
		for (const pp of [0, 1, 2, 3]) {
			for (const length of [0, 4]) {
				forms.push({ bytes: [0xc5, 0xf8 | length | pp, opcode, ...operand], opcode: `vex 1 ${opcode}` });
				for (const map of [1, 2, 3]) {
					for (const w of [0x70, 0x78, 0xf8]) {
						const bytes = [0xc4, 0xe0 | map, w | length | pp, opcode, ...operand];
						forms.push({ bytes, opcode: `vex ${map} ${opcode}` });
					}
				}
			}
		}
	}
	return forms;
}

function evexForms(opcode: number): Form[] {
	const forms: Form[] = [];
	for (const operand of FEW_OPERANDS) {
		for (const p1 of [0x74, 0x7c, 0x7d, 0x7e, 0x7f, 0xfc, 0xfd, 0xfe, 0xff]) {
			for (const p2 of [0x08, 0x48, 0x49]) {
				for (const map of [1, 2, 3, 5, 6]) {
					const bytes = [0x62, 0xf0 | map, p1, p2, opcode, ...operand];
					forms.push({ bytes, opcode: `evex ${map} ${opcode}` });
				}
			}
		}
	}
	return forms;
}

/** Rare, of one maker, or of 16 bits on one maker's processors only. */
const LEFT_OUT = [
	/^0f0[ef]$/, // 3DNow!
	/^0fa[67]$/, // PadLock
	/^0f78$/, // extrq and insertq of SSE4a
	/^8f$/, // XOP
	/^8[ce]$/, // segment registers that do not exist
	/^0f38(d8|f[abc])$/, // key locker, remote atomics
	/^vex 2 (7[35]|92|94|114|22[4-9]|23\d)$/, // matrix tiles, cmpccxadd
	/^vex 3 (7[23]|9[2-5]|10[4-9]|11[01]|12\d)$/, // FMA4 and XOP leftovers
];

describe("every opcode as objdump has it", () => {
	const SLOT = 16;
	for (const [name, make] of [
		["one, two and three bytes", legacyForms],
		["VEX", vexForms],
		["EVEX", evexForms],
	] as const) {
		testWith(needed)(
			name,
			async () => {
				const forms = Array.from({ length: 256 }, (_, opcode) => make(opcode)).flat();
				// Each is followed by one-byte nops, so that objdump is in step again at the next.
				const image = new Uint8Array(forms.length * SLOT).fill(0x90);
				for (const [index, { bytes }] of forms.entries()) image.set(bytes, index * SLOT);
				const file = join(folder, "forms.bin");
				writeFileSync(file, image);
				const differences: string[] = [];
				const missing = new Set<string>();
				const known = new Set<string>();
				const knownHere = new Set<string>();
				let compared = 0;
				let previous: ListedInstruction | undefined;
				for await (const instruction of listing("-D", "-b", "binary", "-m", "i386:x86-64", file)) {
					if (previous !== undefined && previous.address % SLOT === 0) {
						const { opcode, bytes } = forms[previous.address / SLOT] as Form;
						const got = decoded(image, previous.address);
						const bad = /\(bad\)|%\?/.test(previous.text);
						if (!bad) known.add(opcode);
						if (got !== "") knownHere.add(opcode);
						if (!bad && got === "") {
							// A near branch with an operand-size prefix.
							if (!(bytes[0] === 0x66 && /^(7.|0f8.|e[0-389b]|c7)$/.test(opcode))) missing.add(opcode);
						} else if (!bad) {
							compared++;
							const expected = listed(previous, instruction.address, 0);
							if (got !== expected) differences.push(`${hex(Uint8Array.from(bytes))} ${previous.text}: ${got}`);
						}
					}
					previous = instruction;
				}
				expect(differences.slice(0, 20)).toEqual([]);
				expect([...missing].filter((opcode) => !LEFT_OUT.some((pattern) => pattern.test(opcode)))).toEqual([]);
				// Forms with a wrong prefix are known as far as their opcode is; opcodes that do not exist are not.
				expect([...knownHere].filter((opcode) => !known.has(opcode))).toEqual([]);
				expect(compared).toBeGreaterThan(10_000);
			},
			TIMEOUT,
		);
	}
});

describe("bytes that are no instructions", () => {
	const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

	test.each([
		["push es, in 64-bit mode", "06"],
		["far call with an address", "9a 00 00 00 00 00 00"],
		["lea of a register", "8d c0"],
		["a REX prefix that is followed by another prefix", "48 66 90"],
		["REX before VEX", "48 c5 f8 77"],
		["an operand-size prefix before a near branch: Intel and AMD differ", "66 e9 00 00 00 00"],
		["XOP", "8f e8 78 c0 c0 00"],
		["more than 15 bytes", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90"],
		["prefixes alone", "f0 48"],
		["nothing", ""],
	])("%s", (_name, text) => {
		expect(decodeAmd64(bytes(text), 0)).toBeUndefined();
	});

	test("offsets outside of the code", () => {
		for (const offset of [-1, 1, 2, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
			expect(decodeAmd64(Uint8Array.of(0xc3), offset)).toBeUndefined();
		}
	});

	/** Random bytes, and those that begin like an instruction. */
	const soup = fc
		.tuple(
			fc.constantFrom("", "0f", "0f38", "0f3a", "48", "66", "c5f8", "c4e2", "62f17c48", "ff", "e8"),
			fc.uint8Array({ maxLength: 24 }),
		)
		.map(([start, noise]) => Uint8Array.from([...bytes(start), ...noise]));

	test("never throw, are never longer than 15 bytes, and say nothing of what lies outside", () => {
		fc.assert(
			fc.property(soup, fc.nat(8), fc.uint8Array({ minLength: 32, maxLength: 32 }), (code, offset, behind) => {
				const found = decodeAmd64(code, offset);
				if (found === undefined) return;
				expect(found.length).toBeWithin(1, MAX_LENGTH + 1);
				expect(offset + found.length).toBeLessThanOrEqual(code.length);
				// What stands before or behind the instruction changes nothing; without its last byte it is none.
				const end = offset + found.length;
				expect(decodeAmd64(Uint8Array.from([...code.subarray(0, end), ...behind]), offset)).toEqual(found);
				expect(decodeAmd64(Uint8Array.from([...behind.subarray(0, offset), ...code.subarray(offset)]), offset)).toEqual(
					found,
				);
				expect(decodeAmd64(code.subarray(0, end - 1), offset)).toBeUndefined();
			}),
			{ numRuns: 20_000 },
		);
	});
});

describe("emulated by the kernel", () => {
	const isEmulated = (text: string): boolean | undefined =>
		decodeAmd64(Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex")), 0)?.emulated;

	test.each([
		["jbe rel8", "76 10"],
		["jbe rel32", "0f 86 10 00 00 00"],
		["jmp rel8", "eb 10"],
		["jmp rel32", "e9 10 00 00 00"],
		["call rel32", "e8 10 00 00 00"],
		["nop", "90"],
		["push rbp", "55"],
		["push r12", "41 54"],
	])("%s", (_name, text) => {
		expect(isEmulated(text)).toBeTrue();
	});

	test.each([
		["ret", "c3"],
		["mov rbp,rsp", "48 89 e5"],
		["call through a register", "ff d0"],
		["nopl: only since Linux 6.18", "0f 1f 00"],
		["xchg r8,rax, whose opcode is that of nop", "49 90"],
		["xchg ax,ax: refused by old kernels", "66 90"],
		["pause", "f3 90"],
		["push rbp with another REX prefix", "48 55"],
		["bnd jmp", "f2 eb 10"],
		["loop", "e2 10"],
		["jrcxz", "e3 10"],
		["pop rbp", "5d"],
	])("not %s", (_name, text) => {
		expect(isEmulated(text)).toBeFalse();
	});
});
