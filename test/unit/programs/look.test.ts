/** What is told of a file without planning all of its probes. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { lookAtProgram } from "../../../src/programs/look.ts";
import { fileSource, goBuild } from "../../support/go-binaries.ts";
import { withoutBuildInfo } from "../../support/hidden-version.ts";
import { withVersion } from "../../support/patched-version.ts";
import { thrownBy } from "../../support/thrown.ts";

// A program may have to be built, and the standard library before.
setDefaultTimeout(120_000);

const relay = (version: string): string => goBuild({ version, program: "relay" });

for (const [version, mapImpl] of [
	["1.15", "classic"],
	["1.23", "classic"],
	["1.27", "swiss"],
] as const) {
	test(`a program of Go ${version}`, () => {
		const source = fileSource(relay(version));
		expect(lookAtProgram(source, "amd64")).toEqual({ goVersion: openGoBinary(source).version.raw, mapImpl });
	});
}

test("one without build information is one all the same", () => {
	const { mapImpl, why } = lookAtProgram(memorySource(withoutBuildInfo(relay("1.27"))), "amd64") ?? {};
	expect([mapImpl, why]).toEqual(["swiss", undefined]);
});

test("a release that is too old, with the reason that `watch` gives", () => {
	const source = memorySource(withVersion(relay("1.23"), "go1.12.9"));
	const { found } = thrownBy(() => makePlan(openGoBinary(source)));
	expect(lookAtProgram(source, "amd64")).toEqual({ goVersion: "go1.12.9", why: found });
	expect(found).toContain("go1.12.9");
});

test("for another machine", () => {
	expect(lookAtProgram(fileSource(relay("1.27")), "arm64")?.why).toContain("amd64");
});

test("what is no Go program", () => {
	expect(lookAtProgram(fileSource("/bin/true"), "amd64")).toBeUndefined();
	expect(lookAtProgram(fileSource(import.meta.path), "amd64")).toBeUndefined();
	expect(lookAtProgram(memorySource(new Uint8Array(0)), "amd64")).toBeUndefined();
});
