/** When the details of a growth can be read, and what is planned when they cannot. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { NEWEST_MINOR, OLDEST_MINOR } from "../../../src/gobin/buildinfo/go-version.ts";
import { type GoBinary, openGoBinary } from "../../../src/gobin/go-binary.ts";
import { type StructLayouts, structLayouts } from "../../../src/gobin/layouts/struct-layouts.ts";
import { tableLayouts } from "../../../src/gobin/layouts/table.ts";
import { COPIED_FIELDS } from "../../../src/gomap/header.ts";
import { growthDetails } from "../../../src/plan/growth-details.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { fileSource, goBuild } from "../../support/go-binaries.ts";
import { goroutineOffsets } from "./goroutine-offsets.ts";

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
			for (const struct of present) expect(layouts[struct]).toMatchObject(COPIED_FIELDS[struct]);
		},
	);
});

describe("the offsets in runtime.g", () => {
	const swiss = goroutineOffsets("1.27");
	const { curg: _curg, ...withoutThread } = swiss;

	test("are the table's where the code says nothing, or the same", () => {
		expect(growthDetails(binaryWith(SWISS), "swiss")).toEqual({ goroutine: swiss });
		expect(growthDetails(binaryWith(SWISS, swiss.goid), "swiss")).toEqual({ goroutine: swiss });
		expect(growthDetails(binaryWith(CLASSIC), "classic")).toEqual({ goroutine: goroutineOffsets("1.23") });
	});

	test("are, where the code contradicts the table, only what the code says", () => {
		expect(growthDetails(binaryWith(SWISS, 168), "swiss")).toEqual({ goroutine: { goid: 168 } });
	});

	test("are what DWARF says where there is some", () => {
		expect(growthDetails(binaryWith(SWISS, 168, "dwarf"), "swiss")).toEqual({ goroutine: swiss });
	});

	test("are only that of goid where nothing but the code is known", () => {
		const { g: _g, ...withoutG } = SWISS;
		expect(growthDetails(binaryWith(withoutG, 152), "swiss")).toEqual({ goroutine: { goid: 152 } });
	});

	test("have no parent before Go 1.21", () => {
		for (const version of ["1.15", "1.19"]) {
			const layouts = structLayouts(tableLayouts(Number(version.slice(2))) as never);
			const { goroutine } = growthDetails(binaryWith(layouts), "classic");
			expect(goroutine).toEqual(goroutineOffsets(version));
			expect(goroutine).not.toHaveProperty("parentGoid");
		}
	});

	test("have no thread when it is not where the kernel programs look", () => {
		const { g, m, ...others } = SWISS;
		if (g === undefined || m === undefined) throw new Error("no layouts");
		for (const structs of [
			{ g, ...others },
			{ ...SWISS, m: { ...m, g0: 8 } },
			{ ...SWISS, g: { ...g, m: 56 } },
		]) {
			expect(growthDetails(binaryWith(structs), "swiss")).toEqual({ goroutine: withoutThread });
		}
	});
});

describe("details are missing when", () => {
	const { g: _, ...withoutG } = SWISS;
	const { swissTable: __, ...withoutTable } = SWISS;
	const change = (struct: "swissMap" | "swissTable", field: string): StructLayouts => ({
		...SWISS,
		[struct]: { ...SWISS[struct], [field]: 99 },
	});
	const changedClassic = (field: string): StructLayouts => ({
		...CLASSIC,
		hmap: { ...CLASSIC.hmap, [field]: 99 } as never,
	});
	const UNKNOWN = "nothing says how go1.99 lays out";
	const NEW = "go1.99 lays out its maps in a new way";

	test.each([
		["goid is not known", binaryWith(withoutG), "swiss", UNKNOWN],
		["a table is not known", binaryWith(withoutTable, 152), "swiss", UNKNOWN],
		...(["capacity", "localDepth"] as const).map(
			(field) => [`a table has another ${field}`, binaryWith(change("swissTable", field)), "swiss", NEW] as const,
		),
		...(["used", "seed", "dirLen", "globalDepth"] as const).map(
			(field) => [`a map has another ${field}`, binaryWith(change("swissMap", field)), "swiss", NEW] as const,
		),
		...(["count", "flags", "B", "noverflow", "hash0"] as const).map(
			(field) => [`an hmap has another ${field}`, binaryWith(changedClassic(field)), "classic", NEW] as const,
		),
	] as const)("%s", (_what, binary, impl, why) => {
		const { goroutine, missing } = growthDetails(binary, impl);
		expect(goroutine).toBeUndefined();
		expect(missing).toStartWith("growths are counted, but without goroutine, kind and size: ");
		expect(missing).toContain(why);
	});
});

test("a classic map of unknown layout: hashGrow is counted like growWork, whose type argument is at the same place", () => {
	const source = fileSource(goBuild({ version: "1.23", program: "chains" }));
	const whole = openGoBinary(memorySource(source.read(0, source.size)));
	const { hmap: _, ...structs } = whole.layouts;
	const basis = { ...whole.basis, structs };
	const blind = new Proxy(whole, {
		get: (binary, name) => {
			const value = name === "basis" ? basis : Reflect.get(binary, name, binary);
			return typeof value === "function" ? value.bind(binary) : value;
		},
	});
	const plan = makePlan(blind);
	const full = makePlan(whole);
	expect(full.limits).toBeUndefined();
	expect(plan.limits).toHaveLength(1);
	expect(plan.probes.map(({ fn, tier, role }) => [fn, tier, role])).toEqual(
		full.probes.map(({ fn, role }) => [fn, "work", fn === "runtime.hashGrow" ? "growWork" : role]),
	);
	expect(full.goroutine).toEqual(goroutineOffsets("1.23"));
	expect(plan.goroutine).toBeUndefined();
	// Beginning and end of a call are paired by the goroutine.
	for (const { exits, exitsMissing } of plan.probes) {
		expect([exits, exitsMissing]).toEqual([[], "which goroutine a call belongs to cannot be read"]);
	}
});
