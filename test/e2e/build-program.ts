/** Go programs of test/programs, compiled by a given toolchain. */
import { join } from "node:path";
import { goBuild, goRoot, goTool } from "../support/go-binaries.ts";
import { writeCountingOverlay } from "../support/overlay.ts";
import { temporaryFolder } from "../support/processes.ts";
import { type TimedLevel, writeTimingOverlay } from "../support/timing-overlay.ts";

export interface BuildOptions {
	/** Without symbol table and DWARF. */
	stripped?: boolean;
	pie?: boolean;
	cgo?: boolean;
	arch?: "amd64" | "arm64";
}

/** Compiles test/programs/NAME, or takes it from the cache, and returns the path of the executable. */
export function buildProgram(program: string, version: string, options: BuildOptions = {}): string {
	return goBuild({
		program,
		version,
		...(options.stripped ? { ldflags: "-s -w" } : {}),
		...(options.pie ? { buildmode: "pie" as const } : {}),
		...(options.cgo ? { cgo: true } : {}),
		...(options.arch === "arm64" ? { arch: "arm64" as const } : {}),
	});
}

/** Compiles test/programs/counted with counters in its runtime (test/support/overlay.ts). */
export function buildCounted(version: string, arch: "amd64" | "arm64" = "amd64"): string {
	const folder = temporaryFolder(`counted-${version}-${arch}`);
	const overlay = writeCountingOverlay(goRoot(version), join(folder, "overlay"));
	const output = join(folder, "counted");
	goTool(version, ["build", "-overlay", overlay, "-o", output, "./counted"], "", arch);
	return output;
}

/** Compiles a program of test/programs with a runtime that measures its own growth (test/support/timing-overlay.ts). */
export function buildTimed(
	version: string,
	level: TimedLevel,
	program = "timed",
	arch: "amd64" | "arm64" = "amd64",
): string {
	const folder = temporaryFolder(`${program}-${version}-${level}-${arch}`);
	const overlay = writeTimingOverlay(goRoot(version), join(folder, "overlay"), level);
	const output = join(folder, program);
	goTool(version, ["build", "-overlay", overlay, "-o", output, `./${program}`], "", arch);
	return output;
}
