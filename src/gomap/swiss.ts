/**
 * What a swiss map (internal/runtime/maps, Go >= 1.24) is about to do when growToTable or rehash is entered, from the bytes of
 * its Map and table.
 */
import { COPIED_FIELDS, readSwissHeader, readTableHeader, seedText } from "./header.ts";
import { GROUP_SLOTS, groupsOf, MAX_TABLE_CAPACITY, tableRoom } from "./sizing.ts";

export interface SwissGrowth {
	kind: "small-to-table" | "table-double" | "split";
	cause: "load" | "tombstones";
	/** Entries of the whole map. */
	count: number;
	/** Slots of the table that grows (of the one group for small-to-table), and of what replaces it. */
	capacityBefore: number;
	capacityAfter: number;
	/** Bytes of the new groups, before size-class rounding. */
	bytes: number | undefined;
	/** Entries that are copied. */
	moved: number;
	/** Deleted slots of the table that grows. */
	tombstones?: number;
	/** Bits that choose the table that grows; entries of the directory and the bits that index it. Absent for a map that has no table yet. */
	localDepth?: number;
	globalDepth?: number;
	directoryLength?: number;
	/** The split needs a directory twice as long (maps/map.go, installTableSplit). */
	directoryDoubles?: boolean;
	/** Map.seed: random per map. */
	seed: string;
}

/** Offset of table.growthLeft (maps/table.go), in all releases. */
const GROWTH_LEFT = 4;

/** (*Map).growToTable: the one group of a small map becomes a table of 16 slots (maps/map.go growToTable). Undefined for a torn header. */
export function smallToTable(map: DataView, groupBytes?: number): SwissGrowth | undefined {
	const header = readSwissHeader(map, COPIED_FIELDS.swissMap);
	if (header === undefined || header.used > GROUP_SLOTS) return undefined;
	const { used, seed } = header;
	return {
		kind: "small-to-table",
		cause: "load",
		count: used,
		capacityBefore: GROUP_SLOTS,
		capacityAfter: 2 * GROUP_SLOTS,
		bytes: bytesOf(2 * GROUP_SLOTS, groupBytes),
		moved: used,
		seed: seedText("swiss", seed),
	};
}

/** Bytes of the groups of so many slots, when the size of one is known. */
function bytesOf(slots: number, groupBytes: number | undefined): number | undefined {
	return groupBytes === undefined ? undefined : groupsOf(slots) * groupBytes;
}

/**
 * (*table).rehash: doubles the table while it stays within 1,024 slots, else splits it into two of 1,024 (maps/table.go rehash).
 * Live entries below 7/8 of the capacity mean that deleted slots (tombstones) used up the room. Undefined for a torn table.
 */
export function rehash(map: DataView, table: DataView, groupBytes?: number): SwissGrowth | undefined {
	const header = readSwissHeader(map, COPIED_FIELDS.swissMap);
	const growing = readTableHeader(table, COPIED_FIELDS.swissTable);
	if (header === undefined || growing === undefined) return undefined;
	const { used: count, seed, directoryLength, globalDepth } = header;
	const { used, capacity, localDepth } = growing;
	const tombstones = tableRoom(capacity) - used - table.getUint16(GROWTH_LEFT, true);
	if (used > count || directoryLength === 0 || localDepth > globalDepth) return undefined;
	const split = capacity * 2 > MAX_TABLE_CAPACITY;
	const capacityAfter = split ? 2 * MAX_TABLE_CAPACITY : capacity * 2;
	return {
		kind: split ? "split" : "table-double",
		cause: used < tableRoom(capacity) ? "tombstones" : "load",
		count,
		capacityBefore: capacity,
		capacityAfter,
		bytes: bytesOf(capacityAfter, groupBytes),
		moved: used,
		...(tombstones < 0 ? {} : { tombstones }),
		localDepth,
		globalDepth,
		directoryLength,
		directoryDoubles: split && localDepth === globalDepth,
		seed: seedText("swiss", seed),
	};
}
