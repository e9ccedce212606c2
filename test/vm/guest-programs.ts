/** The Go programs that run in the test machines, and the root file systems with them. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { openGoBinary } from "../../src/gobin/go-binary.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import type { PlannedProbe } from "../../src/plan/probe-plan.ts";
import { buildCounted, buildProgram, buildTimed } from "../e2e/build-program.ts";
import { fileSource } from "../support/go-binaries.ts";
import { GOMAPGROW } from "../support/trace.ts";
import { type Arch, packRoot, type RootFile } from "./machine.ts";

export type Impl = "classic" | "swiss";

/** The oldest and the newest of each implementation. */
const OLDEST_AND_NEWEST = ["1.19", "1.23", "1.24", "1.27"];
/** On x86-64 most of the tests run all versions on this machine's own kernel. */
const NEWEST = ["1.23", "1.27"];

export function versionsFor(arch: Arch): readonly string[] {
	return arch === "arm64" ? OLDEST_AND_NEWEST : NEWEST;
}

/** How probes come and go depends on the kernel, and takes a while. */
export function looksAtProbes(version: string): boolean {
	return NEWEST.includes(version);
}

export function implOf(version: string): Impl {
	return Number(version.split(".")[1]) >= 24 ? "swiss" : "classic";
}

/** Go before 1.21 leaves frame pointers on arm64 as they are when it copies a stack (runtime/stack.go, adjustframe). */
export function cutsStacks(arch: Arch, version: string): boolean {
	return arch === "arm64" && Number(version.split(".")[1]) < 21;
}

export const work = resolve(import.meta.dir, "../../dist/vm");
/** By machine and name: "arm64 grow-1.27". */
const programs = new Map<string, string>();

export function program(arch: Arch, name: string): string {
	const path = programs.get(`${arch} ${name}`);
	if (path === undefined) throw new Error(`no program ${name} for ${arch}`);
	return path;
}

export function probesOf(path: string): readonly PlannedProbe[] {
	return makePlan(openGoBinary(fileSource(path))).probes;
}

/** Compiles the programs and packs them, with the executable, for all machines of this architecture. */
export function prepare(arch: Arch): void {
	mkdirSync(work, { recursive: true });
	const goArch = arch === "x64" ? "amd64" : arch;
	const build = (name: string, version: string, pie = false): string =>
		buildProgram(name, version, { stripped: true, pie, arch: goArch });
	const executable = arch === "arm64" ? resolve(import.meta.dir, "../../dist/gomapgrow-arm64") : GOMAPGROW;
	const files: RootFile[] = [{ path: "bin/gomapgrow", from: executable }];
	const add = (name: string, path: string): void => {
		programs.set(`${arch} ${name}`, path);
		files.push({ path: `programs/${name}`, from: path });
	};
	add("grow-pie", build("grow", "1.23", true));
	for (const version of versionsFor(arch)) {
		add(`grow-${version}`, build("grow", version));
		add(`iterate-${version}`, build("iterate", version));
		add(`timed-${version}`, buildTimed(version, "outer", "timed", goArch));
		const counted = buildCounted(version, goArch);
		add(`counted-${version}`, counted);
		if (!looksAtProbes(version)) continue;
		// Address and length of each probed instruction, for the guest, which looks at them in a process's memory.
		const sites = join(work, `${arch}-counted-${version}.sites`);
		writeFileSync(
			sites,
			probesOf(counted)
				.map(({ site }) => `${site.address} ${site.bytes.length}\n`)
				.join(""),
		);
		files.push({ path: `sites/counted-${version}`, from: sites });
	}
	packRoot(arch, files, rootOf(arch));
}

export function rootOf(arch: Arch): string {
	return join(work, `root-${arch}.cpio`);
}

export function removeRoots(): void {
	for (const arch of ["x64", "arm64"] as const) rmSync(rootOf(arch), { force: true });
}
