import { AT, LANGUAGE_GO } from "./constants.ts";
import { DwarfData } from "./dwarf-data.ts";
import { findGlobalVariables, type GlobalVariable } from "./global-variables.ts";
import type { DwarfSections } from "./sections.ts";
import { type SourceLine, SourceLines } from "./source-lines.ts";
import { type FieldLayout, readStructLayout, type StructLayout } from "./struct-layout.ts";
import { findStructures } from "./type-search.ts";
import type { Unit } from "./unit.ts";

/** A unit of Go code: one package. */
export interface GoUnit {
	/** The package path, such as "runtime". */
	readonly name: string;
	/** DWARF version, 2 to 5. */
	readonly version: number;
	/** Compiler and flags, such as "Go cmd/compile go1.22.12; -N -l; regabi"; empty when not recorded. */
	readonly producer: string;
}

/**
 * The debug information of one executable. Sections are asked for when they are needed, units and types are read when
 * they are needed, and every method throws GomapgrowError E-BIN-MALFORMED (and nothing else) for DWARF that is broken.
 */
export class DwarfFile {
	readonly #data: DwarfData;
	readonly #lines: SourceLines;
	/** Names asked for so far; undefined for those that the file does not have. */
	readonly #layouts = new Map<string, StructLayout | undefined>();

	private constructor(data: DwarfData) {
		this.#data = data;
		this.#lines = new SourceLines(data);
	}

	/** Absent when there is no .debug_info, as in a file linked with -w. Reads nothing yet. */
	static open(sections: DwarfSections): DwarfFile | undefined {
		const info = sections.section(".debug_info");
		const abbrev = sections.section(".debug_abbrev");
		if (!info || !abbrev || info.length === 0) return undefined;
		return new DwarfFile(new DwarfData(sections, info, abbrev));
	}

	/** The DWARF version of the Go code: 4 up to Go 1.24, 5 since 1.25. Absent when there is no unit of Go. */
	get version(): number | undefined {
		return this.#data.units.find(isGo)?.header.version;
	}

	/** All units of Go code, in the order of the file; units of C and others are left out. */
	*goUnits(): Generator<GoUnit> {
		for (const unit of this.#data.units) {
			const root = unit.root();
			if (!root || root.number(AT.language) !== LANGUAGE_GO) continue;
			const producer = root.string(AT.producer) ?? "";
			yield { name: root.string(AT.name) ?? "", version: unit.header.version, producer };
		}
	}

	/** The layout of a Go structure by its full name, such as "runtime.g"; absent when the file does not have it. */
	structLayout(name: string): StructLayout | undefined {
		return this.structLayouts([name]).get(name);
	}

	/** The layouts of those of `names` that the file has. One call for many names walks the types once. */
	structLayouts(names: readonly string[]): Map<string, StructLayout> {
		const unknown = [...new Set(names)].filter((name) => !this.#layouts.has(name));
		if (unknown.length > 0) {
			const found = findStructures(this.#data, unknown);
			for (const name of unknown) {
				const offset = found.get(name);
				this.#layouts.set(name, offset === undefined ? undefined : readStructLayout(this.#data, offset));
			}
		}
		const layouts = new Map<string, StructLayout>();
		for (const name of names) {
			const layout = this.#layouts.get(name);
			if (layout) layouts.set(name, layout);
		}
		return layouts;
	}

	/** Global variables of Go code whose type has a descriptor in the program. Walks all of .debug_info. */
	globalVariables(): GlobalVariable[] {
		return findGlobalVariables(this.#data);
	}

	/**
	 * A field that may lie in a structure inside the structure: `fieldAt(g, "sched.sp")`. The offset counts from the start of
	 * the outermost one. Absent when a name on the path does not exist.
	 */
	fieldAt(layout: StructLayout, path: string): FieldLayout | undefined {
		let current: StructLayout | undefined = layout;
		let field: FieldLayout | undefined;
		let base = 0;
		for (const name of path.split(".")) {
			if (field) {
				base += field.offset;
				current = readStructLayout(this.#data, field.typeOffset);
			}
			field = current?.fields.get(name);
			if (!field) return undefined;
		}
		return field && { ...field, offset: base + field.offset };
	}

	/**
	 * The source line of the instruction at `pc`, a virtual address in the file; for a return address pass `pc - 1`. Covers
	 * C code too. Absent when the file says nothing about it.
	 */
	lineAt(pc: number): SourceLine | undefined {
		return this.#lines.at(pc);
	}
}

function isGo(unit: Unit): boolean {
	return unit.language === LANGUAGE_GO;
}
