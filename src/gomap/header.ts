/**
 * Reads the headers of Go's maps from bytes, with the layout given: runtime.hmap (classic), internal/runtime/maps.Map
 * and table (swiss). The bytes may be anything: of a map that is being written to, of memory that is used for something
 * else, or too few. The short forms are what a probe copies of a map that is one for sure; the long ones refuse
 * whatever no map can have.
 */
import type { MapImpl } from "../records/records.ts";
import { BUCKET_SLOTS, GROUP_SLOTS, groupsOf, MAX_TABLE_CAPACITY, tableRoom } from "./sizing.ts";

/** Offsets of the fields that a probe copies, in bytes; they have been at these in all releases (Go 1.15 to 1.27). */
export const COPIED_FIELDS = {
	hmap: { count: 0, flags: 8, B: 9, noverflow: 10, hash0: 12 },
	swissMap: { used: 0, seed: 8, dirLen: 24, globalDepth: 32 },
	swissTable: { used: 0, capacity: 2, localDepth: 6 },
} as const;

type Layout<Field extends string> = Readonly<Record<Field, number>>;

/** Offsets in runtime.hmap. */
export type ClassicHeaderLayout = Layout<keyof typeof COPIED_FIELDS.hmap>;
export type ClassicMapLayout = Layout<
	keyof typeof COPIED_FIELDS.hmap | "buckets" | "oldbuckets" | "nevacuate" | "extra"
>;
/** Offsets in internal/runtime/maps.Map. */
export type SwissHeaderLayout = Layout<keyof typeof COPIED_FIELDS.swissMap>;
export type SwissMapLayout = Layout<
	keyof typeof COPIED_FIELDS.swissMap | "dirPtr" | "globalShift" | "writing" | "clearSeq"
>;
/** Offsets in internal/runtime/maps.table. */
export type TableHeaderLayout = Layout<keyof typeof COPIED_FIELDS.swissTable>;
export type TableLayout = Layout<
	keyof typeof COPIED_FIELDS.swissTable | "growthLeft" | "index" | "groupsData" | "groupsLengthMask"
>;

/** hmap.flags (runtime/map.go). */
export const FLAG = { iterator: 1, oldIterator: 2, hashWriting: 4, sameSizeGrow: 8 } as const;
const ALL_FLAGS = 15;

export interface ClassicHeader {
	/** Entries. */
	count: number;
	flags: number;
	/** log2 of the number of buckets. */
	b: number;
	/** Overflow buckets in use; an estimate when there are 65,536 buckets or more (runtime/map.go, incrnoverflow). */
	overflowBuckets: number;
	/** Random per map. */
	seed: number;
}

export interface ClassicMap extends ClassicHeader {
	/** Address of the bucket array; 0: none has been made yet. */
	buckets: number;
	/** Address of the array whose entries are still being moved; 0: no growth is under way. */
	oldBuckets: number;
	/** Old buckets below this one have been moved. */
	evacuated: number;
	/** Address of runtime.mapextra (overflow buckets of maps without pointers); 0: none. */
	extra: number;
}

export interface SwissHeader {
	/** Entries. */
	used: number;
	/** Random per map. */
	seed: bigint;
	/** Entries of the directory, 2^globalDepth; 0: the map is one group without a table. */
	directoryLength: number;
	globalDepth: number;
}

export interface SwissMap extends SwissHeader {
	/** Address of the directory, or of the one group; 0: none has been made yet. */
	directory: number;
	/** Somebody writes to the map. */
	writing: boolean;
	/** How often the map has been cleared; wraps around. */
	clearSequence: number;
}

export interface TableHeader {
	/** Entries. */
	used: number;
	/** Slots. */
	capacity: number;
	localDepth: number;
}

export interface SwissTable extends TableHeader {
	/** Slots that can still be filled before the next rehash. */
	growthLeft: number;
	/** Slots of deleted entries that are not free yet (maps/table.go, tombstones). */
	tombstones: number;
	/** First entry of the directory that leads to the table; -1: it has been replaced. */
	index: number;
	/** Address of the groups. */
	groups: number;
}

/** No map has as many buckets or directory entries as 2 to this: addresses of processes have 47 bits. */
const MAX_B = 47;
const MAX_DEPTH = 31;
const MAX_ADDRESS = 2 ** 47;

/** How a seed is told: "0x" and all its digits. */
export function seedText(impl: MapImpl, seed: number | bigint): string {
	return `0x${seed.toString(16).padStart(impl === "classic" ? 8 : 16, "0")}`;
}

/** Of unsigned 64 bits; undefined above 2^53, which nothing in a map reaches. */
function u64(bytes: DataView, at: number): number | undefined {
	const value = bytes.getUint32(at, true) + bytes.getUint32(at + 4, true) * 2 ** 32;
	return Number.isSafeInteger(value) ? value : undefined;
}

/** The address at `at`, 0 or a multiple of 8 in the program's half; undefined for anything else. */
function address(bytes: DataView, at: number): number | undefined {
	const value = u64(bytes, at);
	return value !== undefined && value < MAX_ADDRESS && value % 8 === 0 ? value : undefined;
}

/** Whether the bytes from `at` on have all fields, of which these are the ends. */
function has(bytes: DataView, at: number, ends: number): boolean {
	return at >= 0 && at + ends <= bytes.byteLength;
}

/** The hmap at `at`; undefined when it cannot be one: torn memory, or memory that was used again. */
export function readClassicHeader(bytes: DataView, layout: ClassicHeaderLayout, at = 0): ClassicHeader | undefined {
	const { count: countAt, flags, B, noverflow, hash0 } = layout;
	if (!has(bytes, at, Math.max(countAt + 8, flags + 1, B + 1, noverflow + 2, hash0 + 4))) return undefined;
	const count = u64(bytes, at + countAt);
	const b = bytes.getUint8(at + B);
	if (count === undefined || b > MAX_B) return undefined;
	return {
		count,
		flags: bytes.getUint8(at + flags),
		b,
		overflowBuckets: bytes.getUint16(at + noverflow, true),
		seed: bytes.getUint32(at + hash0, true),
	};
}

/**
 * All of the hmap at `at`; undefined for what no hmap can be. Maps are fuller than their load factor allows while they
 * grow to the same size, and clones of those stay so (golang/go#69110): 7.5 entries for each bucket.
 */
export function readClassicMap(bytes: DataView, layout: ClassicMapLayout, at = 0): ClassicMap | undefined {
	const header = readClassicHeader(bytes, layout, at);
	if (header === undefined) return undefined;
	const { buckets: bucketsAt, oldbuckets, nevacuate, extra: extraAt } = layout;
	if (!has(bytes, at, 8 + Math.max(bucketsAt, oldbuckets, nevacuate, extraAt))) return undefined;
	const { count, flags, b } = header;
	const buckets = address(bytes, at + bucketsAt);
	const oldBuckets = address(bytes, at + oldbuckets);
	const evacuated = u64(bytes, at + nevacuate);
	const extra = address(bytes, at + extraAt);
	if (buckets === undefined || oldBuckets === undefined || evacuated === undefined || extra === undefined)
		return undefined;
	if (flags > ALL_FLAGS || count > Math.max(BUCKET_SLOTS, 7.5 * 2 ** b + 1) || evacuated > 2 ** b) return undefined;
	if (buckets === 0 && (count > 0 || oldBuckets !== 0)) return undefined;
	return { ...header, buckets, oldBuckets, evacuated, extra };
}

/** The Map at `at`; undefined when it cannot be one. */
export function readSwissHeader(bytes: DataView, layout: SwissHeaderLayout, at = 0): SwissHeader | undefined {
	const { used: usedAt, seed, dirLen, globalDepth: depthAt } = layout;
	if (!has(bytes, at, Math.max(usedAt + 8, seed + 8, dirLen + 8, depthAt + 1))) return undefined;
	const used = u64(bytes, at + usedAt);
	const directoryLength = u64(bytes, at + dirLen);
	const globalDepth = bytes.getUint8(at + depthAt);
	if (used === undefined || directoryLength === undefined || globalDepth > MAX_DEPTH) return undefined;
	if (directoryLength === 0 ? globalDepth !== 0 : directoryLength !== 2 ** globalDepth) return undefined;
	return { used, seed: bytes.getBigUint64(at + seed, true), directoryLength, globalDepth };
}

/** All of the Map at `at`; undefined for what no Map can be. */
export function readSwissMap(bytes: DataView, layout: SwissMapLayout, at = 0): SwissMap | undefined {
	const header = readSwissHeader(bytes, layout, at);
	if (header === undefined) return undefined;
	const { dirPtr, globalShift, writing: writingAt, clearSeq } = layout;
	if (!has(bytes, at, Math.max(dirPtr + 8, globalShift + 1, writingAt + 1, clearSeq + 8))) return undefined;
	const { used, directoryLength, globalDepth } = header;
	const directory = address(bytes, at + dirPtr);
	const writing = bytes.getUint8(at + writingAt);
	if (directory === undefined || writing > 1) return undefined;
	if (directory === 0 && (used > 0 || directoryLength > 0)) return undefined;
	if (used > (directoryLength === 0 ? GROUP_SLOTS : directoryLength * tableRoom(MAX_TABLE_CAPACITY))) return undefined;
	// maps/map.go, depthToShift.
	if (directoryLength > 0 && bytes.getUint8(at + globalShift) !== 64 - globalDepth) return undefined;
	return {
		...header,
		directory,
		writing: writing === 1,
		clearSequence: Number(bytes.getBigUint64(at + clearSeq, true)),
	};
}

/** The table at `at`; undefined when it cannot be one. */
export function readTableHeader(bytes: DataView, layout: TableHeaderLayout, at = 0): TableHeader | undefined {
	const { used: usedAt, capacity: capacityAt, localDepth } = layout;
	if (!has(bytes, at, Math.max(usedAt + 2, capacityAt + 2, localDepth + 1))) return undefined;
	const used = bytes.getUint16(at + usedAt, true);
	const capacity = bytes.getUint16(at + capacityAt, true);
	if (capacity < GROUP_SLOTS || capacity > MAX_TABLE_CAPACITY || (capacity & (capacity - 1)) !== 0) return undefined;
	if (used > capacity) return undefined;
	return { used, capacity, localDepth: bytes.getUint8(at + localDepth) };
}

/** All of the table at `at`; undefined for what no table can be. */
export function readTable(bytes: DataView, layout: TableLayout, at = 0): SwissTable | undefined {
	const header = readTableHeader(bytes, layout, at);
	if (header === undefined) return undefined;
	const { growthLeft: leftAt, index: indexAt, groupsData, groupsLengthMask } = layout;
	if (!has(bytes, at, Math.max(leftAt + 2, indexAt + 8, groupsData + 8, groupsLengthMask + 8))) return undefined;
	const { used, capacity, localDepth } = header;
	const growthLeft = bytes.getUint16(at + leftAt, true);
	const tombstones = tableRoom(capacity) - used - growthLeft;
	const index = Number(bytes.getBigInt64(at + indexAt, true));
	const groups = address(bytes, at + groupsData);
	const mask = u64(bytes, at + groupsLengthMask);
	if (groups === undefined || groups === 0 || mask !== groupsOf(capacity) - 1) return undefined;
	if (tombstones < 0 || localDepth > MAX_DEPTH || index < -1 || index >= 2 ** MAX_DEPTH) return undefined;
	return { ...header, growthLeft, tombstones, index, groups };
}
