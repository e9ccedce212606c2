/**
 * Decodes A64 instructions as far as control flow goes. Encodings: Arm Architecture Reference Manual for A-profile (DDI 0487),
 * "A64 instruction set encoding", Armv8.0 with pointer authentication.
 *
 * `emulated`: what arm_probe_decode_insn (arch/arm64/kernel/probes/decode-insn.c) gives a simulation in all kernels from 5.10 on: b, b.cond,
 * bl, br, blr, ret, cbz, cbnz, tbz, tbnz, adr and adrp. Not nop, which is single-stepped before 6.13, and not loads of literals,
 * which a uprobe may not sit on since 6.12 because their simulation was wrong.
 */
import type { Flow, Instruction } from "../instruction.ts";
import { bits, displacement, hasBits, WORD_BYTES, wordAt } from "./word.ts";

type Decoded = Pick<Instruction, "flow" | "emulated"> & {
	/** From the instruction itself, in bytes. */ distance?: number;
};

/** What the Go assembler puts where control must never come, such as behind calls of runtime.throw (cmd/internal/obj/arm64/asm7.go, AUNDEF). */
const GO_UNDEF = 0xbea7_1700;

const NEXT: Decoded = { flow: "next", emulated: false };

export function decode(code: Uint8Array, offset: number): Instruction | undefined {
	const word = wordAt(code, offset);
	const decoded = word === undefined ? undefined : decodeWord(word);
	if (decoded === undefined) return undefined;
	const { flow, emulated, distance } = decoded;
	return {
		offset,
		length: WORD_BYTES,
		flow,
		...(distance === undefined ? {} : { target: offset + distance }),
		emulated,
	};
}

/** By op0, bits 28 to 25, as the manual's top-level table. */
function decodeWord(word: number): Decoded | undefined {
	switch (bits(word, 25, 4)) {
		case 0b0000:
			return decodeReserved(word);
		case 0b0001:
		case 0b0011:
			return undefined;
		case 0b1000:
		case 0b1001:
			return { flow: "next", emulated: isAddress(word) };
		case 0b1010:
		case 0b1011:
			return decodeBranchOrSystem(word);
		default:
			return word === GO_UNDEF ? { flow: "stop", emulated: false } : NEXT;
	}
}

/** UDF; with bit 31 set the instructions of SME. */
function decodeReserved(word: number): Decoded | undefined {
	if (hasBits(word, 0xffff_0000, 0)) return { flow: "stop", emulated: false };
	return bits(word, 31, 1) === 1 ? NEXT : undefined;
}

/** adr, adrp */
function isAddress(word: number): boolean {
	return hasBits(word, 0x1f00_0000, 0x1000_0000);
}

function decodeBranchOrSystem(word: number): Decoded | undefined {
	if (hasBits(word, 0x7c00_0000, 0x1400_0000)) {
		const flow: Flow = bits(word, 31, 1) === 1 ? "call" : "jump"; // bl, b
		return { flow, emulated: true, distance: displacement(word, 0, 26) };
	}
	if (hasBits(word, 0xff00_0010, 0x5400_0000)) {
		// b.cond; conditions 14 and 15 are both "always".
		const flow: Flow = bits(word, 1, 3) === 0b111 ? "jump" : "branch";
		return { flow, emulated: true, distance: displacement(word, 5, 19) };
	}
	if (hasBits(word, 0x7e00_0000, 0x3400_0000)) {
		return { flow: "branch", emulated: true, distance: displacement(word, 5, 19) }; // cbz, cbnz
	}
	if (hasBits(word, 0x7e00_0000, 0x3600_0000)) {
		return { flow: "branch", emulated: true, distance: displacement(word, 5, 14) }; // tbz, tbnz
	}
	if (hasBits(word, 0xff00_0000, 0xd400_0000)) return decodeException(word);
	if (hasBits(word, 0xff00_0000, 0xd500_0000)) return NEXT; // hints, barriers, msr, mrs, sys
	if (hasBits(word, 0xfe00_0000, 0xd600_0000)) return decodeBranchToRegister(word);
	return undefined;
}

/** Exception generation: opc, bits 23 to 21, and LL, bits 1 and 0. */
function decodeException(word: number): Decoded | undefined {
	if (bits(word, 2, 3) !== 0) return undefined;
	switch ((bits(word, 21, 3) << 2) | bits(word, 0, 2)) {
		case 0b000_01: // svc: the kernel returns behind it
			return NEXT;
		// What follows does not return to a program.
		case 0b000_10: // hvc
		case 0b000_11: // smc
		case 0b001_00: // brk
		case 0b010_00: // hlt
		case 0b101_01: // dcps1
		case 0b101_10: // dcps2
		case 0b101_11: // dcps3
			return { flow: "stop", emulated: false };
		default:
			return undefined;
	}
}

/** Unconditional branch to a register: opc, bits 24 to 21; the variants with pointer authentication are not simulated. */
function decodeBranchToRegister(word: number): Decoded | undefined {
	if (bits(word, 16, 5) !== 0b11111) return undefined;
	const plain = hasBits(word, 0x0000_fc1f, 0);
	const zeroModifier = hasBits(word, 0x0000_f81f, 0x0000_081f); // braaz, blraaz, retaa, eretaa and their B keys
	const withModifier = hasBits(word, 0x0000_f800, 0x0000_0800); // braa, blraa: the modifier is a register
	const fixed = bits(word, 5, 5) === 0b11111;
	switch (bits(word, 21, 4)) {
		case 0b0000:
			return plain || zeroModifier ? { flow: "indirect-jump", emulated: plain } : undefined;
		case 0b0001:
			return plain || zeroModifier ? { flow: "indirect-call", emulated: plain } : undefined;
		case 0b0010:
			return plain || (zeroModifier && fixed) ? { flow: "return", emulated: plain } : undefined;
		// eret and drps are undefined outside of the kernel.
		case 0b0100:
			return (plain || zeroModifier) && fixed ? { flow: "stop", emulated: false } : undefined;
		case 0b0101:
			return plain && fixed ? { flow: "stop", emulated: false } : undefined;
		case 0b1000:
			return withModifier ? { flow: "indirect-jump", emulated: false } : undefined;
		case 0b1001:
			return withModifier ? { flow: "indirect-call", emulated: false } : undefined;
		default:
			return undefined;
	}
}
