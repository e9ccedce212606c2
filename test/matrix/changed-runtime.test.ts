/** A runtime that someone has changed and that still calls itself a release: fields inserted before g.goid. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspectBinary } from "../../src/cli/inspection.ts";
import { identifyGoProgram, openGoProgram } from "../../src/gobin/go-binary.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { fileSource, goRoot, goTool } from "../support/go-binaries.ts";
import { temporaryFolder } from "../support/processes.ts";

// The whole standard library is compiled for each of them.
setDefaultTimeout(600_000);

/** Builds test/programs/chains with 16 bytes more in runtime.g. */
function buildChanged(version: string, ldflags: string): string {
	const folder = temporaryFolder(`changed-${version}`);
	const source = join(goRoot(version), "src/runtime/runtime2.go");
	const text = readFileSync(source, "utf8");
	const changed = text.replace(/^\tgoid +u?int64/m, "\tinserted [2]uint64\n$&");
	expect(changed).not.toBe(text);
	mkdirSync(join(folder, "overlay"));
	writeFileSync(join(folder, "overlay/runtime2.go"), changed);
	const overlay = join(folder, "overlay.json");
	writeFileSync(overlay, JSON.stringify({ Replace: { [source]: join(folder, "overlay/runtime2.go") } }));
	const output = join(folder, "chains");
	goTool(version, ["build", "-overlay", overlay, `-ldflags=${ldflags}`, "-o", output, "./chains"]);
	return output;
}

describe.each([
	["1.23", 160],
	["1.27", 152],
])("Go %s", (version, goid) => {
	test.each(["", "-s -w"])("-ldflags=%p", (ldflags) => {
		const program = identifyGoProgram(fileSource(buildChanged(version, ldflags)));
		// The quick way does not touch DWARF and still finds out.
		expect(openGoProgram(program).layouts.g?.goid).toBe(goid);
		expect(makePlan(openGoProgram(program)).goidOffset).toBe(goid + 16);
		const verified = openGoProgram(program, { verifyLayouts: true });
		expect(makePlan(verified).goidOffset).toBe(goid + 16);
		const inspection = inspectBinary(program, verified, { exe: "chains" });
		expect(inspection.layouts["runtime.g.goid"]).toEqual({
			offset: goid + 16,
			from: ldflags === "" ? "dwarf" : "code",
			file: "runtime/runtime2.go",
			...(ldflags === "" ? { agrees: ["code"] } : {}),
			differs: { table: goid },
		});
		expect(inspection.layout_notes.join("\n")).toMatch(
			new RegExp(`goid is at ${goid + 16} by (DWARF|the machine code.*), but at ${goid} by the table`),
		);
		expect(inspection.watchable).toBeTrue();
	});
});
