/**
 * bun build/layouts.ts: writes src/gobin/layouts/table.generated.ts, the layouts of the runtime's structures, from the DWARF
 * of a small program built with every supported Go toolchain (build/go.sh installs those that are missing).
 */
import { createHash } from "node:crypto";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DwarfFile } from "../src/dwarf/dwarf-file.ts";
import type { FieldLayout, StructLayout } from "../src/dwarf/struct-layout.ts";
import { openElf } from "../src/elf/elf-file.ts";
import { memorySource } from "../src/elf/memory-source.ts";
import { type MeasuredStruct, renderLayoutTable } from "./lib/layout-table-text.ts";

const ROOT = join(import.meta.dir, "..");
const OUTPUT = join(ROOT, "src/gobin/layouts/table.generated.ts");
const CACHE =
	process.env.GOMAPGROW_CACHE ??
	join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "/", ".cache"), "gomapgrow");

/** A column of the table: a Go minor version, and the old maps where a newer toolchain can still be told to use them. */
export const COLUMNS: readonly string[] = [
	...["1.15", "1.19", "1.21", "1.22", "1.23"],
	...["1.24", "1.24-noswissmap", "1.25", "1.25-noswissmap", "1.26", "1.27"],
];

/** Growing and iterating a map brings every structure of both implementations into the program. */
const PROGRAM = `package main

func main() {
	m := map[string]int{}
	for _, word := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		m[word] = len(m)
	}
	sum := 0
	for word, count := range m {
		sum += len(word) * count
	}
	println(sum)
}
`;

/** Structures and the fields the tool uses; "*" stands for all fields, a dot leads into a structure inside. */
const WANTED: Readonly<Record<string, readonly string[]>> = {
	"runtime.g": [
		...["stack.lo", "stack.hi", "stackguard0", "m", "sched.sp", "sched.pc", "sched.bp", "atomicstatus", "goid"],
		...["syscallsp", "syscallpc", "waitsince", "waitreason", "trackingSeq", "parentGoid", "gopc", "startpc"],
	],
	"runtime.sudog": ["g", "elem", "elem.vu"],
	"runtime.m": ["g0", "procid", "gsignal", "tls", "curg", "p", "id"],
	"runtime.p": ["id", "status", "m"],
	"runtime.gobuf": ["*"],
	"runtime.hmap": ["*"],
	"runtime.hiter": ["*"],
	"runtime.maptype": ["*"],
	"internal/abi.OldMapType": ["*"],
	"internal/abi.SwissMapType": ["*"],
	"internal/abi.MapType": ["*"],
	"internal/runtime/maps.Map": ["*"],
	"internal/runtime/maps.table": ["*", "groups.data", "groups.lengthMask"],
	"internal/runtime/maps.groupsReference": ["*"],
	"internal/runtime/maps.Iter": ["*"],
	"runtime._type": ["*"],
	"internal/abi.Type": ["*"],
	"runtime.moduledata": [
		...["pcHeader", "funcnametab", "cutab", "filetab", "pctab", "pclntable", "ftab", "findfunctab", "minpc", "maxpc"],
		...["text", "etext", "noptrdata", "data", "end", "types", "typedesclen", "etypes", "itaboffset", "itabsize"],
		...["rodata", "gofunc", "epclntab", "textsectmap", "typelinks", "itablinks", "modulename", "next"],
	],
};

/** Whether the toolchain of a column is in the cache folder. */
export function hasToolchain(column: string): boolean {
	return existsSync(join(goroot(column), "bin/go"));
}

/** The exact release of a column's toolchain, such as "go1.22.12". */
export function releaseOf(column: string): string {
	return (readFileSync(join(goroot(column), "VERSION"), "utf8").split("\n")[0] ?? "").trim();
}

/** The path of the program built for a column, from the cache folder when it was built before. */
export function buildProgram(column: string, arch = "amd64"): string {
	const [version = "", experiment = ""] = column.split("-");
	const folder = join(CACHE, "layouts");
	const identity = createHash("sha256").update(`${PROGRAM}${hasToolchain(column) ? releaseOf(column) : ""}`);
	const program = join(folder, `${column}-${arch}-${identity.digest("hex").slice(0, 12)}`);
	if (existsSync(program)) return program;
	mkdirSync(folder, { recursive: true });
	const scratch = mkdtempSync(join(folder, "build-"));
	try {
		writeFileSync(join(scratch, "main.go"), PROGRAM);
		const run = Bun.spawnSync([join(ROOT, "build/go.sh"), version, "build", "-o", "program", "main.go"], {
			cwd: scratch,
			env: { ...process.env, GOOS: "linux", GOARCH: arch, GOEXPERIMENT: experiment, CGO_ENABLED: "0" },
			stderr: "inherit",
		});
		if (!run.success) throw new Error(`wanted a program built with Go ${column}; found exit status ${run.exitCode}`);
		renameSync(join(scratch, "program"), program);
	} finally {
		rmSync(scratch, { recursive: true });
	}
	return program;
}

/** The debug information of a program. */
export function openDwarf(path: string): DwarfFile {
	const elf = openElf(memorySource(readFileSync(path)));
	const dwarf = DwarfFile.open({ section: (name) => elf.debugSection(name) });
	if (!dwarf) throw new Error(`wanted debug information; found none in ${path}`);
	return dwarf;
}

/** What the DWARF of a program built with a column's toolchain says about the wanted structures; those it lacks are absent. */
export function measure(column: string, arch = "amd64"): Map<string, MeasuredStruct> {
	const dwarf = openDwarf(buildProgram(column, arch));
	const measured = new Map<string, MeasuredStruct>();
	for (const [name, layout] of dwarf.structLayouts(Object.keys(WANTED))) {
		const fields = new Map<string, { offset: number; size: number }>();
		const wanted = WANTED[name] ?? [];
		for (const path of wanted.flatMap((each) => expand(each, layout))) {
			const field: FieldLayout | undefined = dwarf.fieldAt(layout, path);
			// What became a structure in some release is looked into, not listed.
			if (!field || (wanted.includes(path) && wanted.some((each) => hasInner(each, path, dwarf, layout)))) continue;
			if (field.size === undefined) throw new Error(`wanted the size of ${name}.${path} in ${column}; found none`);
			fields.set(path, { offset: field.offset, size: field.size });
		}
		measured.set(name, { size: layout.size, file: declaringFile(column, name), fields });
	}
	return measured;
}

function hasInner(wanted: string, path: string, dwarf: DwarfFile, layout: StructLayout): boolean {
	return wanted.startsWith(`${path}.`) && dwarf.fieldAt(layout, wanted) !== undefined;
}

/** A layout lists blank fields ("_") too: those have no use. */
function expand(wanted: string, layout: StructLayout): string[] {
	return wanted === "*" ? [...layout.fields.keys()].filter((name) => name !== "_") : [wanted];
}

function goroot(column: string): string {
	return join(CACHE, "go", column.split("-")[0] ?? "");
}

/** The file of the package that declares the type, for example "runtime/runtime2.go". */
function declaringFile(column: string, name: string): string {
	const dot = name.lastIndexOf(".");
	const [folder, type] = [name.slice(0, dot), name.slice(dot + 1)];
	const declaration = new RegExp(`^(type |\\t)${type} struct \\{`, "m");
	const path = join(goroot(column), "src", folder);
	const files = readdirSync(path)
		.filter((file) => file.endsWith(".go") && !file.endsWith("_test.go"))
		.filter((file) => declaration.test(readFileSync(join(path, file), "utf8")));
	const [file, other] = files;
	if (!file || other)
		throw new Error(`wanted one declaration of ${name} in Go ${column}; found ${files.join(", ") || "none"}`);
	return `${folder}/${file}`;
}

if (import.meta.main) {
	const columns = new Map(COLUMNS.map((column) => [column, measure(column)]));
	const releases = COLUMNS.map(releaseOf);
	writeFileSync(OUTPUT, renderLayoutTable(columns, releases));
	const format = Bun.spawnSync([join(ROOT, "node_modules/.bin/biome"), "format", "--write", OUTPUT], {
		stderr: "inherit",
	});
	if (!format.success) throw new Error(`wanted ${OUTPUT} formatted; found exit status ${format.exitCode} of biome`);
	console.log(`${OUTPUT}: ${COLUMNS.length} columns`);
}
