/** The offset of g.goid as machine code has it: taken only when everything around the load is as the compiler writes it. */
import { describe, expect, test } from "bun:test";
import { type CodeReader, goidFromCode } from "../../../../src/gobin/layouts/goid-from-code.ts";
import type { GoFunction } from "../../../../src/gobin/pclntab/function-table.ts";

const HEADER = 0x1000;
const LOCK = 0x3000;
const PRINT_STRING = 0x3100;
const PRINT_UINT = 0x3200;
const TEXT = 0x5000;

/** Assembles instructions; a function in the list gets the address behind its instruction. */
function assemble(...parts: (number[] | ((end: (length: number) => number) => number[]))[]): number[] {
	const code: number[] = [];
	for (const part of parts) code.push(...(typeof part === "function" ? part((n) => HEADER + code.length + n) : part));
	return code;
}

const rel32 = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
const call = (target: number) => (end: (length: number) => number) => [0xe8, ...rel32(target - end(5))];
const leaRax = (target: number) => (end: (length: number) => number) => [0x48, 0x8d, 0x05, ...rel32(target - end(7))];

// Encodings by the GNU assembler.
const LOAD_RDX_98_RAX = [0x48, 0x8b, 0x90, 0x98, 0x00, 0x00, 0x00]; // mov rdx, [rax+0x98]
const LOAD_R8_A0_RCX = [0x4c, 0x8b, 0x81, 0xa0, 0x00, 0x00, 0x00]; // mov r8, [rcx+0xa0]
const LOAD_RDX_78_RAX = [0x48, 0x8b, 0x50, 0x78]; // mov rdx, [rax+0x78]
const STORE_RDX_28 = [0x48, 0x89, 0x54, 0x24, 0x28]; // mov [rsp+0x28], rdx
const STORE_RDX_128 = [0x48, 0x89, 0x94, 0x24, 0x28, 0x01, 0x00, 0x00]; // mov [rsp+0x128], rdx
const STORE_R8_28 = [0x4c, 0x89, 0x44, 0x24, 0x28]; // mov [rsp+0x28], r8
const STORE_RCX_28 = [0x48, 0x89, 0x4c, 0x24, 0x28]; // mov [rsp+0x28], rcx
const LOAD_RAX_28 = [0x48, 0x8b, 0x44, 0x24, 0x28]; // mov rax, [rsp+0x28]
const LOAD_RAX_30 = [0x48, 0x8b, 0x44, 0x24, 0x30]; // mov rax, [rsp+0x30]
const LOAD_RAX_128 = [0x48, 0x8b, 0x84, 0x24, 0x28, 0x01, 0x00, 0x00]; // mov rax, [rsp+0x128]
const PUSH_RAX = [0x48, 0x89, 0x04, 0x24]; // mov [rsp], rax
const MOV_EBX_10 = [0xbb, 0x0a, 0x00, 0x00, 0x00]; // mov ebx, 10
const NOP5 = [0x0f, 0x1f, 0x44, 0x00, 0x00];
const NOP2 = [0x66, 0x90];

const LOCK_AND_TEXT = [call(LOCK), leaRax(TEXT), MOV_EBX_10, call(PRINT_STRING)];

function program(code: number[], text = "goroutine running"): CodeReader {
	const at = (name: string, entry: number, length: number): [string, GoFunction] => {
		return [name, { name, entry, end: entry + length }];
	};
	const functions = new Map([
		at("runtime.goroutineheader", HEADER, code.length),
		at("runtime.printlock", LOCK, 64),
		at("runtime.printuint", PRINT_UINT, 64),
	]);
	return {
		functionsByName: (names) => new Map([...functions].filter(([name]) => names.includes(name))),
		elf: { bytesFrom: (vaddr) => (vaddr === TEXT ? text.length : 0) },
		bytesAt: (vaddr, length) => Uint8Array.from(vaddr === HEADER ? code : Buffer.from(text)).subarray(0, length),
	};
}

describe("found", () => {
	test.each<[string, number, number[]]>([
		["registers", 0x98, assemble(LOAD_RDX_98_RAX, STORE_RDX_28, ...LOCK_AND_TEXT, LOAD_RAX_28, call(PRINT_UINT))],
		["a high register", 0xa0, assemble(LOAD_R8_A0_RCX, STORE_R8_28, ...LOCK_AND_TEXT, LOAD_RAX_28, call(PRINT_UINT))],
		[
			"arguments on the stack",
			0x98,
			assemble(LOAD_RDX_98_RAX, STORE_RDX_28, ...LOCK_AND_TEXT, LOAD_RAX_28, PUSH_RAX, call(PRINT_UINT)),
		],
		[
			"aligned calls",
			0x98,
			assemble(LOAD_RDX_98_RAX, STORE_RDX_28, NOP5, NOP2, ...LOCK_AND_TEXT, LOAD_RAX_28, NOP5, call(PRINT_UINT)),
		],
		[
			"short and long displacements",
			0x78,
			assemble(LOAD_RDX_78_RAX, STORE_RDX_128, ...LOCK_AND_TEXT, LOAD_RAX_128, call(PRINT_UINT)),
		],
		[
			"behind other code",
			0x98,
			assemble(
				[0x55, 0x48, 0x89, 0xe5],
				LOAD_R8_A0_RCX,
				[0x90],
				LOAD_RDX_98_RAX,
				STORE_RDX_28,
				...LOCK_AND_TEXT,
				LOAD_RAX_28,
				call(PRINT_UINT),
			),
		],
	])("%s", (_what, offset, code) => {
		expect(goidFromCode(program(code))).toBe(offset);
	});
});

describe("not taken for it", () => {
	const whole = assemble(LOAD_RDX_98_RAX, STORE_RDX_28, ...LOCK_AND_TEXT, LOAD_RAX_28, call(PRINT_UINT));

	test("another text", () => {
		expect(goidFromCode(program(whole, "created by"))).toBeUndefined();
		expect(goidFromCode(program(whole, "goroutin"))).toBeUndefined();
	});

	test.each<[string, number[]]>([
		[
			"another register is kept",
			assemble(LOAD_RDX_98_RAX, STORE_RCX_28, ...LOCK_AND_TEXT, LOAD_RAX_28, call(PRINT_UINT)),
		],
		[
			"another slot is printed",
			assemble(LOAD_RDX_98_RAX, STORE_RDX_28, ...LOCK_AND_TEXT, LOAD_RAX_30, call(PRINT_UINT)),
		],
		[
			"another function prints it",
			assemble(LOAD_RDX_98_RAX, STORE_RDX_28, ...LOCK_AND_TEXT, LOAD_RAX_28, call(PRINT_STRING)),
		],
		[
			"no lock is taken",
			assemble(LOAD_RDX_98_RAX, STORE_RDX_28, leaRax(TEXT), MOV_EBX_10, LOAD_RAX_28, call(PRINT_UINT)),
		],
		[
			"an impossible offset",
			assemble(
				[0x48, 0x8b, 0x90, 0x98, 0x00, 0x01, 0x00],
				STORE_RDX_28,
				...LOCK_AND_TEXT,
				LOAD_RAX_28,
				call(PRINT_UINT),
			),
		],
		[
			"an odd offset",
			assemble(
				[0x48, 0x8b, 0x90, 0x99, 0x00, 0x00, 0x00],
				STORE_RDX_28,
				...LOCK_AND_TEXT,
				LOAD_RAX_28,
				call(PRINT_UINT),
			),
		],
	])("%s", (_what, code) => {
		expect(goidFromCode(program(code))).toBeUndefined();
	});

	test("code that ends anywhere", () => {
		for (let length = 0; length < whole.length; length++) {
			expect(goidFromCode(program(whole.slice(0, length)))).toBeUndefined();
		}
	});

	test("no such function", () => {
		const none: CodeReader = { ...program(whole), functionsByName: () => new Map() };
		expect(goidFromCode(none)).toBeUndefined();
	});
});
