import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { openElf } from "../../../../src/elf/elf-file.ts";
import { memorySource } from "../../../../src/elf/memory-source.ts";
import { readBuildInfo } from "../../../../src/gobin/buildinfo/build-info.ts";
import { parseModInfo } from "../../../../src/gobin/buildinfo/mod-info.ts";
import { openGoBinary } from "../../../../src/gobin/go-binary.ts";
import { fileSource, GO_VERSIONS, goRoot, goTool } from "../../../support/go-binaries.ts";
import { thrownBy } from "../../../support/thrown.ts";
import { syntheticElf } from "../../elf/synthetic-elf.ts";
import { MATRIX_ROWS } from "../go-matrix.ts";

// Other programs are run, the Go command among them, which may have to build its own tools first.
setDefaultTimeout(60_000);

/** What `go version -m` prints, as our reader's parts. The command of 1.27 reads all releases. */
function goVersion(path: string) {
	const [head = "", ...lines] = goTool("1.27", ["version", "-m", path]).trimEnd().split("\n");
	const fields = lines.map((line) => line.slice(1).split("\t"));
	return {
		goVersion: head.slice(path.length + 2),
		packagePath: fields.find(([kind]) => kind === "path")?.[1],
		modulePath: fields.find(([kind]) => kind === "mod")?.[1],
		dependencies: fields.filter(([kind]) => kind === "dep").length,
		settings: fields.filter(([kind]) => kind === "build").map(([, pair]) => pair),
	};
}

function check(path: string): void {
	const expected = goVersion(path);
	const { buildInfo } = openGoBinary(fileSource(path));
	expect(buildInfo.goVersion).toBe(expected.goVersion);
	expect(buildInfo.packagePath).toBe(expected.packagePath);
	expect(buildInfo.modulePath).toBe(expected.modulePath);
	expect(buildInfo.dependencies).toBe(expected.dependencies);
	const quoted = /[ \t"\\`\n\r]|^$/;
	expect(
		[...buildInfo.settings].map(
			([key, value]) => `${key}=${value !== "" && quoted.test(value) ? JSON.stringify(value) : value}`,
		),
	).toEqual(expected.settings.map(String));
}

describe("build information is that of go version -m", () => {
	test.each(MATRIX_ROWS)("%s", (_what, entry) => check(entry.path));

	test.each([...GO_VERSIONS])("the go command of %s, a stripped program with modules", (version) => {
		check(join(goRoot(version), "bin", "go"));
	});
});

describe("module information", () => {
	test("a module with dependencies, quoting and a replaced module", () => {
		const info = parseModInfo(
			[
				"path\texample.com/cmd/app",
				"mod\texample.com\tv1.2.3\th1:abc=",
				"dep\tgithub.com/a/b\tv0.1.0\th1:x=",
				"dep\tgithub.com/c/d\tv2.0.0",
				"=>\t./local\t(devel)",
				"build\t-compiler=gc",
				'build\t-ldflags="-s -w -X \\"main.v=\\u00e9\\x41\\t\\""',
				"build\t`odd=key`=value=with=equals",
				'build\t"quoted key"=`raw \\n`',
				"build\tvcs.revision=0123456789abcdef",
				"build\t=no key",
				"build\tno value",
				"unknown\tline",
				"",
			].join("\n"),
		);
		expect(info).toEqual({
			packagePath: "example.com/cmd/app",
			modulePath: "example.com",
			moduleVersion: "v1.2.3",
			dependencies: 2,
			settings: new Map([
				["-compiler", "gc"],
				["-ldflags", '-s -w -X "main.v=éA\t"'],
				["odd=key", "value=with=equals"],
				["quoted key", "raw \\n"],
				["vcs.revision", "0123456789abcdef"],
			]),
		});
	});

	test("none", () => {
		expect(parseModInfo("")).toEqual({ dependencies: 0, settings: new Map() });
	});
});

describe("files without usable build information", () => {
	function blob(version: string): Uint8Array {
		const bytes = Buffer.alloc(128);
		bytes.write("\xff Go buildinf:\x08\x02", 0, "latin1");
		bytes.writeUInt8(version.length, 32);
		bytes.write(version, 33);
		return bytes;
	}
	const open = (sections: Parameters<typeof syntheticElf>[0]) => openGoBinary(memorySource(syntheticElf(sections)));

	test("a C program is not Go", () => {
		expect(thrownBy(() => openGoBinary(fileSource("/bin/true"))).code).toBe("E-BIN-NOT-GO");
	});

	test("a Go program without the blob, whose function table is none, is damaged", () => {
		const error = thrownBy(() => open([{ name: ".gopclntab", data: new Uint8Array(64) }]));
		expect(error.code).toBe("E-BIN-MALFORMED");
		expect(error.found).toEndWith("in a Go program with no build information");
	});

	test.each([
		["go1.14.4", "E-BIN-GO-OLD"],
		["go1.28.1", "E-BIN-GO-NEW"],
		["unknown", "E-BIN-MALFORMED"],
	])("version %s gives %s", (version, code) => {
		const error = thrownBy(() => open([{ name: ".go.buildinfo", data: blob(version) }]));
		expect(error.code as string).toBe(code);
		expect(error.found).toContain(version);
	});

	test("an empty version, a cut string and a big-endian blob are not taken", () => {
		const cut = blob("go1.23.1");
		cut[32] = 0xff;
		cut[33] = 0xff;
		cut[34] = 0x7f;
		const bigEndian = blob("go1.23.1");
		bigEndian[15] = 1;
		for (const data of [blob(""), cut, bigEndian]) {
			const elf = openElf(memorySource(syntheticElf([{ name: ".go.buildinfo", data }])));
			expect(readBuildInfo(elf)).toBeUndefined();
		}
		const whole = openElf(memorySource(syntheticElf([{ name: ".go.buildinfo", data: blob("go1.23.1") }])));
		expect(readBuildInfo(whole)?.goVersion).toBe("go1.23.1");
	});
});
