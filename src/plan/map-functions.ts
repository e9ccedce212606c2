/**
 * The functions of the Go runtime that grow maps, and what a call of each means. Names and signatures: runtime/map.go and
 * map_fast*.go (Go 1.15 to 1.23), internal/runtime/maps/{map,table}.go (Go 1.24 to 1.27). None of them is ever inlined.
 */
import type { MapImpl, Role, Tier } from "./probe-plan.ts";

export interface MapFunction {
	fn: string;
	impl: MapImpl;
	role: Role;
	tier: Tier;
	/** Frames from this function to the first one outside the map code: 2 when mapassign or mapdelete calls it, 3 one deeper. */
	callerDepth: number;
}

const TABLE = "internal/runtime/maps.(*table)";

const KEY_VARIANTS = ["", "_fast32", "_fast64", "_faststr"];

export const MAP_FUNCTIONS: readonly MapFunction[] = [
	{ fn: "runtime.hashGrow", impl: "classic", role: "hashGrow", tier: "growth", callerDepth: 2 },
	...KEY_VARIANTS.flatMap((variant): MapFunction[] => [
		{ fn: `runtime.growWork${variant}`, impl: "classic", role: "growWork", tier: "work", callerDepth: 2 },
		{ fn: `runtime.evacuate${variant}`, impl: "classic", role: "evacuate", tier: "work", callerDepth: 3 },
	]),
	{
		fn: "internal/runtime/maps.(*Map).growToTable",
		impl: "swiss",
		role: "growToTable",
		tier: "growth",
		callerDepth: 2,
	},
	{ fn: `${TABLE}.rehash`, impl: "swiss", role: "rehash", tier: "growth", callerDepth: 2 },
	{ fn: `${TABLE}.grow`, impl: "swiss", role: "grow", tier: "work", callerDepth: 3 },
	{ fn: `${TABLE}.split`, impl: "swiss", role: "split", tier: "work", callerDepth: 3 },
	{ fn: `${TABLE}.pruneTombstones`, impl: "swiss", role: "pruneTombstones", tier: "work", callerDepth: 2 },
];

/** Without these a growth cannot be seen; the others exist only when the program needs them (dead code elimination, Go version). */
export const REQUIRED: Record<MapImpl, readonly string[]> = {
	classic: ["runtime.hashGrow"],
	swiss: [`${TABLE}.rehash`, "internal/runtime/maps.(*Map).growToTable"],
};
