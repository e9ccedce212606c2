/**
 * What a swiss map (internal/runtime/maps, Go >= 1.24) is about to do when growToTable or rehash is entered, from the bytes of
 * its Map and table. Layouts, the same in Go 1.24 to 1.27: Map: used @0, seed @8, dirLen @24, globalDepth @32.
 * table: used @0 (u16), capacity @2 (u16), growthLeft @4 (u16), localDepth @6 (u8).
 */

const GROUP_SLOTS = 8;
const MAX_TABLE_CAPACITY = 1024; // maps.maxTableCapacity
const MAX_AVG_GROUP_LOAD = 7; // maps.maxAvgGroupLoad

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
	/** Bits that choose the table that grows; entries of the directory and the bits that index it. Absent for a map that has no table yet. */
	localDepth?: number;
	globalDepth?: number;
	directoryLength?: number;
	/** The split needs a directory twice as long (maps/map.go, installTableSplit). */
	directoryDoubles?: boolean;
	/** Map.seed: random per map. */
	seed: string;
}

function mapUsed(map: DataView): number | undefined {
	const used = map.getUint32(0, true) + map.getUint32(4, true) * 2 ** 32;
	return used > Number.MAX_SAFE_INTEGER ? undefined : used;
}

function mapSeed(map: DataView): string {
	return `0x${map.getBigUint64(8, true).toString(16).padStart(16, "0")}`;
}

function groupBytesOf(slots: number, groupBytes: number | undefined): number | undefined {
	return groupBytes === undefined ? undefined : (slots / GROUP_SLOTS) * groupBytes;
}

/** (*Map).growToTable: the one group of a small map becomes a table of 16 slots (maps/map.go growToTable). Undefined for a torn header. */
export function smallToTable(map: DataView, groupBytes?: number): SwissGrowth | undefined {
	const count = mapUsed(map);
	if (count === undefined || count > GROUP_SLOTS) return undefined;
	return {
		kind: "small-to-table",
		cause: "load",
		count,
		capacityBefore: GROUP_SLOTS,
		capacityAfter: 2 * GROUP_SLOTS,
		bytes: groupBytesOf(2 * GROUP_SLOTS, groupBytes),
		moved: count,
		seed: mapSeed(map),
	};
}

/**
 * (*table).rehash: doubles the table while it stays within 1,024 slots, else splits it into two of 1,024 (maps/table.go rehash).
 * Live entries below 7/8 of the capacity mean that deleted slots (tombstones) used up the room. Undefined for a torn table.
 */
export function rehash(map: DataView, table: DataView, groupBytes?: number): SwissGrowth | undefined {
	const count = mapUsed(map);
	const used = table.getUint16(0, true);
	const capacity = table.getUint16(2, true);
	if (
		count === undefined ||
		capacity < GROUP_SLOTS ||
		capacity > MAX_TABLE_CAPACITY ||
		(capacity & (capacity - 1)) !== 0
	)
		return undefined;
	if (used > capacity || used > count) return undefined;
	const split = capacity * 2 > MAX_TABLE_CAPACITY;
	const directoryLength = map.getUint32(24, true);
	const globalDepth = map.getUint8(32);
	const localDepth = table.getUint8(6);
	if (globalDepth > 31 || localDepth > globalDepth || directoryLength !== 2 ** globalDepth) return undefined;
	const capacityAfter = split ? 2 * MAX_TABLE_CAPACITY : capacity * 2;
	// One group of 8 may be filled to 7 (maps/table.go maxGrowthLeft); bigger tables to 7/8.
	const fullAt = capacity <= GROUP_SLOTS ? capacity - 1 : (capacity * MAX_AVG_GROUP_LOAD) / GROUP_SLOTS;
	return {
		kind: split ? "split" : "table-double",
		cause: used < fullAt ? "tombstones" : "load",
		count,
		capacityBefore: capacity,
		capacityAfter,
		bytes: groupBytesOf(capacityAfter, groupBytes),
		moved: used,
		localDepth,
		globalDepth,
		directoryLength,
		directoryDoubles: split && localDepth === globalDepth,
		seed: mapSeed(map),
	};
}
