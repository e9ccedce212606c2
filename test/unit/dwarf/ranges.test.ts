import { describe, expect, test } from "bun:test";
import { AT, FORM, RANGE_ENTRY, TAG } from "../../../src/dwarf/constants.ts";
import { DwarfData } from "../../../src/dwarf/dwarf-data.ts";
import { readRanges } from "../../../src/dwarf/ranges.ts";
import { abbrevTable, ByteWriter, sectionsOf, unit } from "../../support/dwarf-writer.ts";
import { thrownBy } from "../../support/thrown.ts";

type Attribute = readonly [name: number, form: number, write: (at: ByteWriter) => void];
type Sections = Parameters<typeof sectionsOf>[0];

/** The ranges of a root DIE with these attributes. */
function rangesOf(
	version: number,
	attributes: readonly Attribute[],
	sections: Sections = {},
	entries = 1000,
): number[][] {
	const abbrev = abbrevTable({
		code: 1,
		tag: TAG.compileUnit,
		attributes: attributes.map(([name, form]) => [name, form]),
	});
	const info = unit({ version }, (at) => {
		at.uleb(1);
		for (const [, , write] of attributes) write(at);
	});
	const root = new DwarfData(sectionsOf(sections), info, abbrev).units[0]?.root();
	if (!root) throw new Error("no root");
	const ranges: number[][] = [];
	readRanges(root, { entries }, (low, high) => ranges.push([low, high]));
	return ranges;
}

const lowPc = (pc: number): Attribute => [AT.lowPc, FORM.addr, (at) => at.u64(pc)];
const rangesAt = (offset: number): Attribute => [AT.ranges, FORM.secOffset, (at) => at.u32(offset)];

test("low and high: an address (DWARF 2), or a length (DWARF 4)", () => {
	expect(rangesOf(4, [lowPc(0x1000), [AT.highPc, FORM.addr, (at) => at.u64(0x1800)]])).toEqual([[0x1000, 0x1800]]);
	expect(rangesOf(4, [lowPc(0x1000), [AT.highPc, FORM.data4, (at) => at.u32(0x20)]])).toEqual([[0x1000, 0x1020]]);
	expect(rangesOf(4, [lowPc(0x1000)])).toEqual([]);
	expect(rangesOf(4, [lowPc(0x1000), [AT.highPc, FORM.data4, (at) => at.u32(0)]])).toEqual([]);
});

test(".debug_ranges: offsets from the unit's base, a new base, the end", () => {
	const list = new ByteWriter().u32(0); // something before the list
	list.u64(0x10).u64(0x20);
	list.u64(0xffff_ffff_ffff_ffffn).u64(0x8000);
	list.u64(0x1).u64(0x2).u64(5).u64(5).u64(0).u64(0);
	const sections = { ".debug_ranges": list.bytes() };
	expect(rangesOf(4, [lowPc(0x1000), rangesAt(4)], sections)).toEqual([
		[0x1010, 0x1020],
		[0x8001, 0x8002],
	]);
});

describe(".debug_rnglists", () => {
	const E = RANGE_ENTRY;
	const list = new ByteWriter();
	list.u32(0).u16(5).u8(8, 0).u32(1); // header: one offset follows
	list.u32(4);
	list.u8(E.offsetPair).uleb(0x10, 0x20);
	list.u8(E.baseAddressx).uleb(1).u8(E.offsetPair).uleb(1, 2);
	list.u8(E.baseAddress).u64(0x9000).u8(E.offsetPair).uleb(3, 4);
	list.u8(E.startxEndx).uleb(0, 1);
	list.u8(E.startxLength).uleb(1, 0x30);
	list.u8(E.startEnd).u64(0xa000).u64(0xa001);
	list.u8(E.startLength).u64(0xb000).uleb(0x100);
	list.u8(E.endOfList);
	const sections = {
		".debug_rnglists": list.bytes(),
		".debug_addr": new ByteWriter().u64(0).u64(0x5000).u64(0x6000).bytes(),
	};
	const wanted = [
		[0x1010, 0x1020],
		[0x6001, 0x6002],
		[0x9003, 0x9004],
		[0x5000, 0x6000],
		[0x6000, 0x6030],
		[0xa000, 0xa001],
		[0xb000, 0xb100],
	];

	test("all kinds of entries, by offset", () => {
		expect(rangesOf(5, [lowPc(0x1000), rangesAt(16)], sections)).toEqual(wanted);
	});

	test("by index in the unit's table of offsets", () => {
		const index: Attribute = [AT.ranges, FORM.rnglistx, (at) => at.uleb(0)];
		expect(rangesOf(5, [lowPc(0x1000), index], sections)).toEqual(wanted);
		const base: Attribute = [AT.rnglistsBase, FORM.secOffset, (at) => at.u32(12)];
		expect(rangesOf(5, [base, lowPc(0x1000), index], sections)).toEqual(wanted);
	});

	test("an unknown kind, a list without end, an index outside and ever more entries are refused", () => {
		const broken: [Attribute, Sections, number?][] = [
			[rangesAt(0), { ".debug_rnglists": Uint8Array.of(0x55) }],
			[rangesAt(0), { ".debug_rnglists": Uint8Array.of(E.offsetPair, 1, 2) }],
			[rangesAt(9), { ".debug_rnglists": Uint8Array.of(E.endOfList) }],
			[
				rangesAt(0),
				{ ".debug_rnglists": Uint8Array.of(E.baseAddressx, 7, E.endOfList), ".debug_addr": new Uint8Array(9) },
			],
			[[AT.ranges, FORM.rnglistx, (at) => at.uleb(2n ** 60n)], sections],
			[rangesAt(16), sections, 5],
		];
		for (const [attribute, bytes, entries] of broken) {
			expect(thrownBy(() => rangesOf(5, [lowPc(1), attribute], bytes, entries)).code).toBe("E-BIN-MALFORMED");
		}
	});
});
