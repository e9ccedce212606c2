/** What instructions do to registers and stack, against objdump's operands and the linker's own unwind information. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openGoBinary } from "../../../../src/gobin/go-binary.ts";
import { decodeAmd64, parse } from "../../../../src/isa/amd64/decode.ts";
import { frameStates, OWN_FRAME } from "../../../../src/isa/amd64/frame.ts";
import { RAX, RBP, RCX, RSP, setOf, writtenRegisters } from "../../../../src/isa/amd64/registers.ts";
import { flowGraph } from "../../../../src/isa/flow-graph.ts";
import { missingCommands, testWith } from "../../../support/capability.ts";
import { fileSource, goBuild, run } from "../../../support/go-binaries.ts";
import { listing, textOf } from "../../../support/objdump.ts";

setDefaultTimeout(120_000);

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));

const NAMES = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];

/** Number of an integer register by its name in AT&T syntax: %rax, %r8d, %ah; undefined for others. */
function registerNumber(name: string): number | undefined {
	const numbered = /^%r(\d+)[dwb]?$/.exec(name);
	if (numbered !== null) return Number(numbered[1]);
	const high = /^%([abcd])h$/.exec(name);
	if (high !== null) return NAMES.indexOf(`${high[1]}x`);
	const low = /^%([abcd])l$/.exec(name);
	if (low !== null) return NAMES.indexOf(`${low[1]}x`);
	const index = NAMES.indexOf(name.replace(/^%[re]?/, "").replace(/l$/, ""));
	return index < 0 ? undefined : index;
}

/** Instructions whose last operand is read only. */
const READS =
	/^(xchg +%ax,%ax|cmp|test|bt[lqw]? |push|call|j|nop|ucomis|comis|ptest|vptest|prefetch|mul|imul +[^,]+$|div|idiv|out)/;
/** Registers that are written without being an operand. */
const IMPLICIT: [RegExp, string[]][] = [
	[/^(mul|imul|div|idiv)[bwlq]? +[^,]+$/, ["%rax", "%rdx"]],
	[/^(cqto|cltd)/, ["%rdx"]],
	[/^cpuid/, ["%rax", "%rbx", "%rcx", "%rdx"]],
	[/^(rdtsc|rdtscp|xgetbv|lock cmpxchg8b|lock cmpxchg16b)/, ["%rax", "%rdx"]],
	[/^(lock )?cmpxchg/, ["%rax"]],
	[/^syscall/, ["%rax", "%rcx", "%r11"]],
	[/^(rep )?(movs|stos)[bwlq] /, ["%rdi", "%rcx"]],
	[/^(push|pop)[lqw]? /, ["%rsp"]],
];

describe("written registers", () => {
	for (const [name, options] of [
		["Go 1.27 with a C library", { version: "1.27", program: "chains", cgo: true, ldflags: "-extldflags=-static" }],
		["Go 1.19", { version: "1.19", program: "chains" }],
	] as const) {
		testWith(missingCommands("objdump"))(`hold every destination that objdump shows: ${name}`, async () => {
			const file = goBuild(options);
			const { address: base, bytes: code } = textOf(file);
			const missed = new Set<string>();
			let checked = 0;
			for await (const { address, text } of listing("-j", ".text", file)) {
				const encoding = parse(code, address - base);
				if (encoding === undefined) continue;
				const plain = text.replace(/ +<.*| +#.*/, "");
				const operands = plain.replace(/^[a-z0-9 {}]+? +(?=[$%*(0-9a-f-])/, "").split(/,(?![^(]*\))/);
				const written = READS.test(plain) ? [] : operands.slice(-1);
				if (/^(lock )?(xchg|xadd)/.test(plain) && !READS.test(plain)) written.push(...operands);
				for (const [pattern, registers] of IMPLICIT) if (pattern.test(plain)) written.push(...registers);
				const set = writtenRegisters(encoding);
				for (const operand of written) {
					const register = registerNumber(operand);
					if (register === undefined) continue;
					checked++;
					if ((set & setOf(register)) === 0) missed.add(`${plain}: ${operand}`);
				}
			}
			expect([...missed].slice(0, 20)).toEqual([]);
			expect(checked).toBeGreaterThan(50_000);
		});
	}

	test.each<[string, string, number]>([
		["cmp rsp,[r14+16]", "49 3b 66 10", 0],
		["mov [rsp+32],rbp", "48 89 6c 24 20", 0],
		["mov rbp,[rsp+32]", "48 8b 6c 24 20", setOf(RBP)],
		["movups xmm4,[rsp]: no integer register", "0f 10 24 24", 0],
		["movups [rsp],xmm15", "44 0f 11 3c 24", 0],
		["mov ah,1", "b4 01", setOf(RAX, RSP)],
		["shlx rcx,rdx,rax", "c4 e2 f9 f7 ca", setOf(RCX, 2, RAX)],
		["a call: all", "ff d0", 0xffff],
		["EVEX: all", "62 f1 7c 48 28 c0", 0xffff],
	])("%s", (_what, hex, expected) => {
		const encoding = parse(bytes(hex), 0);
		expect(encoding && writtenRegisters(encoding)).toBe(expected);
	});
});

/** The distance of the canonical frame address from RSP by the program's .debug_frame, from each address on. */
function unwindRows(file: string): Map<number, [address: number, distance: number][]> {
	const functions = new Map<number, [number, number][]>();
	let rows: [number, number][] = [];
	for (const line of run(["readelf", "--debug-dump=frames-interp", "-W", file]).split("\n")) {
		const start = / FDE .*pc=([0-9a-f]+)\.\./.exec(line);
		if (start !== null) {
			rows = [];
			functions.set(Number.parseInt(start[1] ?? "", 16), rows);
		}
		const row = /^([0-9a-f]{16}) rsp\+(\d+) /.exec(line);
		if (row !== null) rows.push([Number.parseInt(row[1] ?? "", 16), Number(row[2])]);
	}
	return functions;
}

describe("the stack pointer is where the unwind information has it", () => {
	test.each(["1.19", "1.23", "1.27"])("Go %s", (version) => {
		const path = goBuild({ version, program: "chains" });
		const binary = openGoBinary(fileSource(path));
		const wrong: string[] = [];
		let compared = 0;
		let known = 0;
		let own = 0;
		for (const [entry, rows] of unwindRows(path)) {
			const fn = binary.functionAt(entry);
			// Assembly code says itself where its frame is, and is not always right.
			const file = binary.symbolize(entry).at(-1)?.file;
			if (fn === undefined || fn.entry !== entry || file?.endsWith(".s") !== false) continue;
			const code = binary.bytesAt(entry, fn.end - entry);
			const graph = flowGraph(code, decodeAmd64, {
				returns: (target) =>
					!/\.(throw|gopanic|panic\w*|goPanic\w*)$/.test(binary.functionAt(entry + target)?.name ?? ""),
				isFunction: () => true,
			});
			if ("refused" in graph) continue;
			for (const [offset, { stackPointer, framePointer }] of frameStates(graph, (offset) => parse(code, offset))) {
				compared++;
				if (framePointer === OWN_FRAME) own++;
				if (stackPointer === undefined) continue;
				known++;
				const row = rows.findLast(([address]) => address <= entry + offset);
				if (row === undefined || row[1] !== 8 - stackPointer) {
					wrong.push(`${fn.name}+0x${offset.toString(16)}: ${8 - stackPointer}, not ${row?.[1]}`);
				}
			}
		}
		expect(wrong.slice(0, 20)).toEqual([]);
		expect(compared).toBeGreaterThan(80_000);
		expect(known / compared).toBeGreaterThan(0.97);
		expect(own / compared).toBeGreaterThan(0.7);
	});
});

describe("the frame pointer", () => {
	const stateAt = (hex: string, offset: number) => {
		const code = bytes(hex);
		const graph = flowGraph(code, decodeAmd64, { returns: () => true, isFunction: () => false });
		if ("refused" in graph) throw new Error(graph.refused);
		return frameStates(graph, (at) => parse(code, at)).get(offset);
	};

	test.each<[string, string, number, number | undefined, number | undefined]>([
		["of Go 1.21: push rbp; mov rbp,rsp; sub rsp,24", "55 4889e5 4883ec18 c3", 8, -32, OWN_FRAME],
		[
			"of Go 1.19: sub rsp,40; mov [rsp+32],rbp; lea rbp,[rsp+32]",
			"4883ec28 48896c2420 488d6c2420 c3",
			14,
			-40,
			OWN_FRAME,
		],
		["before mov rbp,rsp it is the caller's", "55 4889e5 c3", 1, -8, undefined],
		["restored by pop rbp", "55 4889e5 5d c3", 5, 0, undefined],
		["restored by mov rbp,[rsp+32]", "4883ec28 48896c2420 488d6c2420 488b6c2420 4883c428 c3", 23, 0, undefined],
		["leave", "55 4889e5 4883ec18 c9 c3", 9, 0, undefined],
		["of C with a smaller operand: mov ebp,esp", "55 89e5 c3", 3, -8, undefined],
		["with an index: lea rbp,[rsp+rax]", "488d6c0400 c3", 5, 0, undefined],
		["different on two ways", "7404 55 4889e5 c3", 6, undefined, undefined],
		["the same on two ways", "55 4889e5 7402 9090 c3", 8, -8, OWN_FRAME],
		["kept by calls", "55 4889e5 e800010000 ffd0 c3", 11, -8, OWN_FRAME],
		["lost by and rsp,-16", "55 4889e5 4883e4f0 c3", 8, undefined, OWN_FRAME],
	])("%s", (_what, hex, offset, stackPointer, framePointer) => {
		expect(stateAt(hex, offset)).toEqual({ stackPointer, framePointer });
	});
});
