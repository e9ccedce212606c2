import { describe, expect, test } from "bun:test";
import { AT, FORM, TAG } from "../../../src/dwarf/constants.ts";
import type { DieCursor } from "../../../src/dwarf/die-cursor.ts";
import { DwarfData } from "../../../src/dwarf/dwarf-data.ts";
import { abbrevTable, ByteWriter, sectionsOf, type UnitOptions, unit } from "../../support/dwarf-writer.ts";
import { thrownBy } from "../../support/thrown.ts";

/** An attribute that no reader knows. */
const OTHER = 0x3fff;
const SEVEN = [7, 7, 7, 7, 7, 7, 7];

/** A root with an attribute of `form`, followed by one that is only found if the first was stepped over rightly. */
function rootWith(
	form: number,
	value: (at: ByteWriter) => void,
	options: UnitOptions & { name?: number; constant?: number } = {},
	sections: Parameters<typeof sectionsOf>[0] = {},
): DieCursor {
	const first =
		options.constant === undefined
			? ([options.name ?? OTHER, form] as const)
			: ([options.name ?? OTHER, form, options.constant] as const);
	const abbrev = abbrevTable({
		code: 1,
		tag: TAG.compileUnit,
		attributes: [[AT.strOffsetsBase, FORM.data1], [AT.addrBase, FORM.data1], first, [AT.byteSize, FORM.data2]],
	});
	const info = unit(options, (dies) => {
		dies.uleb(1).u8(8, 8);
		value(dies);
		dies.u16(0xbeef);
	});
	const data = new DwarfData(sectionsOf(sections), info, abbrev);
	const die = data.units[0]?.dies();
	if (!die?.next()) throw new Error("the root is missing");
	return die;
}

/** Every form with a value that fills its bytes, in 32-bit DWARF 5 with addresses of 8 bytes. */
const FORMS: readonly [name: keyof typeof FORM, write: (at: ByteWriter) => void][] = [
	["addr", (at) => at.u64(7)],
	["block2", (at) => at.u16(7).raw(SEVEN)],
	["block4", (at) => at.u32(7).raw(SEVEN)],
	["data2", (at) => at.u16(7)],
	["data4", (at) => at.u32(7)],
	["data8", (at) => at.u64(7)],
	["string", (at) => at.text("seven")],
	["block", (at) => at.uleb(7).raw(SEVEN)],
	["block1", (at) => at.u8(7).raw(SEVEN)],
	["data1", (at) => at.u8(7)],
	["flag", (at) => at.u8(7)],
	["sdata", (at) => at.sleb(-70000)],
	["strp", (at) => at.u32(7)],
	["udata", (at) => at.uleb(70000)],
	["refAddr", (at) => at.u32(7)],
	["ref1", (at) => at.u8(7)],
	["ref2", (at) => at.u16(7)],
	["ref4", (at) => at.u32(7)],
	["ref8", (at) => at.u64(7)],
	["refUdata", (at) => at.uleb(70000)],
	["indirect", (at) => at.uleb(FORM.block1).u8(7).raw(SEVEN)],
	["secOffset", (at) => at.u32(7)],
	["exprloc", (at) => at.uleb(7).raw(SEVEN)],
	["flagPresent", () => {}],
	["strx", (at) => at.uleb(70000)],
	["addrx", (at) => at.uleb(70000)],
	["refSup4", (at) => at.u32(7)],
	["strpSup", (at) => at.u32(7)],
	["data16", (at) => at.u64(7).u64(7)],
	["lineStrp", (at) => at.u32(7)],
	["refSig8", (at) => at.u64(7)],
	["loclistx", (at) => at.uleb(70000)],
	["rnglistx", (at) => at.uleb(70000)],
	["refSup8", (at) => at.u64(7)],
	["strx1", (at) => at.u8(7)],
	["strx2", (at) => at.u16(7)],
	["strx3", (at) => at.uint(7, 3)],
	["strx4", (at) => at.u32(7)],
	["addrx1", (at) => at.u8(7)],
	["addrx2", (at) => at.u16(7)],
	["addrx3", (at) => at.uint(7, 3)],
	["addrx4", (at) => at.u32(7)],
	["gnuAddrIndex", (at) => at.uleb(70000)],
	["gnuStrIndex", (at) => at.uleb(70000)],
	["gnuRefAlt", (at) => at.u32(7)],
	["gnuStrpAlt", (at) => at.u32(7)],
];

describe("stepping over", () => {
	test.each(FORMS)("%s", (name, write) => {
		const die = rootWith(FORM[name], write, { version: 5 });
		expect(die.number(AT.byteSize)).toBe(0xbeef);
		expect(die.attributesEnd()).toBe(die.unit.header.end);
	});

	test("all forms are in the list", () => {
		const listed = new Set(FORMS.map(([name]) => name));
		expect(Object.keys(FORM).filter((name) => !listed.has(name as keyof typeof FORM))).toEqual(["implicitConst"]);
	});

	test("implicit_const takes no bytes and keeps its value in the abbreviation", () => {
		const die = rootWith(FORM.implicitConst, () => {}, { version: 5, constant: -300 });
		expect(die.number(OTHER)).toBe(-300);
		expect(die.number(AT.byteSize)).toBe(0xbeef);
	});

	test("offsets of 64-bit DWARF have 8 bytes, addresses of 4-byte units 4", () => {
		expect(rootWith(FORM.strp, (at) => at.u64(7), { offsetSize: 8 }).number(AT.byteSize)).toBe(0xbeef);
		expect(rootWith(FORM.refAddr, (at) => at.u64(7), { offsetSize: 8 }).number(AT.byteSize)).toBe(0xbeef);
		expect(rootWith(FORM.addr, (at) => at.u32(7), { addressSize: 4 }).number(AT.byteSize)).toBe(0xbeef);
	});

	test("ref_addr of DWARF 2 is as large as an address, later as an offset", () => {
		expect(rootWith(FORM.refAddr, (at) => at.u64(7), { version: 2 }).number(AT.byteSize)).toBe(0xbeef);
		expect(rootWith(FORM.refAddr, (at) => at.u32(7), { version: 3 }).number(AT.byteSize)).toBe(0xbeef);
	});

	test("an unknown form, and indirect forms in a circle, are refused", () => {
		for (const [form, write] of [
			[0x7777, () => {}],
			[FORM.indirect, (at: ByteWriter) => at.uleb(FORM.indirect, FORM.data1).u8(1)],
			[FORM.indirect, (at: ByteWriter) => at.uleb(FORM.implicitConst)],
			[FORM.block4, (at: ByteWriter) => at.u32(0xffff_fff0)],
			[FORM.block, (at: ByteWriter) => at.uleb(2n ** 63n)],
		] as const) {
			const die = rootWith(form, write);
			expect(thrownBy(() => die.number(AT.byteSize)).code).toBe("E-BIN-MALFORMED");
			expect(thrownBy(() => die.next()).code).toBe("E-BIN-MALFORMED");
		}
	});
});

describe("values", () => {
	test.each([
		["data1", (at: ByteWriter) => at.u8(0xfe), 0xfe],
		["data2", (at: ByteWriter) => at.u16(0xfedc), 0xfedc],
		["data4", (at: ByteWriter) => at.u32(0xfedcba98), 0xfedcba98],
		["data8", (at: ByteWriter) => at.u64(0x1234_5678_9abc), 0x1234_5678_9abc],
		["udata", (at: ByteWriter) => at.uleb(70000), 70000],
		["sdata", (at: ByteWriter) => at.sleb(-70000), -70000],
		["secOffset", (at: ByteWriter) => at.u32(0x1020), 0x1020],
		["flagPresent", () => {}, 1],
		["string", (at: ByteWriter) => at.text("7"), undefined],
	] as const)("number of %s", (form, write, wanted) => {
		expect(rootWith(FORM[form], write).number(OTHER)).toBe(wanted as number);
	});

	const pools = {
		".debug_str": new ByteWriter().text("").text("pool").bytes(),
		".debug_line_str": new ByteWriter().text("line").bytes(),
		// Header of 8 bytes, then offsets 0 and 1.
		".debug_str_offsets": new ByteWriter().u64(0).u32(0).u32(1).bytes(),
	};
	test.each([
		["string", (at: ByteWriter) => at.text("inline"), "inline"],
		["strp", (at: ByteWriter) => at.u32(1), "pool"],
		["lineStrp", (at: ByteWriter) => at.u32(0), "line"],
		["strx", (at: ByteWriter) => at.uleb(1), "pool"],
		["strx1", (at: ByteWriter) => at.u8(1), "pool"],
		["strx2", (at: ByteWriter) => at.u16(1), "pool"],
		["strx3", (at: ByteWriter) => at.uint(1, 3), "pool"],
		["strx4", (at: ByteWriter) => at.u32(1), "pool"],
		["gnuStrpAlt", (at: ByteWriter) => at.u32(1), undefined],
		["data4", (at: ByteWriter) => at.u32(1), undefined],
	] as const)("string of %s", (form, write, wanted) => {
		expect(rootWith(FORM[form], write, { version: 5 }, pools).string(OTHER)).toBe(wanted as string);
	});

	const addresses = { ".debug_addr": new ByteWriter().u64(0).u64(0x401000).u64(0x402000).bytes() };
	test.each([
		["addr", (at: ByteWriter) => at.u64(0x400000), 0x400000],
		["addrx", (at: ByteWriter) => at.uleb(0), 0x401000],
		["addrx1", (at: ByteWriter) => at.u8(1), 0x402000],
		["addrx2", (at: ByteWriter) => at.u16(1), 0x402000],
		["addrx3", (at: ByteWriter) => at.uint(1, 3), 0x402000],
		["addrx4", (at: ByteWriter) => at.u32(0), 0x401000],
		["data8", (at: ByteWriter) => at.u64(1), undefined],
	] as const)("address of %s", (form, write, wanted) => {
		expect(rootWith(FORM[form], write, { version: 5 }, addresses).address(OTHER)).toBe(wanted as number);
	});

	test.each([
		["ref1", (at: ByteWriter) => at.u8(12)],
		["ref2", (at: ByteWriter) => at.u16(12)],
		["ref4", (at: ByteWriter) => at.u32(12)],
		["ref8", (at: ByteWriter) => at.u64(12)],
		["refUdata", (at: ByteWriter) => at.uleb(12)],
		["refAddr", (at: ByteWriter) => at.u32(12)],
	] as const)("reference of %s", (form, write) => {
		expect(rootWith(FORM[form], write, { version: 5 }).reference(OTHER)).toBe(12);
	});

	test("an index, offset or reference that leads outside is refused", () => {
		const bad: [number, (at: ByteWriter) => void, "string" | "address" | "reference"][] = [
			[FORM.strp, (at) => at.u32(6), "string"],
			[FORM.strx, (at) => at.uleb(2), "string"],
			[FORM.strx, (at) => at.uleb(2n ** 62n), "string"],
			[FORM.lineStrp, (at) => at.u32(0xffff_ffff), "string"],
			[FORM.addrx, (at) => at.uleb(2), "address"],
			[FORM.ref4, (at) => at.u32(0xffff_ffff), "reference"],
			[FORM.ref1, (at) => at.u8(3), "reference"],
		];
		for (const [form, write, read] of bad) {
			const die = rootWith(form, write, { version: 5 }, { ...pools, ...addresses });
			expect(thrownBy(() => die[read](OTHER)).code).toBe("E-BIN-MALFORMED");
		}
	});
});
