/**
 * How many calls of the work tier follow a growth, by how the runtime is written. It bounds what was not counted where the probes slow the program down so much that what
 * is seen in windows says little.
 */
import type { MapImpl, Role } from "./functions.ts";

/** Calls for each unit of a growth: an old bucket of a classic map, a rehash of a swiss one. */
export interface PromisedCalls {
	low: number;
	likely: number;
	high: number;
}

/**
 * growWork moves the bucket of the key that is written, if it still is an old one, and then the next old one (runtime/map.go): one or two of N buckets a call. With
 * keys that fall into all buckets alike the moved share m follows dm/dt = (2 − m)/N, so that all are moved after N·ln 2 calls; it takes N when always the same
 * keys are written, and N/2 when no key's bucket has been moved before. Each of these calls calls evacuate twice. A map that is dropped while it grows
 * does less: the bound is for programs most of whose maps are filled further.
 */
const PER_BUCKET: Partial<Record<Role, PromisedCalls>> = {
	growWork: { low: 1 / 2, likely: Math.LN2, high: 1 },
	evacuate: { low: 1, likely: 2 * Math.LN2, high: 2 },
};

/** rehash calls one of the two (maps/table.go): which is the kind of the growth. */
const PER_REHASH: PromisedCalls = { low: 1, likely: 1, high: 1 };

/** The part of a growth that promises work. */
export interface Growing {
	kind: string;
	/** Classic: log2 of the number of buckets before. */
	b_before?: number;
}

/** What one growth promises for the functions with this role; undefined when nothing can be said. */
export function promisedCalls(impl: MapImpl, role: Role, { kind, b_before }: Growing): PromisedCalls | undefined {
	if (impl === "swiss") {
		if (role === "grow") return kind === "table-double" ? PER_REHASH : undefined;
		if (role === "split") return kind === "split" ? PER_REHASH : undefined;
		return undefined;
	}
	const each = PER_BUCKET[role];
	if (each === undefined || b_before === undefined) return undefined;
	const buckets = 2 ** b_before;
	return { low: each.low * buckets, likely: each.likely * buckets, high: each.high * buckets };
}
