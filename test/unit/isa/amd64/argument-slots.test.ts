/** Where arguments are spilled: code by the GNU assembler, taken only when it is certain on every way. */
import { describe, expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argumentSlots } from "../../../../src/isa/amd64/argument-slots.ts";
import { type Encoding, instructionOf, parse } from "../../../../src/isa/amd64/decode.ts";
import { frameStates } from "../../../../src/isa/amd64/frame.ts";
import { writtenRegisters } from "../../../../src/isa/amd64/registers.ts";
import { flowGraph } from "../../../../src/isa/flow-graph.ts";
import { missingCommands, testWith } from "../../../support/capability.ts";
import { run } from "../../../support/go-binaries.ts";

const asmTest = testWith(missingCommands("as", "objcopy"));

/** The slot of the argument at the last call of the code, in Intel's syntax. */
function slotAtCall(argument: number, assembly: string): number | undefined {
	const folder = mkdtempSync(join(tmpdir(), "gomapgrow-test-"));
	try {
		const [source, object, raw] = ["code.s", "code.o", "code.bin"].map((name) => join(folder, name)) as [
			string,
			string,
			string,
		];
		writeFileSync(source, `.intel_syntax noprefix\n${assembly}\n`);
		run(["as", "-o", object, source]);
		run(["objcopy", "-O", "binary", "-j", ".text", object, raw]);
		const code = new Uint8Array(readFileSync(raw));
		const encodings = new Map<number, Encoding>();
		const graph = flowGraph(
			code,
			(bytes, offset) => {
				const encoding = parse(bytes, offset);
				if (encoding !== undefined) encodings.set(offset, encoding);
				return encoding && instructionOf(encoding);
			},
			{ returns: () => true, isFunction: () => false },
		);
		if ("refused" in graph) throw new Error(graph.refused);
		const states = frameStates(graph, (offset) => encodings.get(offset));
		const calls = [...graph.nodes]
			.filter(([, { instruction }]) => instruction.flow === "call")
			.map(([offset]) => offset);
		const last = calls.at(-1) ?? -1;
		const slots = argumentSlots(
			{
				graph,
				encodingAt: (offset) => encodings.get(offset),
				stackPointerAt: (offset) => states.get(offset)?.stackPointer,
				framePointerAt: (offset) => states.get(offset)?.framePointer,
				writes: (offset) => {
					const encoding = encodings.get(offset);
					return encoding === undefined ? ~0 : writtenRegisters(encoding);
				},
			},
			argument,
			[last],
		);
		return slots.get(last);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

const PROLOGUE = "push rbp\nmov rbp, rsp\nsub rsp, 0x20";
const END = "call .+0x1000\nadd rsp, 0x20\npop rbp\nret";

describe("the second argument", () => {
	// The entry's stack pointer is 0x28 above; its own word for RBX is 16 above that.
	const HOME = 0x28 + 16;
	asmTest("is where it was spilled", () =>
		expect(slotAtCall(1, `${PROLOGUE}\nmov [rsp+0x38], rbx\n${END}`)).toBe(HOME),
	);
	asmTest("is found by way of another register", () =>
		expect(slotAtCall(1, `${PROLOGUE}\nmov rdx, rbx\nxor ebx, ebx\nmov [rsp+0x38], rdx\n${END}`)).toBe(HOME),
	);
	asmTest("is still there after a call", () =>
		expect(slotAtCall(1, `${PROLOGUE}\nmov [rsp+0x38], rbx\ncall .+0x1000\nxor eax, eax\n${END}`)).toBe(HOME),
	);
	asmTest("is not taken from a register that has been written", () =>
		expect(slotAtCall(1, `${PROLOGUE}\nmov ebx, 1\nmov [rsp+0x38], rbx\n${END}`)).toBeUndefined(),
	);
	asmTest("is not in a word that was written again", () => {
		expect(slotAtCall(1, `${PROLOGUE}\nmov [rsp+0x38], rbx\nmov [rsp+0x38], rcx\n${END}`)).toBeUndefined();
		expect(slotAtCall(1, `${PROLOGUE}\nmov [rsp+0x38], rbx\nmovups [rsp+0x30], xmm15\n${END}`)).toBeUndefined();
		expect(slotAtCall(1, `${PROLOGUE}\nmov [rsp+0x38], rbx\nmov byte ptr [rsp+0x3c], 0\n${END}`)).toBeUndefined();
	});
	asmTest("is not where a callee may write, below the return address", () =>
		expect(slotAtCall(1, `${PROLOGUE}\nmov [rsp+0x18], rbx\n${END}`)).toBeUndefined(),
	);
	asmTest("is known only when all ways have put it there", () => {
		const branch = "test rax, rax\nje 1f";
		expect(slotAtCall(1, `${PROLOGUE}\n${branch}\nmov [rsp+0x38], rbx\n1: nop\n${END}`)).toBeUndefined();
		expect(slotAtCall(1, `${PROLOGUE}\nmov [rsp+0x38], rbx\n${branch}\nxor ecx, ecx\n1: nop\n${END}`)).toBe(HOME);
	});
	asmTest("is not taken for the first or the third", () => {
		const code = `${PROLOGUE}\nmov [rsp+0x30], rax\nmov [rsp+0x38], rbx\n${END}`;
		expect(slotAtCall(0, code)).toBe(HOME - 8);
		expect(slotAtCall(2, code)).toBeUndefined();
	});
});
