/**
 * The two structures that everything else in a Go program is found by: the function table and the module data that
 * points at it.
 */
import type { ElfFile } from "../../elf/elf-file.ts";
import { GomapgrowError } from "../../errors/error.ts";
import type { ModuleDataLayout } from "../layouts/struct-layouts.ts";
import type { Pclntab } from "../pclntab/header.ts";
import { noPclntab, pclntabCandidates } from "../pclntab/locate.ts";
import { locateModuleData, type ModuleData } from "./module-data.ts";

export interface GoTables {
	pclntab: Pclntab;
	module: ModuleData;
}

/** Each may cost a search through all data. */
const MAX_TABLES = 16;

/**
 * Finds the function table of the program itself: the first that module data point at. A Go program may carry
 * others as data, whose tables belong to nothing in memory. Throws E-BIN-MALFORMED, for the first candidate when
 * none fits.
 */
export function locateGoTables(elf: ElfFile, layout: ModuleDataLayout): GoTables {
	let first: unknown;
	let left = MAX_TABLES;
	for (const pclntab of pclntabCandidates(elf)) {
		try {
			return { pclntab, module: locateModuleData(elf, pclntab, layout) };
		} catch (error) {
			if (!(error instanceof GomapgrowError && error.code === "E-BIN-MALFORMED")) {
				throw error;
			}
			first ??= error;
		}
		if (--left === 0) {
			break;
		}
	}
	throw first ?? noPclntab(elf);
}
