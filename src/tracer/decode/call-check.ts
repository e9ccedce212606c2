import type { GoBinary } from "../../gobin/go-binary.ts";

const BL_MASK = 0xfc000000;
const BL = 0x94000000;
const BLR_MASK = 0xfffffc1f;
const BLR = 0xd63f0000;

/**
 * Whether the arm64 instruction before a return address can have called the function around `callee`. What a stale frame pointer leads to is no stack of calls, or
 * one that does not fit: of a direct call the callee is known. Of an indirect one it is not.
 */
export function mayCall(
	binary: Pick<GoBinary, "bytesAt" | "functionAt">,
	returnAddress: number,
	callee: number,
): boolean {
	const address = returnAddress - 4;
	if (address % 4 !== 0 || binary.functionAt(address) === undefined) return false;
	const bytes = binary.bytesAt(address, 4);
	const word = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
	if ((word & BLR_MASK) >>> 0 === BLR) return true;
	if ((word & BL_MASK) >>> 0 !== BL) return false;
	// 26 bits with a sign, in words.
	const target = address + ((word << 6) >> 4);
	return target === binary.functionAt(callee)?.entry;
}
