/**
 * Growths as the kernel programs count them (bpf/rows.h): by the size of what grows and a few flags, from which follows everything that totals need, without a record of
 * each growth.
 */
import type { GrowthCause, GrowthKind } from "../records/records.ts";

/** Bits of a shape; bpf/gomapgrow.h, GMG_SHAPE_…. */
const SIZE = 0xff;
const SAME_SIZE = 0x100;
const ITERATING = 0x200;
const UNREADABLE = 0x400;

const BUCKET_SLOTS = 8;
const MAX_TABLE_SLOTS = 1024; // maps.maxTableCapacity

/** The functions that begin a growth. */
export type GrowthRole = "hashGrow" | "growToTable" | "rehash";

export interface GrowthShape {
	kind: GrowthKind;
	cause: GrowthCause;
	/** Slots of what grows: the whole map (classic, small-to-table) or the one table (swiss). */
	capacityBefore: number;
	capacityAfter: number;
	/** Units of the type's storage that are allocated: buckets with their overflow buckets in advance (classic), groups (swiss). */
	units: number;
	/** Classic: an iterator may be active. */
	iterating?: boolean;
}

/** Undefined for a map that could not be read. */
export function growthShape(role: GrowthRole, shape: number): GrowthShape | undefined {
	if ((shape & UNREADABLE) !== 0) return undefined;
	const size = shape & SIZE;
	const same = (shape & SAME_SIZE) !== 0;
	switch (role) {
		case "hashGrow": {
			const after = same ? size : size + 1;
			return {
				kind: same ? "same-size" : "double",
				cause: same ? "overflow" : "load",
				capacityBefore: BUCKET_SLOTS * 2 ** size,
				capacityAfter: BUCKET_SLOTS * 2 ** after,
				// runtime/map.go, makeBucketArray: from 16 buckets on 1/16 more.
				units: 2 ** after + (after >= 4 ? 2 ** (after - 4) : 0),
				iterating: (shape & ITERATING) !== 0,
			};
		}
		case "growToTable":
			return {
				...{ kind: "small-to-table", cause: "load", capacityBefore: BUCKET_SLOTS, capacityAfter: 2 * BUCKET_SLOTS },
				units: 2,
			};
		case "rehash": {
			const slots = 2 ** size;
			const split = 2 * slots > MAX_TABLE_SLOTS;
			return {
				kind: split ? "split" : "table-double",
				cause: same ? "tombstones" : "load",
				capacityBefore: slots,
				capacityAfter: split ? 2 * MAX_TABLE_SLOTS : 2 * slots,
				units: (2 * slots) / BUCKET_SLOTS,
			};
		}
	}
}
