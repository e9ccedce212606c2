/** Which layouts a program gets, from where, and what happens to versions that the table does not know. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { memorySource } from "../../../../src/elf/memory-source.ts";
import { NEWEST_MINOR, OLDEST_MINOR, parseGoVersion } from "../../../../src/gobin/buildinfo/go-version.ts";
import { type GoBinary, identifyGoProgram, openGoBinary, openGoProgram } from "../../../../src/gobin/go-binary.ts";
import { chooseLayouts } from "../../../../src/gobin/layouts/choose.ts";
import { HAND_MADE_LAYOUTS } from "../../../../src/gobin/layouts/hand-made.ts";
import { reportLayouts } from "../../../../src/gobin/layouts/report.ts";
import { overlay } from "../../../../src/gobin/layouts/source.ts";
import { structLayouts } from "../../../../src/gobin/layouts/struct-layouts.ts";
import { tableLayouts } from "../../../../src/gobin/layouts/table.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";
import { fileSource, GO_VERSIONS, goBuild, goRelease } from "../../../support/go-binaries.ts";
import { withVersion } from "../../../support/patched-version.ts";
import { thrownBy } from "../../../support/thrown.ts";
import { goroutineOffsets } from "../../plan/goroutine-offsets.ts";
import { MATRIX_ROWS } from "../go-matrix.ts";

setDefaultTimeout(60_000);

const path = goBuild({ version: "1.27", program: "chains" });
const stripped = goBuild({ version: "1.27", program: "chains", ldflags: "-s -w" });
const release = identifyGoProgram(fileSource(path)).version.raw;
/** As long as the real version: "go1.27.3" becomes "go1.28.3". */
const newer = (file: string): Uint8Array => withVersion(file, release.replace("1.27", "1.28"));

describe("the table", () => {
	test("has every supported release, and no other", () => {
		const known = Array.from({ length: 40 }, (_, minor) => minor).filter((minor) => tableLayouts(minor) !== undefined);
		expect(known).toEqual(Array.from({ length: NEWEST_MINOR - OLDEST_MINOR + 1 }, (_, n) => OLDEST_MINOR + n));
	});

	test.each(Array.from({ length: NEWEST_MINOR - OLDEST_MINOR + 1 }, (_, n) => OLDEST_MINOR + n))(
		"Go 1.%d has the structures of its map implementations, each with its source file",
		(minor) => {
			const table = tableLayouts(minor);
			if (table === undefined) throw new Error("no table");
			const layouts = structLayouts(table);
			const common = ["g", "m", "sudog", "moduleData"];
			const classic = minor <= 25 ? ["hmap", "hiter", "classicMapType"] : [];
			const swiss = minor >= 24 ? ["swissMap", "swissIter", "swissTable", "swissMapType"] : [];
			expect(Object.keys(layouts).sort()).toEqual([...common, ...classic, ...swiss].sort());
			expect(table.fileOf("runtime.g")).toBe("runtime/runtime2.go");
			expect(table.fileOf("runtime.moduledata")).toBe("runtime/symtab.go");
			expect(layouts.moduleData?.gofunc !== undefined).toBe(minor >= 18);
			expect(layouts.g?.parentGoid !== undefined).toBe(minor >= 21);
			expect(layouts.g?.trackingSeq !== undefined).toBe(minor >= 17);
		},
	);

	test("only what could not be measured is made by hand", () => {
		expect([...HAND_MADE_LAYOUTS.keys()]).toEqual([16, 17, 18, 20]);
		const measured = GO_VERSIONS.map((version) => tableLayouts(Number(version.slice(2)))?.release);
		expect(measured.every((name, index) => name?.startsWith(`go${GO_VERSIONS[index]}.`))).toBeTrue();
		expect(tableLayouts(18)?.release).toBeUndefined();
	});

	// runtime/runtime2.go and runtime/symtab.go of each release: g, hmap, hiter and maptype of 1.16 are those of 1.15, of 1.17 to 1.20
	// those of 1.19; moduledata grew at 1.16, 1.18, 1.20.
	test.each([
		[16, 15, ["g", "m", "sudog", "hiter", "hmap", "classicMapType"]],
		[17, 19, ["g", "m", "sudog", "hiter", "hmap", "classicMapType"]],
		[18, 19, ["g", "m", "sudog", "hiter", "hmap", "classicMapType", "moduleData"]],
		[20, 19, ["g", "m", "sudog", "hiter", "hmap", "classicMapType"]],
	] as const)("Go 1.%d is like 1.%d in %j", (minor, like, structs) => {
		const [own, other] = [minor, like].map((release) => structLayouts(tableLayouts(release) as never));
		for (const struct of structs) expect(own?.[struct]).toEqual(other?.[struct] as never);
	});
});

describe("a release that is known", () => {
	test.each(MATRIX_ROWS)("%s: table, DWARF and code agree", (_what, entry) => {
		const program = identifyGoProgram(fileSource(entry.path));
		const quick = openGoProgram(program);
		const verified = openGoProgram(program, { verifyLayouts: true });
		expect(quick.basis.kind).toBe("table");
		expect(verified.basis.kind).toBe(entry.path === entry.withSymbols ? "dwarf" : "table");
		expect(verified.layouts).toEqual(quick.layouts);
		expect(verified.goidInCode).toBe(quick.layouts.g?.goid as number);
		const report = reportLayouts(verified);
		expect(report.length).toBeGreaterThan(20);
		for (const { name, from, file, agrees, differs } of report) {
			expect([name, differs]).toEqual([name, []]);
			expect(file).toEndWith(".go");
			expect([name, from, agrees.includes("table")]).toEqual([
				name,
				verified.basis.kind === "dwarf" ? "dwarf" : "table",
				verified.basis.kind === "dwarf",
			]);
		}
		expect(report.find(({ name }) => name === "runtime.g.goid")?.agrees).toContain("code");
		expect(verified.mapTypesConfirmed).toBeTrue();
	});

	test("its DWARF is not touched unless asked for", () => {
		// Damaged: whoever reads it finds out.
		const bytes = Buffer.from(fileSource(path).read(0, fileSource(path).size));
		const { elf } = identifyGoProgram(memorySource(bytes));
		const section = elf.section(".debug_info");
		if (section === undefined) throw new Error("no .debug_info");
		bytes.fill(0xff, section.offset + 24, section.offset + section.size);
		const program = identifyGoProgram(memorySource(bytes));
		const plan = makePlan(openGoProgram(program));
		expect(plan.goroutine).toEqual(goroutineOffsets("1.27"));
		const verified = openGoProgram(program, { verifyLayouts: true });
		expect(verified.basis.kind).toBe("table");
		expect(verified.basis.damaged?.code).toBe("E-BIN-MALFORMED");
		expect(verified.layouts).toEqual(openGoBinary(fileSource(path)).layouts);
	});

	test("DWARF that says something else wins, and the report says so", () => {
		const program = identifyGoProgram(fileSource(path));
		const binary = openGoProgram(program, { verifyLayouts: true });
		const own = binary.basis.dwarf;
		if (own === undefined) throw new Error("no DWARF");
		const moved = {
			...own,
			at: (struct: string, field: string) => (struct === "runtime.g" && field === "goid" ? 168 : own.at(struct, field)),
		};
		const structs = structLayouts(overlay(moved, binary.basis.table));
		expect(structs.g?.goid).toBe(168);
		const basis = { ...binary.basis, dwarf: moved, structs };
		const changed: GoBinary = Object.create(binary, {
			basis: { value: basis },
			layouts: { value: structs },
			version: { value: binary.version },
			mapImpl: { value: "swiss" },
			goidInCode: { value: 152 },
		});
		expect(reportLayouts(changed).find(({ name }) => name === "runtime.g.goid")).toEqual({
			name: "runtime.g.goid",
			offset: 168,
			from: "dwarf",
			file: "runtime/runtime2.go",
			agrees: [],
			differs: [
				{ witness: "table", offset: 152 },
				{ witness: "code", offset: 152 },
			],
		});
	});
});

describe("a version newer than the table", () => {
	const original = openGoBinary(fileSource(path));

	test("with DWARF: everything comes from it", () => {
		const binary = openGoBinary(memorySource(newer(path)));
		expect(binary.version.minor).toBe(28);
		expect(binary.basis.kind).toBe("dwarf");
		expect(binary.layouts).toMatchObject({
			g: { goid: 152 },
			swissMap: { used: 0, seed: 8 },
			moduleData: { text: 176 },
		});
		expect(binary.layouts.classicMapType).toBeUndefined();
		const plan = makePlan(binary);
		const { goVersion: _, ...expected } = makePlan(original);
		expect(plan).toEqual({ ...expected, goVersion: release.replace("1.27", "1.28") });
		expect(reportLayouts(binary).every(({ from, differs }) => from === "dwarf" && differs.length === 0)).toBeTrue();
	});

	test("stripped: calls are counted, types have names, and no offset in memory is guessed", () => {
		const binary = openGoBinary(memorySource(newer(stripped)));
		const reference = openGoBinary(fileSource(stripped));
		expect(binary.basis.kind).toBe("nearest");
		expect(Object.keys(binary.layouts).sort()).toEqual(["moduleData", "swissMapType"]);
		const plan = makePlan(binary);
		const full = makePlan(reference);
		expect(plan.probes.map(({ fn, site }) => [fn, site])).toEqual(full.probes.map(({ fn, site }) => [fn, site]));
		expect(plan.probes.every(({ tier }) => tier === "work")).toBeTrue();
		expect(full.probes.some(({ tier }) => tier === "growth")).toBeTrue();
		expect(plan.goroutine).toBeUndefined();
		expect(plan.probes.every(({ exits }) => exits.length === 0)).toBeTrue();
		// Iterations are told by the seeds of maps, which nobody vouches for.
		expect(makePlan(binary, { iterations: true }).probes).toEqual(plan.probes);
		expect(plan.limits?.[0]).toMatch(/counted, but without goroutine, kind and size/);
		const { types, etypes } = binary.moduleData;
		let named = 0;
		for (let vaddr = types; vaddr < etypes; vaddr += 8) {
			expect(binary.mapTypeAt(vaddr)).toEqual(reference.mapTypeAt(vaddr) as never);
			named += Number(binary.mapTypeAt(vaddr) !== undefined);
		}
		expect(named).toBeGreaterThan(12);
		// The program's own code says where goid is, and that is all that is said of runtime.g.
		expect(
			reportLayouts(binary).filter(({ name }) => !/^(runtime\.moduledata|internal\/abi\.MapType)\./.test(name)),
		).toEqual([{ name: "runtime.g.goid", offset: 152, from: "code", agrees: [], differs: [] }]);
	});

	test("stripped and with map types of another shape: counted without names", () => {
		const bytes = newer(stripped);
		const { types, etypes } = openGoBinary(memorySource(bytes)).moduleData;
		// Key and element change places, as if the fields of abi.MapType had moved.
		const reference = openGoBinary(fileSource(stripped));
		for (let vaddr = types; vaddr < etypes; vaddr += 8) {
			const offset = reference.mapTypeAt(vaddr) === undefined ? undefined : reference.fileOffset(vaddr);
			if (offset === undefined) continue;
			const key = bytes.slice(offset + 48, offset + 56);
			bytes.copyWithin(offset + 48, offset + 56, offset + 64);
			bytes.set(key, offset + 56);
		}
		const binary = openGoBinary(memorySource(bytes));
		expect(Object.keys(binary.layouts)).toEqual(["moduleData"]);
		expect(makePlan(binary).probes).toHaveLength(makePlan(reference).probes.length);
		for (let vaddr = types; vaddr < etypes; vaddr += 8) expect(binary.mapTypeAt(vaddr)).toBeUndefined();
	});

	test.each(["1.19", "1.23", "1.25"])(
		"stripped, with the inlined calls where Go %s has them: no call is named wrongly",
		(minor) => {
			const own = goBuild({ version: minor, program: "chains", ldflags: "-s -w" });
			const binary = openGoBinary(memorySource(withVersion(own, goRelease(minor).replace(minor, "1.28"))));
			const reference = openGoBinary(fileSource(own));
			expect(reference.inlineTreesConfirmed).toBeTrue();
			expect(binary.moduleData.gofunc).toBeUndefined();
			expect(binary.tellsInlinedCalls).toBeFalse();
			const { minpc, maxpc } = reference.moduleData;
			let [whole, nameOnly] = [0, 0];
			for (let pc = minpc; pc < maxpc; pc += 101) {
				const expected = reference.symbolize(pc);
				const outermost = expected.at(-1);
				const inlined = expected.length > 1;
				expect(binary.symbolize(pc)).toEqual(inlined ? [{ fn: outermost?.fn ?? "" }] : (expected as never));
				if (inlined) nameOnly++;
				else whole++;
			}
			expect(Math.min(whole, nameOnly)).toBeGreaterThan(500);
		},
	);

	test("stripped and with module data of another shape: nothing is possible", () => {
		const bytes = newer(stripped);
		const { address } = openGoBinary(memorySource(bytes)).moduleData;
		const offset = openGoBinary(memorySource(bytes)).fileOffset(address) ?? 0;
		// A word more before ftab.
		bytes.copyWithin(offset + 136, offset + 128, offset + 560);
		const error = thrownBy(() => openGoBinary(memorySource(bytes)));
		expect(error.code).toBe("E-BIN-GO-NEW");
		expect(error.message).toMatch(/1\.15 .* 1\.27 .*1\.28.*module data/);
		expect(error.advice).toContain("debug information");
	});

	test.each([
		["devel go1.26-abc", "go1.26."],
		["go1.25beta1", "go1.25."],
		["go2.1", "go1.27."],
	])("without DWARF %s is compared with the nearest release", (raw, nearest) => {
		const version = parseGoVersion(raw);
		if (version === undefined) throw new Error("not parsed");
		const basis = chooseLayouts(version, () => undefined, false);
		expect(basis.kind).toBe("nearest");
		expect(basis.table.release).toStartWith(nearest);
		expect(basis.structs.g).toBeUndefined();
	});
});
