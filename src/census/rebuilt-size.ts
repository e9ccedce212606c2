/** What a map would take if it were made anew, with make(map[K]V, n), for the entries that it has. */

import type { MapShape, Shapes } from "./shapes.ts";
import type { SizeClasses } from "./size-classes.ts";

const SLOTS = 8;
const MAX_TABLE = 1024;

/**
 * runtime/map.go, makemap: the smallest power of two of buckets that holds them below the load factor (6.0 in 1.21
 * only: golang/go#63438).
 */
export function classicLog2(entries: number, minor: number): number {
	const load = minor === 21 ? 6 : 6.5;
	let log2 = 0;
	while (entries > SLOTS && entries > load * 2 ** log2) log2++;
	return log2;
}

/** Bytes with the header, for entries of a shape. */
export function rebuiltBytes(
	shapes: Shapes,
	classes: SizeClasses,
	shape: MapShape,
	entries: number,
	headerBytes: number,
	minor: number,
): number {
	const header = classes.objectSize(headerBytes, false);
	if (shapes.impl === "classic") return header + shapes.arrayBytes(shape, classicLog2(entries, minor), true);
	if (entries <= SLOTS) return header + shapes.arrayBytes(shape, 0, false);
	// maps/map.go, NewMap: tables of at most 1,024 slots, filled to 7/8.
	const slots = Math.ceil((entries * SLOTS) / 7);
	const tables = 2 ** Math.ceil(Math.log2(Math.ceil(slots / MAX_TABLE)));
	const perTable = Math.max(SLOTS, 2 ** Math.ceil(Math.log2(Math.ceil(slots / tables))));
	const table = classes.objectSize(32, false) + shapes.arrayBytes(shape, Math.log2(perTable / SLOTS), false);
	return header + classes.objectSize(tables * 8, false) + tables * table;
}
