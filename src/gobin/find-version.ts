/** Recognises Go programs without build information, and finds out by which release they were made. */
import type { DwarfFile } from "../dwarf/dwarf-file.ts";
import type { ElfFile } from "../elf/elf-file.ts";
import { GomapgrowError } from "../errors/error.ts";
import { GoBinary, type GoProgram } from "./binary.ts";
import {
	type GoVersion,
	NEWEST_MINOR,
	OLDEST_MINOR,
	parseGoVersion,
	type VersionSource,
} from "./buildinfo/go-version.ts";
import { buildVersionOf } from "./buildinfo/version-from-code.ts";
import { structLayouts } from "./layouts/struct-layouts.ts";
import { tableLayouts } from "./layouts/table.ts";
import type { Pclntab } from "./pclntab/header.ts";
import { pclntabCandidates } from "./pclntab/locate.ts";
import { moduleDataCandidates, readModuleData } from "./types/module-data.ts";

export interface FoundVersion {
	version: GoVersion;
	from: Exclude<VersionSource, "build-info">;
}

/**
 * The minor versions that write each format of the function table (pclntab/header.ts). That of 1.2 is older than
 * all that is known.
 */
const MINORS: Readonly<Record<Pclntab["format"]["since"], readonly [oldest: number, newest: number]>> = {
	"1.2": [2, 15],
	"1.16": [16, 17],
	"1.18": [18, 19],
	"1.20": [20, NEWEST_MINOR],
};
/** Tables of other programs that are carried as data come before or behind. */
const MAX_TABLES = 16;
const MAX_MODULES = 16;

/**
 * The version of a Go program that has no build information, or none with a version in it; undefined for what is no
 * Go program: no function table, or none that module data point at. Throws E-BIN-GO-OLD when nothing but its age is
 * known, and E-BIN-MALFORMED when it is one that cannot be read.
 */
export function findVersion(elf: ElfFile, dwarf: () => DwarfFile | undefined): FoundVersion | undefined {
	for (const { pclntab, modules } of tablesOf(elf)) {
		const [oldest, newest] = MINORS[pclntab.format.since];
		const fitting = minorsBetween(Math.max(oldest, OLDEST_MINOR), newest).flatMap((minor) => {
			const program = programOf(elf, dwarf, pclntab, modules, minor);
			return program === undefined ? [] : [{ minor, program }];
		});
		const newestFitting = fitting.at(-1)?.program;
		if (newestFitting === undefined) {
			continue;
		}
		const text = buildVersionOf(newestFitting);
		const own = text === undefined ? undefined : parseGoVersion(text);
		if (own !== undefined) {
			return { version: own, from: "build-version" };
		}
		const compiler = compilerVersion(dwarf);
		if (compiler !== undefined) {
			return { version: compiler, from: "dwarf" };
		}
		if (oldest < OLDEST_MINOR) {
			return undefined;
		}
		const alike = fitting.filter(({ minor, program }) => isLike(program, minor));
		const minors = (alike.length > 0 ? alike : fitting).map(({ minor }) => minor);
		return { version: versionAmong(minors), from: "tables" };
	}
	return undefined;
}

const minorsBetween = (oldest: number, newest: number): number[] =>
	Array.from({ length: newest - oldest + 1 }, (_, index) => oldest + index);

/** Function tables with the addresses of words that point at them, as module data do. */
function* tablesOf(elf: ElfFile): Generator<{ pclntab: Pclntab; modules: readonly number[] }> {
	let tables = MAX_TABLES;
	for (const pclntab of pclntabCandidates(elf)) {
		const modules: number[] = [];
		for (const address of moduleDataCandidates(elf, pclntab.address)) {
			if (modules.push(address) === MAX_MODULES) {
				break;
			}
		}
		if (modules.length > 0) {
			yield { pclntab, modules };
		}
		if (--tables === 0) {
			return;
		}
	}
}

/** The program read as one of Go 1.`minor`; undefined when its module data are not that release's. */
function programOf(
	elf: ElfFile,
	dwarf: () => DwarfFile | undefined,
	pclntab: Pclntab,
	modules: readonly number[],
	minor: number,
): GoBinary | undefined {
	const table = tableLayouts(minor);
	const structs = table && structLayouts(table);
	const moduleData = structs?.moduleData;
	if (table === undefined || structs === undefined || moduleData === undefined) {
		return undefined;
	}
	if (!modules.some((address) => readModuleData(elf, pclntab, moduleData, address) !== undefined)) {
		return undefined;
	}
	const version: GoVersion = { raw: `go1.${minor}`, major: 1, minor, devel: false, experiments: [] };
	const buildInfo: GoProgram["buildInfo"] = { goVersion: version.raw, dependencies: 0, settings: new Map() };
	return new GoBinary(
		{ elf, version, versionFrom: "tables", buildInfo, dwarf },
		{ kind: "table", structs, table },
		moduleData,
	);
}

/** "Go cmd/compile go1.22.12; regabi" of the first unit of Go that the compiler made. */
function compilerVersion(dwarf: () => DwarfFile | undefined): GoVersion | undefined {
	try {
		for (const { producer } of dwarf()?.goUnits() ?? []) {
			const text = /^Go cmd\/compile ([^;]+)/.exec(producer)?.[1];
			const version = text === undefined ? undefined : parseGoVersion(text);
			if (version !== undefined) {
				return version;
			}
		}
	} catch (error) {
		if (!(error instanceof GomapgrowError && error.code.startsWith("E-BIN-"))) {
			throw error;
		}
	}
	return undefined;
}

/**
 * First release with swiss maps, last with classic ones (1.24 and 1.25 have both); first with the module data in a
 * section of its own.
 */
const SWISS_SINCE = 24;
const CLASSIC_UNTIL = 25;
const MODULE_SECTION_SINCE = 26;

/** Functions that are in all programs of some releases and in none of the others, as far as those were measured. */
const MARKS: readonly { fn: string; since: number; until: number }[] = [
	{ fn: "runtime.traceSTWStart", since: 21, until: 21 },
	{ fn: "runtime.(*_panic).nextFrame", since: 22, until: NEWEST_MINOR },
	{ fn: "internal/runtime/cgroup.FindCPU", since: 25, until: NEWEST_MINOR },
];

/** Whether nothing in the file refutes that it was made by Go 1.`minor`. */
function isLike(program: GoBinary, minor: number): boolean {
	const { elf, mapImpl, goidInCode, layouts } = program;
	const implFits = mapImpl === undefined || (mapImpl === "swiss" ? minor >= SWISS_SINCE : minor <= CLASSIC_UNTIL);
	const sectionFits =
		elf.section(".text") === undefined || (elf.section(".go.module") !== undefined) === minor >= MODULE_SECTION_SINCE;
	const marks = program.functionsByName(MARKS.map(({ fn }) => fn));
	const marksFit = MARKS.every(({ fn, since, until }) => marks.has(fn) === (minor >= since && minor <= until));
	return (
		implFits &&
		marksFit &&
		sectionFits &&
		(goidInCode === undefined || goidInCode === layouts.g?.goid) &&
		program.inlineTreesConfirmed !== false &&
		(mapImpl === undefined || program.mapTypesConfirmed)
	);
}

/** A version of which only the minor number is known, and that not always for certain. */
function versionAmong(candidates: readonly number[]): GoVersion {
	const minor = Math.max(...candidates);
	return { raw: "unknown", major: 1, minor, devel: false, experiments: [], candidates };
}
