import { standingOf } from "../buildinfo/go-version.ts";
import type { GoBinary } from "../go-binary.ts";
import { overlay } from "./source.ts";
import { fieldsOf, type StructName } from "./struct-layouts.ts";

/** What can say where a field is: the program's DWARF, the table in this tool, the program's machine code. */
export type LayoutWitness = "dwarf" | "table" | "code";

/** A field of the runtime's structures as the tool uses it. */
export interface LayoutEntry {
	/** "runtime.g.goid" */
	name: string;
	/** Bytes from the start of the structure. */
	offset: number;
	from: LayoutWitness;
	/** Go source file that declares the structure, from GOROOT/src; absent when only DWARF knows it. */
	file?: string;
	/** Others that say the same. */
	agrees: LayoutWitness[];
	/** Others that say something else, and what. */
	differs: { witness: LayoutWitness; offset: number }[];
}

const STRUCTS = {
	classic: ["g", "m", "sudog", "hmap", "hiter", "classicMapType", "moduleData"],
	swiss: ["g", "m", "sudog", "swissMap", "swissTable", "swissIter", "swissMapType", "moduleData"],
	none: ["g", "m", "sudog", "moduleData"],
} as const satisfies Record<string, readonly StructName[]>;
const GOID = "runtime.g.goid";

/** All layouts that matter for the program, with where each came from and who else was asked. */
export function reportLayouts(binary: GoBinary): LayoutEntry[] {
	const { kind, table, dwarf } = binary.basis;
	const known = standingOf(binary.version) === "known";
	const source = dwarf === undefined ? table : known ? overlay(dwarf, table) : dwarf;
	const entries: LayoutEntry[] = [];
	for (const name of STRUCTS[binary.mapImpl ?? "none"]) {
		// What the program refuted or could not confirm is not in its layouts.
		for (const { struct, path, offset } of binary.layouts[name] === undefined ? [] : (fieldsOf(source, name) ?? [])) {
			if (path === "") {
				continue;
			}
			const from = dwarf?.has(struct) ? "dwarf" : "table";
			const entry: LayoutEntry = { name: `${struct}.${path}`, offset, from, agrees: [], differs: [] };
			const file = table.fileOf(struct);
			if (file !== undefined) {
				entry.file = file;
			}
			const tabled = table.at(struct, path);
			// The table of another release is no witness.
			if (known && from === "dwarf" && tabled !== undefined) {
				testify(entry, "table", tabled);
			}
			entries.push(entry);
		}
	}
	if (binary.goidInCode !== undefined) {
		const goid = entries.find((entry) => entry.name === GOID);
		if (goid?.from === "table" && goid.offset !== binary.goidInCode) {
			goid.differs.push({ witness: "table", offset: goid.offset });
			goid.offset = binary.goidInCode;
			goid.from = "code";
		} else if (goid !== undefined) {
			testify(goid, "code", binary.goidInCode);
		} else if (kind === "nearest") {
			entries.unshift({ name: GOID, offset: binary.goidInCode, from: "code", agrees: [], differs: [] });
		}
	}
	return entries;
}

function testify(entry: LayoutEntry, witness: LayoutWitness, offset: number): void {
	if (offset === entry.offset) {
		entry.agrees.push(witness);
	} else {
		entry.differs.push({ witness, offset });
	}
}
