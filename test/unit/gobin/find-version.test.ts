/** Programs without build information: what they are and by which release they were made is in the programs themselves. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { identifyGoProgram, openGoBinary, openGoProgram } from "../../../src/gobin/go-binary.ts";
import { missingCommands, testWith } from "../../support/capability.ts";
import { goBuild, goRelease, run } from "../../support/go-binaries.ts";
import { withoutBuildInfo, withoutVersion } from "../../support/hidden-version.ts";
import { MATRIX_ROWS } from "./go-matrix.ts";

setDefaultTimeout(60_000);

const open = (bytes: Uint8Array) => {
	const program = identifyGoProgram(memorySource(bytes));
	return { program, binary: openGoProgram(program) };
};

describe("without build information the version is that of runtime.buildVersion", () => {
	test.each(MATRIX_ROWS)("%s", (_what, { path, binary }) => {
		const { program, binary: found } = open(withoutBuildInfo(path));
		expect(program.versionFrom).toBe("build-version");
		expect(found.version).toEqual(binary.version);
		expect(program.buildInfo).toEqual({ goVersion: binary.version.raw, dependencies: 0, settings: new Map() });
		expect(found.mapImpl).toBe(binary.mapImpl);
		expect(found.mapTypesConfirmed).toBeTrue();
		expect(found.layouts).toEqual(binary.layouts);
	});
});

describe("without any text", () => {
	test.each(MATRIX_ROWS)("%s", (_what, { path, minor, binary }) => {
		const bytes = withoutVersion(path, binary.version.raw.replace(/ .*/, ""));
		if (
			minor === 15 &&
			binary.elf.section(".debug_info") === undefined &&
			binary.elf.section(".zdebug_info") === undefined
		) {
			expect(() => open(bytes)).toThrow("whose function table is that of Go 1.2 to 1.15");
			return;
		}
		const { program, binary: found } = open(bytes);
		expect(found.mapImpl).toBe(binary.mapImpl);
		if (program.versionFrom === "dwarf") {
			expect(found.version.minor).toBe(minor);
			return;
		}
		expect(program.versionFrom).toBe("tables");
		expect(found.version.candidates).toContain(minor);
		expect(found.version.candidates?.length).toBeLessThanOrEqual(2);
		expect(found.basis.kind).toBe(binary.elf.section(".debug_info") === undefined ? "nearest" : "dwarf");
		expect(found.mapTypesConfirmed).toBeTrue();
		expect(found.goidInCode).toBe(binary.layouts.g?.goid);
	});
});

test("objcopy -R .go.buildinfo", () => {
	const folder = mkdtempSync(join(tmpdir(), "gomapgrow-test-"));
	try {
		for (const version of ["1.22", "1.27"]) {
			const path = join(folder, version);
			run(["objcopy", "-R", ".go.buildinfo", goBuild({ version, program: "grow" }), path]);
			const { program, binary } = open(new Uint8Array(readFileSync(path)));
			expect(program.versionFrom).toBe("build-version");
			expect(binary.version.raw).toBe(goRelease(version));
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
});

describe("a C program", () => {
	const withC = testWith(missingCommands("gcc", "strip"));
	withC("that carries a Go program as data is none, with and without section headers", () => {
		const folder = mkdtempSync(join(tmpdir(), "gomapgrow-test-"));
		try {
			const go = goBuild({ version: "1.23", program: "grow", ldflags: "-s -w" });
			const source = join(folder, "carrier.c");
			writeFileSync(
				source,
				`__asm__(".data\\n.balign 4096\\n.globl blob\\nblob: .incbin \\"${go}\\"\\n.text\\n");
extern char blob[];
int main(void) { return blob[0]; }
`,
			);
			const path = join(folder, "carrier");
			run(["gcc", "-o", path, source]);
			const bytes = Buffer.from(readFileSync(path));
			for (const headers of [true, false]) {
				if (!headers) {
					bytes.fill(0, 40, 48);
					bytes.fill(0, 58, 64);
				}
				expect(() => openGoBinary(memorySource(Uint8Array.from(bytes)))).toThrow("E-BIN-NOT-GO");
			}
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});

test("a Go program that carries another is read as itself, without section headers, too", () => {
	const carried = readFileSync(goBuild({ version: "1.19", program: "grow", ldflags: "-s -w" }));
	const own = goBuild({ version: "1.24", program: "grow", ldflags: "-s -w" });
	const { bytes, at } = withDataSegment(readFileSync(own), carried);
	expect(bytes.subarray(at, at + 4).toString("latin1")).toBe("\x7fELF");
	for (const headers of [true, false]) {
		if (!headers) {
			bytes.fill(0, 40, 48);
			bytes.fill(0, 58, 64);
		}
		const { program, binary } = open(Uint8Array.from(bytes));
		// Without them the first build information that is found is that of the other one.
		expect(program.versionFrom).toBe(headers ? "build-info" : "build-version");
		expect(binary.version.raw).toBe(goRelease("1.24"));
		expect(binary.mapImpl).toBe("swiss");
	}
});

/** The executable with `data` mapped in front of everything else: its PT_NOTE becomes a PT_LOAD of it. */
function withDataSegment(executable: Buffer, data: Buffer): { bytes: Buffer; at: number } {
	const at = Math.ceil(executable.length / 4096) * 4096;
	const bytes = Buffer.concat([executable, Buffer.alloc(at - executable.length), data]);
	const phoff = Number(bytes.readBigUInt64LE(32));
	const count = bytes.readUInt16LE(56);
	const headers = Array.from({ length: count }, (_, index) => phoff + 56 * index);
	const note = headers.find((header) => bytes.readUInt32LE(header) === 4);
	if (note === undefined) throw new Error("no PT_NOTE");
	bytes.writeUInt32LE(1, note);
	bytes.writeUInt32LE(6, note + 4);
	for (const [field, value] of [
		[8, at],
		[16, 0x10000],
		[24, 0x10000],
		[32, data.length],
		[40, data.length],
		[48, 4096],
	] as const) {
		bytes.writeBigUInt64LE(BigInt(value), note + field);
	}
	return { bytes, at };
}
