/** Instructions that are probed, as text in Intel's order of operands. */
import { flowOf, parse } from "./decode.ts";

/** By condition code, the low four bits of the opcode (Intel SDM volume 2, appendix B.1.4.7). */
const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];

/** "e" of je: the name of a condition code. */
export function conditionName(condition: number): string {
	return CONDITIONS[condition & 15] ?? "";
}

/** The condition code of a conditional branch. */
export function conditionOf(code: Uint8Array, offset: number): number {
	return (parse(code, offset)?.opcode ?? 0) & 15;
}

/**
 * The instruction at the offset: "je +0x66" (the target counted from the function's first byte), "call runtime.evacuate", "ret", "push rbp". Instructions that
 * no probe prefers are shown by their bytes.
 */
export function instructionText(
	code: Uint8Array,
	offset: number,
	calleeAt: (target: number) => string | undefined,
): string {
	const encoding = parse(code, offset);
	if (encoding === undefined) return "(unknown)";
	const { opcode, map, rex, prefixes, length, immediate } = encoding;
	const target = offset + length + immediate;
	const place = target < 0 ? `-0x${(-target).toString(16)}` : `+0x${target.toString(16)}`;
	const low = opcode & 7;
	switch (flowOf(encoding)) {
		case "branch":
			// Not loop and jrcxz.
			if (map === 1 || (opcode & 0xf0) === 0x70) return `j${conditionName(opcode & 15)} ${place}`;
			break;
		case "jump":
			return `jmp ${place}`;
		case "call":
			return `call ${calleeAt(target) ?? place}`;
		case "return":
			if (opcode === 0xc3) return "ret";
			break;
		case "next":
			if (map !== 0 || prefixes !== 0) break;
			if (opcode === 0x90 && rex === 0) return "nop";
			if (opcode >= 0x50 && opcode <= 0x57) return `push ${(rex & 1) === 0 ? REGISTERS[low] : `r${low + 8}`}`;
	}
	return Buffer.from(code.subarray(offset, offset + length)).toString("hex");
}
