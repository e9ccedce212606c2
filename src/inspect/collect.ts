/** Puts together what `inspect` says about a Go executable. Reads only what the binary's readers read; does no I/O of its own. */
import { GomapgrowError } from "../errors/error.ts";
import { type Compilation, compilationOf } from "../gobin/buildinfo/compilation.ts";
import { type GoVersion, NEWEST_MINOR, OLDEST_MINOR, standingOf } from "../gobin/buildinfo/go-version.ts";
import { cgoExports } from "../gobin/cgo/cgo-exports.ts";
import type { GoBinary, GoProgram } from "../gobin/go-binary.ts";
import { type LayoutEntry, reportLayouts } from "../gobin/layouts/report.ts";
import { libraryMode, operatingSystem, sharedRuntime } from "../gobin/platform.ts";
import { conditionName } from "../isa/amd64/text.ts";
import { sanitize } from "../lib/sanitize.ts";
import { requireArchitecture } from "../plan/architecture.ts";
import { type SurveyedCopy, surveyCopies } from "../plan/inlined-copies.ts";
import { makePlan, type PlanOptions, surveyFunctions } from "../plan/make-plan.ts";
import { surveyMakes } from "../plan/make-sites.ts";
import type { PlannedProbe, ProbePlan, ProbeSite } from "../plan/probe-plan.ts";
import type { SurveyedFunction } from "../plan/surveyed.ts";
import { damagedNote, inspectionNotes, layoutNotes } from "./notes.ts";
import type {
	CgoExport,
	InspectedCopy,
	InspectedExit,
	InspectedFunction,
	InspectedLayout,
	Inspection,
} from "./record.ts";

/** Where the executable comes from. */
export interface InspectedTarget {
	exe: string;
	/** Architecture of the machine that it is inspected for, as Go spells it. */
	machine: string;
	exeDeleted?: boolean;
	pid?: number;
	loadBias?: number;
}

const hex = (address: number): string => `0x${address.toString(16)}`;

/** What any Go program says about itself, of whatever release. */
function identity(program: GoProgram, target: InspectedTarget) {
	const { elf, version, versionFrom, buildInfo } = program;
	const { packagePath, modulePath, moduleVersion, dependencies, settings, revision } = buildInfo;
	const setting = (name: string): string | undefined => {
		const value = settings.get(name);
		return value === undefined ? undefined : sanitize(value);
	};
	return {
		exe: sanitize(target.exe, 4096),
		...(target.exeDeleted === true ? { exe_deleted: true as const } : {}),
		...(target.pid === undefined ? {} : { pid: target.pid }),
		...(target.loadBias === undefined ? {} : { load_bias: hex(target.loadBias) }),
		go_version: sanitize(version.raw),
		go_version_from: versionFrom,
		...optional(
			"go_candidates",
			version.candidates?.map((minor) => `1.${minor}`),
		),
		supported: `1.${OLDEST_MINOR} to 1.${NEWEST_MINOR}`,
		arch: elf.arch,
		os: sanitize(operatingSystem(elf, buildInfo)),
		stripped: elf.section(".symtab") === undefined,
		pie: elf.pie,
		static: elf.static,
		...optional("build_id", elf.goBuildId && sanitize(elf.goBuildId)),
		...optional("gnu_build_id", elf.gnuBuildId),
		...optional("main_package", packagePath && sanitize(packagePath)),
		...optional(
			"module",
			modulePath === undefined
				? undefined
				: { path: sanitize(modulePath), ...optional("version", moduleVersion && sanitize(moduleVersion)) },
		),
		dependencies,
		...optional(
			"vcs",
			revision === undefined
				? undefined
				: {
						...optional("system", setting("vcs")),
						revision: sanitize(revision),
						...optional("time", setting("vcs.time")),
						...optional("modified", settings.has("vcs.modified") ? setting("vcs.modified") === "true" : undefined),
					},
		),
		build_settings: Object.fromEntries([...settings].map(([key, value]) => [sanitize(key), sanitize(value, 4096)])),
	};
}

/** The property, or nothing when there is no value. */
function optional<Name extends string, Value>(name: Name, value: Value | undefined | ""): { [Key in Name]?: Value } {
	return (value === undefined || value === "" ? {} : { [name]: value }) as { [Key in Name]?: Value };
}

/** A program of a release that this tool cannot read. */
export function inspectUnsupported(program: GoProgram, error: GomapgrowError, target: InspectedTarget): Inspection {
	const { compilation, damaged, ...debug } = debugInfo(program);
	return {
		...identity(program, target),
		...debug,
		...compilation,
		functions: [],
		copies: [],
		functions_absent: [],
		cgo_exports: [],
		layouts: {},
		layout_notes: damaged === undefined ? [] : [damagedNote(damaged)],
		watchable: false,
		verdict: `cannot be watched: ${program.version.raw} is ${error.code === "E-BIN-GO-OLD" ? "older than supported" : "newer than known"} (Go 1.${OLDEST_MINOR} to 1.${NEWEST_MINOR})`,
		notes: [],
		error: errorOf(error),
	};
}

/** `binary` is best opened with `verifyLayouts`. Throws E-BIN-MALFORMED and E-BIN-TRUNCATED for damaged files. */
export function inspectBinary(program: GoProgram, binary: GoBinary, target: InspectedTarget): Inspection {
	const surveyed = surveyFunctions(binary);
	const makes = surveyMakes(binary);
	const copies = surveyCopies(binary);
	const plan = tryPlan(binary, { surveyed, copies }, target.machine);
	const layouts = reportLayouts(binary);
	const { mapImpl } = binary;
	const { compilation, damaged = binary.basis.damaged, ...debug } = debugInfo(program);
	const base = {
		...identity(program, target),
		...optional("map_impl", mapImpl),
		cgo: binary.cgo,
		...debug,
		...compilation,
		functions: [...surveyed, ...makes].flatMap((entry) => inspectedFunction(entry, plan, binary)),
		copies: copies.map(inspectedCopy),
		functions_absent: [...surveyed, ...makes]
			.filter(({ found }) => found === undefined)
			.map(({ wanted }) => ({
				name: wanted.fn,
				reason: copies.some(({ wanted: { fn } }) => fn === wanted.fn)
					? "inlined wherever it is called"
					: whyAbsent(wanted.fn, binary.version.minor),
			})),
		cgo_exports: exportsOf(binary),
		layouts: Object.fromEntries(layouts.map((entry) => [entry.name, inspectedLayout(entry)])),
		layout_notes: layoutNotes(binary, layouts, damaged),
	};
	const notes = inspectionNotes(binary, compilation, plan instanceof GomapgrowError ? undefined : plan);
	const library = libraryMode(program.buildInfo);
	if (library !== undefined && !(plan instanceof GomapgrowError)) {
		const verdict = `cannot be watched: it is a library (-buildmode=${library}), and only executables are`;
		return { ...base, watchable: false, verdict, notes };
	}
	return plan instanceof GomapgrowError
		? {
				...base,
				watchable: false,
				verdict: `cannot be watched: ${whyNot(plan, binary, target.machine)}`,
				notes,
				error: errorOf(plan),
			}
		: { ...base, watchable: true, verdict: verdictOf(plan, binary), notes };
}

function tryPlan(binary: GoBinary, found: PlanOptions, machine: string): ProbePlan | GomapgrowError {
	try {
		requireArchitecture(binary, machine);
		return makePlan(binary, found);
	} catch (error) {
		if (error instanceof GomapgrowError && /^E-BIN-(ARCH|NO-MAPS|NO-SITES)$/.test(error.code)) return error;
		throw error;
	}
}

interface DebugInfo {
	dwarf_version?: number;
	compilation: Compilation;
	damaged?: GomapgrowError;
}

/** What DWARF says, or the build settings where it is absent or damaged. */
function debugInfo({ buildInfo, ...program }: GoProgram): DebugInfo {
	try {
		const dwarf = program.dwarf();
		return {
			compilation: shown(compilationOf(buildInfo.settings, dwarf)),
			...optional("dwarf_version", dwarf?.version),
		};
	} catch (error) {
		if (!(error instanceof GomapgrowError && error.code.startsWith("E-BIN-"))) throw error;
		return { compilation: shown(compilationOf(buildInfo.settings, undefined)), damaged: error };
	}
}

/** With text from the file sanitised. */
function shown({ flagged, ...compilation }: Compilation): Compilation {
	return { ...compilation, ...optional("flagged", flagged && sanitize(flagged)) };
}

function inspectedFunction(
	{ wanted, found, probe }: SurveyedFunction,
	plan: ProbePlan | GomapgrowError,
	binary: GoBinary,
): InspectedFunction[] {
	if (found === undefined) return [];
	const planned = plan instanceof GomapgrowError ? undefined : plan.probes.find(({ fn }) => fn === wanted.fn);
	return [
		{
			name: wanted.fn,
			address: hex(found.entry),
			...optional("file_offset", binary.fileOffset(found.entry)),
			size_bytes: found.end - found.entry,
			tier: planned?.tier ?? wanted.tier,
			...(typeof probe === "string"
				? { reason: probe, exits: [] }
				: { site: inspectedSite(probe.site), ...inspectedExits(planned ?? probe) }),
		},
	];
}

function inspectedCopy({ copy, probes }: SurveyedCopy): InspectedCopy {
	return {
		name: sanitize(copy.fn),
		inlined_into: sanitize(copy.outer.name),
		address: hex(copy.outer.entry),
		...(typeof probes === "string"
			? { sites: [], reason: probes }
			: { sites: probes.map(({ site, tier }) => ({ ...inspectedSite(site), tier })) }),
	};
}

function inspectedSite(site: ProbeSite) {
	return {
		address: hex(site.address),
		file_offset: site.fileOffset,
		instruction: sanitize(site.instruction),
		cost: site.cost,
		reason: site.reason,
	};
}

function inspectedExits({ exits, exitsMissing }: PlannedProbe) {
	return {
		exits: exits.map(
			({ leavesWhen, handsOverTo, tail, ...site }): InspectedExit => ({
				...inspectedSite(site),
				...optional(
					"leaves_when",
					leavesWhen && { condition: conditionName(leavesWhen.condition), taken: leavesWhen.taken },
				),
				...optional("hands_over_to", handsOverTo && sanitize(handsOverTo)),
				tail: { instructions: tail.instructions, calls: tail.calls.map((name) => sanitize(name)) },
			}),
		),
		...optional("exits_missing", exitsMissing),
	};
}

/** Why a function that other programs have is not in this one. */
function whyAbsent(name: string, goMinor: number): string {
	if (name.endsWith(".pruneTombstones") && goMinor < 25) return "exists since Go 1.25";
	return "left out by the linker: no map of this program needs it";
}

function exportsOf(binary: GoBinary): CgoExport[] {
	if (!binary.cgo) return [];
	return cgoExports(binary).map(({ name, entry }) => ({
		name: sanitize(name),
		fn: sanitize(entry.name),
		address: hex(entry.entry),
		...optional("file_offset", binary.fileOffset(entry.entry)),
	}));
}

function inspectedLayout({ offset, from, file, agrees, differs }: LayoutEntry): InspectedLayout {
	return {
		offset,
		from,
		...optional("file", file),
		...(agrees.length === 0 ? {} : { agrees: [...agrees] }),
		...(differs.length === 0
			? {}
			: { differs: Object.fromEntries(differs.map(({ witness, offset: other }) => [witness, other])) }),
	};
}

function whyNot(error: GomapgrowError, { arch, elf }: GoBinary, machine: string): string {
	if (error.code === "E-BIN-ARCH" && arch !== machine) return `it is for ${arch}, and this machine is ${machine}`;
	if (error.code === "E-BIN-NO-MAPS" && sharedRuntime(elf) === undefined)
		return "no map in it can grow; the linker left the growth functions out";
	return `${error.found} (wanted ${error.wanted})`;
}

function verdictOf(plan: ProbePlan, binary: GoBinary): string {
	const stepped = plan.probes.filter(({ site }) => site.cost === "stepped").length;
	const cost = stepped === 0 ? "all emulated" : `${stepped} of them single-stepped`;
	const count = `${plan.probes.length} probes, ${cost}`;
	const newer = standingOf(binary.version) === "unproven" ? ` (${standingText(binary.version)})` : "";
	if (plan.unseen !== undefined) {
		return `can be watched in part${newer}: not all growths can be seen, because some functions are inlined; ${count}`;
	}
	if (plan.goroutine === undefined) {
		return `can be watched in part${newer}: growths are counted without details; ${count}`;
	}
	const layouts = binary.basis.kind === "dwarf" && newer !== "" ? ", by layouts from its own DWARF" : "";
	return `can be watched${newer}: every growth with type, cause, size, goroutine and stack${layouts}; ${count}`;
}

/** Why the layouts of a release cannot simply be taken. */
function standingText({ candidates, major, minor }: GoVersion): string {
	if (candidates !== undefined) return `made by Go ${candidates.map((one) => `1.${one}`).join(" or ")}, as it looks`;
	if (major === 1 && minor <= NEWEST_MINOR) return `a development version of Go 1.${minor}`;
	return `newer than known, which is Go 1.${OLDEST_MINOR} to 1.${NEWEST_MINOR}`;
}

function errorOf(error: GomapgrowError) {
	const { code, wanted, found, mend, advice } = error;
	return { code, wanted: sanitize(wanted), found: sanitize(found), ...optional("mend", mend ?? advice) };
}
