import { HAND_MADE_LAYOUTS, type HandMadeStruct } from "./hand-made.ts";
import type { LayoutSource } from "./source.ts";
import { LAYOUT_COLUMNS, LAYOUT_RELEASES, LAYOUT_TABLE } from "./table.generated.ts";

/** The layouts of one Go release as they are committed here. */
export interface TableLayouts extends LayoutSource {
	/** Where the structure is declared, from GOROOT/src: "runtime/runtime2.go". */
	fileOf(struct: string): string | undefined;
	/** What they were measured with ("go1.27.3"); undefined when they were taken from the sources. */
	readonly release: string | undefined;
}

/** The layouts of Go 1.`minor`, of both map implementations; undefined for a release that is not known. */
export function tableLayouts(minor: number): TableLayouts | undefined {
	const columns = [`1.${minor}`, `1.${minor}-noswissmap`]
		.map((name) => (LAYOUT_COLUMNS as readonly string[]).indexOf(name))
		.filter((column) => column >= 0);
	const handMade = HAND_MADE_LAYOUTS.get(minor);
	return columns.length > 0 ? measured(columns) : handMade && written(handMade);
}

/** The first column that has a structure answers for it: a release has each map implementation in a column of its own. */
function measured(columns: readonly number[]): TableLayouts {
	const columnOf = (struct: string): number | undefined =>
		columns.find((column) => typeof LAYOUT_TABLE[struct]?.size[column] === "number");
	return {
		release: LAYOUT_RELEASES[columns[0] ?? -1],
		has: (struct) => columnOf(struct) !== undefined,
		at: (struct, path) => {
			const table = LAYOUT_TABLE[struct];
			const row = path === "" ? table?.size : table?.fields[path]?.at;
			return row?.[columnOf(struct) ?? -1] ?? undefined;
		},
		fileOf: (struct) => {
			const name = LAYOUT_COLUMNS[columnOf(struct) ?? -1];
			const files = Object.entries(LAYOUT_TABLE[struct]?.files ?? {});
			return files.find(([, where]) => name !== undefined && where.includes(name))?.[0];
		},
	};
}

function written(structs: Readonly<Record<string, HandMadeStruct>>): TableLayouts {
	return {
		release: undefined,
		has: (struct) => structs[struct] !== undefined,
		at: (struct, path) => (path === "" ? structs[struct]?.size : structs[struct]?.fields[path]),
		fileOf: (struct) => structs[struct]?.file,
	};
}
