/** The functions of the Go runtime that grow maps, as its sources spell them: what overlays change. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface GrowthFunction {
	/** Full Go name, as a tracer prints it. */
	name: string;
	/** The source line that opens the function, up to its parameters. */
	opening: string;
	/** Base name of the source file. */
	file: string;
	/** A call of it, up to its arguments: it is a statement of its own. */
	call: RegExp;
	/** Others of these: which it is called by, or which it calls; absent: neither. */
	place?: "inner" | "outer";
}

export interface MapSources {
	swiss: boolean;
	/** Folder of the sources, below GOROOT. */
	room: string;
	functions: readonly GrowthFunction[];
}

function classic(name: string, file: string): GrowthFunction {
	return {
		name: `runtime.${name}`,
		opening: `func ${name}(`,
		file,
		call: new RegExp(`^${name}\\(`),
		...(name === "hashGrow" ? {} : { place: name.startsWith("evacuate") ? "inner" : "outer" }),
	};
}

const CLASSIC: GrowthFunction[] = [
	...["hashGrow", "growWork", "evacuate"].map((name) => classic(name, "map")),
	...["fast32", "fast64", "faststr"].flatMap((variant) => [
		classic(`growWork_${variant}`, `map_${variant}`),
		classic(`evacuate_${variant}`, `map_${variant}`),
	]),
];

function ofTable(name: string, place?: GrowthFunction["place"]): GrowthFunction {
	return {
		name: `internal/runtime/maps.(*table).${name}`,
		opening: `func (t *table) ${name}(`,
		file: "table",
		call: new RegExp(`^t\\.${name}\\(`),
		...(place === undefined ? {} : { place }),
	};
}

const SWISS: GrowthFunction[] = [
	{
		name: "internal/runtime/maps.(*Map).growToTable",
		opening: "func (m *Map) growToTable(",
		file: "map",
		// It returns the table since Go 1.26.
		call: /^(tab := )?m\.growToTable\(/,
	},
	ofTable("rehash", "outer"),
	ofTable("grow", "inner"),
	ofTable("split", "inner"),
	// Added in Go 1.25.
	ofTable("pruneTombstones"),
];

/** The map sources of the toolchain at `goroot`. */
export function mapSources(goroot: string): MapSources {
	return existsSync(join(goroot, "src/internal/runtime/maps/table.go"))
		? { swiss: true, room: "src/internal/runtime/maps", functions: SWISS }
		: { swiss: false, room: "src/runtime", functions: CLASSIC };
}
