import type { ByteCursor } from "./byte-cursor.ts";
import { FORM } from "./constants.ts";
import { malformed, place } from "./malformed.ts";
import { textAt } from "./text.ts";
import type { UnitHeader } from "./unit-headers.ts";

/** What values are decoded with: the unit that they are in. */
export interface ValueUnit {
	readonly header: UnitHeader;
	readonly data: { section(name: StringSection): Uint8Array };
	/** The address at `index` of the unit's share of .debug_addr. */
	indexedAddress(index: number): number;
	/** The offset in .debug_str at `index` of the unit's share of .debug_str_offsets. */
	indexedString(index: number): number;
}

/** An attribute's value that was found but not decoded. It is valid until the DieCursor that gave it is used again. */
export interface FormValue {
	readonly unit: ValueUnit;
	/** On the first byte of the value. */
	readonly at: ByteCursor;
	/** DW_FORM_*, never DW_FORM_indirect. */
	readonly form: number;
	/** The value itself for DW_FORM_implicit_const. */
	readonly constant: number;
}

export type StringSection = ".debug_info" | ".debug_str" | ".debug_line_str";

/** A string that has not been decoded: the NUL-terminated bytes at `offset` of `section`. */
export interface StringPlace {
	readonly section: StringSection;
	readonly offset: number;
}

/** A value of the classes constant, flag and sec_offset. Values above 2^53 are rounded. */
export function numberOf({ at, form, constant, unit }: FormValue): number | undefined {
	switch (form) {
		case FORM.data1:
		case FORM.flag:
			return at.u8();
		case FORM.data2:
			return at.u16();
		case FORM.data4:
			return at.u32();
		case FORM.data8:
			return at.u64();
		case FORM.udata:
			return at.uleb();
		case FORM.sdata:
			return at.sleb();
		case FORM.implicitConst:
			return constant;
		case FORM.flagPresent:
			return 1;
		case FORM.secOffset:
			return at.unsigned(unit.header.offsetSize);
		default:
			return undefined;
	}
}

/** A value of class string, decoded as UTF-8. */
export function stringOf(value: FormValue): string | undefined {
	const where = stringPlaceOf(value);
	if (!where) return undefined;
	if (where.section === ".debug_info") return textAt(value.at.bytes, where.section, where.offset, value.at.end);
	return textAt(value.unit.data.section(where.section), where.section, where.offset);
}

/** Where a value of class string has its bytes; absent for strings of a supplementary file. */
export function stringPlaceOf({ at, form, unit }: FormValue): StringPlace | undefined {
	const { offsetSize } = unit.header;
	switch (form) {
		case FORM.string:
			return { section: ".debug_info", offset: at.pos };
		case FORM.strp:
			return { section: ".debug_str", offset: at.unsigned(offsetSize) };
		case FORM.lineStrp:
			return { section: ".debug_line_str", offset: at.unsigned(offsetSize) };
		case FORM.strx:
		case FORM.gnuStrIndex:
			return { section: ".debug_str", offset: unit.indexedString(at.uleb()) };
		case FORM.strx1:
			return { section: ".debug_str", offset: unit.indexedString(at.u8()) };
		case FORM.strx2:
			return { section: ".debug_str", offset: unit.indexedString(at.u16()) };
		case FORM.strx3:
			return { section: ".debug_str", offset: unit.indexedString(at.u24()) };
		case FORM.strx4:
			return { section: ".debug_str", offset: unit.indexedString(at.u32()) };
		default:
			return undefined;
	}
}

/** A value of class address. */
export function addressOf({ at, form, unit }: FormValue): number | undefined {
	switch (form) {
		case FORM.addr:
			return at.unsigned(unit.header.addressSize);
		case FORM.addrx:
		case FORM.gnuAddrIndex:
			return unit.indexedAddress(at.uleb());
		case FORM.addrx1:
			return unit.indexedAddress(at.u8());
		case FORM.addrx2:
			return unit.indexedAddress(at.u16());
		case FORM.addrx3:
			return unit.indexedAddress(at.u24());
		case FORM.addrx4:
			return unit.indexedAddress(at.u32());
		default:
			return undefined;
	}
}

/** A value of class reference, as an offset in .debug_info; absent for type signatures and supplementary files. */
export function referenceOf({ at, form, unit }: FormValue): number | undefined {
	switch (form) {
		case FORM.ref1:
			return local(unit, at.u8());
		case FORM.ref2:
			return local(unit, at.u16());
		case FORM.ref4:
			return local(unit, at.u32());
		case FORM.ref8:
			return local(unit, at.u64());
		case FORM.refUdata:
			return local(unit, at.uleb());
		case FORM.refAddr:
			return at.unsigned(unit.header.version <= 2 ? unit.header.addressSize : unit.header.offsetSize);
		default:
			return undefined;
	}
}

function local(unit: ValueUnit, offset: number): number {
	const { offset: start, dieOffset, end } = unit.header;
	const absolute = start + offset;
	// The end itself is allowed: DW_AT_sibling of a unit's last DIE.
	if (absolute < dieOffset || absolute > end) {
		throw malformed(
			"a reference inside its unit",
			`${place(".debug_info", absolute)} in the unit at 0x${start.toString(16)}`,
		);
	}
	return absolute;
}
