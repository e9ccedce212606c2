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

/** The name of a program and how it is built. */
interface FuzzProgram {
	name: string;
	options: GoBuildOptions;
}

function program(version: string, kind: string): FuzzProgram {
	return { name: `${version} ${kind}`, options: { version, program: "chains", ...BUILDS[kind] } };
}

const FEW_PROGRAMS = FEW.map(([version, kind]) => program(version, kind));
const ALL_PROGRAMS = GO_VERSIONS.flatMap((version) => Object.keys(BUILDS).map((kind) => program(version, kind)));

/** Programs to be damaged, each read when it is first asked for. */
export class FuzzSubjects {
	readonly names: readonly string[];
	readonly #programs: readonly FuzzProgram[];
	readonly #loaded = new Map<string, FuzzSubject>();

	constructor(which: "few" | "all") {
		this.#programs = which === "few" ? FEW_PROGRAMS : ALL_PROGRAMS;
		this.names = this.#programs.map(({ name }) => name);
	}

	/** Builds what is not in the cache yet, which takes minutes the first time. */
	build(names: readonly string[]): void {
		for (const { name, options } of this.#programs) {
			if (names.includes(name)) goBuild(options);
		}
	}

	get(name: string): FuzzSubject {
		let found = this.#loaded.get(name);
		if (found === undefined) {
			const known = this.#programs.find((candidate) => candidate.name === name);
			if (known === undefined) throw new Error(`no program ${name}`);
			found = subject(name, goBuild(known.options));
			this.#loaded.set(name, found);
		}
		return found;
	}

	/** Those that were read so far. */
	get loaded(): FuzzSubject[] {
		return [...this.#loaded.values()];
	}
}

function subject(name: string, path: string): FuzzSubject {
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
