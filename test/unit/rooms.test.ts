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
	text: ["lib"],
	records: ["lib"],
	process: ["elf", "lib"],
	gobin: ["elf", "dwarf", "lib"],
	gomap: ["plan", "records", "lib"],
	plan: ["gobin", "gomap", "isa", "lib"],
	kernel: ["plan", "gomap", "lib"],
	tracer: ["kernel", "plan", "process", "gobin", "gomap", "records", "lib"],
	budget: ["tracer", "kernel", "plan", "gomap", "records", "lib"],
	stats: ["gomap", "records", "lib"],
	observe: ["budget", "tracer", "kernel", "plan", "process", "gomap", "stats", "records", "lib"],
	recording: ["process", "kernel", "stats", "records", "text", "lib"],
	report: ["observe", "recording", "stats", "kernel", "records", "text", "lib"],
	export: ["observe", "recording", "report", "stats", "kernel", "process", "gomap", "records", "text", "lib"],
	tui: ["observe", "export", "report", "stats", "kernel", "gomap", "records", "text", "lib"],
	inspect: ["gobin", "plan", "isa", "records", "text", "lib"],
	snapshot: ["gobin", "gomap", "elf", "records", "text", "lib"],
	census: ["snapshot", "gobin", "gomap", "elf", "isa", "dwarf", "records", "text", "lib"],
	verify: ["observe", "tracer", "kernel", "plan", "process", "records", "text", "lib"],
	"perf-profile": ["gobin", "gomap", "process", "recording", "report", "stats", "records", "text", "lib"],
	cli: "all",
};

/** Modules with side effects outside the process that only these rooms may use. */
const IO_ROOMS = new Set(["process", "kernel", "observe", "recording", "export", "tui", "cli"]);
const IO_MODULES = /^(node:|bun$)/;
/** Pure helpers of the platform, without I/O. */
const PURE_MODULES = new Set(["node:zlib", "node:util", "node:path"]);

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
		...[...text.matchAll(/\bimport\(\s*["']([^"']+)["']/g)].map((match) => ({
			...{ file, room, specifier: match[1] ?? "", typeOnly: false },
		})),
	];
}

const files = [...new Bun.Glob("**/*.ts").scanSync(SRC)].sort();
const imports = files.flatMap(importsOf);

function roomOf(entry: Import): string | undefined {
	if (!entry.specifier.startsWith(".")) return undefined;
	const path = relative(SRC, resolve(SRC, dirname(entry.file), entry.specifier));
	return path.startsWith("..") ? undefined : path.split("/")[0];
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

	test("kernel takes only the plan's types", () => {
		const wrong = imports.filter((entry) => entry.room === "kernel" && roomOf(entry) === "plan" && !entry.typeOnly);
		expect(wrong.map((entry) => `${entry.file} imports ${entry.specifier}`)).toEqual([]);
	});

	test("bun:ffi stays in the kernel room", () => {
		const users = imports.filter((entry) => entry.specifier === "bun:ffi").map((entry) => entry.room);
		expect([...new Set(users)]).toEqual(["kernel"]);
	});

	test("the other rooms do no I/O", () => {
		const wrong = imports.filter(
			(entry) => !IO_ROOMS.has(entry.room) && IO_MODULES.test(entry.specifier) && !PURE_MODULES.has(entry.specifier),
		);
		expect(wrong.map((entry) => `${entry.file} imports ${entry.specifier}`)).toEqual([]);
	});
});
