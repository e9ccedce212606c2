/**
 * How large the parts of a map are: the bucket array of a classic map (runtime/map.go, makeBucketArray), groups,
 * tables and directory of a swiss one (internal/runtime/maps), and what of them make(map[K]V, n) makes.
 */
import type { MapImpl } from "../records/records.ts";
import { allocatedBytes, sizeClassesOf } from "./size-classes.ts";

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

/**
 * A new array of 2^b buckets: how many there are, the preallocated overflow buckets included, and the bytes of the
 * heap.
 */
export function bucketArray(b: number, storage: MapStorage, goMinor: number): { buckets: number; bytes: number } {
	const { bytes, pointers } = storage;
	// What is left of the size class becomes overflow buckets, too.
	const usable = sizeClassesOf(goMinor).usableSize(bucketsWanted(b) * bytes, !pointers);
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

/** log2 of the buckets that hold so many entries: what a hint makes (makemap), and what a map grows to. */
export function bucketsLog2(entries: number, goMinor: number): number {
	let b = 0;
	while (entries > bucketRoom(b, goMinor)) b++;
	return b;
}

/** The tables that a swiss map is made with; none: one group, made with the first entry. */
export interface SwissTables {
	/** A power of two, or 0. */
	tables: number;
	/** Of each table. */
	slots: number;
}

/** What a hint makes (maps/map.go, NewMap, and newTable). The quotients are rounded down, as there. */
export function swissTables(hint: number): SwissTables {
	if (hint <= GROUP_SLOTS) return { tables: 0, slots: GROUP_SLOTS };
	const target = Math.floor((hint * GROUP_SLOTS) / MAX_AVG_GROUP_LOAD);
	const tables = powerOfTwo(Math.ceil(target / MAX_TABLE_CAPACITY));
	return { tables, slots: Math.max(GROUP_SLOTS, powerOfTwo(Math.floor(target / tables))) };
}

/** The least that is not smaller. */
function powerOfTwo(least: number): number {
	let power = 1;
	while (power < least) power *= 2;
	return power;
}

/** A release of Go, and which maps it has. */
export interface MapRelease {
	impl: MapImpl;
	minor: number;
}

/** sizeof(runtime.mapextra), which a classic map with overflow buckets has. */
const EXTRA_BYTES = 24;

/**
 * Bytes of the heap, without the header, that make(map[K]V, hint) takes at once; 0 where the first entry makes the one
 * bucket or group.
 */
export function madeBytes({ impl, minor }: MapRelease, hint: number, storage: MapStorage): number {
	if (impl === "classic") {
		const b = bucketsLog2(hint, minor);
		if (b === 0) return 0;
		const { buckets, bytes } = bucketArray(b, storage, minor);
		return bytes + (buckets > 2 ** b ? extraBytes(minor) : 0);
	}
	const { tables, slots } = swissTables(hint);
	return tables === 0 ? 0 : tables * tableBytes(slots, storage, minor) + directoryBytes(tables, minor);
}

/** Bytes of the heap that the record of overflow buckets takes. */
export function extraBytes(goMinor: number): number {
	return allocatedBytes(EXTRA_BYTES, true, goMinor);
}

/**
 * Bytes of buckets, or of groups, tables and directory, of a map that was made for as many entries as it has; `entries`:
 * 1 or more.
 */
export function filledBytes(release: MapRelease, entries: number, storage: MapStorage): number {
	const { impl, minor } = release;
	if (impl === "classic") return bucketArray(bucketsLog2(entries, minor), storage, minor).bytes;
	return madeBytes(release, entries, storage) || groupsBytes(GROUP_SLOTS, storage, minor);
}
