/** Opens Go executables: what makes a file one, of which release it is, and what is known of that. */
import { DwarfFile } from "../dwarf/dwarf-file.ts";
import type { ByteSource } from "../elf/byte-source.ts";
import { ElfFile, openElf } from "../elf/elf-file.ts";
import { readHeader } from "../elf/header.ts";
import { GomapgrowError } from "../errors/error.ts";
import { lazy } from "../lib/lazy.ts";
import { GoBinary, type GoProgram } from "./binary.ts";
import { BUILD_INFO_SECTION, type BuildInfo, readBuildInfo } from "./buildinfo/build-info.ts";
import { parseGoVersion, standingOf, unsupported } from "./buildinfo/go-version.ts";
import { findVersion } from "./find-version.ts";
import { chooseLayouts } from "./layouts/choose.ts";
import { type ModuleDataLayout, structLayouts } from "./layouts/struct-layouts.ts";
import { noPclntab, PCLNTAB_SECTIONS, pclntabCandidates } from "./pclntab/locate.ts";
import { isDebugFile, isPacked } from "./platform.ts";
import { noModuleData } from "./types/module-data.ts";

export { GoBinary, type GoProgram, type MapImpl } from "./binary.ts";

/**
 * Reads what makes a file a Go program, of whatever release. The version is from the build information, or, where
 * that is missing or has none, from the program itself. Throws the errors of `openElf`, E-BIN-NOT-GO, and
 * E-BIN-GO-OLD for those of which only that is known.
 */
export function identifyGoProgram(source: ByteSource): GoProgram {
	const elf = openProgramFile(source);
	const dwarf = lazy(() => DwarfFile.open({ section: (name) => elf.debugSection(name) }));
	const buildInfo = readBuildInfo(elf);
	const version = buildInfo && parseGoVersion(buildInfo.goVersion);
	const stated: GoProgram | undefined = buildInfo &&
		version && { elf, version, versionFrom: "build-info", buildInfo, dwarf };
	if (
		stated !== undefined &&
		(elf.section(BUILD_INFO_SECTION) !== undefined || standingOf(stated.version) !== "known")
	) {
		return stated;
	}
	const found = findVersion(elf, dwarf);
	if (found === undefined) {
		throw notGo(elf, buildInfo);
	}
	// Found by a search, build information may be that of another program, which this one carries as data.
	if (stated !== undefined && (found.from !== "build-version" || found.version.raw === stated.version.raw)) {
		return stated;
	}
	const none: BuildInfo = { goVersion: found.version.raw, dependencies: 0, settings: new Map() };
	const info = version === undefined ? (buildInfo ?? none) : none;
	return { elf, version: found.version, versionFrom: found.from, buildInfo: info, dwarf };
}

/** Debug files keep the program headers of the executable, whose code they do not have. */
function openProgramFile(source: ByteSource): ElfFile {
	try {
		return openElf(source);
	} catch (error) {
		if (!(error instanceof GomapgrowError && error.code === "E-BIN-TRUNCATED")) {
			throw error;
		}
		const sections = sectionsAlone(source);
		throw sections !== undefined && isDebugFile(sections) ? notGo(sections, undefined) : error;
	}
}

/** The file without its segments, as far as that can be read. */
function sectionsAlone(source: ByteSource): ElfFile | undefined {
	try {
		const elf = new ElfFile(source, readHeader(source), []);
		return elf.sections.length > 0 ? elf : undefined;
	} catch (error) {
		if (error instanceof GomapgrowError && error.code.startsWith("E-BIN-")) {
			return undefined;
		}
		throw error;
	}
}

/** Why a file is taken for no Go program, or for one that cannot be read. */
function notGo(elf: ElfFile, buildInfo: BuildInfo | undefined): GomapgrowError {
	const [table] = pclntabCandidates(elf);
	const isGo = [BUILD_INFO_SECTION, ...PCLNTAB_SECTIONS].some((name) => elf.section(name) !== undefined);
	if (isDebugFile(elf)) {
		return new GomapgrowError("E-BIN-NOT-GO", {
			wanted: "an executable built by Go",
			found:
				"a file with debug information alone (objcopy --only-keep-debug, eu-strip -f): the code is in the executable",
			advice: "give the executable that it belongs to",
		});
	}
	if (!isGo && isPacked(elf)) {
		return new GomapgrowError("E-BIN-NOT-GO", {
			wanted: "an executable built by Go",
			found: "one that is packed by UPX, so that nothing of what is in it can be read",
			mend: "upx -d -o UNPACKED EXECUTABLE   # and run that one",
		});
	}
	if (!isGo) {
		const carried =
			buildInfo === undefined ? "" : `, but for a program of ${buildInfo.goVersion} that it carries as data`;
		return new GomapgrowError("E-BIN-NOT-GO", {
			wanted: "an executable built by Go",
			found: `an ELF executable with neither Go build information nor a Go function table that it uses${carried}`,
		});
	}
	if (table?.format.since === "1.2") {
		return unsupported("E-BIN-GO-OLD", "a Go program without a version whose function table is that of Go 1.2 to 1.15");
	}
	const has = buildInfo === undefined ? "no build information" : `the version ${JSON.stringify(buildInfo.goVersion)}`;
	const { wanted, found } = table === undefined ? noPclntab(elf) : noModuleData(table.address);
	return new GomapgrowError("E-BIN-MALFORMED", { wanted, found: `${found}, in a Go program with ${has}` });
}

export interface OpenOptions {
	/** Prefer the program's own DWARF even for a release whose layouts are known: slow for a large program. */
	verifyLayouts?: boolean;
}

/**
 * Opens an identified program, cheaply when its release is known. A newer one needs DWARF, or has to look like the
 * newest known release. Throws E-BIN-GO-OLD and E-BIN-GO-NEW (both name the supported range).
 */
export function openGoProgram(program: GoProgram, options: OpenOptions = {}): GoBinary {
	const { version } = program;
	if (standingOf(version) === "old") {
		throw unsupported("E-BIN-GO-OLD", `a program built with ${version.raw}`);
	}
	const basis = chooseLayouts(version, program.dwarf, options.verifyLayouts === true);
	const { moduleData } = basis.structs;
	if (moduleData === undefined) {
		throw unsupported("E-BIN-GO-NEW", `a program built with ${version.raw}, whose module data has unknown fields`);
	}
	const binary = new GoBinary(program, basis, moduleData);
	return standingOf(version) === "known" ? binary : confirmed(program, binary, moduleData);
}

/**
 * Makes sure that an unknown version can be read at all; layouts that are another release's lose what the file
 * refutes. Throws E-BIN-GO-NEW when nothing is left.
 */
function confirmed(program: GoProgram, binary: GoBinary, moduleData: ModuleDataLayout): GoBinary {
	try {
		// Asks for the function table and the module data.
		const { mapImpl, basis } = binary;
		if (basis.kind !== "nearest") {
			return binary;
		}
		const typesFit = mapImpl === undefined || binary.mapTypesConfirmed;
		const treesFit = binary.inlineTreesConfirmed === true;
		const { gofunc: _, ...withoutTrees } = moduleData;
		const sure = treesFit ? moduleData : withoutTrees;
		const { hmap } = structLayouts(basis.table);
		const structs = {
			...(typesFit ? basis.structs : {}),
			// All releases with classic maps, the last of which was 1.25, have this one in common.
			...(mapImpl === "classic" && hmap !== undefined ? { hmap } : {}),
			moduleData: sure,
		};
		return new GoBinary(program, { ...basis, structs }, sure);
	} catch (cause) {
		if (cause instanceof GomapgrowError && cause.code === "E-BIN-MALFORMED") {
			throw unsupported(
				"E-BIN-GO-NEW",
				`a program built with ${binary.version.raw}, in which ${cause.wanted} cannot be found (${cause.found})`,
				cause,
			);
		}
		throw cause;
	}
}

/** Opens a Go executable: `identifyGoProgram`, then `openGoProgram`. */
export function openGoBinary(source: ByteSource): GoBinary {
	return openGoProgram(identifyGoProgram(source));
}
