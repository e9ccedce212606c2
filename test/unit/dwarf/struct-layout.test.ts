import { describe, expect, test } from "bun:test";
import { AT, FORM, LANGUAGE_GO, TAG } from "../../../src/dwarf/constants.ts";
import { DwarfFile } from "../../../src/dwarf/dwarf-file.ts";
import { abbrevTable, ByteWriter, sectionsOf, unit } from "../../support/dwarf-writer.ts";
import { thrownBy } from "../../support/thrown.ts";

const CODE = {
	unit: 1,
	struct: 2,
	member: 3,
	base: 4,
	typedef: 5,
	pointer: 6,
	array: 7,
	range: 8,
	pooled: 9,
	located: 10,
} as const;
const ABBREV = abbrevTable(
	{
		code: CODE.unit,
		tag: TAG.compileUnit,
		children: true,
		attributes: [
			[AT.name, FORM.string],
			[AT.language, FORM.data1],
		],
	},
	{
		code: CODE.struct,
		tag: TAG.structureType,
		children: true,
		attributes: [
			[AT.name, FORM.string],
			[AT.byteSize, FORM.udata],
		],
	},
	{
		code: CODE.member,
		tag: TAG.member,
		attributes: [
			[AT.name, FORM.string],
			[AT.dataMemberLocation, FORM.udata],
			[AT.type, FORM.refAddr],
		],
	},
	{
		code: CODE.base,
		tag: TAG.baseType,
		attributes: [
			[AT.name, FORM.string],
			[AT.byteSize, FORM.data1],
		],
	},
	{
		code: CODE.typedef,
		tag: TAG.typedef,
		attributes: [
			[AT.name, FORM.string],
			[AT.type, FORM.refAddr],
		],
	},
	{
		code: CODE.pointer,
		tag: TAG.pointerType,
		attributes: [
			[AT.name, FORM.string],
			[AT.type, FORM.refAddr],
		],
	},
	{
		code: CODE.array,
		tag: TAG.arrayType,
		children: true,
		attributes: [
			[AT.name, FORM.string],
			[AT.type, FORM.refAddr],
		],
	},
	{ code: CODE.range, tag: TAG.subrangeType, attributes: [[AT.count, FORM.udata]] },
	{
		code: CODE.pooled,
		tag: TAG.structureType,
		children: true,
		attributes: [
			[AT.name, FORM.strp],
			[AT.byteSize, FORM.udata],
		],
	},
	{
		code: CODE.located,
		tag: TAG.member,
		attributes: [
			[AT.name, FORM.string],
			[AT.dataMemberLocation, FORM.block1],
			[AT.type, FORM.refAddr],
		],
	},
);

/** A unit of Go whose DIEs are written by `write`, which is told the offset of the next one by the function it gets. */
function goUnit(
	write: (at: ByteWriter, here: () => number) => void,
	options: { name?: string; base?: number; language?: number } = {},
): Uint8Array {
	const { name = "runtime", base = 0, language = LANGUAGE_GO } = options;
	return unit({}, (at, here) => {
		at.uleb(CODE.unit).text(name).u8(language);
		write(at, () => base + here());
		at.uleb(0);
	});
}

function open(info: Uint8Array, strings?: Uint8Array): DwarfFile {
	const dwarf = DwarfFile.open(
		sectionsOf({ ".debug_info": info, ".debug_abbrev": ABBREV, ...(strings && { ".debug_str": strings }) }),
	);
	if (!dwarf) throw new Error("no debug information");
	return dwarf;
}

/** inner { x uint64 }, outer { flag Flag (a typedef of uint8); in inner at 8; list [3][2]uint64 at 16; p *outer at 64 } */
const NESTED = goUnit((at, here) => {
	const uint64 = here();
	at.uleb(CODE.base).text("uint64").u8(8);
	const uint8 = here();
	at.uleb(CODE.base).text("uint8").u8(1);
	const flag = here();
	at.uleb(CODE.typedef).text("pkg.Flag").u32(uint8);
	const inner = here();
	at.uleb(CODE.struct).text("pkg.inner").uleb(8);
	at.uleb(CODE.member).text("x").uleb(0).u32(uint64).uleb(0);
	const list = here();
	at.uleb(CODE.array).text("[3][2]uint64").u32(uint64);
	at.uleb(CODE.range, 3, CODE.range, 2, 0);
	const pointer = here();
	at.uleb(CODE.pointer).text("*pkg.outer").u32(inner);
	at.uleb(CODE.struct).text("pkg.outer").uleb(72);
	at.uleb(CODE.member).text("flag").uleb(0).u32(flag);
	at.uleb(CODE.located).text("in").u8(2, 0x23, 8).u32(inner);
	at.uleb(CODE.member).text("list").uleb(16).u32(list);
	at.uleb(CODE.member).text("p").uleb(64).u32(pointer).uleb(0);
});

describe("structLayout", () => {
	test("gives sizes, offsets and type names", () => {
		const layout = open(NESTED).structLayout("pkg.outer");
		expect(layout?.size).toBe(72);
		const fields = [...(layout?.fields ?? [])].map(([name, { offset, size, type }]) => [name, offset, size, type]);
		expect(fields).toEqual([
			["flag", 0, 1, "pkg.Flag"],
			["in", 8, 8, "pkg.inner"],
			["list", 16, 48, "[3][2]uint64"],
			["p", 64, 8, "*pkg.outer"],
		]);
	});

	test("fieldAt goes into structures inside", () => {
		const dwarf = open(NESTED);
		const outer = dwarf.structLayout("pkg.outer");
		if (!outer) throw new Error("pkg.outer is missing");
		expect(dwarf.fieldAt(outer, "in.x")).toMatchObject({ offset: 8, size: 8, type: "uint64" });
		expect(dwarf.fieldAt(outer, "list")).toMatchObject({ offset: 16 });
		expect(dwarf.fieldAt(outer, "in.y")).toBeUndefined();
		expect(dwarf.fieldAt(outer, "flag.x")).toBeUndefined();
		expect(dwarf.fieldAt(outer, "")).toBeUndefined();
	});

	test("only whole names and structures count", () => {
		const dwarf = open(NESTED);
		for (const name of ["outer", "pkg.oute", "pkg.outer ", "pkg.Flag", "uint64", "*pkg.outer", "", "__proto__"]) {
			expect(dwarf.structLayout(name)).toBeUndefined();
		}
		expect([...dwarf.structLayouts(["pkg.outer", "pkg.none", "pkg.inner", "pkg.outer"]).keys()]).toEqual([
			"pkg.outer",
			"pkg.inner",
		]);
	});

	test("units of other languages are not searched, even if broken", () => {
		const struct = (at: ByteWriter) => at.uleb(CODE.struct).text("pkg.T").uleb(8).uleb(0);
		const c = goUnit((at) => struct(at).uleb(99), { language: 0x1d });
		const go = goUnit((at) => at.uleb(CODE.struct).text("pkg.T").uleb(16).uleb(0), { name: "main", base: c.length });
		expect(open(new ByteWriter().raw(c).raw(go).bytes()).structLayout("pkg.T")?.size).toBe(16);
	});

	test("package runtime comes first, the other units when it has none of the names", () => {
		const main = goUnit((at) => at.uleb(CODE.struct).text("pkg.T").uleb(8).uleb(0), { name: "main" });
		const runtime = goUnit((at) => at.uleb(CODE.struct).text("pkg.T").uleb(16).uleb(0), { base: main.length });
		expect(open(new ByteWriter().raw(main).raw(runtime).bytes()).structLayout("pkg.T")?.size).toBe(16);
		expect(open(main).structLayout("pkg.T")?.size).toBe(8);
	});

	test("names in .debug_str are found, also as the tail of another", () => {
		const strings = new ByteWriter().text("").text("long/pkg.T").bytes();
		const info = goUnit((at) =>
			at
				.uleb(CODE.pooled)
				.u32(1 + "long/".length)
				.uleb(24)
				.uleb(0),
		);
		expect(open(info, strings).structLayout("pkg.T")?.size).toBe(24);
	});
});

describe("hostile types", () => {
	/** A structure pkg.T whose only field has the type that `write` makes; it returns that type's offset. */
	function withField(write: (at: ByteWriter, here: () => number) => number): DwarfFile {
		return open(
			goUnit((at, here) => {
				const type = write(at, here);
				at.uleb(CODE.struct).text("pkg.T").uleb(8).uleb(CODE.member).text("f").uleb(0).u32(type).uleb(0);
			}),
		);
	}

	test("a typedef of itself is refused", () => {
		const dwarf = withField((at, here) => {
			const self = here();
			at.uleb(CODE.typedef).text("loop").u32(self);
			return self;
		});
		expect(thrownBy(() => dwarf.structLayout("pkg.T")).code).toBe("E-BIN-MALFORMED");
	});

	test("a type outside of the section, or between units, is refused", () => {
		for (const offset of [0xffff_ffff, 2]) {
			expect(thrownBy(() => withField(() => offset).structLayout("pkg.T")).code).toBe("E-BIN-MALFORMED");
		}
	});

	test("an array whose size is beyond all numbers has none", () => {
		const dwarf = withField((at, here) => {
			const base = here();
			at.uleb(CODE.base).text("uint64").u8(8);
			const array = here();
			at.uleb(CODE.array).text("huge").u32(base);
			for (let n = 0; n < 60; n++) at.uleb(CODE.range, 2n ** 63n);
			at.uleb(0);
			return array;
		});
		expect(dwarf.structLayout("pkg.T")?.fields.get("f")?.size).toBeUndefined();
	});

	test("thousands of fields that share one huge type are stopped", () => {
		const dwarf = open(
			goUnit((at, here) => {
				const huge = here();
				at.uleb(CODE.base).text("x".repeat(100_000)).u8(8);
				at.uleb(CODE.struct).text("pkg.T").uleb(8);
				for (let n = 0; n < 4000; n++) at.uleb(CODE.member).text(`f${n}`).uleb(0).u32(huge);
				at.uleb(0);
			}),
		);
		const start = performance.now();
		expect(thrownBy(() => dwarf.structLayout("pkg.T")).code).toBe("E-BIN-MALFORMED");
		expect(performance.now() - start).toBeLessThan(1000);
	});
});
