/** Line tables and address ranges: of C by gcc against addr2line, of Go against go tool addr2line, and made by hand. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildProgram, hasToolchain, openDwarf } from "../../../build/layouts.ts";
import { openElf } from "../../../src/elf/elf-file.ts";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { missingCommands, testWith } from "../../support/capability.ts";

const ROOT = join(import.meta.dir, "../../..");
let folder = "";
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "gomapgrow-lines-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Addresses all over the code of an executable. */
function addresses(path: string, count: number): number[] {
	const text = openElf(memorySource(readFileSync(path))).section(".text");
	if (!text) throw new Error(`no .text in ${path}`);
	return Array.from({ length: count }, (_, n) => text.addr + Math.floor((n * text.size) / count));
}

/** What a program prints for addresses given as hexadecimal lines. */
function ask(command: string[], pcs: readonly number[]): string[] {
	const input = Buffer.from(pcs.map((pc) => `0x${pc.toString(16)}\n`).join(""));
	return Bun.spawnSync(command, { stdin: input, cwd: folder }).stdout.toString().trimEnd().split("\n");
}

describe.each(["1.15", "1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"])("Go %s", (version) => {
	const missing = hasToolchain(version) ? undefined : `no toolchain of Go ${version} (make toolchains)`;
	testWith(missing)(
		"lines are those of go tool addr2line",
		() => {
			const program = buildProgram(version);
			const pcs = addresses(program, 4000);
			const dwarf = openDwarf(program);
			// Two lines per address: the function, file:line.
			const answers = ask([join(ROOT, "build/go.sh"), version, "tool", "addr2line", program], pcs);
			expect(answers).toHaveLength(2 * pcs.length);
			let known = 0;
			const wrong: string[] = [];
			pcs.forEach((pc, n) => {
				const source = dwarf.lineAt(pc);
				if (!source) return;
				known++;
				const wanted = answers[2 * n + 1];
				if (wanted !== `${source.file}:${source.line}`)
					wrong.push(`${pc}: ${source.file}:${source.line}, not ${wanted}`);
			});
			expect(wrong).toEqual([]);
			// The others are padding between functions and functions that the linker left without debug information.
			expect(known / pcs.length).toBeGreaterThan(0.9);
		},
		300_000,
	);
});

const MAIN_C = `#include <stdio.h>
#include "scale.h"
static int twice(int x) { return scale(x) * 2; }
int main(int argc, char **argv) {
	for (int i = 0; i < argc; i++)
		printf("%s %d\\n", argv[i], twice(i));
	return 0;
}
`;
const SCALE_H = "static inline int scale(int x) {\n\tif (x > 3)\n\t\treturn x * 7;\n\treturn 5;\n}\n";

describe.each([2, 3, 4, 5])("C with DWARF %d", (version) => {
	testWith(missingCommands("gcc", "addr2line"))("lines are those of addr2line", () => {
		writeFileSync(join(folder, "main.c"), MAIN_C);
		writeFileSync(join(folder, "scale.h"), SCALE_H);
		const program = join(folder, `c${version}`);
		const gcc = ["gcc", "-O1", `-gdwarf-${version}`, "-ffunction-sections", "-o", program, "main.c"];
		expect(Bun.spawnSync(gcc, { cwd: folder }).exitCode).toBe(0);
		const pcs = addresses(program, 1000);
		const dwarf = openDwarf(program);
		const wanted = ask(["addr2line", "-e", program], pcs).map((line) => line.replace(/ \(discriminator \d+\)/, ""));
		const found = pcs
			.map((pc) => dwarf.lineAt(pc))
			.map((source) => (source ? `${source.file}:${source.line}` : "??:0"));
		expect(found).toEqual(wanted.map((line) => (/^\?\?|:\?$/.test(line) ? "??:0" : line)));
		expect(found.filter((line) => line.endsWith("scale.h:3") || line.includes("main.c:")).length).toBeGreaterThan(10);
		expect(dwarf.version).toBeUndefined();
		expect([...dwarf.goUnits()]).toEqual([]);
	});
});

testWith(hasToolchain("1.27") ? undefined : "no toolchain of Go 1.27 (make toolchains)")(
	"an address outside of all units has no line",
	() => {
		const dwarf = openDwarf(buildProgram("1.27"));
		for (const pc of [0, 1, 0x1000, 2 ** 47, Number.NaN, -1]) expect(dwarf.lineAt(pc)).toBeUndefined();
	},
	300_000,
);
