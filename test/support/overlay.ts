/**
 * An overlay that makes the Go runtime count the calls of its own map growth functions: the ground truth for a tracer's counts.
 *
 * The counter is the first statement of each function, thus after the compiler's stack check: a pass that is diverted to
 * morestack and comes again is counted once. The program reads it through the added function runtime.GrowthCalls.
 */
import { join } from "node:path";
import { type GrowthFunction, mapSources } from "./growth-functions.ts";
import { OverlayFiles } from "./overlay-files.ts";

/** Copies of each counter, so that goroutines seldom wait for each other: chosen by where the stack is. */
const SHARDS = 16;

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

/** Writes the overlay for the toolchain at `goroot` into `folder` and returns the path of its JSON file, for `go build -overlay FILE`. */
export function writeCountingOverlay(goroot: string, folder: string): string {
	const { swiss, room, functions } = mapSources(goroot);
	const files = new OverlayFiles(goroot);
	const counted: GrowthFunction[] = [];
	for (const fn of functions) {
		const path = join(room, `${fn.file}.go`);
		const result = countCalls(files.read(path), fn.opening, `growthCall(${counted.length})`);
		if (result === undefined) continue;
		files.set(path, result);
		counted.push(fn);
	}
	const n = counted.length;
	files.set(
		join(room, "growth_calls.go"),
		`package ${swiss ? "maps" : "runtime"}

import (
	"${files.atomicPackage}"
	"unsafe"
)

// One cache line each.
var GrowthCallCounts [${n * SHARDS}][8]uint64

func growthCall(which uintptr) {
	var here byte
	shard := uintptr(unsafe.Pointer(&here)) >> 11 % ${SHARDS}
	atomic.Xadd64(&GrowthCallCounts[which*${SHARDS}+shard][0], 1)
}
`,
	);
	files.set(
		"src/runtime/growth_calls_read.go",
		`package runtime

import (
	"${files.atomicPackage}"
${swiss ? '\t"internal/runtime/maps"\n' : ""})

func GrowthCalls() (names [${n}]string, calls [${n}]uint64) {
	names = [${n}]string{${counted.map((fn) => JSON.stringify(fn.name)).join(", ")}}
	for i := range calls {
		for shard := 0; shard < ${SHARDS}; shard++ {
			calls[i] += atomic.Load64(&${swiss ? "maps." : ""}GrowthCallCounts[i*${SHARDS}+shard][0])
		}
	}
	return
}
`,
	);
	return files.write(folder);
}
