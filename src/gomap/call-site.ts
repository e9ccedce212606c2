import type { Frame } from "../records/records.ts";

/**
 * Functions that are Go's map code, not the place that uses a map. Names are from src/runtime/map*.go (Go 1.15 to 1.25,
 * classic), src/internal/runtime/maps (Go >= 1.24) and src/reflect/value.go, map*.go; `maps.` is the standard package,
 * whose Copy, Insert and Collect write to the map of their caller.
 */
const MAP_CODE: readonly RegExp[] = [
	/^runtime\.(map|growWork|evacuate|hashGrow|advanceEvacuationMark)/,
	/^runtime\.(makemap|makeBucketArray|moveToBmap|copyKeys|copyValues)/,
	/^runtime\.\(\*[hb]map\)\./,
	/^internal\/runtime\/maps\./,
	/^reflect\.map/,
	/^reflect\.Value\.(SetMapIndex|MapIndex|MapKeys|MapRange|SetIterKey|SetIterValue|Clear)\b/,
	/^reflect\.\(\*(MapIter|hiter)\)\./,
	/^maps\./,
];

/** Whether a function (full Go name) belongs to Go's own map implementation or its library wrappers. */
export function isMapCode(fn: string): boolean {
	return MAP_CODE.some((pattern) => pattern.test(fn));
}

/** Equal stacks of a live run are one array, so most growths come from a known one. */
const sites = new WeakMap<readonly Frame[], Frame>();

/**
 * The frame that used the map: the first one of the stack (innermost first) outside Go's map code. When all frames are
 * map code the outermost one; undefined for an empty stack.
 */
export function callSite(stack: readonly Frame[]): Frame | undefined {
	const known = sites.get(stack);
	if (known !== undefined) return known;
	const site = stack.find((frame) => !isMapCode(frame.fn)) ?? stack.at(-1);
	if (site !== undefined) sites.set(stack, site);
	return site;
}
