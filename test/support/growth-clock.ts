/**
 * A program of test/programs that says all the time how often its own runtime has grown maps: built with counters in its runtime (overlay.ts) and with one file more that
 * prints them, so that the program itself stays as it is.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { goRoot, goTool } from "./go-binaries.ts";
import { writeCountingOverlay } from "./overlay.ts";
import type { Program } from "./processes.ts";

/** It must not use maps. */
const REPORTER = `package main

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func init() {
	go func() {
		for {
			// The thread may have to wait for a processor between the clock and the counters.
			now := time.Now()
			names, calls := runtime.GrowthCalls()
			for tries := 0; tries < 5 && time.Since(now) > 500*time.Microsecond; tries++ {
				now = time.Now()
				names, calls = runtime.GrowthCalls()
			}
			line := strconv.AppendInt([]byte("@"), now.UnixNano(), 10)
			var usage syscall.Rusage
			syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
			line = strconv.AppendInt(append(line, ':'), usage.Utime.Nano()+usage.Stime.Nano(), 10)
			for i, name := range names {
				line = append(append(line, ' '), name...)
				line = strconv.AppendUint(append(line, '='), calls[i], 10)
			}
			os.Stdout.Write(append(line, '\\n'))
			time.Sleep(10 * time.Millisecond)
		}
	}()
}
`;

/** Compiles test/programs/PROGRAM with it; returns the path of the executable, which is below `folder`. */
export function buildWithGrowthClock(program: string, version: string, folder: string): string {
	const overlay = writeCountingOverlay(goRoot(version), join(folder, `overlay-${program}-${version}`));
	const added = join(dirname(overlay), "growth_clock.go");
	writeFileSync(added, REPORTER);
	const json: { Replace: Record<string, string> } = JSON.parse(readFileSync(overlay, "utf8"));
	json.Replace[resolve(import.meta.dir, "../programs", program, "growth_clock.go")] = added;
	writeFileSync(overlay, JSON.stringify(json));
	const path = join(folder, `${program}-${version}`);
	goTool(version, ["build", "-overlay", overlay, "-o", path, `./${program}`]);
	return path;
}

export interface Reading {
	/** Nanoseconds since 1970. */
	atNs: number;
	/** Processor time that it had used. */
	cpuNs: number;
	calls: Record<string, number>;
}

/** What the program has said so far. */
export class GrowthClock {
	readonly #readings: Reading[];

	constructor(program: Program) {
		this.#readings = [...program.stdout.matchAll(/^@(\d+):(\d+)((?: \S+=\d+)+)$/gm)].map(
			([, atNs, cpuNs, calls = ""]) => ({
				atNs: Number(atNs),
				cpuNs: Number(cpuNs),
				calls: Object.fromEntries(
					calls
						.trim()
						.split(" ")
						.map((each) => {
							const at = each.lastIndexOf("=");
							return [each.slice(0, at), Number(each.slice(at + 1))];
						}),
				),
			}),
		);
	}

	/** What it said last. */
	get latest(): Reading {
		return this.#readings.at(-1) ?? { atNs: 0, cpuNs: 0, calls: {} };
	}

	get functions(): string[] {
		return Object.keys(this.#readings[0]?.calls ?? {});
	}

	#sum({ calls }: Reading, functions: readonly string[]): number {
		return functions.reduce((sum, fn) => sum + (calls[fn] ?? 0), 0);
	}

	/** Calls of these functions until then: no fewer than it said before, no more than it said next. */
	#until(atNs: number, functions: readonly string[]): { low: number; high: number; estimate: number } {
		const next = this.#readings.findIndex((reading) => reading.atNs >= atNs);
		const [before, after] = [this.#readings[next - 1], this.#readings[next]];
		if (before === undefined || after === undefined) throw new Error(`the program said nothing around ${atNs}`);
		const [low, high] = [this.#sum(before, functions), this.#sum(after, functions)];
		const part = (atNs - before.atNs) / (after.atNs - before.atNs);
		return { low, high, estimate: low + part * (high - low) };
	}

	/** Calls of these functions between two moments. */
	between(fromNs: number, toNs: number, functions: readonly string[]): { low: number; high: number; estimate: number } {
		const [from, to] = [this.#until(fromNs, functions), this.#until(toNs, functions)];
		return { low: to.low - from.high, high: to.high - from.low, estimate: to.estimate - from.estimate };
	}
}
