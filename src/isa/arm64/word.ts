/** The bytes of one A64 instruction, always little-endian. */
export const WORD_BYTES = 4;

/** The instruction word at the offset, or undefined when the code ends within it or the offset is not aligned. */
export function wordAt(code: Uint8Array, offset: number): number | undefined {
	const [a, b, c, d] = [code[offset], code[offset + 1], code[offset + 2], code[offset + 3]];
	if (a === undefined || b === undefined || c === undefined || d === undefined || offset % WORD_BYTES !== 0) {
		return undefined;
	}
	return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

/** Whether the bits under `mask` are those of `value`. */
export function hasBits(word: number, mask: number, value: number): boolean {
	return (word & mask) >>> 0 === value;
}

/** Bits `low` to `low + width - 1`. */
export function bits(word: number, low: number, width: number): number {
	return (word >>> low) & (2 ** width - 1);
}

/** The same bits as a signed count of instructions, in bytes. */
export function displacement(word: number, low: number, width: number): number {
	const unsigned = bits(word, low, width);
	return (unsigned >= 2 ** (width - 1) ? unsigned - 2 ** width : unsigned) * WORD_BYTES;
}
