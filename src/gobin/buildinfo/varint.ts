/** Base-128 varints, least significant group first, of up to 32 bits (encoding/binary, cmd/internal/obj/pcln.go). */

export interface Uvarint {
	value: number;
	/** Offset behind the last byte. */
	end: number;
}

/** Undefined when the bytes end before the varint does or it has more than five bytes. */
export function readUvarint(bytes: Uint8Array, at: number): Uvarint | undefined {
	let value = 0;
	for (let index = 0; index < 5; index++) {
		const byte = bytes[at + index];
		if (byte === undefined) {
			return undefined;
		}
		value += (byte & 0x7f) * 2 ** (7 * index);
		if (byte < 0x80) {
			return { value, end: at + index + 1 };
		}
	}
	return undefined;
}
