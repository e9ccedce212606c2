import type { ByteCursor } from "./byte-cursor.ts";
import { FORM } from "./constants.ts";
import { malformed, place } from "./malformed.ts";

/** What the size of a value depends on besides its form. */
export interface Encoding {
	/** DWARF version of the unit, 2 to 5. */
	readonly version: number;
	/** Bytes of an address, 1 to 8. */
	readonly addressSize: number;
	/** Bytes of a section offset: 4 (32-bit DWARF) or 8 (64-bit DWARF). */
	readonly offsetSize: 4 | 8;
}

/** One step of skipping: a number of bytes (>= 0) or one of these kinds of variable length. */
export const SKIP = {
	leb: -1,
	string: -2,
	block1: -3,
	block2: -4,
	block4: -5,
	block: -6,
	indirect: -7,
	unknown: -8,
} as const;

/** The size in bytes of a value of `form`, or the kind of its variable length (a negative number of SKIP). */
export function skipOf(form: number, encoding: Encoding): number {
	switch (form) {
		case FORM.flagPresent:
		case FORM.implicitConst:
			return 0;
		case FORM.data1:
		case FORM.flag:
		case FORM.ref1:
		case FORM.strx1:
		case FORM.addrx1:
			return 1;
		case FORM.data2:
		case FORM.ref2:
		case FORM.strx2:
		case FORM.addrx2:
			return 2;
		case FORM.strx3:
		case FORM.addrx3:
			return 3;
		case FORM.data4:
		case FORM.ref4:
		case FORM.refSup4:
		case FORM.strx4:
		case FORM.addrx4:
			return 4;
		case FORM.data8:
		case FORM.ref8:
		case FORM.refSig8:
		case FORM.refSup8:
			return 8;
		case FORM.data16:
			return 16;
		case FORM.addr:
			return encoding.addressSize;
		case FORM.refAddr:
			// DWARF 2 gave it the size of an address (DWARF 3, section 7.5.4, note on DW_FORM_ref_addr).
			return encoding.version <= 2 ? encoding.addressSize : encoding.offsetSize;
		case FORM.strp:
		case FORM.strpSup:
		case FORM.lineStrp:
		case FORM.secOffset:
		case FORM.gnuRefAlt:
		case FORM.gnuStrpAlt:
			return encoding.offsetSize;
		case FORM.sdata:
		case FORM.udata:
		case FORM.refUdata:
		case FORM.strx:
		case FORM.addrx:
		case FORM.loclistx:
		case FORM.rnglistx:
		case FORM.gnuAddrIndex:
		case FORM.gnuStrIndex:
			return SKIP.leb;
		case FORM.string:
			return SKIP.string;
		case FORM.block1:
			return SKIP.block1;
		case FORM.block2:
			return SKIP.block2;
		case FORM.block4:
			return SKIP.block4;
		case FORM.block:
		case FORM.exprloc:
			return SKIP.block;
		case FORM.indirect:
			return SKIP.indirect;
		default:
			return SKIP.unknown;
	}
}

/**
 * Moves `at` behind one value.
 * @param step what skipOf() said of its form.
 * @throws GomapgrowError E-BIN-MALFORMED when the value does not end before the unit, or its form is unknown.
 */
export function skipValue(at: ByteCursor, step: number, encoding: Encoding): void {
	if (step >= 0) {
		at.skip(step);
		return;
	}
	switch (step) {
		case SKIP.leb:
			at.skipLeb();
			return;
		case SKIP.string:
			at.skipString();
			return;
		case SKIP.block1:
			at.skip(at.u8());
			return;
		case SKIP.block2:
			at.skip(at.u16());
			return;
		case SKIP.block4:
			at.skip(at.u32());
			return;
		case SKIP.block:
			at.skip(at.uleb());
			return;
		case SKIP.indirect:
			skipValue(at, skipOf(indirectForm(at), encoding), encoding);
			return;
		default:
			throw malformed("a form of DWARF 2 to 5", `an unknown one before ${place(at.section, at.pos)}`);
	}
}

/** The form that a DW_FORM_indirect value names. One level only: an indirect form may not name another. */
export function indirectForm(at: ByteCursor): number {
	const form = at.uleb();
	// An implicit constant lives in the abbreviation, so it cannot be named here (DWARF 5, section 7.5.3).
	if (form === FORM.indirect || form === FORM.implicitConst) {
		throw malformed(
			"a form behind DW_FORM_indirect",
			`form 0x${form.toString(16)} before ${place(at.section, at.pos)}`,
		);
	}
	return form;
}
