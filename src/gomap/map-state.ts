/** How large and how full a map is at a moment, from its header and, of a swiss map, from its tables. */
import type { GrowthRecord } from "../records/records.ts";
import { type ClassicMap, FLAG, type SwissMap, type TableHeader } from "./header.ts";
import { allocatedBytes } from "./size-classes.ts";
import {
	bucketArray,
	directoryBytes,
	GROUP_SLOTS,
	groupsBytes,
	MAX_TABLE_CAPACITY,
	type MapStorage,
	tableBytes,
	tableRoom,
} from "./sizing.ts";

/** A map that a growth has shown. */
export interface KnownMap {
	pid: number;
	/** Run-time address of its header. */
	address: number;
	/** Its hash seed, as records have it: another one there is another map, or memory that is used for something else. */
	seed: string;
	mapType: string;
}

/** What is in a map now. */
export interface MapState {
	entries: number;
	/** In the buckets or groups that are in use. */
	slots: number;
	/** Header, buckets, overflow buckets, groups, tables and directory, as they are allocated; undefined: the type's sizes are not known. */
	bytes: number | undefined;
}

const HEADER_BYTES = 48;
const BUCKET_SLOTS = 8;

/** `storage`: of the map's type; undefined: not known. */
export function classicState(map: ClassicMap, storage: MapStorage | undefined, goMinor: number): MapState {
	const { count, b, flags, buckets, oldBuckets, overflowBuckets } = map;
	const sized = (): number | undefined => {
		if (buckets === 0) return HEADER_BYTES;
		if (storage === undefined) return undefined;
		const array = bucketArray(b, storage, goMinor);
		const oldB = (flags & FLAG.sameSizeGrow) !== 0 ? b : b - 1;
		const old = oldBuckets === 0 || oldB < 0 ? 0 : bucketArray(oldB, storage, goMinor).bytes;
		// The first overflow buckets are those that the array was made with.
		const more = Math.max(0, overflowCount(overflowBuckets, b) - (array.buckets - 2 ** b));
		return HEADER_BYTES + array.bytes + old + more * allocatedBytes(storage.bytes, storage.pointers, goMinor);
	};
	return { entries: count, slots: buckets === 0 ? 0 : BUCKET_SLOTS * 2 ** b, bytes: sized() };
}

/** From 2^16 buckets on each counted one stands for several (runtime/map.go, incrnoverflow). */
function overflowCount(counted: number, b: number): number {
	return b < 16 ? counted : counted * 2 ** (b - 15);
}

/** `tables`: how many there are of each capacity. */
export function swissState(
	{ used, directory, directoryLength }: SwissMap,
	tables: ReadonlyMap<number, number>,
	storage: MapStorage | undefined,
	goMinor: number,
): MapState {
	if (directory === 0) return { entries: used, slots: 0, bytes: HEADER_BYTES };
	if (directoryLength === 0) {
		const bytes = storage && HEADER_BYTES + groupsBytes(GROUP_SLOTS, storage, goMinor);
		return { entries: used, slots: GROUP_SLOTS, bytes };
	}
	let slots = 0;
	let bytes = HEADER_BYTES + directoryBytes(directoryLength, goMinor);
	for (const [capacity, count] of tables) {
		slots += capacity * count;
		if (storage !== undefined) bytes += count * tableBytes(capacity, storage, goMinor);
	}
	return { entries: used, slots, bytes: storage === undefined ? undefined : bytes };
}

/** Capacities of tables and how many have each. `standsFor`: so many tables each of them stands for. */
export function countTables(tables: readonly TableHeader[], standsFor: number): Map<number, number> {
	const counts = new Map<number, number>();
	for (const { capacity } of tables) counts.set(capacity, (counts.get(capacity) ?? 0) + standsFor);
	return counts;
}

/**
 * The least slots that the whole map has after this growth. What a swiss map's growth says of the others of its tables
 * is that there are some for each bit of the directory, and enough for all entries.
 */
export function slotsAfterAtLeast(growth: GrowthRecord): number {
	const { impl, count, capacity_after, directory_length = 0, global_depth = 0 } = growth;
	if (impl === "classic" || directory_length <= 1) return capacity_after;
	const tables = Math.max(global_depth + 1, Math.ceil(count / tableRoom(MAX_TABLE_CAPACITY)));
	// One of them becomes two.
	return growth.kind === "split"
		? (tables + 1) * MAX_TABLE_CAPACITY
		: Math.max(tables * MAX_TABLE_CAPACITY, capacity_after);
}
