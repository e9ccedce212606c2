/**
 * Every Go release with a toolchain, in every way of building, with and without symbols: what it is, which map implementation, where
 * the probe sites are, the names of map types, the layout of a goroutine, and the frames of a call chain with inlining. The programs
 * say themselves what is true, by reflect and by their own runtime; other truths are by readelf and objdump. `make test-matrix`.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type GoBinary, type GoProgram, identifyGoProgram, openGoProgram } from "../../src/gobin/go-binary.ts";
import { inspectBinary } from "../../src/inspect/collect.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { MACHINE } from "../../src/process/machine.ts";
import { disassemble, planFaults } from "../support/exit-check.ts";
import { fileSource, GO_VERSIONS, type GoBuildOptions, goBuild, goRelease, run } from "../support/go-binaries.ts";
import { printedStack, symbolizeStack } from "../support/program-frames.ts";
import { goroutineOffsets } from "../unit/plan/goroutine-offsets.ts";

// The first build of a kind compiles the standard library.
setDefaultTimeout(600_000);

const KINDS: Record<string, Partial<GoBuildOptions>> = {
	default: {},
	"-s -w": { ldflags: "-s -w" },
	"-w": { ldflags: "-w" },
	pie: { buildmode: "pie" },
	"-N -l": { gcflags: "all=-N -l" },
	cgo: { cgo: true },
	"cgo static": { cgo: true, ldflags: "-extldflags=-static" },
	"cgo pie": { cgo: true, buildmode: "pie" },
};

interface Row {
	what: string;
	version: string;
	minor: number;
	options: GoBuildOptions;
}

function rows(version: string): Row[] {
	const minor = Number(version.slice(2));
	const row = (kind: string, options: Partial<GoBuildOptions>): Row[] =>
		[false, true].map((strip) => ({
			what: `${version} ${kind}${strip ? ", stripped" : ""}`,
			version,
			minor,
			options: { version, program: "chains", ...options, ...(strip ? { strip } : {}) },
		}));
	const noswissmap = minor === 24 || minor === 25 ? row("noswissmap", { experiment: "noswissmap" }) : [];
	return [...Object.entries(KINDS).flatMap(([kind, options]) => row(kind, options)), ...noswissmap];
}

const CLASSIC = [
	"runtime.hashGrow",
	...["", "_fast32", "_fast64", "_faststr"].flatMap((v) => [`runtime.growWork${v}`, `runtime.evacuate${v}`]),
];
const SWISS = [
	"(*Map).growToTable",
	"(*table).rehash",
	"(*table).grow",
	"(*table).split",
	"(*table).pruneTombstones",
].map((name) => `internal/runtime/maps.${name}`);

/**
 * From objdump: cgocallback has a frame of 32 bytes in all releases, between a frame record (16) and a return address (8). Before 1.21, where
 * asmcgocall has no frame of its own, cgocall's frame of 48 bytes comes on top.
 */
const CGO_GAP_BEFORE_21 = 56 + 48;

const CLASSIC_ITERATORS = [
	["runtime.mapiterinit", "iterStart"],
	["runtime.mapiternext", "iterNext"],
] as const;
const SWISS_ITERATORS = [
	["internal/runtime/maps.(*Iter).Init", "iterInit"],
	["internal/runtime/maps.(*Iter).Next", "iterNext"],
	["internal/runtime/maps.(*Iter).grownKeyElem", "count"],
] as const;

describe.each(GO_VERSIONS.flatMap((version) => rows(version)).map((row): [string, Row] => [row.what, row]))(
	"%s",
	(_what, row) => {
		const { version, minor, options } = row;
		const { strip: _strip, ...unstripped } = options;
		const swiss = minor >= 24 && options.experiment === undefined;
		const stripped = options.strip === true || options.ldflags === "-s -w";
		const withDwarf = options.strip !== true && !/(^| )-w/.test(options.ldflags ?? "");
		let opened: { path: string; program: GoProgram; binary: GoBinary; base: number } | undefined;
		const open = () => {
			if (opened === undefined) {
				const path = goBuild(options);
				const program = identifyGoProgram(fileSource(path));
				const binary = openGoProgram(program);
				opened = {
					path,
					program,
					binary,
					base: binary.functionsByName(["main.chains"]).get("main.chains")?.entry ?? 0,
				};
			}
			return opened;
		};

		test("what it is", () => {
			const { path, program, binary } = open();
			const header = run(["readelf", "-hlW", path]);
			const inspection = inspectBinary(program, openGoProgram(program, { verifyLayouts: true }), {
				exe: path,
				machine: MACHINE,
			});
			expect(binary.version.minor).toBe(minor);
			expect(inspection).toMatchObject({
				go_version: `${goRelease(version)}${options.experiment === undefined ? "" : " X:noswissmap"}`,
				map_impl: swiss ? "swiss" : "classic",
				arch: "amd64",
				stripped,
				pie: header.includes("DYN ("),
				static: !header.includes("INTERP"),
				cgo: options.cgo === true,
				watchable: true,
			});
			expect(inspection.pie).toBe(options.buildmode === "pie");
			expect(inspection.dwarf_version).toBe(withDwarf ? (minor >= 25 ? 5 : 4) : (undefined as never));
			// Before 1.18 only DWARF tells.
			const optimized = withDwarf || minor >= 18 ? options.gcflags === undefined : undefined;
			expect([inspection.optimized, inspection.inlining]).toEqual([optimized, optimized] as never[]);
		});

		test("layouts", () => {
			const { program, binary } = open();
			const { curg, ...inG } = goroutineOffsets(version);
			expect(binary.layouts.g).toMatchObject({ ...inG, m: 48, stackLo: 0, stackHi: 8 });
			expect(binary.layouts.g?.parentGoid).toBe(inG.parentGoid as never);
			expect(binary.layouts.m).toMatchObject({ g0: 0, curg: curg as number });
			expect(binary.goidInCode).toBe(inG.goid);
			const verified = openGoProgram(program, { verifyLayouts: true });
			expect(verified.basis.kind).toBe(withDwarf ? "dwarf" : "table");
			expect(verified.layouts).toEqual(binary.layouts);
			expect(binary.mapTypesConfirmed).toBeTrue();
		});

		test("sites", () => {
			const plan = makePlan(open().binary);
			const expected = (swiss ? SWISS : CLASSIC).filter((name) => minor >= 25 || !name.endsWith("pruneTombstones"));
			expect(plan.probes.map(({ fn }) => fn)).toEqual(expected);
			expect(plan.limits).toBeUndefined();
			const cgoGap = options.cgo === true && minor >= 17 ? { cgoGap: minor >= 21 ? 56 : CGO_GAP_BEFORE_21 } : {};
			expect(plan.goroutine).toEqual({ ...goroutineOffsets(version), ...cgoGap });
			// The iterators are only probed when they are asked for; then nothing else changes.
			const watching = makePlan(open().binary, { iterations: true });
			const iterators = watching.probes.slice(plan.probes.length);
			expect(watching.probes.slice(0, plan.probes.length)).toEqual(plan.probes);
			expect(iterators.map(({ fn, tier, role }) => [fn, tier, role])).toEqual(
				(swiss ? SWISS_ITERATORS : CLASSIC_ITERATORS).map(([fn, role]) => [fn, "iteration", role]),
			);
			const symbols = goBuild(unstripped.ldflags === "-s -w" ? { ...unstripped, ldflags: "-w" } : unstripped);
			for (const { fn, entry, site, argAbi, gRegister, everyPass } of watching.probes) {
				// All of them begin with a stack check.
				expect([gRegister, everyPass]).toEqual([minor >= 17 ? "r14" : "rcx", undefined]);
				expect(argAbi).toBe(minor >= 17 ? "regs" : "stack");
				const until = site.address + site.bytes.length;
				const listing = run(["objdump", "-d", `--start-address=${entry}`, `--stop-address=${until}`, symbols]);
				expect(listing).toContain(`<${fn}>:`);
				// The site is the last instruction, and one of the linear listing from the function's first byte.
				const last = listing.trim().split("\n").at(-1) ?? "";
				expect(last).toMatch(
					new RegExp(
						`^ +${site.address.toString(16)}:\\s+${[...site.bytes].map((b) => b.toString(16).padStart(2, "0")).join(" ")} .*jbe`,
					),
				);
				expect(open().binary.bytesAt(site.address, site.bytes.length)).toEqual(site.bytes);
			}
		});

		test("exits: every way through the code leaves exactly once", async () => {
			const { binary } = open();
			const plan = makePlan(binary);
			for (const { exits, exitsMissing } of plan.probes) {
				expect([exits.length > 0, exitsMissing]).toEqual([true, undefined]);
			}
			const symbols = goBuild(unstripped.ldflags === "-s -w" ? { ...unstripped, ldflags: "-w" } : unstripped);
			expect(planFaults(plan, await disassemble(binary, plan, symbols))).toEqual([]);
			// The work of a classic map is a million hits a second: never single-stepped.
			const hot = plan.probes.filter(({ role }) => role === "growWork" || role === "evacuate");
			expect(hot.flatMap(({ exits }) => exits).every(({ cost }) => cost === "emulated")).toBeTrue();
		});

		test("types", () => {
			const { path, binary, base } = open();
			const printed = run([path, "types"])
				.trim()
				.split("\n")
				.map((line) => line.split("\t"));
			expect(printed).toHaveLength(12);
			for (const [distance, name, key, elem] of printed) {
				expect(binary.mapTypeAt(base + Number(distance))).toMatchObject({ name, key, elem } as never);
			}
		});

		test("frames of a call chain with inlining", () => {
			const { path, binary, base } = open();
			const stack = printedStack(run([path, "frames"]));
			const { frames, inlined, goexits } = symbolizeStack(binary, stack, base);
			expect(frames).toEqual(stack.frames);
			expect(goexits).toBe(1);
			expect(inlined).toEqual(options.gcflags === undefined ? ["main.callers", "main.callersInlined"] : []);
			expect(frames.map(({ fn }) => fn)).toEqual([
				...[
					"main.callers",
					"main.callersInlined",
					"main.deep",
					"main.deep",
					"main.deep",
					"main.printFrames",
					"main.main",
				],
				...["runtime.main", "runtime.goexit"],
			]);
		});
	},
);
