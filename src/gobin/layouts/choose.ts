import type { DwarfFile } from "../../dwarf/dwarf-file.ts";
import { GomapgrowError } from "../../errors/error.ts";
import { type GoVersion, nearestMinor, standingOf } from "../buildinfo/go-version.ts";
import { dwarfLayouts } from "./from-dwarf.ts";
import { type LayoutSource, overlay } from "./source.ts";
import { type StructLayouts, structLayouts } from "./struct-layouts.ts";
import { type TableLayouts, tableLayouts } from "./table.ts";

/** What a program's layouts rest on. */
export interface LayoutBasis {
	/**
	 * "table": a release that the table knows. "dwarf": the program's own DWARF, the table for what it lacks. "nearest": a version that
	 * the table does not know, without DWARF: those of the nearest release, as far as the program itself confirms them.
	 */
	readonly kind: "table" | "dwarf" | "nearest";
	readonly structs: StructLayouts;
	/** Of the program's release, or of the nearest. */
	readonly table: TableLayouts;
	readonly dwarf?: LayoutSource;
	/** Why the program's DWARF was of no use, when it has some. */
	readonly damaged?: GomapgrowError;
}

/**
 * Chooses what to trust. `openDwarf` is called only where the table does not know the version, or for `verify`: the debug
 * information of a large program takes a second to inflate.
 */
export function chooseLayouts(
	version: GoVersion,
	openDwarf: () => DwarfFile | undefined,
	verify: boolean,
): LayoutBasis {
	const known = standingOf(version) === "known";
	const table = tableLayouts(nearestMinor(version));
	if (table === undefined) {
		throw new GomapgrowError("E-INTERNAL", { wanted: `layouts for ${version.raw}`, found: "none" });
	}
	if (known && !verify) {
		return { kind: "table", structs: structLayouts(table), table };
	}
	const fallback = (): LayoutBasis => {
		const structs = structLayouts(table);
		return known ? { kind: "table", structs, table } : { kind: "nearest", structs: assumable(structs), table };
	};
	try {
		const dwarf = openDwarf();
		const own = dwarf && dwarfLayouts(dwarf);
		// DWARF of C alone is no help.
		if (own === undefined || !own.has("runtime.moduledata")) {
			return fallback();
		}
		const source = known ? overlay(own, table) : own;
		return { kind: "dwarf", structs: structLayouts(source), table, dwarf: own };
	} catch (error) {
		if (!(error instanceof GomapgrowError && error.code.startsWith("E-BIN-"))) {
			throw error;
		}
		return { ...fallback(), damaged: error };
	}
}

/** The structures that the program's file confirms or refutes. The others exist in memory only. */
function assumable({ moduleData, classicMapType, swissMapType }: StructLayouts): StructLayouts {
	return {
		...(moduleData === undefined ? {} : { moduleData }),
		...(classicMapType === undefined ? {} : { classicMapType }),
		...(swissMapType === undefined ? {} : { swissMapType }),
	};
}
