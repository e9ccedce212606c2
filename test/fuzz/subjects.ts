/** The programs that are damaged: all formats that the readers know, small. */
import { readFileSync } from "node:fs";
import { memorySource } from "../../src/elf/memory-source.ts";
import { openGoBinary } from "../../src/gobin/go-binary.ts";
import { GO_VERSIONS, type GoBuildOptions, goBuild } from "../support/go-binaries.ts";
import type { Probes } from "./exercise.ts";
import type { Subject } from "./mutations.ts";
import { FUNCTIONS, sitesOf } from "./sites.ts";

export interface FuzzSubject extends Subject {
	probes: Probes;
}

type Build = Omit<GoBuildOptions, "version" | "program">;

/** Compressed debug information is damaged through its inflated form as well: "-compressdwarf=false" shows it to the mutations. */
const BUILDS: Record<string, Build> = {
	stripped: { ldflags: "-s -w" },
	DWARF: { ldflags: "-compressdwarf=false" },
	plain: {},
	"PIE stripped": { buildmode: "pie", ldflags: "-s -w" },
	"cgo PIE stripped": { buildmode: "pie", cgo: true, strip: true },
	cgo: { cgo: true },
	arm64: { arch: "arm64", ldflags: "-s -w" },
};

/** For the short run inside the tests: each format of the tables once, each kind of build once. */
const FEW: [string, string][] = [
	...[
		["1.15", "PIE stripped"],
		["1.19", "DWARF"],
		["1.23", "cgo PIE stripped"],
		["1.25", "DWARF"],
	],
	...[
		["1.27", "PIE stripped"],
		["1.27", "plain"],
	],
] as [string, string][];

/** Builds what is not in the cache yet, which takes minutes the first time. */
export function fuzzPrograms(which: "few" | "all"): { name: string; path: string }[] {
	const pairs =
		which === "few"
			? FEW
			: GO_VERSIONS.flatMap((version) => Object.keys(BUILDS).map((kind) => [version, kind] as [string, string]));
	return pairs.map(([version, kind]) => {
		return { name: `${version} ${kind}`, path: goBuild({ version, program: "chains", ...BUILDS[kind] }) };
	});
}

export function fuzzSubjects(which: "few" | "all"): FuzzSubject[] {
	return fuzzPrograms(which).map(subject);
}

function subject({ name, path }: { name: string; path: string }): FuzzSubject {
	const bytes = new Uint8Array(readFileSync(path));
	const binary = openGoBinary(memorySource(bytes));
	const { minpc, maxpc, types, etypes } = binary.moduleData;
	const pcs = [...binary.functionsByName(FUNCTIONS).values()].flatMap(({ entry, end }) => [
		entry,
		Math.floor((entry + end) / 2),
	]);
	for (let step = 0; step < 60; step++) pcs.push(minpc + Math.floor(((maxpc - minpc) * step) / 60));
	const addresses: number[] = [];
	for (let vaddr = types; vaddr < etypes && addresses.length < 64; vaddr += 8) {
		if (binary.mapTypeAt(vaddr) !== undefined) addresses.push(vaddr);
	}
	return { name, bytes, sites: sitesOf(binary), probes: { pcs, types: addresses } };
}
