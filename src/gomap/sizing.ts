/**
 * How many bytes the parts of a map take: the bucket array of a classic map (runtime/map.go, makeBucketArray), groups,
 * tables and directory of a swiss one (internal/runtime/maps), and what the allocator makes of a size
 * (runtime/msize.go, sizeclasses.go).
 */

/** Slots of one bucket (classic) and of one group (swiss). */
export const BUCKET_SLOTS = 8;
export const GROUP_SLOTS = 8;
/** maps.maxTableCapacity: a swiss table that would get more slots is split. */
export const MAX_TABLE_CAPACITY = 1024;
/** maps.maxAvgGroupLoad: of the eight slots of a group. */
const MAX_AVG_GROUP_LOAD = 7;
/** sizeof(maps.table) and of an entry of the directory, which points to one. */
const TABLE_BYTES = 32;
const DIRECTORY_ENTRY_BYTES = 8;

/** What of a map type decides about its size. */
export interface MapStorage {
	/** Bytes of one bucket (classic) or one group (swiss). */
	bytes: number;
	/** Whether keys or elements have pointers. */
	pointers: boolean;
}

/**
 * Numerator of the load factor with denominator 2: 13 (6.5), but 12 in Go 1.21, where an integer division rounds it
 * down (runtime/map.go:73 of Go 1.21, golang/go#63438).
 */
export function loadFactorNumerator(goMinor: number): number {
	return goMinor === 21 ? 12 : 13;
}

/** The most entries that 2^b buckets take before the map doubles (runtime/map.go, overLoadFactor). */
export function bucketRoom(b: number, goMinor: number): number {
	return Math.max(BUCKET_SLOTS, loadFactorNumerator(goMinor) * Math.floor(2 ** b / 2));
}

/**
 * The most entries, deleted ones included, that a swiss table takes (maps/table.go, maxGrowthLeft): one of one group
 * keeps a slot empty.
 */
export function tableRoom(capacity: number): number {
	return capacity <= GROUP_SLOTS ? capacity - 1 : (capacity * MAX_AVG_GROUP_LOAD) / GROUP_SLOTS;
}

/** Buckets that are asked for when there are to be 2^b: from b = 4 on, 1/16 more as overflow buckets. */
export function bucketsWanted(b: number): number {
	return 2 ** b + (b >= 4 ? 2 ** (b - 4) : 0);
}

/** Groups of so many slots. */
export function groupsOf(slots: number): number {
	return slots / GROUP_SLOTS;
}

const PAGE = 8192;
const MAX_SMALL = 32_768;
/** Objects with pointers above this size have a header of so many bytes since Go 1.22. */
const MAX_WITHOUT_HEADER = 512;
const HEADER = 8;

/** runtime/sizeclasses.go, Go 1.16 to 1.27; 1.15 has no class of 24 bytes. */
const SIZE_CLASSES: readonly number[] = [
	...[
		8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480,
	],
	...[512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096, 4864],
	...[5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480],
	...[21760, 24576, 27264, 28672, MAX_SMALL],
];

/** The size classes of a release, ascending. */
export function sizeClasses(goMinor: number): readonly number[] {
	return goMinor < 16 ? SIZE_CLASSES.filter((size) => size !== 24) : SIZE_CLASSES;
}

function headerOf(size: number, pointers: boolean, goMinor: number): number {
	return goMinor >= 22 && pointers && size > MAX_WITHOUT_HEADER && size <= MAX_SMALL - HEADER ? HEADER : 0;
}

/** Bytes of the heap that an allocation takes: its size class, or whole pages. `size`: 0 to 2^52. */
export function allocatedBytes(size: number, pointers: boolean, goMinor: number): number {
	if (size === 0) return 0;
	const wanted = size + headerOf(size, pointers, goMinor);
	// From Go 1.22 on what leaves no room for a header is a large object, with pointers or not.
	const large = goMinor >= 22 ? size > MAX_SMALL - HEADER : size > MAX_SMALL;
	const fit = large ? undefined : sizeClasses(goMinor).find((each) => each >= wanted);
	return fit ?? Math.ceil(size / PAGE) * PAGE;
}

/**
 * A new array of 2^b buckets: how many there are, the preallocated overflow buckets included, and the bytes of the
 * heap.
 */
export function bucketArray(b: number, storage: MapStorage, goMinor: number): { buckets: number; bytes: number } {
	const { bytes, pointers } = storage;
	const size = bucketsWanted(b) * bytes;
	const allocated = allocatedBytes(size, pointers, goMinor);
	// What is left of the size class becomes overflow buckets, too.
	const usable = allocated - headerOf(size, pointers, goMinor);
	const buckets = b >= 4 && bytes > 0 ? Math.floor(usable / bytes) : bucketsWanted(b);
	return { buckets, bytes: allocatedBytes(buckets * bytes, pointers, goMinor) };
}

/** Bytes of the heap that a swiss table of so many slots takes, with its groups. */
export function tableBytes(capacity: number, storage: MapStorage, goMinor: number): number {
	return TABLE_BYTES + groupsBytes(capacity, storage, goMinor);
}

/** Bytes of the heap that the groups of so many slots take: all that a map without a table has. */
export function groupsBytes(slots: number, { bytes, pointers }: MapStorage, goMinor: number): number {
	return allocatedBytes(groupsOf(slots) * bytes, pointers, goMinor);
}

/** Bytes of the heap that a directory of so many entries takes. */
export function directoryBytes(entries: number, goMinor: number): number {
	return allocatedBytes(DIRECTORY_ENTRY_BYTES * entries, true, goMinor);
}
