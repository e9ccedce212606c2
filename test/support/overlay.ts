/**
 * A Go overlay (go build -overlay) that makes the runtime count the calls of its own map growth functions: the ground truth for a
 * tracer's counts. It changes copies of the runtime's sources; the toolchain itself stays as it is.
 *
 * The counter is the first statement of each function, thus after the compiler's stack check: a pass that is diverted to
 * morestack and comes again is counted once. The program reads it through the added function runtime.GrowthCalls.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface CountedFunction {
	/** Full Go name, as a tracer prints it. */
	name: string;
	/** The source line that opens the function, up to its parameters. */
	opening: string;
	file: string;
}

const CLASSIC: CountedFunction[] = [
	...["hashGrow", "growWork", "evacuate"].map((name) => classic(name, "map")),
	...["fast32", "fast64", "faststr"].flatMap((variant) => [
		classic(`growWork_${variant}`, `map_${variant}`),
		classic(`evacuate_${variant}`, `map_${variant}`),
	]),
];

function classic(name: string, file: string): CountedFunction {
	return { name: `runtime.${name}`, opening: `func ${name}(`, file };
}

const SWISS: CountedFunction[] = [
	{ name: "internal/runtime/maps.(*Map).growToTable", opening: "func (m *Map) growToTable(", file: "map" },
	{ name: "internal/runtime/maps.(*table).rehash", opening: "func (t *table) rehash(", file: "table" },
	{ name: "internal/runtime/maps.(*table).grow", opening: "func (t *table) grow(", file: "table" },
	{ name: "internal/runtime/maps.(*table).split", opening: "func (t *table) split(", file: "table" },
	// Added in Go 1.25.
	{
		name: "internal/runtime/maps.(*table).pruneTombstones",
		opening: "func (t *table) pruneTombstones(",
		file: "table",
	},
];

/** Puts a call as the first statement into the function that `opening` begins; undefined when the source has no such function. */
function countCalls(source: string, opening: string, call: string): string | undefined {
	const start = source.indexOf(`\n${opening}`);
	if (start < 0) return undefined;
	const brace = source.indexOf("{\n", start);
	if (source.indexOf(`\n${opening}`, start + 1) >= 0 || brace < 0) {
		throw new Error(`the Go source does not have exactly one "${opening}"`);
	}
	return `${source.slice(0, brace + 2)}\t${call}\n${source.slice(brace + 2)}`;
}

/**
 * Writes the overlay for the toolchain at `goroot` into `folder` (created) and returns the path of its JSON file, for
 * `go build -overlay FILE`. Needs Go 1.16 or newer.
 */
export function writeCountingOverlay(goroot: string, folder: string): string {
	const swiss = existsSync(join(goroot, "src/internal/runtime/maps/table.go"));
	const room = swiss ? "src/internal/runtime/maps" : "src/runtime";
	// internal/runtime/atomic since Go 1.23.
	const atomic = existsSync(join(goroot, "src/internal/runtime/atomic"))
		? "internal/runtime/atomic"
		: "runtime/internal/atomic";
	mkdirSync(folder, { recursive: true });

	const changed = new Map<string, string>();
	const counted: CountedFunction[] = [];
	for (const fn of swiss ? SWISS : CLASSIC) {
		const path = join(goroot, room, `${fn.file}.go`);
		const source = changed.get(path) ?? readFileSync(path, "utf8");
		const result = countCalls(source, fn.opening, `growthCall(${counted.length})`);
		if (result === undefined) continue;
		changed.set(path, result);
		counted.push(fn);
	}

	const replace: Record<string, string> = {};
	const add = (path: string, name: string, text: string): void => {
		const copy = join(folder, name);
		writeFileSync(copy, text);
		replace[path] = copy;
	};
	for (const [path, source] of changed) add(path, `changed_${path.slice(path.lastIndexOf("/") + 1)}`, source);
	const n = counted.length;
	add(
		join(goroot, room, "growth_calls.go"),
		"growth_calls.go",
		`package ${swiss ? "maps" : "runtime"}

import "${atomic}"

var GrowthCallCounts [${n}]uint64

func growthCall(which int) { atomic.Xadd64(&GrowthCallCounts[which], 1) }
`,
	);
	add(
		join(goroot, "src/runtime/growth_calls_read.go"),
		"growth_calls_read.go",
		`package runtime

import (
	"${atomic}"
${swiss ? '\t"internal/runtime/maps"\n' : ""})

func GrowthCalls() (names [${n}]string, calls [${n}]uint64) {
	names = [${n}]string{${counted.map((fn) => JSON.stringify(fn.name)).join(", ")}}
	for i := range calls {
		calls[i] = atomic.Load64(&${swiss ? "maps." : ""}GrowthCallCounts[i])
	}
	return
}
`,
	);
	const json = join(folder, "overlay.json");
	writeFileSync(json, JSON.stringify({ Replace: replace }, null, "\t"));
	return json;
}
