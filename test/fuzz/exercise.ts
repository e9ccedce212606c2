/** Asks every reader of the project about one file and notes what none of them may do. */
import { DwarfFile } from "../../src/dwarf/dwarf-file.ts";
import { openElf } from "../../src/elf/elf-file.ts";
import { GomapgrowError } from "../../src/errors/error.ts";
import { openGoBinary } from "../../src/gobin/go-binary.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import type { PatchedSource } from "../support/patched-source.ts";
import { processorMs } from "./meter.ts";
import { FUNCTIONS } from "./sites.ts";

/** What to ask about: addresses of the undamaged program. */
export interface Probes {
	pcs: readonly number[];
	types: readonly number[];
}

/** No call of a reader may take longer, in milliseconds of processor time. */
export const LONGEST_CALL_MS = 1000;
/** Bytes that one call may ask of the file: so many times the file, and so many besides. */
const ASKED_FACTOR = 24;
const ASKED_BYTES = 32 << 20;
/** Names and files are cut or refused above this; so are the texts that were asked for by other ways. */
const LONGEST_TEXT = 70_000;

export interface Outcome {
	/** Forbidden things that happened: "call: what". */
	violations: string[];
	/** Whether it was taken for a Go program at all. */
	opened: boolean;
	/** Calls that ended with an error of ours. */
	refused: number;
	calls: number;
	/** The slowest call. */
	slowest: { call: string; ms: number };
}

export function exercise(source: PatchedSource, probes: Probes): Outcome {
	const outcome: Outcome = { violations: [], opened: false, refused: 0, calls: 0, slowest: { call: "", ms: 0 } };
	const attempt = <T>(call: string, action: () => T): T | undefined => {
		outcome.calls++;
		const asked = source.asked;
		const started = processorMs();
		let value: T | undefined;
		try {
			value = action();
		} catch (error) {
			outcome.refused++;
			if (!(error instanceof GomapgrowError)) {
				outcome.violations.push(`${call}: threw ${error instanceof Error ? error.stack : String(error)}`);
			} else if (error.code === "E-INTERNAL" || error.message.length > LONGEST_TEXT) {
				outcome.violations.push(`${call}: threw ${error.message.slice(0, 300)}`);
			}
		}
		const ms = processorMs() - started;
		if (ms > outcome.slowest.ms) outcome.slowest = { call, ms };
		if (ms > LONGEST_CALL_MS) outcome.violations.push(`${call}: took ${Math.round(ms)} ms`);
		const bytes = source.asked - asked;
		if (bytes > ASKED_BYTES + ASKED_FACTOR * source.size) outcome.violations.push(`${call}: asked for ${bytes} bytes`);
		for (const absurd of source.absurd.splice(0)) outcome.violations.push(`${call}: asked for ${absurd}`);
		return value;
	};

	const elf = attempt("openElf", () => openElf(source));
	if (elf !== undefined) {
		for (const section of attempt("sections", () => elf.sections.slice(0, 64)) ?? []) {
			attempt("sectionBytes", () => elf.sectionBytes(section));
		}
		attempt("notes", () => [elf.goBuildId, elf.gnuBuildId]);
		attempt("symbols", () => elf.symbols(["main.main", "runtime.text", "runtime.firstmoduledata", "absent"]));
		attempt("relocations", () => elf.relocations?.wordsPointingTo(probes.pcs[0] ?? 0, 64));
		attempt("addends", () => probes.types.map((vaddr) => elf.relocations?.addend(vaddr)));
		attempt("pointers", () => probes.types.map((vaddr) => elf.pointerAt(vaddr)));
		const dwarf = attempt("DwarfFile.open", () => DwarfFile.open({ section: (name) => elf.debugSection(name) }));
		if (dwarf !== undefined) {
			attempt("DWARF version", () => dwarf.version);
			attempt("goUnits", () => [...dwarf.goUnits()].length);
			const structs = [
				"runtime.g",
				"runtime.m",
				"runtime.hmap",
				"internal/runtime/maps.Map",
				"runtime.moduledata",
				"absent",
			];
			const layouts = attempt("structLayouts", () => dwarf.structLayouts(structs));
			const g = layouts?.get("runtime.g");
			if (g !== undefined)
				attempt("fieldAt", () => ["sched.sp", "stack.hi", "m.g0", "goid"].map((path) => dwarf.fieldAt(g, path)));
			for (const pc of probes.pcs.slice(0, 30)) attempt("lineAt", () => dwarf.lineAt(pc));
		}
	}

	const binary = attempt("openGoBinary", () => openGoBinary(source));
	if (binary === undefined) return outcome;
	outcome.opened = true;
	attempt("properties", () => [binary.stripped, binary.static, binary.pie, binary.arch, binary.firstLoadAddress]);
	attempt("build ids", () => [binary.buildId, binary.gnuBuildId]);
	attempt("moduleData", () => binary.moduleData);
	attempt("mapImpl", () => binary.mapImpl);
	attempt("cgo", () => binary.cgo);
	attempt("makePlan", () => makePlan(binary));
	attempt("allgs", () => binary.allgs);
	attempt("waitReasons", () => binary.waitReasons);
	attempt("functionsByName", () => binary.functionsByName(FUNCTIONS));
	for (const prefix of ["runtime.", "_cgoexp_", "i"]) {
		attempt(`functionsWithPrefix, ${prefix}`, () => binary.functionsWithPrefix(prefix));
	}
	for (const pc of [...probes.pcs, ...ownAddresses(() => [binary.moduleData.minpc, binary.moduleData.maxpc - 1])]) {
		attempt("functionAt", () => binary.functionAt(pc));
		attempt("symbolize", () => binary.symbolize(pc));
		attempt("isGoexit", () => binary.isGoexit(pc));
		attempt("frameSizeAt", () => binary.frameSizeAt(pc));
		attempt("fileOffset", () => binary.fileOffset(pc));
		attempt("bytesAt", () => binary.bytesAt(pc, 16));
	}
	for (const vaddr of [
		...probes.types,
		...ownAddresses(() => [binary.moduleData.types, binary.moduleData.etypes - 96]),
	]) {
		attempt("mapTypeAt", () => binary.mapTypeAt(vaddr));
	}
	return outcome;
}

/** Addresses of the damaged program, when it has any. */
function ownAddresses(find: () => number[]): number[] {
	try {
		return find();
	} catch (error) {
		if (error instanceof GomapgrowError) return [];
		throw error;
	}
}
