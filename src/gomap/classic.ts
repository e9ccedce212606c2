/**
 * What a classic map (runtime/map.go, Go <= 1.23 and noswissmap) is about to do when hashGrow is entered, from the
 * bytes of its hmap.
 */
import { COPIED_FIELDS, FLAG, readClassicHeader, seedText } from "./header.ts";
import { BUCKET_SLOTS, bucketRoom, bucketsWanted } from "./sizing.ts";

export interface ClassicGrowth {
	kind: "double" | "same-size";
	cause: "load" | "overflow";
	count: number;
	/** Slots before and after: 8 per bucket. */
	capacityBefore: number;
	capacityAfter: number;
	/** Bytes of the new bucket array with its preallocated overflow buckets, before size-class rounding. */
	bytes: number | undefined;
	/** log2 of the number of buckets. */
	bBefore: number;
	bAfter: number;
	/** Overflow buckets in use; an estimate when there are 65,536 buckets or more (runtime/map.go, incrnoverflow). */
	overflowBuckets: number;
	/** Entries that will be copied, step by step. */
	moved: number;
	iterating: boolean;
	/** hmap.hash0: random per map, survives a move of the header. */
	seed: string;
}

/**
 * Reads the growth from the first 16 bytes of the hmap as they were at hashGrow's entry. `bucketBytes`: size of one bucket of the
 * map type, when known. Undefined when the header cannot be one: memory was torn or reused.
 */
export function classicGrowth(bytes: DataView, goMinor: number, bucketBytes?: number): ClassicGrowth | undefined {
	const header = readClassicHeader(bytes, COPIED_FIELDS.hmap);
	if (header === undefined) return undefined;
	const { count, flags, b, overflowBuckets, seed } = header;
	// runtime/map.go, mapassign: the entry that is added does not fit any more.
	const bigger = count + 1 > bucketRoom(b, goMinor);
	const after = bigger ? b + 1 : b;
	return {
		kind: bigger ? "double" : "same-size",
		cause: bigger ? "load" : "overflow",
		count,
		capacityBefore: BUCKET_SLOTS * 2 ** b,
		capacityAfter: BUCKET_SLOTS * 2 ** after,
		bytes: bucketBytes === undefined ? undefined : bucketsWanted(after) * bucketBytes,
		bBefore: b,
		bAfter: after,
		overflowBuckets,
		moved: count,
		iterating: (flags & FLAG.iterator) !== 0,
		seed: seedText("classic", seed),
	};
}
