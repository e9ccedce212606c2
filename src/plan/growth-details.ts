/** Whether the details of a growth can be read from memory: which goroutine, which kind, how big. */
import type { GoBinary } from "../gobin/go-binary.ts";
import type { StructLayouts } from "../gobin/struct-layouts.ts";
import type { MapImpl } from "./probe-plan.ts";

/** The fields that classic-growth.ts and swiss-growth.ts read; they have been at these offsets in all releases. */
export const DECODED_FIELDS = {
	hmap: { count: 0, flags: 8, B: 9, hash0: 12 },
	swissMap: { used: 0, seed: 8 },
	swissTable: { used: 0, capacity: 2 },
} as const satisfies Partial<Record<keyof StructLayouts, Record<string, number>>>;

const STRUCTS: Record<MapImpl, readonly (keyof typeof DECODED_FIELDS)[]> = {
	classic: ["hmap"],
	swiss: ["swissMap", "swissTable"],
};

export interface GrowthDetails {
	/** Bytes; 0 when `missing`. */
	goidOffset: number;
	/** Why growths can only be counted; absent when everything about them can be read. */
	missing?: string;
}

/**
 * Without DWARF the offset of goid is taken from the program's machine code rather than from the table: a runtime that someone has
 * changed calls itself the same release.
 */
export function growthDetails({ basis, goidInCode, version }: GoBinary, impl: MapImpl): GrowthDetails {
	const { kind, structs: layouts } = basis;
	const goidOffset = kind === "dwarf" && layouts.g !== undefined ? layouts.g.goid : (goidInCode ?? layouts.g?.goid);
	const differs = STRUCTS[impl].some((struct) => !matches(layouts[struct], DECODED_FIELDS[struct]));
	if (!differs && goidOffset !== undefined) return { goidOffset };
	const unknown = goidOffset === undefined || STRUCTS[impl].some((struct) => layouts[struct] === undefined);
	const why = unknown
		? `nothing says how ${version.raw} lays out goroutines and maps`
		: `${version.raw} lays out its maps in a new way`;
	return { goidOffset: 0, missing: `growths are counted, but without goroutine, kind and size: ${why}` };
}

function matches(layout: object | undefined, wanted: Readonly<Record<string, number>>): boolean {
	const found = new Map(Object.entries(layout ?? {}));
	return Object.entries(wanted).every(([field, offset]) => found.get(field) === offset);
}
