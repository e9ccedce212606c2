/** Whether the details of a growth can be read from memory: which goroutine, which kind, how big. */
import { cgoGap } from "../gobin/cgo/cgo-frames.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import type { GLayout, MLayout, StructLayouts } from "../gobin/layouts/struct-layouts.ts";
import type { MapImpl } from "../gomap/functions.ts";
import { COPIED_FIELDS } from "../gomap/header.ts";
import type { GoroutineOffsets } from "./probe-plan.ts";

const STRUCTS: Record<MapImpl, readonly (keyof typeof COPIED_FIELDS & keyof StructLayouts)[]> = {
	classic: ["hmap"],
	swiss: ["swissMap", "swissTable"],
};

export interface GrowthDetails {
	/** Absent when `missing`. */
	goroutine?: GoroutineOffsets;
	/** Why growths can only be counted; absent when everything about them can be read. */
	missing?: string;
}

/**
 * Without DWARF the offset of goid is taken from the program's machine code rather than from the table: a runtime that someone has
 * changed calls itself the same release. The other fields of the table are trusted only when both say the same.
 */
export function growthDetails(binary: GoBinary, impl: MapImpl): GrowthDetails {
	const { basis, goidInCode, version } = binary;
	const { kind, structs: layouts } = basis;
	const { g, m } = layouts;
	const goid = kind === "dwarf" && g !== undefined ? g.goid : (goidInCode ?? g?.goid);
	const differs = STRUCTS[impl].some((struct) => !matches(layouts[struct], COPIED_FIELDS[struct]));
	if (!differs && goid !== undefined) {
		const gap = cgoGap(binary);
		const known = g?.goid === goid ? origin(g, m) : {};
		return { goroutine: { goid, ...known, ...(gap === undefined ? {} : { cgoGap: gap }) } };
	}
	const unknown = goid === undefined || STRUCTS[impl].some((struct) => layouts[struct] === undefined);
	const subject = version.candidates === undefined ? version.raw : "this program";
	const why = unknown
		? `nothing says how ${subject} lays out goroutines and maps`
		: `${subject} lays out its maps in a new way`;
	return { missing: `growths are counted, but without goroutine, kind and size: ${why}` };
}

/** Where a goroutine came from; m.g0 and g.m are where the kernel programs expect them in all releases. */
function origin(g: GLayout, m: MLayout | undefined): Omit<GoroutineOffsets, "goid"> {
	return {
		gopc: g.gopc,
		startpc: g.startpc,
		...(g.parentGoid === undefined ? {} : { parentGoid: g.parentGoid }),
		...(m === undefined || m.g0 !== 0 || g.m !== 48 ? {} : { curg: m.curg }),
	};
}

function matches(layout: object | undefined, wanted: Readonly<Record<string, number>>): boolean {
	const found = new Map(Object.entries(layout ?? {}));
	return Object.entries(wanted).every(([field, offset]) => found.get(field) === offset);
}
