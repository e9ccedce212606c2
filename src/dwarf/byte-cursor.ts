import { malformed, place } from "./malformed.ts";
import { textAt } from "./text.ts";

/** A LEB128 number of 64 bits has at most ten bytes (7 bits each); longer ones are refused. */
const LEB128_MAX_BYTES = 10;
const TWO_POW_32 = 0x1_0000_0000;

/**
 * Reads little-endian values one after the other from `bytes`, never at or behind `end`.
 * All methods throw GomapgrowError E-BIN-MALFORMED when the value is not wholly before `end`.
 *
 * 64-bit values are returned as numbers: above 2^53 they are rounded, which no caller mistakes for an offset (every
 * offset is checked against a section's length) nor for an address of a user-space program (below 2^48).
 */
export class ByteCursor {
	readonly bytes: Uint8Array;
	readonly end: number;
	/** The section's name, for messages. */
	readonly section: string;
	/** Offset of the next byte, from the start of the section. */
	pos: number;

	constructor(bytes: Uint8Array, section: string, pos = 0, end: number = bytes.length) {
		if (!(pos >= 0 && pos <= end && end <= bytes.length)) {
			throw malformed(`an offset inside ${section} (${bytes.length} bytes)`, `0x${pos.toString(16)}`);
		}
		this.bytes = bytes;
		this.section = section;
		this.pos = pos;
		this.end = end;
	}

	/** Bytes left before the end. */
	get left(): number {
		return this.end - this.pos;
	}

	/** Skips `count` bytes; `count` may come straight from the file. */
	skip(count: number): void {
		if (!(count <= this.end - this.pos)) throw this.#truncated(`${count} bytes`);
		this.pos += count;
	}

	u8(): number {
		const p = this.#take(1);
		return this.bytes[p] as number;
	}

	s8(): number {
		return (this.u8() << 24) >> 24;
	}

	u16(): number {
		const p = this.#take(2);
		return u16At(this.bytes, p);
	}

	u24(): number {
		const p = this.#take(3);
		return u16At(this.bytes, p) | ((this.bytes[p + 2] as number) << 16);
	}

	u32(): number {
		const p = this.#take(4);
		return u32At(this.bytes, p);
	}

	u64(): number {
		const p = this.#take(8);
		return u32At(this.bytes, p) + u32At(this.bytes, p + 4) * TWO_POW_32;
	}

	/** An unsigned number of 1, 2, 4 or 8 bytes (an address or a section offset). */
	unsigned(size: number): number {
		switch (size) {
			case 1:
				return this.u8();
			case 2:
				return this.u16();
			case 4:
				return this.u32();
			case 8:
				return this.u64();
			default:
				throw malformed("a number of 1, 2, 4 or 8 bytes", `${size} bytes at ${place(this.section, this.pos)}`);
		}
	}

	uleb(): number {
		let value = 0;
		let factor = 1;
		for (let n = 0; n < LEB128_MAX_BYTES; n++) {
			const byte = this.u8();
			value += (byte & 0x7f) * factor;
			if (byte < 0x80) return value;
			factor *= 128;
		}
		throw this.#longLeb();
	}

	sleb(): number {
		let value = 0;
		// The complement is summed as well: small negative numbers stay exact, however many bytes spell them.
		let complement = 0;
		let factor = 1;
		for (let n = 0; n < LEB128_MAX_BYTES; n++) {
			const byte = this.u8();
			value += (byte & 0x7f) * factor;
			complement += (~byte & 0x7f) * factor;
			if (byte < 0x80) return (byte & 0x40) === 0 ? value : -complement - 1;
			factor *= 128;
		}
		throw this.#longLeb();
	}

	skipLeb(): void {
		for (let n = 0; n < LEB128_MAX_BYTES; n++) if (this.u8() < 0x80) return;
		throw this.#longLeb();
	}

	/** Skips a NUL-terminated string and returns where it started. */
	skipString(): number {
		const start = this.pos;
		const { bytes, end } = this;
		let p = start;
		while (p < end && bytes[p] !== 0) p++;
		if (p >= end) throw this.#truncated("the NUL that ends a string");
		this.pos = p + 1;
		return start;
	}

	/** A NUL-terminated string as textAt() decodes it. */
	string(): string {
		return textAt(this.bytes, this.section, this.skipString(), this.end);
	}

	#take(count: number): number {
		const p = this.pos;
		if (p + count > this.end) throw this.#truncated(`${count} bytes`);
		this.pos = p + count;
		return p;
	}

	#truncated(wanted: string): Error {
		return malformed(`${wanted} at ${place(this.section, this.pos)}`, `an end at 0x${this.end.toString(16)}`);
	}

	#longLeb(): Error {
		return malformed(
			`a LEB128 number of at most ${LEB128_MAX_BYTES} bytes`,
			`a longer one before ${place(this.section, this.pos)}`,
		);
	}
}

function u16At(bytes: Uint8Array, p: number): number {
	return (bytes[p] as number) | ((bytes[p + 1] as number) << 8);
}

function u32At(bytes: Uint8Array, p: number): number {
	return (u16At(bytes, p) | (u16At(bytes, p + 2) << 16)) >>> 0;
}
