/** Files that cannot be watched for what they are: each is refused with that reason. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openElf } from "../../../src/elf/elf-file.ts";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { identifyGoProgram, openGoBinary, openGoProgram } from "../../../src/gobin/go-binary.ts";
import { isForLinux, operatingSystem, sharedRuntime } from "../../../src/gobin/platform.ts";
import { inspectBinary } from "../../../src/inspect/collect.ts";
import { requireArchitecture } from "../../../src/plan/architecture.ts";
import { missingCommands, testWith } from "../../support/capability.ts";
import { fileSource, goBuild, run } from "../../support/go-binaries.ts";
import { thrownBy } from "../../support/thrown.ts";

setDefaultTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), "gomapgrow-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The file with every `what` replaced by as many other bytes. */
function changed(path: string, what: string, by: string): Uint8Array {
	const bytes = Buffer.from(readFileSync(path));
	let at = bytes.indexOf(what, 0, "latin1");
	expect(at).toBeGreaterThan(0);
	for (; at >= 0; at = bytes.indexOf(what, at + 1, "latin1")) bytes.write(by, at, "latin1");
	return Uint8Array.from(bytes);
}

const inspected = (bytes: Uint8Array) => {
	const program = identifyGoProgram(memorySource(bytes));
	return inspectBinary(program, openGoProgram(program), { exe: "x", machine: "amd64" });
};

describe("a program for another system", () => {
	test("by its build settings", () => {
		const bytes = changed(goBuild({ version: "1.27", program: "grow" }), "GOOS=linux", "GOOS=plan9");
		const binary = openGoBinary(memorySource(bytes));
		expect(binary.os).toBe("plan9");
		const error = thrownBy(() => requireArchitecture(binary, "amd64"));
		expect([error.code, error.found]).toEqual(["E-BIN-ARCH", "one for plan9, which Linux does not execute"]);
		expect(inspected(bytes)).toMatchObject({ os: "plan9", watchable: false, error: { code: "E-BIN-ARCH" } });
	});
	test("by its ELF header, before there were settings", () => {
		const bytes = new Uint8Array(readFileSync(goBuild({ version: "1.15", program: "grow" })));
		bytes[7] = 9;
		expect(openGoBinary(memorySource(bytes)).os).toBe("freebsd");
	});
	test("is not one for Linux or Android", () => {
		const binary = openGoBinary(fileSource(goBuild({ version: "1.15", program: "grow" })));
		expect(operatingSystem(binary.elf, binary.buildInfo)).toBe("linux");
		expect(["linux", "android", "freebsd"].map(isForLinux)).toEqual([true, true, false]);
	});
});

describe("a file with debug information alone", () => {
	const path = join(folder, "debug");
	test("by objcopy", () => {
		run(["objcopy", "--only-keep-debug", goBuild({ version: "1.23", program: "grow" }), path]);
		const error = thrownBy(() => openGoBinary(fileSource(path)));
		expect(error.code).toBe("E-BIN-NOT-GO");
		expect(error.found).toStartWith("a file with debug information alone");
	});
	test("whose program headers are those of the executable", () => {
		// As eu-strip -f makes it: the segments end behind the file's end.
		const bytes = Buffer.from(readFileSync(path));
		const phoff = Number(bytes.readBigUInt64LE(32));
		for (let index = 0; index < bytes.readUInt16LE(56); index++) {
			const header = phoff + 56 * index;
			if (bytes.readUInt32LE(header) !== 1) continue;
			const size = BigInt(bytes.length) + 4096n;
			bytes.writeBigUInt64LE(size, header + 32);
			bytes.writeBigUInt64LE(size, header + 40);
		}
		const error = thrownBy(() => openGoBinary(memorySource(Uint8Array.from(bytes))));
		expect(error.code).toBe("E-BIN-NOT-GO");
		expect(error.found).toStartWith("a file with debug information alone");
	});
	test("is not an executable that is cut short", () => {
		const bytes = new Uint8Array(readFileSync(goBuild({ version: "1.23", program: "grow" }))).slice(0, 100_000);
		expect(thrownBy(() => openGoBinary(memorySource(bytes))).code).toBe("E-BIN-TRUNCATED");
	});
});

test("an executable that UPX has packed", () => {
	const bytes = new Uint8Array(readFileSync("/bin/true"));
	const { header } = openElf(memorySource(bytes));
	bytes.set(Buffer.from("UPX!"), header.phoff + header.phnum * header.phentsize + 8);
	const error = thrownBy(() => openGoBinary(memorySource(bytes)));
	expect([error.code, error.mend]).toEqual(["E-BIN-NOT-GO", "upx -d -o UNPACKED EXECUTABLE   # and run that one"]);
	expect(error.found).toContain("packed by UPX");
});

test("a program whose runtime is in a library", () => {
	const bytes = Buffer.from(readFileSync(goBuild({ version: "1.23", program: "grow" })));
	expect(sharedRuntime(openElf(memorySource(Uint8Array.from(bytes))))).toBeUndefined();
	// The note with the Go build id becomes one of dependencies.
	const name = bytes.indexOf(Buffer.from("Go\0\0"));
	bytes.writeUInt32LE(3, name - 4);
	bytes.write("libstd.so\n", name + 4, "latin1");
	expect(sharedRuntime(openElf(memorySource(Uint8Array.from(bytes))))).toBe("libstd.so");
});

describe("a library", () => {
	testWith(missingCommands("gcc"))("is none that can be watched", () => {
		const path = goBuild({ version: "1.23", program: "exports", cgo: true, buildmode: "c-shared" });
		const inspection = inspected(new Uint8Array(readFileSync(path)));
		expect(inspection.watchable).toBeFalse();
		expect(inspection.verdict).toBe(
			"cannot be watched: it is a library (-buildmode=c-shared), and only executables are",
		);
	});
});
