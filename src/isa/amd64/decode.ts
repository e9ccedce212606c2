/**
 * Decodes x86-64 instructions in 64-bit mode as far as flow analysis needs it: where an instruction ends, where it passes control
 * to, and the fields that say which registers it touches. Sources: Intel SDM volume 2 (chapter 2, appendix A), AMD APM volume 3.
 */
import type { Flow, Instruction } from "../instruction.ts";
import * as maps from "./opcode-maps.ts";

/** #GP beyond this (Intel SDM volume 2, 2.3.11). */
export const MAX_LENGTH = 15;

/** Legacy prefixes, as bits. */
export const PREFIX = {
	operandSize: 1,
	addressSize: 2,
	lock: 4,
	repne: 8,
	rep: 16,
	fsGs: 32,
	otherSegment: 64,
} as const;

/** The fields of an instruction. */
export interface Encoding {
	offset: number;
	length: number;
	kind: "legacy" | "vex" | "evex";
	/** Opcode map: 0 one byte, 1 after 0f, 2 after 0f 38, 3 after 0f 3a; 5 and 6 of EVEX only. */
	map: number;
	opcode: number;
	/** Bits of PREFIX; VEX and EVEX have none but segment and address size. */
	prefixes: number;
	/** The REX prefix, 0 without. Of VEX what a REX prefix would be; of EVEX not filled in. */
	rex: number;
	/** Of VEX: the register of the vvvv field. */
	vexRegister: number;
	/** -1 without. */
	modrm: number;
	/** -1 without. */
	sib: number;
	/** Of a memory operand; 0 without. */
	displacement: number;
	/** Of a relative branch: signed distance from the end of the instruction. Else the immediate, as far as it has 4 bytes or less. */
	immediate: number;
}

const PREFIX_BITS = new Map<number, number>([
	[0x66, PREFIX.operandSize],
	[0x67, PREFIX.addressSize],
	[0xf0, PREFIX.lock],
	[0xf2, PREFIX.repne],
	[0xf3, PREFIX.rep],
	[0x64, PREFIX.fsGs],
	[0x65, PREFIX.fsGs],
	[0x26, PREFIX.otherSegment],
	[0x2e, PREFIX.otherSegment],
	[0x36, PREFIX.otherSegment],
	[0x3e, PREFIX.otherSegment],
]);

const REX_W = 8;

/** Reads the bytes of one instruction; a read beyond the end gives -1 and is remembered. */
class Bytes {
	readonly #code: Uint8Array;
	readonly #end: number;
	at: number;
	short = false;

	constructor(code: Uint8Array, at: number) {
		this.#code = code;
		this.#end = Math.min(code.length, at + MAX_LENGTH);
		this.at = at;
	}

	u8(): number {
		if (this.at >= this.#end) {
			this.short = true;
			return -1;
		}
		return this.#code[this.at++] ?? -1;
	}

	peek(): number {
		return this.at < this.#end ? (this.#code[this.at] ?? -1) : -1;
	}

	signed(size: number): number {
		let value = 0;
		let scale = 1;
		let last = 0;
		for (let i = 0; i < size; i++) {
			last = this.u8();
			value += last * scale;
			scale *= 256;
		}
		return last >= 0x80 ? value - scale : value;
	}
}

/** The fields of the instruction at the offset; undefined when its bytes are not known or the code ends within it. */
export function parse(code: Uint8Array, offset: number): Encoding | undefined {
	if (!Number.isInteger(offset) || offset < 0) return undefined;
	const bytes = new Bytes(code, offset);
	const encoding: Encoding = {
		offset,
		length: 0,
		kind: "legacy",
		map: 0,
		opcode: 0,
		prefixes: 0,
		rex: 0,
		vexRegister: 0,
		modrm: -1,
		sib: -1,
		displacement: 0,
		immediate: 0,
	};
	let byte = bytes.u8();
	for (let bit = PREFIX_BITS.get(byte); bit !== undefined; bit = PREFIX_BITS.get(byte)) {
		encoding.prefixes |= bit;
		byte = bytes.u8();
	}
	if (byte >= 0x40 && byte <= 0x4f) {
		encoding.rex = byte;
		// A REX prefix that does not stand right before the opcode is without effect; nobody emits that on purpose.
		byte = bytes.u8();
	}
	const flags = readOpcode(bytes, encoding, byte);
	if ((flags & maps.KNOWN) === 0) return undefined;
	if ((flags & maps.MODRM) !== 0) readOperand(bytes, encoding, (flags & maps.REGISTERS) !== 0);
	if (bytes.short || !isValid(encoding)) return undefined;
	if (!readImmediate(bytes, encoding, flags)) return undefined;
	if (bytes.short) return undefined;
	encoding.length = bytes.at - offset;
	return encoding;
}

/** Goes past the opcode, whose first byte is given; returns the entry of its map, 0 for what is not known. */
function readOpcode(bytes: Bytes, encoding: Encoding, first: number): number {
	if (first < 0) return 0;
	if (first === 0xc4 || first === 0xc5 || first === 0x62) return readVex(bytes, encoding, first);
	if (first !== 0x0f) {
		encoding.opcode = first;
		return maps.ONE_BYTE[first] ?? 0;
	}
	const second = bytes.u8();
	if (second !== 0x38 && second !== 0x3a) {
		encoding.map = 1;
		encoding.opcode = second;
		return maps.TWO_BYTES[second] ?? 0;
	}
	encoding.map = second === 0x38 ? 2 : 3;
	encoding.opcode = bytes.u8();
	return (second === 0x38 ? maps.MAP_38 : maps.MAP_3A)[encoding.opcode] ?? 0;
}

/** Goes past the rest of a VEX or EVEX prefix and the opcode (Intel SDM volume 2, 2.3.5 and 2.7.1). */
function readVex(bytes: Bytes, encoding: Encoding, first: number): number {
	const wrong = PREFIX.operandSize | PREFIX.lock | PREFIX.repne | PREFIX.rep;
	if (encoding.rex !== 0 || (encoding.prefixes & wrong) !== 0) return 0;
	const payload = bytes.u8();
	if (first !== 0x62) {
		const last = first === 0xc5 ? payload : bytes.u8();
		encoding.map = first === 0xc5 ? 1 : payload & 0x1f;
		encoding.vexRegister = (~last >> 3) & 0xf;
		// R, X and B are inverted; W stands elsewhere.
		const extensions = first === 0xc5 ? (~payload >> 5) & 4 : (~payload >> 5) & 7;
		encoding.rex = 0x40 | extensions | (first === 0xc4 ? (last >> 4) & 8 : 0);
	} else {
		// One bit that is always 0, one that is always 1: with them otherwise it is an extension.
		encoding.map = payload & 7;
		const fixed = bytes.u8() & 4;
		bytes.u8();
		if ((payload & 8) !== 0 || fixed === 0) return 0;
	}
	encoding.kind = first === 0x62 ? "evex" : "vex";
	encoding.opcode = bytes.u8();
	const table = (first === 0x62 ? maps.EVEX : maps.VEX)[encoding.map];
	return table?.[encoding.opcode] ?? 0;
}

function readOperand(bytes: Bytes, encoding: Encoding, registers: boolean): void {
	const modrm = bytes.u8();
	encoding.modrm = modrm;
	const mod = registers ? 3 : modrm >> 6;
	if (mod === 3) return;
	let base = modrm & 7;
	if (base === 4) {
		encoding.sib = bytes.u8();
		base = encoding.sib & 7;
	}
	// mod 0 with base 5 has a displacement of 4 bytes: from RIP, or without a base.
	if (mod === 1) encoding.displacement = bytes.signed(1);
	else if (mod === 2 || base === 5) encoding.displacement = bytes.signed(4);
}

/** Opcodes of which only some forms exist (Intel SDM volume 2, table A-6, "opcode extensions"). */
function isValid({ kind, map, opcode, modrm, prefixes }: Encoding): boolean {
	if (kind !== "legacy") return true;
	const register = (modrm >> 3) & 7;
	const isRegister = modrm >= 0xc0;
	if (map === 0) {
		switch (opcode) {
			case 0x8d: // lea of a register
				return !isRegister;
			case 0x8c: // mov from and to a segment register
				return register < 6;
			case 0x8e:
				return register < 6 && register !== 1;
			case 0x8f: // pop; XOP of AMD otherwise
				return register === 0;
			case 0xc6:
			case 0xc7: // mov, xabort, xbegin
				return register === 0 || modrm === 0xf8;
			case 0xfe:
				return register < 2;
			case 0xff: // far calls and jumps take memory only
				return register < 7 && !(isRegister && (register === 3 || register === 5));
		}
		return true;
	}
	if (map === 1) {
		switch (opcode) {
			case 0x71:
			case 0x72:
			case 0x73:
				return isRegister;
			case 0x78: // vmread; extrq and insertq of AMD otherwise
				return (prefixes & (PREFIX.operandSize | PREFIX.repne | PREFIX.rep)) === 0;
			case 0xb8: // popcnt
				return (prefixes & PREFIX.rep) !== 0;
			case 0xba:
				return register >= 4;
		}
	}
	return true;
}

/** False for a near branch with an operand-size prefix: Intel ignores the prefix, AMD takes 16 bits. */
function readImmediate(bytes: Bytes, encoding: Encoding, flags: number): boolean {
	const small = (encoding.prefixes & PREFIX.operandSize) !== 0;
	const wide = (encoding.rex & REX_W) !== 0;
	const { opcode, map, modrm } = encoding;
	if (map === 0 && (opcode === 0xf6 || opcode === 0xf7)) {
		// test has an immediate; not, neg, mul, imul, div and idiv have none.
		if (((modrm >> 3) & 7) < 2) encoding.immediate = bytes.signed(opcode === 0xf6 ? 1 : small && !wide ? 2 : 4);
		return true;
	}
	if ((flags & maps.REL32) !== 0 || (map === 0 && opcode === 0xc7 && modrm === 0xf8)) {
		if (small && !wide) return false;
		encoding.immediate = bytes.signed(4);
		return true;
	}
	if ((flags & maps.REL8) !== 0) {
		if (small && !wide) return false;
		encoding.immediate = bytes.signed(1);
		return true;
	}
	if ((flags & maps.IMM16) !== 0) encoding.immediate = bytes.signed(2);
	if ((flags & maps.IMM8) !== 0) encoding.immediate = bytes.signed(1);
	if ((flags & maps.IMMZ) !== 0) encoding.immediate = bytes.signed(small && !wide ? 2 : 4);
	if ((flags & maps.IMMV) !== 0) {
		if (wide) bytes.signed(8);
		else encoding.immediate = bytes.signed(small ? 2 : 4);
	}
	if ((flags & maps.ADDRESS) !== 0) bytes.signed((encoding.prefixes & PREFIX.addressSize) !== 0 ? 4 : 8);
	return true;
}

/** How the instruction passes control on. */
export function flowOf({ kind, map, opcode, modrm }: Encoding): Flow {
	if (kind !== "legacy") return "next";
	const register = (modrm >> 3) & 7;
	if (map === 1) {
		if (opcode >= 0x80 && opcode <= 0x8f) return "branch";
		// sysret, ud2, sysexit, ud1, ud0
		return opcode === 0x07 || opcode === 0x0b || opcode === 0x35 || opcode === 0xb9 || opcode === 0xff
			? "stop"
			: "next";
	}
	if (map !== 0) return "next";
	if ((opcode >= 0x70 && opcode <= 0x7f) || (opcode >= 0xe0 && opcode <= 0xe3)) return "branch";
	switch (opcode) {
		case 0xe8:
			return "call";
		case 0xe9:
		case 0xeb:
			return "jump";
		case 0xc2:
		case 0xc3:
		case 0xca:
		case 0xcb:
		case 0xcf:
			return "return";
		case 0xcc:
		case 0xf4:
			return "stop";
		case 0xc7: // xbegin
			return modrm === 0xf8 ? "branch" : "next";
		case 0xff:
			if (register === 2 || register === 3) return "indirect-call";
			return register === 4 || register === 5 ? "indirect-jump" : "next";
	}
	return "next";
}

/**
 * Whether the kernel emulates a probed instruction (arch/x86/kernel/uprobes.c, branch_setup_xol_ops and push_setup_xol_ops, Linux 5.10 to 6.18).
 * Only the forms that every one of them emulates: longer nops (0f 1f) are emulated since 6.18 alone; with a prefix it depends on the prefix:
 * 66 has a branch refused, as have lock and most segment prefixes any instruction.
 */
export function isEmulated({ kind, map, opcode, prefixes, rex }: Encoding): boolean {
	if (kind !== "legacy" || prefixes !== 0) return false;
	if (map === 0 && opcode >= 0x50 && opcode <= 0x57) return rex === 0 || rex === 0x41;
	if (rex !== 0) return false;
	if (map === 1) return opcode >= 0x80 && opcode <= 0x8f;
	return map === 0 && ((opcode >= 0x70 && opcode <= 0x7f) || [0x90, 0xe8, 0xe9, 0xeb].includes(opcode));
}

/** The instruction at the offset; undefined when its bytes are not known or the code ends within it. Never reads outside of `code`. */
export function decodeAmd64(code: Uint8Array, offset: number): Instruction | undefined {
	const encoding = parse(code, offset);
	return encoding && instructionOf(encoding);
}

/** What an instruction's fields say about control. */
export function instructionOf(encoding: Encoding): Instruction {
	const { offset, length, immediate } = encoding;
	const flow = flowOf(encoding);
	const emulated = isEmulated(encoding);
	return flow === "jump" || flow === "branch" || flow === "call"
		? { offset, length, flow, target: offset + length + immediate, emulated }
		: { offset, length, flow, emulated };
}
