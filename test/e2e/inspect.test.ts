/** `gomapgrow inspect` as a user runs it: of files and processes, as anybody, as text and as JSON for jq. */
import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Inspection } from "../../src/inspect/record.ts";
import { missingCommands, missingFile, missingForTracing, testWith } from "../support/capability.ts";
import { run } from "../support/go-binaries.ts";
import { withVersion } from "../support/patched-version.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, runTraced, startGomapgrow } from "../support/trace.ts";
import { expectGolden } from "../unit/report/golden.ts";
import { buildProgram } from "./build-program.ts";

const TIMEOUT = 60_000;
const folder = temporaryFolder("inspect");
/** Arguments with which test/programs/grow waits before it grows a map. */
const WAIT = ["int", "10", "1", "1h"];

/** Standard output of a run that has to succeed without a word on standard error. */
async function output(program: Program): Promise<string> {
	const exit = await program.finish();
	expect([program.stderr, exit.code]).toEqual(["", 0]);
	return program.stdout;
}

const inspect = (...args: string[]): Promise<string> => output(startGomapgrow(["inspect", ...args]));
const inspectJson = async (...args: string[]): Promise<Inspection> => JSON.parse(await inspect(...args, "--json"));

/** A copy in a folder that everybody can read. */
function copy(path: string, name: string): string {
	const to = join(folder, name);
	copyFileSync(path, to);
	chmodSync(to, 0o755);
	chmodSync(folder, 0o755);
	return to;
}

describe("a file", () => {
	test(
		"as text",
		async () => {
			const path = copy(buildProgram("chains", "1.23", { stripped: true }), "shop");
			const text = await inspect(path, "--verbose");
			const masked = text
				.replaceAll(folder, "/srv")
				.replace(/(module +).*/, "$1…")
				.replace(/(build id +).*/, "$1…")
				.replace(/go1\.23\.\d+/g, "go1.23.x")
				// Columns keep their places: addresses of the program are as long in every build.
				.replace(/\b0x4[0-9a-f]{5}\b/g, "0x4…….")
				.replace(/ 0x[0-9a-f]{4,5} {2}( ?)\+/g, " 0x…  $1+")
				.replace(/jbe \+0x[0-9a-f]{2,3} +/g, "jbe +0x…  ")
				.replace(/^(.* {2})\+0x[0-9a-f]+ (ret|j\w+ \+0x[0-9a-f]+)/gm, (_line, start, what) => {
					return `${start}+0x… ${what.replace(/0x.*/, "0x…")}`;
				});
			await expectGolden("inspect-chains.txt", masked);
			// Pipes get no colour unless it is asked for.
			expect(await inspect(path, "--color", "always")).toContain("\x1b[32mcan be watched");
		},
		TIMEOUT,
	);

	testWith(missingCommands("jq"))(
		"as JSON, for jq",
		async () => {
			const path = buildProgram("chains", "1.27");
			writeFileSync(join(folder, "out.json"), await inspect(path, "--json"));
			const jq = (filter: string): string => run(["jq", "-r", filter, join(folder, "out.json")]).trim();
			expect(jq(".go_version")).toStartWith("go1.27");
			expect(jq('[.map_impl, .arch, .stripped, .pie, .static, .cgo, .dwarf_version] | map(tostring) | join(" ")')).toBe(
				"swiss amd64 false false true false 5",
			);
			expect(jq('.functions[] | select(.name | endswith("rehash")) | .site.cost')).toBe("emulated");
			expect(jq('[.functions[] | select(.tier != "iteration" and .tier != "make") | .exits | length] | min')).toBe("1");
			expect(jq('.functions[] | select(.name | endswith("rehash")) | .exits[].hands_over_to')).toBe(
				"internal/runtime/maps.(*table).grow\ninternal/runtime/maps.(*table).split",
			);
			expect(jq('[.functions[].exits[] | select(.instruction == "ret") | .tail.instructions] | max')).toBe("0");
			expect(jq('.layouts["runtime.g.goid"] | "\\(.offset) \\(.from)"')).toBe("152 dwarf");
			expect(jq(".build_settings.CGO_ENABLED")).toBe("0");
			expect(jq(".verdict")).toStartWith("can be watched");
			expect(jq("[.. | select(. == null)] | length")).toBe("0");
			expect(jq('[.functions[].address, .functions[].site.address] | all(test("^0x[0-9a-f]+$"))')).toBe("true");
			// One line, as all JSON of this tool.
			expect(readFileSync(join(folder, "out.json"), "utf8").trim().split("\n")).toHaveLength(1);
		},
		TIMEOUT,
	);

	test(
		"the same sites that watch attaches to",
		async () => {
			const path = buildProgram("chains", "1.19", { pie: true });
			const { functions, pie } = await inspectJson(path);
			expect(pie).toBeTrue();
			expect(functions.map(({ name }) => name)).toContain("runtime.hashGrow");
			const bytes = readFileSync(path);
			for (const { site, exits } of functions) {
				for (const { instruction, file_offset } of exits) {
					const opcode = bytes[file_offset] ?? 0;
					expect(instruction === "ret" ? opcode === 0xc3 : (opcode & 0xf0) === 0x70).toBeTrue();
				}
				// jbe rel8 is 76 xx, jbe rel32 is 0f 86 xx xx xx xx.
				const at = site?.file_offset ?? 0;
				expect(bytes[at] === 0x76 || (bytes[at] === 0x0f && bytes[at + 1] === 0x86)).toBeTrue();
			}
		},
		TIMEOUT,
	);

	test(
		"entry points for C",
		async () => {
			const { cgo, cgo_exports } = await inspectJson(buildProgram("exports", "1.27", { cgo: true }));
			expect(cgo).toBeTrue();
			expect(cgo_exports.map(({ name }) => name).sort()).toEqual(["addFromC", "growFromC"]);
			expect(cgo_exports.every(({ fn }) => /^_cgoexp_[0-9a-f]+_/.test(fn))).toBeTrue();
		},
		TIMEOUT,
	);

	test(
		"of an unknown or unsupported version is no error",
		async () => {
			const patched = (name: string, from: string, version: string): string => {
				const path = join(folder, name);
				writeFileSync(path, withVersion(from, version));
				return path;
			};
			const release = (await inspectJson(buildProgram("chains", "1.27"))).go_version;
			const stripped = buildProgram("chains", "1.27", { stripped: true });
			const newer = await inspectJson(patched("newer", stripped, release.replace("1.27", "1.28")));
			expect(newer.watchable).toBeTrue();
			expect(newer.verdict).toContain("counted without details");
			const older = await inspectJson(patched("older", stripped, release.replace("1.27", "1.14")));
			expect(older.watchable).toBeFalse();
			expect(older.error?.code).toBe("E-BIN-GO-OLD");
		},
		TIMEOUT,
	);

	test.each<[string, string, string]>([
		["no such file", "/no/such/program", "E-TARGET-NOT-FOUND"],
		["a C program", "/bin/true", "E-BIN-NOT-GO"],
		["a script", join(import.meta.dir, "../../build/go.sh"), "E-BIN-NOT-ELF"],
		["a folder", "/usr", "E-BIN-NOT-ELF"],
	])("%s", async (_what, path, code) => {
		const program = startGomapgrow(["inspect", path]);
		expect((await program.finish()).code).toBe(4);
		expect(program.stderr).toStartWith(`error[${code}]: wanted `);
		expect(program.stdout).toBe("");
	});

	test("no argument", async () => {
		const program = startGomapgrow(["inspect"]);
		expect((await program.finish()).code).toBe(2);
		expect(program.stderr).toStartWith("error[E-USAGE]");
	});
});

describe("a version that is not known", () => {
	testWith(missingForTracing())(
		"stripped: watching counts the calls that the known release counts, and says what is missing",
		async () => {
			const known = buildProgram("grow", "1.27", { stripped: true });
			const unknown = join(folder, "unknown");
			const release = (await inspectJson(known)).go_version;
			writeFileSync(unknown, withVersion(known, release.replace("1.27", "1.28")), { mode: 0o755 });
			const expected = await runTraced([known, "int", "2000", "50"]);
			const counted = await runTraced([unknown, "int", "2000", "50"]);
			expect(expected.end.calls["internal/runtime/maps.(*table).rehash"]).toBeGreaterThanOrEqual(9 * 50);
			expect(counted.end.calls).toEqual(expected.end.calls);
			expect(counted.end.complete).toBeTrue();
			expect([counted.growths.length, counted.end.growths, counted.end.ledger.growth.hits]).toEqual([0, 0, 0]);
			expect(counted.targets[0]?.limits?.join()).toContain("without goroutine, kind and size");
			expect(expected.targets[0]?.limits).toBeUndefined();
			// Types and call sites need no layout in memory.
			const row = counted.end.sites.find((site) => site.fn === "main.growInt");
			expect([row?.map_type, row?.growths]).toEqual(["map[int]int", 0]);
			expect(row?.work).toBeGreaterThanOrEqual((1 + 9 + 9) * 50);
		},
		TIMEOUT,
	);

	testWith(missingForTracing())(
		"with DWARF: every growth has all its details",
		async () => {
			const known = buildProgram("grow", "1.27");
			const unknown = join(folder, "unknown-dwarf");
			const release = (await inspectJson(known)).go_version;
			writeFileSync(unknown, withVersion(known, release.replace("1.27", "1.28")), { mode: 0o755 });
			const { growths, end } = await runTraced([unknown, "int", "2000"]);
			expect(end.complete).toBeTrue();
			const ours = growths.filter(({ map_type }) => map_type === "map[int]int");
			expect(ours.map(({ kind }) => kind).filter((kind) => kind === "table-double")).toHaveLength(6);
			expect(ours.every(({ goid }) => goid === 1)).toBeTrue();
		},
		TIMEOUT,
	);
});

describe("a process", () => {
	test(
		"by PID and by name, with its load bias, even when its file is gone",
		async () => {
			const path = copy(buildProgram("grow", "1.23", { pie: true }), "grower");
			const target = start([path, ...WAIT]);
			await target.until("mapping", () => {
				const maps = readFileSync(`/proc/${target.pid}/maps`, "utf8");
				return maps.includes("/grower") ? maps : undefined;
			});
			const maps = readFileSync(`/proc/${target.pid}/maps`, "utf8");
			const first = Number.parseInt(/^([0-9a-f]+)-.* 00000000 .*\/grower$/m.exec(maps)?.[1] ?? "", 16);
			const vaddr = Number(/LOAD +0x0+ (0x[0-9a-f]+)/.exec(run(["readelf", "-lW", path]))?.[1]);
			const expected = { pid: target.pid, exe: path, load_bias: `0x${(first - vaddr).toString(16)}`, watchable: true };
			expect(await inspectJson(`${target.pid}`)).toMatchObject(expected);
			expect(await inspectJson("grower")).toMatchObject(expected);
			rmSync(path);
			expect(await inspectJson(`${target.pid}`)).toMatchObject({ ...expected, exe_deleted: true });
			const text = await inspect(`${target.pid}`, "-v");
			expect(text).toContain(`${path} (deleted or replaced since)`);
			expect(text).toContain(`process    ${target.pid}, load bias ${expected.load_bias}`);
			await target.stop();
		},
		TIMEOUT,
	);

	test("none with that PID", async () => {
		const program = startGomapgrow(["inspect", "4194303"]);
		expect((await program.finish()).code).toBe(4);
		expect(program.stderr).toMatch(/^error\[E-TARGET-(GONE|NOT-FOUND)\]/);
	});
});

describe("without privileges", () => {
	const missing = missingFile(GOMAPGROW) ?? (process.geteuid?.() === 0 ? undefined : "switching users needs root");

	testWith(missing, missingCommands("setpriv"))(
		"any file that can be read, and processes of the same user",
		async () => {
			const tool = copy(GOMAPGROW, "gomapgrow");
			const path = copy(buildProgram("grow", "1.27"), "mine");
			const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
			const asNobody = (...args: string[]): Program =>
				start([...nobody, tool, "inspect", ...args], { env: { PATH: "/usr/bin:/bin" } });
			const file: Inspection = JSON.parse(await output(asNobody(path, "--json")));
			expect(file).toMatchObject({ exe: path, watchable: true });
			const target = start([...nobody, path, ...WAIT]);
			await target.until("exec", () =>
				readFileSync(`/proc/${target.pid}/comm`, "utf8") === "mine\n" ? true : undefined,
			);
			const running: Inspection = JSON.parse(await output(asNobody(`${target.pid}`, "--json")));
			expect(running).toMatchObject({ pid: target.pid, load_bias: "0x0", functions: file.functions });
			// Somebody else's.
			const foreign = asNobody(`${process.pid}`);
			expect((await foreign.finish()).code).toBe(4);
			expect(foreign.stderr).toStartWith("error[E-TARGET-DENIED]");
			await target.stop();
		},
		TIMEOUT,
	);
});
