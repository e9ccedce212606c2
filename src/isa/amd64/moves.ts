/**
 * Instructions that the register allocator adds: they move values that exist already. Opcodes: Intel SDM volume 2,
 * appendix A.
 */
import type { Encoding } from "./decode.ts";
import { RBP, RSP, rmRegister } from "./registers.ts";

/** mov between registers and memory, of 8 to 64 bits; lea. */
const MOVES = new Set([0x88, 0x89, 0x8a, 0x8b, 0x8d]);
/** movups, movss, movsd; movaps; movd, movq, movdqu; movzx, movsx. */
const WIDE_MOVES = new Set([0x10, 0x11, 0x28, 0x29, 0x6e, 0x6f, 0x7e, 0x7f, 0xd6, 0xb6, 0xb7, 0xbe, 0xbf]);

/**
 * Whether the instruction copies a register, spills one to the stack, restores one from there, or loads a constant.
 */
export function isRegisterMove(encoding: Encoding | undefined): boolean {
	if (encoding === undefined || encoding.kind !== "legacy") return false;
	const { map, opcode } = encoding;
	if (map === 0 && opcode >= 0xb8 && opcode <= 0xbf) return true;
	if (map === 0 ? !MOVES.has(opcode) : map !== 1 || !WIDE_MOVES.has(opcode)) return false;
	return rmRegister(encoding) !== undefined || isOnStack(encoding);
}

function isOnStack({ modrm, sib, rex }: Encoding): boolean {
	if ((rex & 1) !== 0 || modrm < 0) return false;
	const low = modrm & 7;
	const base = low === 4 ? sib & 7 : low;
	return modrm >> 6 === 0 ? low === 4 && base === RSP : base === RSP || base === RBP;
}
