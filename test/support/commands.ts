/** Commands that grow many maps: programs that nobody here wrote. */
import { copyFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { goRoot } from "./go-binaries.ts";
import { writeGoPackage, writeModules } from "./sources.ts";

const ESBUILD = resolve(import.meta.dir, "../../node_modules/@esbuild/linux-x64/bin/esbuild");

/** A copy: perf counts whoever runs the file. */
function ownCopy(path: string, folder: string, name: string): string {
	const copy = join(folder, name);
	copyFileSync(path, copy);
	return copy;
}

/** esbuild, bundling 150 modules. */
export function bundling(folder: string): string[] {
	const entry = writeModules(join(folder, "modules"), 150);
	const options = ["--bundle", "--minify", "--sourcemap", "--log-level=error", `--outfile=${join(folder, "out.js")}`];
	return [ownCopy(ESBUILD, folder, "esbuild"), entry, ...options];
}

/** The compiler of Go 1.26 on a package of 15 files. */
export function compiling(folder: string): string[] {
	const compiler = join(goRoot("1.26"), "pkg/tool/linux_amd64/compile");
	const files = writeGoPackage(join(folder, "big"), 15);
	return [ownCopy(compiler, folder, "compile"), "-p", "big", "-o", join(folder, "big.o"), ...files];
}

/** What commands do, with the function that prepares them in a folder. */
export const COMMANDS = [
	["esbuild 0.25.0, Go 1.23, bundling 150 modules", bundling],
	["the compiler of Go 1.26 on a package", compiling],
] as const;
