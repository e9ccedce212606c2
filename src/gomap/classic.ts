/**
 * What a classic map (runtime/map.go, Go <= 1.23 and noswissmap) is about to do when hashGrow is entered, from the bytes of its hmap.
 * Layout of hmap, the same in Go 1.15 to 1.25: count @0, flags @8, B @9, noverflow @10, hash0 @12.
 */

const BUCKET_SLOTS = 8;
const ITERATOR = 1; // hmap.flags: there may be an iterator using buckets

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
 * Numerator of the load factor with denominator 2: 13 (6.5), but 12 in Go 1.21, where an integer division rounds it down
 * (runtime/map.go:73 of Go 1.21, golang/go#63438).
 */
export function loadFactorNumerator(goMinor: number): number {
	return goMinor === 21 ? 12 : 13;
}

/** runtime/map.go overLoadFactor(count, B). */
function overLoadFactor(count: number, b: number, numerator: number): boolean {
	return count > BUCKET_SLOTS && count > numerator * Math.floor(2 ** b / 2);
}

/** Buckets of makeBucketArray(B): from B = 4 on, 1/16 more are allocated as overflow buckets. */
function bucketsAllocated(b: number): number {
	return 2 ** b + (b >= 4 ? 2 ** (b - 4) : 0);
}

/**
 * Reads the growth from the first 16 bytes of the hmap as they were at hashGrow's entry. `bucketBytes`: size of one bucket of the
 * map type, when known. Undefined when the header cannot be one (B is above 63: memory was torn or reused).
 */
export function classicGrowth(header: DataView, goMinor: number, bucketBytes?: number): ClassicGrowth | undefined {
	const count = header.getUint32(0, true) + header.getUint32(4, true) * 2 ** 32;
	const flags = header.getUint8(8);
	const b = header.getUint8(9);
	if (b > 47 || count > Number.MAX_SAFE_INTEGER) return undefined;
	const bigger = overLoadFactor(count + 1, b, loadFactorNumerator(goMinor));
	const after = bigger ? b + 1 : b;
	return {
		kind: bigger ? "double" : "same-size",
		cause: bigger ? "load" : "overflow",
		count,
		capacityBefore: BUCKET_SLOTS * 2 ** b,
		capacityAfter: BUCKET_SLOTS * 2 ** after,
		bytes: bucketBytes === undefined ? undefined : bucketsAllocated(after) * bucketBytes,
		bBefore: b,
		bAfter: after,
		overflowBuckets: header.getUint16(10, true),
		moved: count,
		iterating: (flags & ITERATOR) !== 0,
		seed: `0x${header.getUint32(12, true).toString(16).padStart(8, "0")}`,
	};
}
