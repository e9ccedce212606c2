/** When the details of a growth can be read, and what is planned when they cannot. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { type GoBinary, openGoBinary } from "../../../src/gobin/go-binary.ts";
import { NEWEST_MINOR, OLDEST_MINOR } from "../../../src/gobin/go-version.ts";
import { tableLayouts } from "../../../src/gobin/layout-table.ts";
import { type StructLayouts, structLayouts } from "../../../src/gobin/struct-layouts.ts";
import { DECODED_FIELDS, growthDetails } from "../../../src/plan/growth-details.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { fileSource, goBuild } from "../../support/go-binaries.ts";

setDefaultTimeout(60_000);

function binaryWith(structs: StructLayouts, goidInCode?: number, kind: "table" | "dwarf" = "table"): GoBinary {
	return { basis: { kind, structs }, goidInCode, version: { raw: "go1.99" } } as unknown as GoBinary;
}

const SWISS: StructLayouts = structLayouts(tableLayouts(27) as never);
const CLASSIC: StructLayouts = structLayouts(tableLayouts(23) as never);

describe("the decoders' offsets", () => {
	test.each(Array.from({ length: NEWEST_MINOR - OLDEST_MINOR + 1 }, (_, n) => OLDEST_MINOR + n))(
		"are those of Go 1.%d",
		(minor) => {
			const layouts = structLayouts(tableLayouts(minor) as never);
			const present = (["hmap", "swissMap", "swissTable"] as const).filter((struct) => layouts[struct] !== undefined);
			expect(present.length).toBeGreaterThan(0);
			for (const struct of present) expect(layouts[struct]).toMatchObject(DECODED_FIELDS[struct]);
		},
	);
});

describe("goid", () => {
	test("is what the code loads, else what the table has", () => {
		expect(growthDetails(binaryWith(SWISS), "swiss")).toEqual({ goidOffset: 152 });
		expect(growthDetails(binaryWith(SWISS, 152), "swiss")).toEqual({ goidOffset: 152 });
		expect(growthDetails(binaryWith(SWISS, 168), "swiss")).toEqual({ goidOffset: 168 });
		expect(growthDetails(binaryWith(CLASSIC), "classic")).toEqual({ goidOffset: 160 });
	});

	test("is what DWARF says where there is some", () => {
		expect(growthDetails(binaryWith(SWISS, 168, "dwarf"), "swiss")).toEqual({ goidOffset: 152 });
	});
});

describe("details are missing when", () => {
	const { g: _, ...withoutG } = SWISS;
	const { swissTable: __, ...withoutTable } = SWISS;
	const moved = { ...SWISS, swissTable: { ...(SWISS.swissTable ?? ({} as never)), capacity: 4 } };
	const movedClassic = { ...CLASSIC, hmap: { ...(CLASSIC.hmap ?? ({} as never)), B: 10 } };

	test.each([
		["goid is not known", binaryWith(withoutG), "swiss", "nothing says how go1.99 lays out"],
		["a table is not known", binaryWith(withoutTable, 152), "swiss", "nothing says how go1.99 lays out"],
		["a table looks different", binaryWith(moved), "swiss", "go1.99 lays out its maps in a new way"],
		["an hmap looks different", binaryWith(movedClassic), "classic", "go1.99 lays out its maps in a new way"],
	] as const)("%s", (_what, binary, impl, why) => {
		const { goidOffset, missing } = growthDetails(binary, impl);
		expect(goidOffset).toBe(0);
		expect(missing).toStartWith("growths are counted, but without goroutine, kind and size: ");
		expect(missing).toContain(why);
	});
});

test("a classic map of unknown layout: hashGrow is counted like growWork, whose type argument is at the same place", () => {
	const source = fileSource(goBuild({ version: "1.23", program: "chains" }));
	const whole = openGoBinary(memorySource(source.read(0, source.size)));
	const { hmap: _, ...structs } = whole.layouts;
	const blind: GoBinary = Object.create(whole, {
		basis: { value: { ...whole.basis, structs } },
		...Object.fromEntries(
			["arch", "mapImpl", "version", "goidInCode"].map((name) => [name, { value: whole[name as "arch"] }]),
		),
		functionsByName: { value: (names: string[]) => whole.functionsByName(names) },
		fileOffset: { value: (vaddr: number) => whole.fileOffset(vaddr) },
		bytesAt: { value: (vaddr: number, length: number) => whole.bytesAt(vaddr, length) },
	});
	const plan = makePlan(blind);
	const full = makePlan(whole);
	expect(full.limits).toBeUndefined();
	expect(plan.limits).toHaveLength(1);
	expect(plan.probes.map(({ fn, tier, role }) => [fn, tier, role])).toEqual(
		full.probes.map(({ fn, role }) => [fn, "work", fn === "runtime.hashGrow" ? "growWork" : role]),
	);
});
