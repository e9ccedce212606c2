import { describe, expect, test } from "bun:test";
import { AT, FORM, LANGUAGE_GO, TAG, UNIT_TYPE } from "../../../src/dwarf/constants.ts";
import { DwarfData } from "../../../src/dwarf/dwarf-data.ts";
import { DwarfFile } from "../../../src/dwarf/dwarf-file.ts";
import { abbrevTable, ByteWriter, sectionsOf, type UnitOptions, unit } from "../../support/dwarf-writer.ts";
import { thrownBy } from "../../support/thrown.ts";

const CODE = { root: 1, parent: 2, leaf: 3, jump: 90 } as const;
const ABBREV = abbrevTable(
	{
		code: CODE.root,
		tag: TAG.compileUnit,
		children: true,
		attributes: [
			[AT.name, FORM.string],
			[AT.language, FORM.data1],
		],
	},
	{ code: CODE.parent, tag: TAG.structureType, children: true, attributes: [[AT.name, FORM.string]] },
	{ code: CODE.leaf, tag: TAG.member, attributes: [[AT.name, FORM.string]] },
	{
		code: CODE.jump,
		tag: TAG.structureType,
		children: true,
		attributes: [
			[AT.sibling, FORM.ref4],
			[AT.name, FORM.string],
		],
	},
);

function dataOf(info: Uint8Array, abbrev = ABBREV): DwarfData {
	return new DwarfData(sectionsOf({}), info, abbrev);
}

/** root { a { b { c }, d }, e } */
function tree(options: UnitOptions = {}): Uint8Array {
	return unit(options, (at) => {
		at.uleb(CODE.root).text("root").u8(LANGUAGE_GO);
		at.uleb(CODE.parent).text("a");
		at.uleb(CODE.parent).text("b").uleb(CODE.leaf).text("c").uleb(0);
		at.uleb(CODE.leaf).text("d").uleb(0);
		at.uleb(CODE.leaf).text("e").uleb(0);
	});
}

function walk(data: DwarfData): string[] {
	const seen: string[] = [];
	for (const { root, dies } of data.units.map((u) => ({ root: u.header, dies: u.dies() }))) {
		while (dies.next()) seen.push(`${root.version}:${dies.depth}:${dies.string(AT.name)}`);
	}
	return seen;
}

describe("walking", () => {
	test.each([2, 3, 4, 5])("visits all DIEs of version %d with their depth", (version) => {
		const names = walk(dataOf(tree({ version })));
		expect(names).toEqual(["0:root", "1:a", "2:b", "3:c", "2:d", "1:e"].map((name) => `${version}:${name}`));
	});

	test("64-bit DWARF, padding and units of an unknown version", () => {
		const unknown = unit({ version: 6 }, (at) => at.u8(0xff, 0xff));
		const zeros = new Uint8Array(8);
		const info = new ByteWriter()
			.raw(unknown)
			.raw(tree({ offsetSize: 8 }))
			.raw(zeros)
			.raw(tree({ version: 5 }))
			.bytes();
		const data = dataOf(info);
		expect(data.units.map(({ header }) => header.version)).toEqual([4, 5]);
		expect(walk(data)).toHaveLength(12);
	});

	test("zeros behind the root's children are padding", () => {
		const info = unit({}, (at) => at.uleb(CODE.root).text("root").u8(0).uleb(0).u8(0, 0, 0, 7));
		expect(walk(dataOf(info))).toEqual(["4:0:root"]);
	});

	test("headers of type and skeleton units are longer", () => {
		for (const [type, extra] of [
			[UNIT_TYPE.type, 12],
			[UNIT_TYPE.skeleton, 8],
		] as const) {
			const info = unit({ version: 5, type }, (at) => at.raw(new Uint8Array(extra).fill(9)).uleb(CODE.leaf).text("x"));
			expect(walk(dataOf(info))).toEqual(["5:0:x"]);
		}
	});

	test("the next sibling is found with and without DW_AT_sibling", () => {
		const plain = dataOf(tree()).units[0]?.dies();
		expect([plain?.next(), plain?.next(), plain?.nextSibling(), plain?.string(AT.name)]).toEqual([
			true,
			true,
			true,
			"e",
		]);
		expect(plain?.nextSibling()).toBe(false);

		const info = unit({}, (at, here) => {
			at.uleb(CODE.root).text("root").u8(0);
			// What lies between is no DIE at all: whoever walks over it fails.
			at.uleb(CODE.jump)
				.u32(here() + 4 + 2 + 3)
				.text("a")
				.u8(0x7f, 0x7f, 0x7f);
			at.uleb(CODE.leaf).text("e").uleb(0);
		});
		const quick = dataOf(info).units[0]?.dies();
		expect([quick?.next(), quick?.next(), quick?.nextSibling(), quick?.string(AT.name)]).toEqual([
			true,
			true,
			true,
			"e",
		]);
		expect(quick?.nextSibling()).toBe(false);
	});

	test("a sibling before its DIE is refused, so no walk is endless", () => {
		const info = unit({}, (at, here) => {
			at.uleb(CODE.root)
				.text("root")
				.u8(0)
				.uleb(CODE.jump)
				.u32(here() - 1)
				.text("a")
				.uleb(0);
		});
		const die = dataOf(info).units[0]?.dies();
		expect([die?.next(), die?.next()]).toEqual([true, true]);
		expect(thrownBy(() => die?.nextSibling()).code).toBe("E-BIN-MALFORMED");
	});

	test("a million nested DIEs need no stack", () => {
		const deep = unit({}, (at) => at.raw(new Uint8Array(1_000_000).fill(1)));
		const die = dataOf(
			deep,
			abbrevTable({ code: 1, tag: TAG.structureType, children: true, attributes: [] }),
		).units[0]?.dies();
		let depth = -1;
		while (die?.next()) depth = die.depth;
		expect(depth).toBe(999_999);
	});
});

describe("broken", () => {
	test.each([
		["a unit longer than the section", tree().subarray(0, 30)],
		["a length field cut short", new ByteWriter().u16(7).bytes()],
		["a reserved length", new ByteWriter().u32(0xffff_fff5).u64(0).bytes()],
		["a unit too short for its header", new ByteWriter().u32(3).u8(4, 0, 0).bytes()],
		["addresses of 3 bytes", unit({ addressSize: 3 }, (at) => at.uleb(CODE.leaf).text("x"))],
		["a code without abbreviation", unit({}, (at) => at.uleb(77))],
		["a table outside .debug_abbrev", unit({ abbrevOffset: 9999 }, (at) => at.uleb(1))],
		["attributes that leave the unit", unit({}, (at) => at.uleb(CODE.leaf).raw([65, 65]))],
	])("%s", (_, info) => {
		expect(thrownBy(() => walk(dataOf(info))).code).toBe("E-BIN-MALFORMED");
	});

	test("abbreviation tables without an end, with too many attributes, or with a wild tag", () => {
		const tables = [
			ABBREV.subarray(0, ABBREV.length - 1),
			abbrevTable({ code: 1, tag: 1, attributes: Array.from({ length: 65 }, () => [AT.name, FORM.data1] as const) }),
			abbrevTable({ code: 1, tag: 0x1_0000, attributes: [] }),
		];
		for (const table of tables) expect(thrownBy(() => walk(dataOf(tree(), table))).code).toBe("E-BIN-MALFORMED");
	});

	test("units that each want another part of one long table are stopped early", () => {
		const table = new ByteWriter();
		for (let code = 1; code <= 5000; code++) table.uleb(code, TAG.member, 0, 0, 0);
		table.uleb(0);
		const info = new ByteWriter();
		for (let n = 0; n < 5000; n++) info.raw(unit({ abbrevOffset: (n % 127) * 5 }, (at) => at.uleb(5000)));
		expect(thrownBy(() => walk(dataOf(info.bytes(), table.bytes()))).code).toBe("E-BIN-MALFORMED");
	});
});

test("a file without .debug_info or .debug_abbrev has no debug information", () => {
	expect(DwarfFile.open(sectionsOf({}))).toBeUndefined();
	expect(DwarfFile.open(sectionsOf({ ".debug_info": tree() }))).toBeUndefined();
	expect(DwarfFile.open(sectionsOf({ ".debug_info": new Uint8Array(0), ".debug_abbrev": ABBREV }))).toBeUndefined();
});

test("units of Go are told from others", () => {
	const c = unit({ version: 5 }, (at) => at.uleb(CODE.root).text("main.c").u8(0x1d).uleb(0));
	const info = new ByteWriter().raw(c).raw(tree()).bytes();
	const dwarf = DwarfFile.open(sectionsOf({ ".debug_info": info, ".debug_abbrev": ABBREV }));
	expect(dwarf?.version).toBe(4);
	expect([...(dwarf?.goUnits() ?? [])]).toEqual([{ name: "root", version: 4, producer: "" }]);
});

test("a unit whose root has a form that nobody knows is left out", () => {
	const table = abbrevTable({ code: 1, tag: TAG.compileUnit, attributes: [[AT.name, 0x7777]] });
	const vendor = unit({ abbrevOffset: ABBREV.length }, (at) => at.uleb(1).u32(1));
	const dwarf = DwarfFile.open(
		sectionsOf({
			".debug_info": new ByteWriter().raw(vendor).raw(tree()).bytes(),
			".debug_abbrev": new ByteWriter().raw(ABBREV).raw(table).bytes(),
		}),
	);
	expect([...(dwarf?.goUnits() ?? [])].map(({ name }) => name)).toEqual(["root"]);
	expect(dwarf?.lineAt(0x1000)).toBeUndefined();
});
