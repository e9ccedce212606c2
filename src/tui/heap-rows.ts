/** Rows of the maps that censuses have found, whether they grow or not. */
import type { MapRecord } from "../census/record.ts";
import { compareText } from "../lib/compare.ts";
import { type HeapMaps, holderText } from "../report/heap-maps.ts";
import { formatCount } from "../text/units.ts";
import { newRow, type Row } from "./rows.ts";

/** Of all processes, the largest first. */
export function heapRows(heaps: readonly HeapMaps[]): Row[] {
	const rows = heaps.flatMap((heap) => {
		if (heap.state !== "read") return [];
		const { pid, time, maps = [] } = heap.census;
		return maps.map((map): Row => {
			const { address, entries, slots, bytes, type, candidates = [] } = map;
			return newRow(`${pid}:${address}`, {
				...{ pid, now: { entries, slots, bytes }, mapType: type ?? candidates[0] ?? "map" },
				found: { heldBy: holderText(map), note: noteOf(map), time },
			});
		});
	});
	return rows.sort((a, b) => (b.now?.bytes ?? 0) - (a.now?.bytes ?? 0) || compareText(a.key, b.key));
}

function noteOf({ growing, changing, certainty }: MapRecord): string {
	return [
		...(growing === undefined
			? []
			: [`growing: ${formatCount(growing.evacuated)} of ${formatCount(growing.of)} buckets`]),
		...(changing === true ? ["changing"] : []),
		...(certainty === "exact" ? [] : [certainty === "fits" ? "type fits" : "one of several types"]),
	].join(", ");
}
