/**
 * The functions of the Go runtime that grow maps, and what a call of each means. Names and signatures: runtime/map.go and
 * map_fast*.go (Go 1.15 to 1.23), internal/runtime/maps/{map,table}.go (Go 1.24 to 1.27). With a profile (-pgo) the compiler inlines them.
 */
import type { MapImpl, Role, Tier } from "../plan/probe-plan.ts";

export interface MapFunction {
	fn: string;
	impl: MapImpl;
	role: Role;
	tier: Tier;
	/** Frames from this function to the first one outside the map code: 2 when mapassign or mapdelete calls it, 3 one deeper. */
	callerDepth: number;
}

const TABLE = "internal/runtime/maps.(*table)";

const ITER = "internal/runtime/maps.(*Iter)";

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
	// Everything that iterates comes through these, reflection too. grownKeyElem is an iterator's look-up in a table that has grown.
	{ fn: "runtime.mapiterinit", impl: "classic", role: "iterStart", tier: "iteration", callerDepth: 1 },
	{ fn: "runtime.mapiternext", impl: "classic", role: "iterNext", tier: "iteration", callerDepth: 1 },
	{ fn: `${ITER}.Init`, impl: "swiss", role: "iterInit", tier: "iteration", callerDepth: 2 },
	{ fn: `${ITER}.Next`, impl: "swiss", role: "iterNext", tier: "iteration", callerDepth: 2 },
	{ fn: `${ITER}.grownKeyElem`, impl: "swiss", role: "count", tier: "iteration", callerDepth: 3 },
];

/** The functions whose calls can be measured, each with its place in the kernel's table of start times (SLOTS of wire.ts is enough for all). */
export function slotOf(fn: string): number | undefined {
	const wanted = MAP_FUNCTIONS.find((candidate) => candidate.fn === fn);
	if (wanted === undefined || wanted.tier === "iteration") return undefined;
	return MAP_FUNCTIONS.filter(({ impl, tier }) => impl === wanted.impl && tier !== "iteration").indexOf(wanted);
}

/** Without these a growth cannot be seen; the others exist only when the program needs them (dead code elimination, Go version). */
export const REQUIRED: Record<MapImpl, readonly string[]> = {
	classic: ["runtime.hashGrow"],
	swiss: [`${TABLE}.rehash`, "internal/runtime/maps.(*Map).growToTable"],
};
