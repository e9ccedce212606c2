/**
 * Which integer registers an x86-64 instruction may write. What is not known for certain counts as written. Source: Intel SDM volume 2.
 */
import { type Encoding, PREFIX } from "./decode.ts";

/** Numbers as instructions encode them. */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R11 = 11;
export const R14 = 14;

/** A set of registers: bit n for register n. */
export type RegisterSet = number;

export const ALL: RegisterSet = 0xffff;

export function setOf(...registers: number[]): RegisterSet {
	let set = 0;
	for (const register of registers) set |= 1 << register;
	return set;
}

/** The register of the ModRM byte's reg field. */
export function regField({ modrm, rex }: Encoding): number {
	return ((modrm >> 3) & 7) | ((rex & 4) << 1);
}

/** The register that the ModRM byte's rm field names; undefined when it is memory. */
export function rmRegister({ modrm, rex }: Encoding): number | undefined {
	return modrm >= 0xc0 ? (modrm & 7) | ((rex & 1) << 3) : undefined;
}

const STRING = setOf(RSI, RDI, RCX);

/** The registers that the instruction may write. A call may write all. */
export function writtenRegisters(encoding: Encoding): RegisterSet {
	const { kind, map } = encoding;
	if (kind === "evex") return ALL;
	if (kind === "vex") return vexWrites(encoding);
	if (map === 0) return oneByteWrites(encoding);
	if (map === 1) return twoByteWrites(encoding);
	return threeByteWrites(encoding);
}

const reg = (encoding: Encoding): RegisterSet => 1 << regField(encoding);

function rm(encoding: Encoding): RegisterSet {
	const register = rmRegister(encoding);
	return register === undefined ? 0 : 1 << register;
}

/** Of an operand of one byte: without REX the numbers 4 to 7 are ah, ch, dh and bh. */
function orHighByte(set: RegisterSet, encoding: Encoding): RegisterSet {
	return encoding.rex === 0 ? set | ((set >> 4) & 0xf) : set;
}

function oneByteWrites(encoding: Encoding): RegisterSet {
	const { opcode, modrm, rex } = encoding;
	const extension = (modrm >> 3) & 7;
	const low = (opcode & 7) | ((rex & 1) << 3);
	if (opcode < 0x40) {
		if (opcode >= 0x38) return 0; // cmp
		const form = opcode & 7;
		if (form < 2) return orHighByte(rm(encoding), encoding);
		return form < 4 ? orHighByte(reg(encoding), encoding) : setOf(RAX);
	}
	if (opcode <= 0x57) return setOf(RSP); // push
	if (opcode <= 0x5f) return setOf(RSP, low); // pop
	if (opcode >= 0x70 && opcode <= 0x7f) return 0;
	if (opcode >= 0x91 && opcode <= 0x97) return setOf(RAX, low);
	if (opcode >= 0xa4 && opcode <= 0xa7) return STRING;
	if (opcode >= 0xaa && opcode <= 0xaf) return STRING | setOf(RAX);
	if (opcode >= 0xb0 && opcode <= 0xb7) return orHighByte(setOf(low), encoding);
	if (opcode >= 0xb8 && opcode <= 0xbf) return setOf(low);
	if (opcode >= 0xd8 && opcode <= 0xdf) return setOf(RAX); // fnstsw
	switch (opcode) {
		case 0x63:
		case 0x69:
		case 0x6b:
		case 0x8b:
		case 0x8d:
			return reg(encoding);
		case 0x8a:
			return orHighByte(reg(encoding), encoding);
		case 0x68:
		case 0x6a:
		case 0x9c:
		case 0x9d:
			return setOf(RSP);
		case 0x80:
		case 0x81:
		case 0x83:
			return extension === 7 ? 0 : orHighByte(rm(encoding), encoding);
		case 0x84:
		case 0x85:
		case 0x8e:
		case 0x9b:
		case 0x9e:
		case 0xa2:
		case 0xa3:
		case 0xa8:
		case 0xa9:
		case 0xcc:
		case 0xe3:
		case 0xe9:
		case 0xeb:
		case 0xf4:
		case 0xf5:
		case 0xf8:
		case 0xf9:
		case 0xfc:
		case 0xfd:
			return 0;
		case 0x86:
		case 0x87:
			return orHighByte(reg(encoding) | rm(encoding), encoding);
		case 0x88:
		case 0x89:
		case 0x8c:
		case 0xc0:
		case 0xc1:
		case 0xd0:
		case 0xd1:
		case 0xd2:
		case 0xd3:
		case 0xfe:
			return orHighByte(rm(encoding), encoding);
		case 0xc6:
		case 0xc7:
			return orHighByte(rm(encoding), encoding) | (modrm === 0xf8 ? setOf(RAX) : 0);
		case 0x8f:
			return setOf(RSP) | rm(encoding);
		case 0x90: // nop, but with REX.B it is xchg
			return (rex & 1) === 0 ? 0 : setOf(RAX, R8);
		case 0x98:
		case 0x9f:
		case 0xa0:
		case 0xa1:
		case 0xd7:
		case 0xe4:
		case 0xe5:
		case 0xec:
		case 0xed:
			return setOf(RAX);
		case 0x99:
			return setOf(RDX);
		case 0xc2:
		case 0xc3:
			return setOf(RSP);
		case 0xc8:
		case 0xc9:
			return setOf(RSP, RBP);
		case 0xe0:
		case 0xe1:
		case 0xe2:
			return setOf(RCX);
		case 0xf6:
		case 0xf7:
			if (extension < 2) return 0;
			return extension < 4 ? orHighByte(rm(encoding), encoding) : setOf(RAX, RDX);
		case 0xff:
			if (extension < 2) return rm(encoding);
			return extension === 6 ? setOf(RSP) : extension >= 4 ? 0 : ALL;
	}
	return ALL;
}

/** Opcodes after 0f that write no integer register, or the flags alone. */
function isQuietTwoByte(opcode: number, prefixes: number): boolean {
	if (opcode === 0x1e) return (prefixes & PREFIX.rep) === 0; // rdssp
	return (
		opcode === 0x0b ||
		opcode === 0x0d ||
		(opcode >= 0x10 && opcode <= 0x1f) ||
		(opcode >= 0x28 && opcode <= 0x2b) ||
		opcode === 0x2e ||
		opcode === 0x2f ||
		(opcode >= 0x51 && opcode <= 0x77) ||
		opcode === 0x7c ||
		opcode === 0x7d ||
		opcode === 0x7f ||
		(opcode >= 0x80 && opcode <= 0x8f) ||
		opcode === 0xa3 ||
		(opcode >= 0xc2 && opcode <= 0xc4) ||
		opcode === 0xc6 ||
		(opcode >= 0xd0 && opcode <= 0xff && opcode !== 0xd7)
	);
}

function twoByteWrites(encoding: Encoding): RegisterSet {
	const { opcode, rex, prefixes } = encoding;
	if (isQuietTwoByte(opcode, prefixes)) return 0;
	if (opcode >= 0x40 && opcode <= 0x4f) return reg(encoding); // cmov
	if (opcode >= 0x90 && opcode <= 0x9f) return orHighByte(rm(encoding), encoding); // set
	if (opcode >= 0xc8 && opcode <= 0xcf) return setOf((opcode & 7) | ((rex & 1) << 3)); // bswap
	switch (opcode) {
		case 0x05: // syscall
			return setOf(RAX, RCX, R11);
		case 0x1e:
		case 0x7e: // to a vector register with f3; counted all the same
		case 0xa4:
		case 0xa5:
		case 0xab:
		case 0xac:
		case 0xad:
		case 0xae: // rdfsbase
		case 0xb3:
		case 0xba:
		case 0xbb:
			return rm(encoding);
		case 0x2c:
		case 0x2d:
		case 0x50:
		case 0xaf:
		case 0xb6:
		case 0xb7:
		case 0xb8:
		case 0xbc:
		case 0xbd:
		case 0xbe:
		case 0xbf:
		case 0xc5:
		case 0xd7:
			return reg(encoding);
		case 0x31: // rdtsc
			return setOf(RAX, RDX);
		case 0xa2: // cpuid
			return setOf(RAX, RBX, RCX, RDX);
		case 0xb0:
		case 0xb1: // cmpxchg
			return setOf(RAX) | orHighByte(rm(encoding), encoding);
		case 0xc0:
		case 0xc1: // xadd
			return orHighByte(reg(encoding) | rm(encoding), encoding);
		case 0xc7: // cmpxchg16b, rdrand
			return setOf(RAX, RDX) | rm(encoding);
	}
	return ALL;
}

function threeByteWrites(encoding: Encoding): RegisterSet {
	const { map, opcode } = encoding;
	if (map === 2) return opcode < 0xf0 ? 0 : reg(encoding) | rm(encoding); // movbe, crc32, adcx
	if (opcode >= 0x14 && opcode <= 0x17) return rm(encoding); // pextr
	return opcode >= 0x60 && opcode <= 0x63 ? setOf(RCX) : 0; // pcmpestri
}

/** All operands count as integer registers. */
function vexWrites(encoding: Encoding): RegisterSet {
	return reg(encoding) | rm(encoding) | setOf(encoding.vexRegister, RCX);
}
