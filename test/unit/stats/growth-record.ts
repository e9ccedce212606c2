import type { GrowthRecord } from "../../../src/records/records.ts";

/** A growth of a swiss map's only table, for tests that care about some of its fields. */
export function growthRecord(fields: Partial<GrowthRecord> = {}): GrowthRecord {
	return {
		type: "growth",
		time: "2025-01-31T12:01:07.000000000Z",
		elapsed_ns: 1,
		pid: 10,
		tid: 11,
		impl: "swiss",
		fn: "internal/runtime/maps.(*table).rehash",
		kind: "table-double",
		cause: "load",
		map_type: "map[int]int",
		map: "0x0000000000000001",
		nth: 1,
		count: 14,
		capacity_before: 16,
		capacity_after: 32,
		stack: [{ fn: "runtime.mapassign_fast64" }, { fn: "main.a", file: "/src/a.go", line: 7 }],
		...fields,
	};
}
