import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ByteSource } from "../../src/elf/byte-source.ts";
import { memorySource } from "../../src/elf/memory-source.ts";

export interface GoBuildOptions {
	/** Go release: "1.23". */
	version: string;
	/** Folder under test/programs/, or a folder in such a one: that may use its neighbours as packages. */
	program: string;
	/** Value of -ldflags. */
	ldflags?: string;
	/** Value of -gcflags: "all=-N -l". */
	gcflags?: string;
	buildmode?: "pie" | "c-shared";
	/** CGO_ENABLED=1: files that import "C" are in, and a program that has one is linked by the C compiler. */
	cgo?: boolean;
	/** Runs strip(1) on the result. */
	strip?: boolean;
	/** GOEXPERIMENT: "noswissmap". */
	experiment?: string;
	arch?: "amd64" | "arm64";
}

/** The releases with a toolchain for tests (build/go-toolchain.sh). */
export const GO_VERSIONS = ["1.15", "1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"] as const;

export const cache =
	process.env.GOMAPGROW_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gomapgrow");
const programs = join(import.meta.dir, "..", "programs");

/** The toolchain's folder (GOROOT). Throws, naming the command that installs it, when it is missing. */
export function goRoot(version: string): string {
	const root = join(cache, "go", version);
	if (!existsSync(join(root, "bin", "go"))) {
		throw new Error(`the Go ${version} toolchain is missing in ${root}; run: make setup`);
	}
	return root;
}

/** The exact release of a toolchain: "go1.22.12". */
export function goRelease(version: string): string {
	return (readFileSync(join(goRoot(version), "VERSION"), "utf8").split("\n")[0] ?? "").trim();
}

/** Builds a test program, or takes it from the cache; returns its path. */
export function goBuild(options: GoBuildOptions): string {
	const root = goRoot(options.version);
	const folder = join(cache, "test-binaries");
	const name = `${options.program.replaceAll("/", "-")}-${options.version}-${keyOf(options, root)}`;
	const path = join(folder, name);
	if (existsSync(path)) {
		return path;
	}
	mkdirSync(folder, { recursive: true });
	const scratch = `${path}.${process.pid}.tmp`;
	const flags = [
		...(options.ldflags === undefined ? [] : [`-ldflags=${options.ldflags}`]),
		...(options.gcflags === undefined ? [] : [`-gcflags=${options.gcflags}`]),
		...(options.buildmode === undefined ? [] : [`-buildmode=${options.buildmode}`]),
	];
	try {
		goCommand(options, ["build", "-o", scratch, ...flags, "."], join(programs, options.program));
		if (options.strip === true) {
			run(["strip", scratch]);
		}
		// Atomic, so that test files that run at the same time never see half a program.
		renameSync(scratch, path);
	} finally {
		rmSync(scratch, { force: true });
	}
	return path;
}

/** Output of a `go tool` or other go subcommand of that toolchain, or of a copy of it at `root`. */
export function goTool(
	version: string,
	args: string[],
	stdin?: string,
	arch: NonNullable<GoBuildOptions["arch"]> = "amd64",
	root = goRoot(version),
): string {
	return goCommand({ version, arch }, args, programs, stdin, root);
}

/** The same with cgo. */
export function cgoTool(version: string, args: string[]): string {
	return goCommand({ version, cgo: true }, args, programs);
}

/** The file's bytes as the readers want them. */
export function fileSource(path: string): ByteSource {
	return memorySource(new Uint8Array(readFileSync(path)));
}

/** Standard output of a command that has to succeed. */
export function run(command: string[], stdin?: string): string {
	const result = Bun.spawnSync(command, { stdin: Buffer.from(stdin ?? ""), stderr: "pipe" });
	if (!result.success) {
		throw new Error(`${command.join(" ")} failed: ${result.stderr.toString()}`);
	}
	return result.stdout.toString();
}

function goCommand(
	options: Pick<GoBuildOptions, "version" | "cgo" | "experiment" | "arch">,
	args: string[],
	cwd: string,
	stdin?: string,
	root = goRoot(options.version),
): string {
	const env: Record<string, string> = {
		PATH: process.env.PATH ?? "/usr/bin:/bin",
		HOME: homedir(),
		GOROOT: root,
		GOENV: "off",
		GOTOOLCHAIN: "local",
		GO111MODULE: "off",
		GOFLAGS: "",
		GOCACHE: join(cache, "gocache"),
		GOPATH: join(cache, "gopath"),
		CGO_ENABLED: options.cgo === true ? "1" : "0",
		GOARCH: options.arch ?? "amd64",
		...(options.experiment === undefined ? {} : { GOEXPERIMENT: options.experiment }),
	};
	const command = [join(root, "bin", "go"), ...args];
	const result = Bun.spawnSync(command, { cwd, env, stdin: Buffer.from(stdin ?? ""), stderr: "pipe" });
	if (!result.success) {
		throw new Error(`${command.join(" ")} failed in ${cwd}: ${result.stderr.toString()}`);
	}
	return result.stdout.toString();
}

/** Changes whenever the sources, the options or the toolchain's release do. */
function keyOf(options: GoBuildOptions, root: string): string {
	const hash = createHash("sha256");
	hash.update(JSON.stringify(Object.entries(options).sort()));
	hash.update(readFileSync(join(root, "VERSION")));
	// It is in the line tables.
	hash.update(programs);
	const folder = join(programs, options.program.split("/")[0] ?? "");
	for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
		if (/\.(go|c|h|s)$/.test(entry)) {
			hash.update(`${entry}\0`).update(readFileSync(join(folder, entry)));
		}
	}
	return hash.digest("hex").slice(0, 16);
}
