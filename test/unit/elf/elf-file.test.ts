import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ElfFile, openElf } from "../../../src/elf/elf-file.ts";
import { sectionHasName } from "../../../src/elf/sections.ts";
import { fileSource, goBuild, run } from "../../support/go-binaries.ts";

// Other programs are run, the Go command among them, which may have to build its own tools first.
setDefaultTimeout(60_000);

/** The expected values are readelf's (binutils). */
const BINARIES: [string, string][] = [
	["1.15", goBuild({ version: "1.15", program: "chains" })],
	["1.23 cgo pie stripped", goBuild({ version: "1.23", program: "chains", cgo: true, buildmode: "pie", strip: true })],
	["1.27 pie", goBuild({ version: "1.27", program: "chains", buildmode: "pie" })],
	["1.27 arm64", goBuild({ version: "1.27", program: "chains", arch: "arm64" })],
];

function sectionName(elf: ElfFile, name: string, index: number): boolean {
	const section = elf.sections[index];
	const strings = elf.section(".shstrtab");
	return (
		section !== undefined &&
		strings !== undefined &&
		sectionHasName({ sections: [], names: elf.sectionBytes(strings) }, section, name)
	);
}

describe.each(BINARIES)("%s agrees with readelf", (_what, path) => {
	const elf = openElf(fileSource(path));

	test("sections", () => {
		const rows = [
			...run(["readelf", "-SW", path]).matchAll(
				/^ +\[ *(\d+)\] (\S+) +(\S+) +([0-9a-f]{16}) ([0-9a-f]+) ([0-9a-f]+) /gm,
			),
		];
		expect(rows.length).toBeGreaterThan(10);
		expect(elf.sections.length).toBe(rows.length + 1);
		for (const [, index, name, , address, offset, size] of rows) {
			const section = elf.sections[Number(index)];
			expect([section?.addr, section?.offset, section?.size]).toEqual(
				[address, offset, size].map((digits) => Number.parseInt(digits ?? "", 16)),
			);
			expect(sectionName(elf, name ?? "", Number(index))).toBeTrue();
		}
	});

	test("segments", () => {
		const rows = [
			...run(["readelf", "-lW", path]).matchAll(
				/^ +([A-Z_]+) +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+) 0x([0-9a-f]+) (.{3})/gm,
			),
		];
		const loads = rows.filter((row) => row[1] === "LOAD");
		expect(elf.loads.length).toBe(loads.length);
		loads.forEach(([, , offset, vaddr, filesz, memsz, flags], index) => {
			const segment = elf.loads[index];
			expect([segment?.offset, segment?.vaddr, segment?.filesz, segment?.memsz]).toEqual(
				[offset, vaddr, filesz, memsz].map((digits) => Number.parseInt(digits ?? "", 16)),
			);
			expect([segment?.writable, segment?.executable]).toEqual([flags?.[1] === "W", flags?.[2] === "E"]);
		});
		expect(elf.static).toBe(!rows.some((row) => row[1] === "INTERP"));
		expect(elf.firstLoadAddress).toBe(Math.min(...loads.map((row) => Number.parseInt(row[3] ?? "", 16))));
	});

	test("build ids", () => {
		const notes = run(["readelf", "-nW", path]);
		expect(elf.gnuBuildId).toBe(/Build ID: ([0-9a-f]+)/.exec(notes)?.[1]);
		const description = /^ +Go .*description data: ([0-9a-f ]+)/m.exec(notes)?.[1] ?? "";
		expect(description).not.toBe("");
		expect(elf.goBuildId).toBe(Buffer.from(description.replaceAll(" ", ""), "hex").toString());
	});

	test("symbols", () => {
		const rows = [
			...run(["readelf", "-sW", path]).matchAll(
				/^ +\d+: ([0-9a-f]+) +(\d+) (FUNC|OBJECT) +(LOCAL|GLOBAL) +\S+ +\d+ (runtime\.[\w.]+|main\.\w+)$/gm,
			),
		];
		expect(rows.length > 0).toBe(elf.section(".symtab") !== undefined);
		const sample = rows.filter((_, index) => index % 17 === 0);
		const found = elf.symbols(sample.map((row) => row[5] ?? ""));
		for (const [, value, size, type, binding, name] of sample) {
			expect(found.get(name ?? "")).toMatchObject({
				value: Number.parseInt(value ?? "", 16),
				size: Number(size),
				type: type === "FUNC" ? 2 : 1,
				binding: binding === "GLOBAL" ? 1 : 0,
			});
		}
		expect(elf.symbols(["no such symbol", "main.chain"]).size).toBe(0);
	});

	test("relative relocations", () => {
		const rows = [
			...run(["readelf", "-rW", path]).matchAll(
				/^([0-9a-f]{16}) +[0-9a-f]{16} R_(?:X86_64|AARCH64)_RELATIV\w* +([0-9a-f]+)$/gm,
			),
		];
		expect(rows.length > 0).toBe(elf.pie);
		rows.forEach(([, offset, addend], index) => {
			if (index % 31 === 0) {
				expect(elf.pointerAt(Number.parseInt(offset ?? "", 16))).toBe(Number.parseInt(addend ?? "", 16));
			}
		});
	});
});

describe("compressed debug sections of real programs", () => {
	test.each([
		["1.15", ".zdebug_abbrev"],
		["1.23", ".debug_abbrev"],
		["1.27", ".debug_abbrev"],
	])("%s: %s as objcopy inflates it", (version, name) => {
		const path = goBuild({ version, program: "chains" });
		const plain = `${path}.${process.pid}.plain`;
		const section = `${path}.${process.pid}.section`;
		run(["objcopy", "--decompress-debug-sections", path, plain]);
		run(["objcopy", "--dump-section", `.debug_abbrev=${section}`, plain]);
		const expected = run(["cat", section]);
		run(["rm", plain, section]);
		const elf = openElf(fileSource(path));
		expect(elf.section(name)).toBeDefined();
		const inflated = elf.debugSection(".debug_abbrev");
		expect(inflated && Buffer.from(inflated).toString()).toBe(expected);
	});
});
