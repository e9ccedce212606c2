/**
 * The functions of Go's maps: those that are probed, what a call of each means, and the map code around them. Names and
 * signatures: runtime/map*.go (Go 1.15 to 1.25, classic) and internal/runtime/maps (Go 1.24 to 1.27, swiss). With a
 * profile (-pgo) the compiler inlines probed ones, too: copies count with the function that they are copies of.
 */
import type { MapImpl } from "../records/records.ts";

export type { MapImpl };

/** growth: starts one. work: moves entries or makes room for them. iteration: steps through a map. make: makes one. */
export type Tier = "growth" | "work" | "iteration" | "make";

/** What a hit at a site means; the numbers are shared with the BPF program (bpf/gomapgrow.h, enum gmg_role). */
export const ROLE = {
	hashGrow: 1,
	growToTable: 2,
	rehash: 3,
	growWork: 4,
	evacuate: 5,
	grow: 6,
	split: 7,
	pruneTombstones: 8,
	iterStart: 9,
	iterInit: 10,
	iterNext: 11,
	count: 12,
	makeSmall: 13,
	make: 14,
	collect: 15,
} as const;
export type Role = keyof typeof ROLE;

export interface MapFunction {
	/** Full Go name. */
	fn: string;
	impl: MapImpl;
	role: Role;
	tier: Tier;
	/** Frames from this function to the first one outside the map code: 2 when mapassign or mapdelete calls it, 3 one deeper. */
	callerDepth: number;
	/** The only function that calls it, and is probed itself: the time of the one is part of the other's. */
	partOf?: string;
	/**
	 * Its place in the kernel's table of start times (SLOTS of wire.ts is enough for all); absent: its calls are not
	 * timed.
	 */
	slot?: number;
}

const TABLE = "internal/runtime/maps.(*table)";
const ITER = "internal/runtime/maps.(*Iter)";
const REHASH = `${TABLE}.rehash`;

type Row = Pick<MapFunction, "fn" | "role" | "tier" | "callerDepth"> & { partOf?: string };

const CLASSIC: readonly Row[] = [
	{ fn: "runtime.hashGrow", role: "hashGrow", tier: "growth", callerDepth: 2 },
	...["", "_fast32", "_fast64", "_faststr"].flatMap((variant): Row[] => {
		const outer = `runtime.growWork${variant}`;
		return [
			{ fn: outer, role: "growWork", tier: "work", callerDepth: 2 },
			{ fn: `runtime.evacuate${variant}`, role: "evacuate", tier: "work", callerDepth: 3, partOf: outer },
		];
	}),
	// Everything that iterates comes through these, reflection too.
	{ fn: "runtime.mapiterinit", role: "iterStart", tier: "iteration", callerDepth: 1 },
	{ fn: "runtime.mapiternext", role: "iterNext", tier: "iteration", callerDepth: 1 },
];

const SWISS: readonly Row[] = [
	{ fn: "internal/runtime/maps.(*Map).growToTable", role: "growToTable", tier: "growth", callerDepth: 2 },
	{ fn: REHASH, role: "rehash", tier: "growth", callerDepth: 2 },
	{ fn: `${TABLE}.grow`, role: "grow", tier: "work", callerDepth: 3, partOf: REHASH },
	{ fn: `${TABLE}.split`, role: "split", tier: "work", callerDepth: 3, partOf: REHASH },
	{ fn: `${TABLE}.pruneTombstones`, role: "pruneTombstones", tier: "work", callerDepth: 2 },
	{ fn: `${ITER}.Init`, role: "iterInit", tier: "iteration", callerDepth: 2 },
	{ fn: `${ITER}.Next`, role: "iterNext", tier: "iteration", callerDepth: 2 },
	// An iterator's look-up in a table that has grown.
	{ fn: `${ITER}.grownKeyElem`, role: "count", tier: "iteration", callerDepth: 3 },
];

function numbered(impl: MapImpl, rows: readonly Row[]): MapFunction[] {
	let slots = 0;
	return rows.map((row) => ({ ...row, impl, ...(row.tier === "iteration" ? {} : { slot: slots++ }) }));
}

/** All functions that are probed. */
export const MAP_FUNCTIONS: readonly MapFunction[] = [...numbered("classic", CLASSIC), ...numbered("swiss", SWISS)];

/** Marks what is garbage, and is called once for each collection: with it headers begin to be used again. */
const COLLECTION = "runtime.gcMarkTermination";

/**
 * The functions that make maps, which are probed only when makes are watched. The compiler calls makemap_small where no hint is given, or
 * one of up to 8 (cmd/compile/internal/walk/builtin.go, walkMakeMap); swiss maps with other hints, and those of reflect, come
 * through NewMap.
 */
export const MAKE_FUNCTIONS: readonly MapFunction[] = (["classic", "swiss"] as const).flatMap((impl) => [
	{ fn: "runtime.makemap_small", impl, role: "makeSmall", tier: "make", callerDepth: 1 },
	{
		...{ fn: impl === "classic" ? "runtime.makemap" : "internal/runtime/maps.NewMap", impl },
		...{ role: "make", tier: "make", callerDepth: 1 },
	},
	{ fn: COLLECTION, impl, role: "collect", tier: "make", callerDepth: 1 },
]);

const BY_NAME: ReadonlyMap<string, MapFunction> = new Map(MAP_FUNCTIONS.map((each) => [each.fn, each]));

/** The probed function of that name. */
export function mapFunction(fn: string): MapFunction | undefined {
	return BY_NAME.get(fn);
}

/** What map code is there for. growth: it starts one, moves entries, or makes room in place of one. */
export type MapCode = "growth" | "iteration" | "access";

/**
 * The map code around the probed functions, by its sources: runtime/map*.go, internal/runtime/maps, and the wrappers in
 * reflect/value.go and reflect/map*.go; `maps.` is the standard package, whose Copy, Insert and Collect write to the
 * map of their caller.
 */
const AROUND: readonly (readonly [RegExp, MapCode])[] = [
	[/^(runtime|reflect)\.map[iI]ter/, "iteration"],
	[/^internal\/runtime\/maps\.\(\*Iter\)\./, "iteration"],
	[/^reflect\.\(\*(MapIter|hiter)\)\./, "iteration"],
	[/^internal\/runtime\/maps\./, "access"],
	[/^runtime\.(map|makemap|makeBucketArray|moveToBmap|copyKeys|copyValues|advanceEvacuationMark)/, "access"],
	// Nearly always inlined.
	[
		/^runtime\.(bucket(Shift|Mask|Evacuated)|evacuated|tophash|isEmpty|overLoadFactor|tooManyOverflowBuckets)$/,
		"access",
	],
	[/^runtime\.\(\*[hb]map\)\./, "access"],
	[/^reflect\.(map|makemap|MakeMap)/, "access"],
	[/^reflect\.Value\.(SetMapIndex|MapIndex|MapKeys|MapRange|SetIterKey|SetIterValue|Clear)\b/, "access"],
	[/^maps\./, "access"],
];

/** What a function (full Go name) of Go's map implementation or its library wrappers does; undefined for all others. */
export function mapCodeOf(fn: string): MapCode | undefined {
	const known = mapFunction(fn);
	if (known !== undefined) return known.tier === "iteration" ? "iteration" : "growth";
	return AROUND.find(([pattern]) => pattern.test(fn))?.[1];
}

/** Whether a function (full Go name) belongs to Go's map implementation or its library wrappers. */
export function isMapCode(fn: string): boolean {
	return mapCodeOf(fn) !== undefined;
}

/** Whether the function grows maps: those whose growths and work are measured. */
export function isGrowthCode(fn: string): boolean {
	return mapCodeOf(fn) === "growth";
}

/** Whether the function starts a growth: its durations are those of growth records. */
export function startsGrowth(fn: string): boolean {
	return mapFunction(fn)?.tier === "growth";
}

/** Whether the function moves entries of a growing classic map in the time of whoever uses it. */
export function movesEntries(fn: string): boolean {
	return mapFunction(fn)?.role === "growWork";
}

/** The probed function that alone calls this one and does nothing but that; undefined for all others. */
export function outerFunctionOf(fn: string): string | undefined {
	return mapFunction(fn)?.partOf;
}

/** Whether the function's time is part of that of another function that is measured. */
export function isInnerCall(fn: string): boolean {
	return outerFunctionOf(fn) !== undefined;
}

/**
 * Whether its calls are part of another function's that are counted as work, too: adding both up would count work
 * twice.
 */
export function repeatsWork(fn: string): boolean {
	const outer = outerFunctionOf(fn);
	return outer !== undefined && BY_NAME.get(outer)?.tier === "work";
}

/** The function's place in the kernel's table of start times; undefined when its calls cannot be timed. */
export function slotOf(fn: string): number | undefined {
	return mapFunction(fn)?.slot;
}
