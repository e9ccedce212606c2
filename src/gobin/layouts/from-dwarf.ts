import type { DwarfFile } from "../../dwarf/dwarf-file.ts";
import { lazy } from "../../lib/lazy.ts";
import type { LayoutSource } from "./source.ts";
import { SPELLED_STRUCTS } from "./struct-layouts.ts";

/** What a program's own DWARF says; read at the first question, which throws E-BIN-MALFORMED when it is damaged. */
export function dwarfLayouts(dwarf: DwarfFile): LayoutSource {
	const structs = lazy(() => dwarf.structLayouts(SPELLED_STRUCTS));
	return {
		has: (struct) => structs().has(struct),
		at: (struct, path) => {
			const layout = structs().get(struct);
			return layout && (path === "" ? layout.size : dwarf.fieldAt(layout, path)?.offset);
		},
	};
}
