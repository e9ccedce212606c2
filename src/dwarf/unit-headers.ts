import { ByteCursor } from "./byte-cursor.ts";
import { UNIT_TYPE } from "./constants.ts";
import type { Encoding } from "./form-skip.ts";
import { malformed, place } from "./malformed.ts";

/** Large C++ programs have tens of thousands of units, Go one per package. */
const MAX_UNITS = 262_144;

/** The header of a unit in .debug_info. Offsets count from the start of the section. */
export interface UnitHeader extends Encoding {
	/** Of the unit's first byte. */
	readonly offset: number;
	/** Of the byte behind the unit. */
	readonly end: number;
	/** Of its first DIE. */
	readonly dieOffset: number;
	/** Of its table in .debug_abbrev. */
	readonly abbrevOffset: number;
	/** DW_UT_*; units before DWARF 5 do not say and count as "compile". */
	readonly type: number;
}

/** A length field and the size of offsets that it implies (DWARF 5, section 7.4). */
export function readInitialLength(at: ByteCursor): { length: number; offsetSize: 4 | 8 } {
	const first = at.u32();
	if (first < 0xffff_fff0) return { length: first, offsetSize: 4 };
	if (first === 0xffff_ffff) return { length: at.u64(), offsetSize: 8 };
	throw malformed("a length of 32-bit or 64-bit DWARF", `0x${first.toString(16)} before ${place(at.section, at.pos)}`);
}

/**
 * The headers of all units, in order. Units of a version that is not 2 to 5 are left out; nothing inside a unit is read.
 * @throws GomapgrowError E-BIN-MALFORMED when a unit is longer than the section or its header does not fit it.
 */
export function readUnitHeaders(info: Uint8Array): UnitHeader[] {
	const units: UnitHeader[] = [];
	const at = new ByteCursor(info, ".debug_info");
	while (at.left > 0) {
		const offset = at.pos;
		const { length, offsetSize } = readInitialLength(at);
		if (length === 0) continue; // padding between units
		const start = at.pos;
		at.skip(length);
		if (units.length >= MAX_UNITS)
			throw malformed(`at most ${MAX_UNITS} units`, `more at ${place(at.section, offset)}`);
		const unit = readHeader(new ByteCursor(info, ".debug_info", start, at.pos), offset, offsetSize);
		if (unit) units.push(unit);
	}
	return units;
}

function readHeader(at: ByteCursor, offset: number, offsetSize: 4 | 8): UnitHeader | undefined {
	const version = at.u16();
	if (version < 2 || version > 5) return undefined;
	const type = version >= 5 ? at.u8() : UNIT_TYPE.compile;
	let addressSize = version >= 5 ? at.u8() : 0;
	const abbrevOffset = at.unsigned(offsetSize);
	if (version < 5) addressSize = at.u8();
	if (addressSize !== 4 && addressSize !== 8) {
		throw malformed("addresses of 4 or 8 bytes", `${addressSize} bytes in the unit at ${place(at.section, offset)}`);
	}
	if (type === UNIT_TYPE.skeleton || type === UNIT_TYPE.splitCompile) at.skip(8); // the DWO identity
	if (type === UNIT_TYPE.type || type === UNIT_TYPE.splitType) at.skip(8 + offsetSize); // signature, type offset
	return { offset, end: at.end, dieOffset: at.pos, version, addressSize, offsetSize, abbrevOffset, type };
}
