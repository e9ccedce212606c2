/**
 * An overlay that makes the Go runtime measure its own map growth: the ground truth for a tracer's durations. Each call of a growth function is
 * timed where it is called, so that the code of the functions themselves, with the ways out that a tracer has to find, stays what it is.
 *
 * A function's callers change. Functions that call each other are therefore measured one level at a time, "outer" or "inner". For each function the program reads, through the added function
 * runtime.GrowthTimes, how many calls returned, the sum of their durations and when the first ones began and ended, in nanoseconds of the
 * monotonic clock.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type GrowthFunction, mapSources } from "./growth-functions.ts";
import { OverlayFiles } from "./overlay-files.ts";

export type TimedLevel = "outer" | "inner";

/** Calls of each function that are kept one by one. */
export const TIMES_KEPT = 1 << 16;

/** Times all calls of the functions in a source; the lines stay where they are. Returns undefined when there is none. */
function timeCalls(source: string, functions: readonly GrowthFunction[]): string | undefined {
	let found = false;
	const lines = source.split("\n").map((line) => {
		const statement = line.trim();
		const which = functions.findIndex(({ call }) => call.test(statement));
		if (which < 0) return line;
		if (!statement.endsWith(")")) throw new Error(`a call that is not a statement of its own: ${line}`);
		found = true;
		return `growthStart := nanotimeOfGrowth(); ${statement}; growthTime(${which}, growthStart)`;
	});
	return found ? lines.join("\n") : undefined;
}

/** Writes the overlay for the toolchain at `goroot` into `folder` and returns the path of its JSON file, for `go build -overlay FILE`. */
export function writeTimingOverlay(goroot: string, folder: string, level: TimedLevel): string {
	const { swiss, room, functions } = mapSources(goroot);
	const timed = functions.filter(({ place }) => place === undefined || place === level);
	const files = new OverlayFiles(goroot);
	for (const name of readdirSync(join(goroot, room)).sort()) {
		if (!name.endsWith(".go") || name.endsWith("_test.go")) continue;
		if (!swiss && !/^map/.test(name)) continue;
		const changed = timeCalls(files.read(join(room, name)), timed);
		if (changed !== undefined) files.set(join(room, name), changed);
	}
	const n = timed.length;
	files.set(
		join(room, "growth_times.go"),
		`package ${swiss ? "maps" : "runtime"}

import (
	"${files.atomicPackage}"
	_ "unsafe"
)

type GrowthTimesOf struct {
	Calls, Sum uint64
	First      [${TIMES_KEPT}][2]int64
}

var GrowthTimesKept [${n}]GrowthTimesOf

${swiss ? "//go:linkname nanotimeOfGrowth runtime.nanotime\nfunc nanotimeOfGrowth() int64" : "func nanotimeOfGrowth() int64 { return nanotime() }"}

func growthTime(which int, start int64) {
	end := nanotimeOfGrowth()
	times := &GrowthTimesKept[which]
	atomic.Xadd64(&times.Sum, end-start)
	if n := atomic.Xadd64(&times.Calls, 1) - 1; n < ${TIMES_KEPT} {
		times.First[n] = [2]int64{start, end}
	}
}
`,
	);
	files.set(
		"src/runtime/growth_times_read.go",
		`package runtime

${swiss ? 'import "internal/runtime/maps"\n' : ""}
// GrowthTimes must not be called while maps grow. The first calls are given as pairs of their beginning and end.
func GrowthTimes() (names []string, calls, sums []uint64, first [][][2]int64) {
	names = []string{${timed.map((fn) => JSON.stringify(fn.name)).join(", ")}}
	for i := range names {
		times := &${swiss ? "maps." : ""}GrowthTimesKept[i]
		n := times.Calls
		if n > ${TIMES_KEPT} {
			n = ${TIMES_KEPT}
		}
		calls, sums, first = append(calls, times.Calls), append(sums, times.Sum), append(first, times.First[:n])
	}
	return
}
`,
	);
	return files.write(folder);
}
