/** Go programs of test/programs, compiled by a given toolchain. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { cgoTool, goBuild, goRoot, goTool, run } from "../support/go-binaries.ts";
import { hotCalls, inliningProfile } from "../support/inlining-profile.ts";
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
	return buildOverlaid(version, overlay, "counted", arch);
}

/** Compiles test/programs/family with counters in its runtime. */
export function buildFamily(version: string, cgo = false): string {
	const folder = temporaryFolder(`family-${version}-${cgo}`);
	const overlay = writeCountingOverlay(goRoot(version), join(folder, "overlay"));
	const output = join(folder, "family");
	(cgo ? cgoTool : goTool)(version, ["build", "-overlay", overlay, "-o", output, "./family"]);
	return output;
}

/**
 * Compiles test/programs/inlined with a profile by which the compiler inlines the functions into their callers, wherever it can. `counted`:
 * on a runtime that counts the calls of its growth functions.
 */
export function buildInlined(version: string, functions: readonly string[], counted: boolean): string {
	const folder = temporaryFolder(`inlined-${version}-${counted}`);
	const root = goRoot(version);
	const overlay = counted ? writeCountingOverlay(root, join(folder, "overlay")) : undefined;
	const { Replace: replace }: { Replace: Record<string, string> } =
		overlay === undefined ? { Replace: {} } : JSON.parse(readFileSync(overlay, "utf8"));
	const profile = join(folder, "inlining.pprof");
	const calls = hotCalls(root, functions, (path) => readFileSync(replace[path] ?? path, "utf8"));
	writeFileSync(profile, inliningProfile(calls));
	const output = join(folder, "inlined");
	const flags = overlay === undefined ? [] : ["-overlay", overlay, "-tags", "counted"];
	goTool(version, ["build", ...flags, "-pgo", profile, "-o", output, "./inlined"]);
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
	return buildOverlaid(version, overlay, program, arch);
}

/** Compiles a program of test/programs with changed sources of the toolchain; `overlay` is the JSON file, and the executable is put beside it. */
function buildOverlaid(version: string, overlay: string, program: string, arch: "amd64" | "arm64" = "amd64"): string {
	const output = join(dirname(overlay), program);
	if (Number(version.split(".")[1]) >= 16) {
		goTool(version, ["build", "-overlay", overlay, "-o", output, `./${program}`], "", arch);
		return output;
	}
	// Before there were overlays: a toolchain of links to the files of the other one, but for the changed sources.
	const [original, root] = [goRoot(version), join(dirname(overlay), "goroot")];
	run(["cp", "-rs", original, root]);
	const { Replace }: { Replace: Record<string, string> } = JSON.parse(readFileSync(overlay, "utf8"));
	for (const [path, copy] of Object.entries(Replace)) {
		const place = join(root, relative(original, path));
		rmSync(place, { force: true });
		copyFileSync(copy, place);
	}
	goTool(version, ["build", "-o", output, `./${program}`], "", arch, root);
	return output;
}
