/** Whether a program was compiled with -N or -l: from its DWARF, from its build settings, or not known. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { compilationOf } from "../../../../src/gobin/buildinfo/compilation.ts";
import { identifyGoProgram } from "../../../../src/gobin/go-binary.ts";
import { fileSource, goBuild } from "../../../support/go-binaries.ts";

setDefaultTimeout(120_000);

describe("by DWARF", () => {
	test.each([
		["1.15", undefined, true],
		["1.15", "-N -l", false],
		["1.22", undefined, true],
		["1.22", "-l", undefined],
		["1.27", "-N -l", false],
		["1.27", undefined, true],
	])("Go %s with -gcflags=%p", (version, gcflags, optimized) => {
		const path = goBuild({ version, program: "chains", ...(gcflags === undefined ? {} : { gcflags }) });
		const program = identifyGoProgram(fileSource(path));
		const { packages, ...flags } = compilationOf(program.buildInfo.settings, program.dwarf());
		expect(flags).toEqual({ optimized: optimized ?? true, inlining: gcflags === undefined });
		// Without "all=" the flags are for the main package only.
		expect(packages).toMatchObject({
			unoptimized: optimized === false ? 1 : 0,
			uninlined: gcflags === undefined ? 0 : 1,
		});
		expect(packages?.total).toBeGreaterThan(30);
	});
});

describe("by build settings", () => {
	test.each([
		[{}, {}],
		[{ CGO_ENABLED: "0" }, { optimized: true, inlining: true }],
		[{ "-gcflags": "-N -l" }, { optimized: false, inlining: false, flagged: "the packages named to go build" }],
		[{ "-gcflags": "all=-N -l" }, { optimized: false, inlining: false }],
		[{ "-gcflags": "all=-l -m" }, { optimized: true, inlining: false }],
		[{ "-gcflags": "./...=-N" }, { optimized: false, inlining: true, flagged: "./..." }],
		[{ "-gcflags": "example.com/dep=-l" }, { optimized: true, inlining: false, flagged: "example.com/dep" }],
		[{ "-gcflags": "example.com/dep=-m" }, { optimized: true, inlining: true }],
		[
			{ "-gcflags": "-d=checkptr=0 -l" },
			{ optimized: true, inlining: false, flagged: "the packages named to go build" },
		],
		[{ "-gcflags": "-Nope -lang=go1.20 -l=4" }, { optimized: true, inlining: true }],
	])("%j", (settings, expected) => {
		expect(compilationOf(new Map(Object.entries(settings) as [string, string][]), undefined)).toEqual(expected);
	});
});
