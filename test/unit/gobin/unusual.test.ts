import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { type GoBinary, openGoBinary } from "../../../src/gobin/go-binary.ts";
import { fileSource, GO_VERSIONS, goBuild, goRoot, goTool, run } from "../../support/go-binaries.ts";
import { MATRIX, type MatrixEntry } from "./go-matrix.ts";

// Other programs are run, the Go command among them, which may have to build its own tools first.
setDefaultTimeout(60_000);

/** What the tool needs of a program, to compare two ways of reading it. */
function summary(binary: GoBinary) {
	const { minpc, maxpc, types, etypes } = binary.moduleData;
	const frames: unknown[] = [];
	for (let pc = minpc; pc < maxpc; pc += 4099) {
		frames.push(binary.symbolize(pc));
	}
	const mapTypes: unknown[] = [];
	for (let vaddr = types; vaddr < etypes; vaddr += 8) {
		const type = binary.mapTypeAt(vaddr);
		if (type !== undefined) {
			mapTypes.push(type);
		}
	}
	expect(mapTypes.length).toBeGreaterThan(12);
	return {
		version: binary.version,
		buildInfo: binary.buildInfo,
		mapImpl: binary.mapImpl,
		cgo: binary.cgo,
		moduleData: binary.moduleData,
		buildId: binary.buildId,
		frames,
		mapTypes,
		found: binary.functionsByName(["runtime.hashGrow", "internal/runtime/maps.(*table).rehash", "main.main"]),
	};
}

describe("without section headers (sstrip) everything is found by scanning", () => {
	test.each(MATRIX.map((entry): [string, MatrixEntry] => [entry.what, entry]))("%s", (_what, { path, binary }) => {
		const file = Buffer.from(readFileSync(path));
		file.fill(0, 40, 48);
		file.fill(0, 58, 64);
		const bare = openGoBinary(memorySource(file));
		expect(bare.elf.sections).toEqual([]);
		expect(bare.stripped).toBeTrue();
		expect(summary(bare)).toEqual(summary(binary));
	});
});

describe("position-independent programs whose words hold no addends (as lld links them)", () => {
	const pies = MATRIX.filter((entry) => entry.options.buildmode === "pie");
	test.each(pies.map((entry): [string, MatrixEntry] => [entry.what, entry]))("%s", (_what, { path, binary }) => {
		const file = new Uint8Array(readFileSync(path));
		let cleared = 0;
		for (const [, digits = ""] of run(["readelf", "-rW", path]).matchAll(
			/^([0-9a-f]{16}) +[0-9a-f]{16} R_X86_64_RELATIVE/gm,
		)) {
			const offset = binary.fileOffset(Number.parseInt(digits, 16)) ?? 0;
			file.fill(0, offset, offset + 8);
			cleared++;
		}
		expect(cleared).toBeGreaterThan(1000);
		expect(summary(openGoBinary(memorySource(file)))).toEqual(summary(binary));
	});
});

describe("the toolchains' own go command: large, stripped", () => {
	test.each([...GO_VERSIONS])("%s", (version) => {
		const binary = openGoBinary(fileSource(join(goRoot(version), "bin", "go")));
		expect(binary.version.raw).toStartWith(`go${version}.`);
		expect(binary.stripped).toBeTrue();
		const swiss = Number(version.slice(2)) >= 24;
		expect(binary.mapImpl).toBe(swiss ? "swiss" : "classic");
		const wanted = swiss
			? ["internal/runtime/maps.(*table).rehash", "internal/runtime/maps.(*Map).growToTable", "main.main"]
			: ["runtime.hashGrow", "runtime.growWork", "runtime.evacuate", "runtime.growWork_faststr", "main.main"];
		const found = binary.functionsByName(wanted);
		expect([...found.keys()].sort()).toEqual(wanted.sort());
		expect(binary.mapTypesConfirmed).toBeTrue();
		for (const [name, { entry, end }] of found) {
			expect(binary.functionAt(end - 1)?.name).toBe(name);
			expect(binary.elf.isExecutable(entry)).toBeTrue();
		}
		expect(binary.symbolize(found.get("main.main")?.entry ?? 0)[0]?.file).toMatch(/(^|\/)cmd\/go\/main\.go$/);
	});
});

describe("arm64 programs", () => {
	test.each(["1.23", "1.27"])("%s", (version) => {
		const path = goBuild({ version, program: "chains", arch: "arm64" });
		const binary = openGoBinary(fileSource(path));
		expect(binary.arch).toBe("arm64");
		const { minpc, maxpc } = binary.moduleData;
		const pcs: number[] = [];
		for (let pc = minpc; pc < maxpc; pc += 4 * 97) {
			pcs.push(pc);
		}
		const input = pcs.map((pc) => `0x${pc.toString(16)}\n`).join("");
		const output = goTool(version, ["tool", "addr2line", path], input).split("\n");
		let compared = 0;
		pcs.forEach((pc, index) => {
			const fn = (output[2 * index] ?? "").replace(/\.abi0$/, "");
			const frames = binary.symbolize(pc);
			if (fn === "?" || fn.includes("[") || frames[0]?.line === undefined) {
				return;
			}
			compared++;
			expect([frames.at(-1)?.fn, `${frames[0].file}:${frames[0].line}`]).toEqual([fn, output[2 * index + 1] ?? ""]);
		});
		expect(compared).toBeGreaterThan(pcs.length * 0.8);
	});
});
