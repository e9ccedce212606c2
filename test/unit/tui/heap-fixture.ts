import type { MapRecord } from "../../../src/census/record.ts";
import type { HeapMaps } from "../../../src/report/heap-maps.ts";

export function heldMap(fields: Partial<MapRecord> = {}): MapRecord {
	return {
		...{ address: "0xc000012340", type: "map[string]*main.session", certainty: "exact" },
		...{ entries: 3, slots: 2_089_984, bytes: 56e6, holder: { kind: "global", path: "main.shrunk" } },
		...fields,
	};
}

/** A process whose heap was read: so many maps, each half as large as the one before. */
export function readHeap(
	pid: number,
	maps: number,
	first: Partial<MapRecord> = {},
): Extract<HeapMaps, { state: "read" }> {
	const list = Array.from({ length: maps }, (_, n) =>
		n === 0
			? heldMap(first)
			: heldMap({
					...{ address: `0xc0000${pid}${n}`, type: `map[int]part${n}.Value`, entries: 7000 * n, slots: 16_384 >> n },
					...{ bytes: Math.floor(40e6 / 2 ** n), holder: { kind: "field", path: `(part${n}.Store).values` } },
				}),
	);
	return {
		...{ pid, state: "read" },
		census: {
			...{ type: "maps", time: "2025-01-31T12:00:01.000000000Z", pid, name: "etcd", start_time: 1 },
			...{ go_version: "go1.27.3", map_impl: "swiss", duration_ns: 1, heap_bytes: 120e6, maps_bytes: 80e6 },
			...{ maps_total: maps, omitted: 0, limits: [], garbage: {}, maps: list },
		},
	};
}
