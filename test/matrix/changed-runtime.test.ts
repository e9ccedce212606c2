/** A runtime that someone has changed and that still calls itself a release: fields inserted before g.goid, functions without a stack check. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identifyGoProgram, openGoProgram } from "../../src/gobin/go-binary.ts";
import { inspectBinary } from "../../src/inspect/collect.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { MACHINE } from "../../src/process/machine.ts";
import { disassemble, planFaults } from "../support/exit-check.ts";
import { fileSource, goRoot, goTool } from "../support/go-binaries.ts";
import { temporaryFolder } from "../support/processes.ts";
import { goroutineOffsets } from "../unit/plan/goroutine-offsets.ts";

// The whole standard library is compiled for each of them.
setDefaultTimeout(600_000);

/** Builds test/programs/chains with a changed source file of the runtime. */
function buildChanged(version: string, ldflags: string, file: string, change: (text: string) => string): string {
	const folder = temporaryFolder(`changed-${version}`);
	const source = join(goRoot(version), "src", file);
	const text = readFileSync(source, "utf8");
	const changed = change(text);
	expect(changed).not.toBe(text);
	mkdirSync(join(folder, "overlay"));
	writeFileSync(join(folder, "overlay/changed.go"), changed);
	const overlay = join(folder, "overlay.json");
	writeFileSync(overlay, JSON.stringify({ Replace: { [source]: join(folder, "overlay/changed.go") } }));
	const output = join(folder, "chains");
	goTool(version, ["build", "-overlay", overlay, `-ldflags=${ldflags}`, "-o", output, "./chains"]);
	return output;
}

/** 16 bytes more in runtime.g. */
const insertFields = (text: string): string => text.replace(/^\tgoid +u?int64/m, "\tinserted [2]uint64\n$&");

describe.each([
	["1.23", 160],
	["1.27", 152],
])("Go %s", (version, goid) => {
	test.each(["", "-s -w"])("-ldflags=%p", (ldflags) => {
		const program = identifyGoProgram(fileSource(buildChanged(version, ldflags, "runtime/runtime2.go", insertFields)));
		// The quick way does not touch DWARF and still finds out.
		expect(openGoProgram(program).layouts.g?.goid).toBe(goid);
		// Only the code vouches for an offset, and it has that of goid alone.
		expect(makePlan(openGoProgram(program)).goroutine).toEqual({ goid: goid + 16 });
		const verified = openGoProgram(program, { verifyLayouts: true });
		// What stands behind goid in runtime.g has moved as far.
		const moved = Object.entries(goroutineOffsets(version)).map(([field, at]) => [
			field,
			field === "curg" ? at : at + 16,
		]);
		expect(makePlan(verified).goroutine).toEqual(ldflags === "" ? Object.fromEntries(moved) : { goid: goid + 16 });
		const inspection = inspectBinary(program, verified, { exe: "chains", machine: MACHINE });
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

test.each([
	["1.23", "runtime/map_fast64.go", "runtime.growWork_fast64", /^func growWork_fast64/m],
	["1.27", "internal/runtime/maps/table.go", "internal/runtime/maps.(*table).rehash", /^func \(t \*table\) rehash/m],
])("Go %s: a growth function without a stack check", async (version, file, fn, opening) => {
	const path = buildChanged(version, "", file, (text) => text.replace(opening, "//go:nosplit\n$&"));
	const binary = openGoProgram(identifyGoProgram(fileSource(path)));
	const plan = makePlan(binary);
	const probe = plan.probes.find((each) => each.fn === fn);
	// The first instruction, which the kernel emulates.
	expect(probe).toMatchObject({
		everyPass: true,
		gRegister: "r14",
		site: { instruction: "push rbp", cost: "emulated" },
	});
	expect(probe?.site.address).toBe(probe?.entry as number);
	expect(plan.probes.filter(({ everyPass }) => everyPass)).toHaveLength(1);
	expect(planFaults(plan, await disassemble(binary, plan, path))).toEqual([]);
});
