/** What `inspect` says, against other tools' view of the same files, and for files that nothing can be watched in. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { memorySource } from "../../../src/elf/memory-source.ts";
import type { GomapgrowError } from "../../../src/errors/error.ts";
import { identifyGoProgram, openGoProgram } from "../../../src/gobin/go-binary.ts";
import { type InspectedTarget, inspectBinary, inspectUnsupported } from "../../../src/inspect/collect.ts";
import type { Inspection } from "../../../src/inspect/record.ts";
import type { MapImpl } from "../../../src/records/records.ts";
import { fileSource, goBuild, goTool, run } from "../../support/go-binaries.ts";
import { withVersion } from "../../support/patched-version.ts";
import { syntheticGo } from "../gobin/synthetic-go.ts";

// Other programs are run, the Go command among them, which may have to build its own tools first.
setDefaultTimeout(120_000);

const TARGET: InspectedTarget = { exe: "/srv/shop", machine: "amd64" };

function inspected(bytes: Uint8Array, target = TARGET): Inspection {
	const program = identifyGoProgram(memorySource(bytes));
	return inspectBinary(program, openGoProgram(program, { verifyLayouts: true }), target);
}

const TABLE = "internal/runtime/maps.(*table)";

/** What programs of 1.25 and later have; before there is no pruneTombstones. */
const FUNCTIONS: Record<MapImpl, { growing: [string, "growth" | "work"][]; iterating: string[] }> = {
	classic: {
		growing: [
			["runtime.hashGrow", "growth"],
			...["", "_fast32", "_fast64", "_faststr"].flatMap((variant): [string, "work"][] => [
				[`runtime.growWork${variant}`, "work"],
				[`runtime.evacuate${variant}`, "work"],
			]),
		],
		iterating: ["runtime.mapiterinit", "runtime.mapiternext"],
	},
	swiss: {
		growing: [
			["internal/runtime/maps.(*Map).growToTable", "growth"],
			[`${TABLE}.rehash`, "growth"],
			[`${TABLE}.grow`, "work"],
			[`${TABLE}.split`, "work"],
			[`${TABLE}.pruneTombstones`, "work"],
		],
		iterating: ["Init", "Next", "grownKeyElem"].map((name) => `internal/runtime/maps.(*Iter).${name}`),
	},
};

/** Where maps are made: plan/make-sites.test.ts compares their sites. */
const MAKING: Record<MapImpl, string[]> = {
	classic: ["runtime.makemap_small", "runtime.makemap", "runtime.gcMarkTermination"],
	swiss: ["runtime.makemap_small", "internal/runtime/maps.NewMap", "runtime.gcMarkTermination"],
};

const fileBytes = (path: string): Uint8Array => fileSource(path).read(0, fileSource(path).size);

describe.each([
	["1.15 pie", goBuild({ version: "1.15", program: "chains", buildmode: "pie" })],
	["1.19 -w", goBuild({ version: "1.19", program: "chains", ldflags: "-w" })],
	["1.23 plain", goBuild({ version: "1.23", program: "chains" })],
	["1.24 noswissmap", goBuild({ version: "1.24", program: "chains", experiment: "noswissmap" })],
	["1.27 cgo", goBuild({ version: "1.27", program: "exports", cgo: true })],
])("%s", (what, path) => {
	const inspection = inspected(fileBytes(path));

	test("what it is, by readelf and go version -m", () => {
		const header = run(["readelf", "-hlSW", path]);
		const [first = "", ...lines] = goTool("1.27", ["version", "-m", path]).split("\n");
		const settings = lines.filter((line) => line.startsWith("\tbuild\t")).map((line) => line.slice(7).split("="));
		expect(inspection).toMatchObject({
			exe: "/srv/shop",
			go_version: first.slice(path.length + 2),
			arch: "amd64",
			pie: header.includes("DYN ("),
			static: !header.includes("INTERP"),
			stripped: false,
			cgo: what.includes("cgo"),
			map_impl: /1\.27/.test(what) ? "swiss" : "classic",
			watchable: true,
		});
		expect(inspection.pid).toBeUndefined();
		expect(inspection.build_settings).toEqual(
			Object.fromEntries(settings.map(([key = "", ...rest]) => [key, rest.join("=").replaceAll('"', "")])),
		);
		expect(inspection.build_id).toBe(/Build ID: (\S+)/.exec(goBuildIdNote(path))?.[1] ?? "");
		const dwarf = run(["readelf", "--debug-dump=info", "--dwarf-depth=1", path]);
		const version = /Version: +(\d)/.exec(dwarf)?.[1];
		expect(inspection.dwarf_version).toBe(version === undefined ? undefined : Number(version));
	});

	test("functions are where nm and readelf have them, and each site is a jbe by objdump", () => {
		const symbols = new Map(
			[...goTool("1.23", ["tool", "nm", path]).matchAll(/^ *([0-9a-f]+) [Tt] (.*)$/gm)].map((match) => {
				return [match[2] ?? "", Number.parseInt(match[1] ?? "", 16)];
			}),
		);
		const loads = [
			...run(["readelf", "-lW", path]).matchAll(/LOAD +(0x[0-9a-f]+) (0x[0-9a-f]+) 0x[0-9a-f]+ (0x[0-9a-f]+)/g),
		].map((match) => match.slice(1).map(Number) as [number, number, number]);
		const offsetOf = (address: number): number => {
			const [offset = 0, vaddr = 0] = loads.find(([, start, size]) => address >= start && address < start + size) ?? [];
			return address - vaddr + offset;
		};
		const impl = inspection.map_impl ?? "classic";
		const { growing, iterating } = FUNCTIONS[impl];
		expect(inspection.functions.map(({ name, tier }) => [name, tier])).toEqual([
			...growing,
			...iterating.map((name) => [name, "iteration"]),
			...MAKING[impl].map((name) => [name, "make"]),
		]);
		expect(inspection.functions_absent).toEqual([]);
		for (const { name, address, file_offset, site, exits, exits_missing, reason } of inspection.functions) {
			const entry = symbols.get(name) ?? 0;
			expect([name, address, file_offset]).toEqual([name, `0x${entry.toString(16)}`, offsetOf(entry)]);
			expect([reason, site?.cost]).toEqual([undefined, "emulated"]);
			if (MAKING[impl].includes(name) && !/^jbe/.test(site?.instruction ?? "")) continue;
			if (iterating.includes(name) || MAKING[impl].includes(name))
				expect([exits, exits_missing]).toEqual([[], undefined]);
			else expect([exits.length > 0, exits_missing]).toEqual([true, undefined]);
			for (const exit of exits) expect(exit.file_offset).toBe(offsetOf(Number(exit.address)));
			const at = Number(site?.address);
			expect(site?.file_offset).toBe(offsetOf(at));
			const listing = run([
				"objdump",
				"-d",
				"--no-show-raw-insn",
				`--start-address=${entry}`,
				`--stop-address=${at + 6}`,
				path,
			]);
			const branch = new RegExp(`^ +${at.toString(16)}:\\s+jbe +([0-9a-f]+)`, "m").exec(listing);
			const target = Number.parseInt(branch?.[1] ?? "", 16);
			expect(site?.instruction).toBe(`jbe +0x${(target - entry).toString(16)}`);
		}
		// Without the iterators, which are only probed when they are asked for.
		expect(inspection.verdict).toBe(
			`can be watched: every growth with type, cause, size, goroutine and stack; ${growing.length} probes, all emulated`,
		);
	});

	test("layouts name their origin", () => {
		const goid = inspection.layouts["runtime.g.goid"];
		expect(goid).toMatchObject({
			offset: /1\.24|1\.23/.test(what) ? 160 : 152,
			from: what.includes("-w") ? "table" : "dwarf",
			file: "runtime/runtime2.go",
		});
		expect(goid?.agrees).toContain("code");
		expect(Object.keys(inspection.layouts).filter((name) => /hmap|maps\.Map/.test(name)).length).toBeGreaterThan(5);
	});
});

/** The description of the note .note.go.buildid as text. */
function goBuildIdNote(path: string): string {
	const text = run(["readelf", "-p", ".note.go.buildid", path]);
	return `Build ID: ${/([\w-]{20}\/[\w-]+\/[\w-]+\/[\w-]{20})/.exec(text)?.[1]}`;
}

describe("what cannot be watched", () => {
	const chains = goBuild({ version: "1.27", program: "chains" });
	const release = identifyGoProgram(fileSource(chains)).version.raw;

	test("arm64: functions, sites and layouts are known, but nothing attaches to them", () => {
		const inspection = inspected(fileBytes(goBuild({ version: "1.27", program: "chains", arch: "arm64" })));
		expect(inspection).toMatchObject({ arch: "arm64", watchable: false, map_impl: "swiss" });
		expect(inspection.verdict).toMatch(/^cannot be watched: it is for arm64/);
		expect(inspection.error?.code).toBe("E-BIN-ARCH");
		expect(inspection.functions.map(({ name }) => name)).toEqual([
			...FUNCTIONS.swiss.growing.map(([name]) => name),
			...FUNCTIONS.swiss.iterating,
			...MAKING.swiss,
		]);
		for (const fn of inspection.functions) {
			expect(fn.site?.instruction).toMatch(/^(b\.ls \+0x[0-9a-f]+|bl internal\/runtime\/maps\.rand)$/);
			expect(fn.reason).toBeUndefined();
			expect(Number(fn.address)).toBeGreaterThan(0);
		}
		expect(inspection.layouts["runtime.g.goid"]).toMatchObject({ offset: 152, from: "dwarf", agrees: ["table"] });
	});

	test("a program whose maps cannot grow", () => {
		const inspection = inspected(
			syntheticGo(
				19,
				[{ name: "runtime.text", size: 32, lines: [[10, 32]], inlined: [], inlineIndex: [[-1, 32]] }],
				[],
			),
		);
		expect(inspection).toMatchObject({ watchable: false, functions: [], functions_absent: [] });
		expect(inspection.map_impl).toBeUndefined();
		expect(inspection.error?.code).toBe("E-BIN-NO-MAPS");
		expect(inspection.verdict).toBe(
			"cannot be watched: no map in it can grow; the linker left the growth functions out",
		);
	});

	test.each([
		["-N -l", "the packages named to go build", "their frames"],
		["example.com/...=-l", "example.com/...", "their frames"],
		["all=-N -l", undefined, "all frames"],
	])("a stripped program of which the build settings say -gcflags=%s", (gcflags, some, frames) => {
		const program = identifyGoProgram(memorySource(fileBytes(chains)));
		const settings = new Map([...program.buildInfo.settings, ["-gcflags", gcflags]]);
		const stripped = { ...program, buildInfo: { ...program.buildInfo, settings }, dwarf: () => undefined };
		const { flagged, notes } = inspectBinary(stripped, openGoProgram(stripped), TARGET);
		expect(flagged).toBe(some as string);
		const [note = ""] = notes.filter((text) => text.startsWith("built with -"));
		expect(note).toContain(some === undefined ? "l: nothing is" : `l (${some}): nothing in them is`);
		expect(note).toContain(`inlined, so ${frames} are real calls`);
	});

	test("a function that does not begin with a stack check", () => {
		const bytes = Buffer.from(fileBytes(chains));
		const before = inspected(bytes);
		const [rehash] = before.functions.filter(({ name }) => name.endsWith(".rehash"));
		bytes[rehash?.file_offset ?? 0] = 0xcc;
		const inspection = inspected(bytes);
		expect(inspection.error?.code).toBe("E-BIN-NO-SITES");
		expect(inspection.functions.find(({ name }) => name === rehash?.name)).toEqual({
			...(({ site: _, ...rest }) => rest)(rehash ?? ({} as never)),
			exits: [],
			reason: expect.stringMatching(
				/does not begin with a known stack check \(first bytes cc.*\), and it does not return$/,
			),
		});
		expect(inspection.functions.filter(({ site }) => site !== undefined)).toEqual(
			before.functions.filter((fn) => fn !== rehash),
		);
		expect(before.functions).toHaveLength(11);
	});

	test("a release that is older than supported: what every release says", () => {
		const program = identifyGoProgram(memorySource(withVersion(chains, release.replace("1.27", "1.14"))));
		let thrown: GomapgrowError | undefined;
		try {
			openGoProgram(program);
		} catch (error) {
			thrown = error as GomapgrowError;
		}
		if (thrown === undefined) throw new Error("opened");
		const inspection = inspectUnsupported(program, thrown, TARGET);
		expect(inspection).toMatchObject({
			go_version: release.replace("1.27", "1.14"),
			watchable: false,
			stripped: false,
			dwarf_version: 5,
			optimized: true,
			error: { code: "E-BIN-GO-OLD", mend: expect.stringContaining("1.15") },
		});
		expect(inspection.verdict).toMatch(/older than supported \(Go 1\.15 to 1\.27\)/);
	});
});

describe("newer than known", () => {
	const version = (path: string): string => identifyGoProgram(fileSource(path)).version.raw.replace("1.27", "1.28");

	test("stripped: it says what is counted and what is missing", () => {
		const path = goBuild({ version: "1.27", program: "chains", ldflags: "-s -w" });
		const inspection = inspected(withVersion(path, version(path)));
		expect(inspection.watchable).toBeTrue();
		expect(inspection.verdict).toMatch(
			/^can be watched in part \(newer than known, which is Go 1\.15 to 1\.27\): growths are counted without details; 5 probes/,
		);
		expect(inspection.notes.join("\n")).toContain("without goroutine, kind and size");
		expect(inspection.layout_notes[0]).toContain("this version is not known, and there is no DWARF");
		expect(inspection.functions.map(({ name, tier }) => [name, tier])).toEqual([
			...FUNCTIONS.swiss.growing.map(([name]) => [name, "work"]),
			...FUNCTIONS.swiss.iterating.map((name) => [name, "iteration"]),
			...MAKING.swiss.map((name) => [name, "make"]),
		]);
		expect(inspection.layouts["runtime.g.goid"]).toEqual({ offset: 152, from: "code" });
	});

	test("with DWARF: in full, and it says by what", () => {
		const path = goBuild({ version: "1.27", program: "chains" });
		const inspection = inspected(withVersion(path, version(path)));
		expect(inspection.verdict).toMatch(
			/^can be watched \(newer than known, which is Go 1\.15 to 1\.27\): every growth .*, by layouts from its own DWARF; 5 probes/,
		);
		expect(inspection.layout_notes[0]).toContain("this version is not known");
	});

	test("stripped and with module data in which the inlined calls are elsewhere: it says that, too", () => {
		// What the newest known release has at the place of gofunc is something else in 1.23.
		const path = goBuild({ version: "1.23", program: "chains", ldflags: "-s -w" });
		const other = identifyGoProgram(fileSource(path)).version.raw.replace("1.23", "1.28");
		const inspection = inspected(withVersion(path, other));
		expect(inspection.watchable).toBeTrue();
		expect(inspection.notes.join("\n")).toContain("trees of inlined calls");
		expect(inspected(fileBytes(path)).notes.join("\n")).not.toContain("trees of inlined calls");
	});

	test("with damaged DWARF it is treated as stripped, and says so", () => {
		const path = goBuild({ version: "1.27", program: "chains" });
		const bytes = withVersion(path, version(path));
		const section = identifyGoProgram(memorySource(bytes)).elf.section(".debug_info");
		bytes.fill(0xff, (section?.offset ?? 0) + 24, (section?.offset ?? 0) + (section?.size ?? 0));
		const inspection = inspected(bytes);
		expect(inspection.layout_notes.join("\n")).toMatch(/its DWARF is damaged and was not used/);
		expect(inspection.dwarf_version).toBeUndefined();
		expect(inspection.verdict).toMatch(/^can be watched in part/);
	});
});

describe("what is shown is safe", () => {
	test("text from the file is sanitised", () => {
		const path = goBuild({ version: "1.23", program: "chains", ldflags: "-w" });
		const evil = Buffer.from(fileBytes(path));
		const blob = evil.indexOf(Buffer.from("\xff Go buildinf:", "latin1"));
		evil.write("\x1b[31m\x07", evil.indexOf("path\t", blob) + 5, "latin1");
		const text = JSON.stringify(inspected(evil, { ...TARGET, exe: "/srv/\u202eevil\x1b[0m" }));
		expect(text).not.toMatch(/\\u001b|\u202e|\\u0007/);
		expect(text).toContain("\\\\x1b[31m");
	});

	test("a process", () => {
		const path = goBuild({ version: "1.23", program: "chains", ldflags: "-w" });
		const target = { ...TARGET, exeDeleted: true, pid: 4711, loadBias: 0x55550000 };
		expect(inspected(fileBytes(path), target)).toMatchObject({
			exe: "/srv/shop",
			exe_deleted: true,
			pid: 4711,
			load_bias: "0x55550000",
		});
	});
});
