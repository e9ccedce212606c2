/** A target without a process: its executable is a Go program built for tests. */

import { Executable } from "../../../src/tracer/executable.ts";
import type { EntrySite } from "../../../src/tracer/site-table.ts";
import { SiteTable } from "../../../src/tracer/site-table.ts";
import { Target } from "../../../src/tracer/target.ts";
import { type GoBuildOptions, goBuild, run } from "../../support/go-binaries.ts";

export interface RealTarget {
	target: Target;
	/** The sites of the functions' entries, in the order of the plan. */
	entries: EntrySite[];
	/** Site of a function, by the end of its name. */
	site: (fn: string) => EntrySite;
	/** Address of a map type in the file, by its name. */
	mapType: (name: string) => number;
	/** Address of a function in the file. */
	entry: (fn: string) => number;
}

/** Opens test/programs/chains; it is closed by the caller. */
export function realTarget(options: Omit<GoBuildOptions, "program">, iterations = false): RealTarget {
	const path = goBuild({ ...options, program: "chains" });
	const target = new Target(
		{ pid: 4711, name: "chains", exe: path, openPath: path },
		new Executable(path, { iterations }),
	);
	const table = new SiteTable(100);
	const entries = target.plan.probes.map((probe) => table.addEntry(target, probe, false));
	const entry = (fn: string): number => {
		const found = target.binary.functionsByName([fn]).get(fn);
		if (found === undefined) throw new Error(`no function ${fn}`);
		return found.entry;
	};
	// The program says itself how far its types are from one of its functions.
	const types = new Map(
		run([path, "types"])
			.trim()
			.split("\n")
			.map((line) => line.split("\t"))
			.map(([distance, name = ""]) => [name, entry("main.chains") + Number(distance)]),
	);
	const known = <T>(what: string, value: T | undefined): T => {
		if (value === undefined) throw new Error(`no ${what}`);
		return value;
	};
	return {
		target,
		entries,
		site: (fn) =>
			known(
				fn,
				entries.find(({ probe }) => probe.fn.endsWith(fn)),
			),
		mapType: (name) => known(name, types.get(name)),
		entry,
	};
}
