/** Imports between the rooms of src/ point one way (docs/architecture.md, "Rooms"). */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const SRC = resolve(import.meta.dir, "../../src");

/** Room -> rooms that it may import. "errors" may be imported by all. */
const MAY_IMPORT: Record<string, readonly string[] | "all"> = {
	errors: [],
	lib: [],
	elf: ["lib"],
	dwarf: ["lib"],
	isa: ["lib"],
	text: ["records", "lib"],
	records: ["lib"],
	process: ["elf", "lib"],
	gobin: ["elf", "dwarf", "lib"],
	gomap: ["records", "lib"],
	plan: ["gobin", "gomap", "isa", "lib"],
	kernel: ["lib"],
	tracer: ["budget", "kernel", "plan", "process", "gobin", "gomap", "records", "lib"],
	budget: ["kernel", "records", "lib"],
	stats: ["budget", "gomap", "records", "lib"],
	observe: ["budget", "tracer", "gomap", "stats", "records", "lib"],
	recording: ["process", "kernel", "stats", "records", "text", "lib"],
	report: ["advise", "census", "observe", "recording", "stats", "records", "text", "lib"],
	export: ["observe", "recording", "report", "stats", "process", "gomap", "records", "text", "lib"],
	metrics: ["gomap", "records", "text", "lib"],
	serve: ["metrics", "export", "observe", "process", "records", "lib"],
	tui: ["census", "observe", "export", "report", "stats", "gomap", "records", "text", "lib"],
	programs: ["process", "gobin", "plan", "elf", "records", "text", "lib"],
	inspect: ["gobin", "plan", "isa", "records", "text", "lib"],
	snapshot: ["gobin", "gomap", "elf", "records", "text", "lib"],
	census: ["snapshot", "gobin", "gomap", "elf", "isa", "dwarf", "records", "text", "lib"],
	verify: ["observe", "tracer", "kernel", "plan", "process", "records", "text", "lib"],
	"perf-profile": ["gobin", "gomap", "process", "recording", "report", "stats", "records", "text", "lib"],
	advise: ["gomap", "records", "text", "lib"],
	help: ["export", "process", "text"],
	cli: "all",
};

/** Modules with side effects outside the process that only these rooms may use. */
const IO_ROOMS = new Set(["process", "kernel", "recording", "export", "serve", "tui", "cli"]);
const IO_MODULES = /^(node:|bun$)/;
/** Pure helpers of the platform, without I/O. */
const PURE_MODULES = new Set(["node:zlib", "node:util", "node:path"]);
/** Of the globals. The rooms that do no I/O get clocks, too, from outside. */
const PURE_GLOBALS = new Set(["Bun.stringWidth", "Bun.sliceAnsi", "Bun.wrapAnsi"]);

interface Import {
	file: string;
	room: string;
	specifier: string;
	typeOnly: boolean;
}

function importsOf(file: string): Import[] {
	const text = readFileSync(join(SRC, file), "utf8");
	const pattern = /^\s*(import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;
	const room = file.split("/")[0] ?? "";
	return [
		...[...text.matchAll(pattern)].map((match) => ({
			...{ file, room, specifier: match[3] ?? "", typeOnly: match[2] !== undefined },
		})),
		...[...text.matchAll(/\b(?:import|process\.getBuiltinModule)\(\s*["']([^"']+)["']/g)].map((match) => ({
			...{ file, room, specifier: match[1] ?? "", typeOnly: false },
		})),
	];
}

/**
 * What a file uses of the platform's globals, like "Bun.sleep" and "process.pid", without modules got by their names.
 */
function globalsOf(text: string): string[] {
	const code = text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, "").replace(/\bprocess\.getBuiltinModule\("/g, "");
	const uses =
		/(?<![.#\w$])(?:(?:Bun|process|globalThis|performance)\s*(?:\?\.|\.|\[)\s*\w*|Date\.now\b|new Date\(\))/g;
	return [...code.matchAll(uses)].map(([use]) => use);
}

const files = [...new Bun.Glob("**/*.ts").scanSync(SRC)].sort();
const imports = files.flatMap(importsOf);

function roomOf(entry: Import): string | undefined {
	const path = fileOf(entry);
	return path === undefined || path.startsWith("..") ? undefined : path.split("/")[0];
}

/** The file of src/ that it imports; undefined for modules from elsewhere. */
function fileOf(entry: Import): string | undefined {
	if (!entry.specifier.startsWith(".")) return undefined;
	return relative(SRC, resolve(SRC, dirname(entry.file), entry.specifier));
}

/** The ways from a file back to itself, one for each import that closes a circle. */
function circlesIn(edges: ReadonlyMap<string, readonly string[]>): string[][] {
	const circles: string[][] = [];
	const done = new Set<string>();
	const visit = (file: string, way: readonly string[]): void => {
		if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file]);
		else if (!done.has(file)) {
			for (const next of edges.get(file) ?? []) visit(next, [...way, file]);
			done.add(file);
		}
	};
	for (const file of edges.keys()) visit(file, []);
	return circles;
}

describe("rooms", () => {
	test("the scan sees the sources", () => {
		expect(files.length).toBeGreaterThan(50);
		expect(imports.some((entry) => entry.file === "cli/main.ts" && entry.specifier === "./watch.ts")).toBe(true);
		expect(imports.some((entry) => roomOf(entry) === "kernel" && entry.room === "tracer")).toBe(true);
	});

	test("every folder of src/ is a room of the table", () => {
		expect([...new Set(files.map((file) => file.split("/")[0] ?? ""))].filter((room) => !(room in MAY_IMPORT))).toEqual(
			[],
		);
	});

	test("imports point the allowed way", () => {
		const wrong = imports.filter((entry) => {
			const to = roomOf(entry);
			if (to === undefined || to === entry.room || to === "errors") return false;
			const allowed = MAY_IMPORT[entry.room] ?? [];
			return allowed !== "all" && !allowed.includes(to);
		});
		expect(wrong.map((entry) => `${entry.file} imports ${entry.specifier}`)).toEqual([]);
	});

	test("bun:ffi stays in the kernel room", () => {
		const users = imports.filter((entry) => entry.specifier === "bun:ffi").map((entry) => entry.room);
		expect([...new Set(users)]).toEqual(["kernel"]);
	});

	test("observe takes only types of the tracer, which attaches", () => {
		const wrong = imports.filter((entry) => entry.room === "observe" && roomOf(entry) === "tracer" && !entry.typeOnly);
		// Pure: which calls of a plan are timed.
		expect(wrong.map((entry) => `${entry.file} imports ${entry.specifier}`)).toEqual([
			"observe/target-record.ts imports ../tracer/timed-probes.ts",
		]);
	});

	test("the budget takes only types of the kernel, and gives only types to those who attach", () => {
		const wrong = imports.filter(
			(entry) =>
				!entry.typeOnly &&
				((entry.room === "budget" && roomOf(entry) === "kernel") ||
					(entry.room === "tracer" && roomOf(entry) === "budget")),
		);
		expect(wrong.map((entry) => `${entry.file} imports ${entry.specifier}`)).toEqual([]);
	});

	test("weights and intervals come from one place", () => {
		const users = imports.filter((entry) => {
			const names = /^budget\/(estimate|quantiles|window-weight)\.ts$/;
			return entry.room !== "budget" && !entry.typeOnly && names.test(fileOf(entry) ?? "");
		});
		// Others pass windows on, as types.
		expect(users.map((entry) => `${entry.file} imports ${entry.specifier}`)).toEqual([
			"stats/sampled-sums.ts imports ../budget/estimate.ts",
		]);
	});

	test("the other rooms do no I/O", () => {
		const wrong = imports.filter(
			(entry) => !IO_ROOMS.has(entry.room) && IO_MODULES.test(entry.specifier) && !PURE_MODULES.has(entry.specifier),
		);
		expect(wrong.map((entry) => `${entry.file} imports ${entry.specifier}`)).toEqual([]);
	});

	test("no file imports itself by way of others, types aside", () => {
		const importedBy = new Map<string, string[]>();
		for (const entry of imports) {
			const to = fileOf(entry);
			if (to === undefined || entry.typeOnly) continue;
			importedBy.set(entry.file, [...(importedBy.get(entry.file) ?? []), to]);
		}
		expect(importedBy.size).toBeGreaterThan(200);
		expect(circlesIn(importedBy)).toEqual([]);
	});

	test("a circle would be found", () => {
		const edges = { a: ["b"], b: ["c", "d"], c: ["a"], d: ["e"], e: [], f: ["f"], g: ["a"] };
		expect(circlesIn(new Map(Object.entries(edges)))).toEqual([
			["a", "b", "c", "a"],
			["f", "f"],
		]);
	});

	test("nor do they by the platform's globals", () => {
		const wrong = files.flatMap((file) =>
			IO_ROOMS.has(file.split("/")[0] ?? "")
				? []
				: globalsOf(readFileSync(join(SRC, file), "utf8"))
						.filter((use) => !PURE_GLOBALS.has(use))
						.map((use) => `${file} uses ${use}`),
		);
		expect(wrong).toEqual([]);
	});

	test("uses of globals are seen, others are not", () => {
		expect(globalsOf("await Bun.sleep(1); f(process.pid, process?.env, globalThis['Bun'], Bun . file)")).toEqual([
			...["Bun.sleep", "process.pid", "process?.env", "globalThis[", "Bun . file"],
		]);
		expect(globalsOf("performance.now() + Date.now() + new Date() + new Date(0) + Date.UTC(1)")).toEqual([
			...["performance.now", "Date.now", "new Date()"],
		]);
		expect(globalsOf("// Bun.sleep\n/* process.pid */ this.process.pid + row.Bun.x + myprocess.x")).toEqual([]);
		expect(globalsOf('process.getBuiltinModule("node:zlib"); process.getBuiltinModule(name)')).toEqual([
			"process.getBuiltinModule",
		]);
		expect(globalsOf(readFileSync(join(SRC, "cli/main.ts"), "utf8"))).toContain("process.argv");
	});
});
