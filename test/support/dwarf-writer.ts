/** Writes small DWARF sections byte by byte, so that tests say exactly what a reader is given. */
import type { DwarfSectionName, DwarfSections } from "../../src/dwarf/sections.ts";

/** Little-endian bytes, appended one value after the other. */
export class ByteWriter {
	readonly #bytes: number[] = [];

	get length(): number {
		return this.#bytes.length;
	}

	raw(bytes: Iterable<number>): this {
		for (const byte of bytes) this.#bytes.push(byte & 0xff);
		return this;
	}

	/** The `size` low bytes of a number. */
	uint(value: number | bigint, size: number): this {
		let rest = BigInt.asUintN(size * 8, BigInt(value));
		for (let n = 0; n < size; n++, rest >>= 8n) this.#bytes.push(Number(rest & 0xffn));
		return this;
	}

	u8(...values: number[]): this {
		return this.raw(values);
	}

	u16(value: number): this {
		return this.uint(value, 2);
	}

	u32(value: number): this {
		return this.uint(value, 4);
	}

	u64(value: number | bigint): this {
		return this.uint(value, 8);
	}

	uleb(...values: (number | bigint)[]): this {
		for (const value of values) {
			let rest = BigInt(value);
			do {
				const low = Number(rest & 0x7fn);
				rest >>= 7n;
				this.#bytes.push(rest === 0n ? low : low | 0x80);
			} while (rest !== 0n);
		}
		return this;
	}

	sleb(value: number | bigint): this {
		for (let rest = BigInt(value); ; ) {
			const low = Number(rest & 0x7fn);
			rest >>= 7n;
			const done = rest === ((low & 0x40) === 0 ? 0n : -1n);
			this.#bytes.push(done ? low : low | 0x80);
			if (done) return this;
		}
	}

	/** A text with its final NUL. */
	text(value: string): this {
		return this.raw(Buffer.from(value, "utf8")).u8(0);
	}

	/** What `write` appends, after its length. */
	sized(lengthSize: number, write: (part: ByteWriter) => void): this {
		const part = new ByteWriter();
		write(part);
		return this.uint(part.length, lengthSize).raw(part.bytes());
	}

	bytes(): Uint8Array {
		return Uint8Array.from(this.#bytes);
	}
}

/** One declaration of .debug_abbrev; an attribute is [name, form] or [name, form, implicit constant]. */
export interface AbbrevDeclaration {
	code: number;
	tag: number;
	children?: boolean;
	attributes: readonly (readonly [name: number, form: number, constant?: number])[];
}

/** A table of .debug_abbrev. */
export function abbrevTable(...declarations: AbbrevDeclaration[]): Uint8Array {
	const writer = new ByteWriter();
	for (const { code, tag, children, attributes } of declarations) {
		writer.uleb(code, tag).u8(children ? 1 : 0);
		for (const [name, form, constant] of attributes) {
			writer.uleb(name, form);
			if (constant !== undefined) writer.sleb(constant);
		}
		writer.uleb(0, 0);
	}
	return writer.uleb(0).bytes();
}

export interface UnitOptions {
	version?: number;
	/** 8 for 64-bit DWARF. */
	offsetSize?: 4 | 8;
	addressSize?: number;
	abbrevOffset?: number;
	/** DW_UT_*, from version 5 on. */
	type?: number;
}

/** A unit of .debug_info; `write` appends the DIEs; `here` is the offset of the next byte from the unit's start. */
export function unit(options: UnitOptions, write: (dies: ByteWriter, here: () => number) => void): Uint8Array {
	const { version = 4, offsetSize = 4, addressSize = 8, abbrevOffset = 0, type = 1 } = options;
	const body = new ByteWriter().u16(version);
	if (version >= 5) body.u8(type, addressSize).uint(abbrevOffset, offsetSize);
	else body.uint(abbrevOffset, offsetSize).u8(addressSize);
	const lengthBytes = offsetSize === 8 ? 12 : 4;
	write(body, () => lengthBytes + body.length);
	const whole = new ByteWriter();
	if (offsetSize === 8) whole.u32(0xffff_ffff);
	return whole.uint(body.length, offsetSize).raw(body.bytes()).bytes();
}

/** Sections as the reader asks for them. */
export function sectionsOf(sections: Partial<Record<DwarfSectionName, Uint8Array>>): DwarfSections {
	return { section: (name) => sections[name] };
}
