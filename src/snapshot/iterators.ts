/** Which maps a goroutine is looping over, from the iterators in its frames. */
import { u8, u32, u64 } from "../elf/little-endian.ts";
import { FLAG, readClassicMap, readSwissMap, type SwissMap } from "../gomap/header.ts";
import { swissState } from "../gomap/map-state.ts";
import { BUCKET_SLOTS } from "../gomap/sizing.ts";
import { readTables, viewOf } from "../gomap/swiss-tables.ts";
import type { MemoryReader } from "./memory-reader.ts";
import type { ProgramCode } from "./program-code.ts";
import type { IteratorCandidate } from "./stack-notes.ts";

/** A loop over a map that has not come to its end: it goes on, or was left by break, return or goto. */
export interface Iteration {
	/** Number of the physical frame, from the innermost. */
	frame: number;
	mapType: string;
	/** Address of the map's header. */
	map: number;
	/** Entries of the map. */
	count: number;
	/** Undefined where its tables could not be read. */
	slots?: number;
	/** Classic maps: entries still have to be moved to new buckets. */
	growing?: boolean;
	/** Of one that grows. */
	halfGrown?: HalfGrown;
}

/** A classic map whose growth has not come to its end: only who writes to it takes it on. */
export interface HalfGrown {
	/** Old buckets that have been evacuated, of all. */
	evacuated: number;
	of: number;
	/** Somebody wrote to it at that moment. */
	written: boolean;
}

/** For each of the lists of candidates those that are real; one read for all. */
export function resolveIterators(
	code: ProgramCode,
	memory: MemoryReader,
	candidates: readonly (readonly IteratorCandidate[])[],
): Iteration[][] {
	const readHeader = code.mapImpl === "swiss" ? swissIteration : classicIteration;
	const { hiter, swissIter, hmap, swissMap } = code.binary.layouts;
	const layout = code.mapImpl === "swiss" ? swissIter : hiter;
	const length = (code.mapImpl === "swiss" ? swissMap : hmap)?.bytes;
	if (layout === undefined || length === undefined) return candidates.map(() => []);
	const flat = candidates.flatMap((list, owner) => list.map((candidate) => ({ owner, candidate })));
	const headers = memory.read(flat.map(({ candidate }) => ({ address: u64(candidate.bytes, layout.map), length })));
	const found: Iteration[][] = candidates.map(() => []);
	const loops: { iteration: Iteration; map: SwissMap | undefined }[] = [];
	flat.forEach(({ owner, candidate }, index) => {
		const header = headers[index];
		const type = code.mapTypeAt(u64(candidate.bytes, layout.type));
		if (header === undefined || type === undefined || u64(candidate.bytes, layout.key) === 0) return;
		const seen = readHeader(code, candidate.bytes, viewOf(header));
		if (seen === undefined) return;
		const { map, ...own } = seen;
		const iteration = { frame: candidate.frame, mapType: type.name, map: u64(candidate.bytes, layout.map), ...own };
		found[owner]?.push(iteration);
		loops.push({ iteration, map });
	});
	addSlots(code, memory, loops);
	return found;
}

/** Swiss maps: from their tables. */
function addSlots(
	code: ProgramCode,
	memory: MemoryReader,
	loops: readonly { iteration: Iteration; map: SwissMap | undefined }[],
): void {
	const { swissTable } = code.binary.layouts;
	if (code.mapImpl !== "swiss" || swissTable === undefined) return;
	const tables = readTables(
		(ranges) => memory.read(ranges),
		swissTable,
		loops.map(({ map }) => map),
	);
	loops.forEach(({ iteration, map }, index) => {
		const own = tables[index];
		if (map !== undefined && own !== undefined) {
			iteration.slots = swissState(map, own, undefined, code.binary.version.minor).slots;
		}
	});
}

type Header = Pick<Iteration, "count" | "slots" | "growing" | "halfGrown"> & { map?: SwissMap };

/** runtime/map.go: the iterator keeps the buckets that the map had when the loop began. */
function classicIteration(code: ProgramCode, iterator: Uint8Array, header: DataView): Header | undefined {
	const { hiter, hmap } = code.binary.layouts;
	const map = hmap && readClassicMap(header, hmap);
	if (hiter === undefined || map === undefined) return undefined;
	const { count, b, flags, buckets, oldBuckets, evacuated } = map;
	const began = u64(iterator, hiter.buckets);
	const fits = began !== 0 && (began === buckets || began === oldBuckets) && u8(iterator, hiter.B) <= b;
	if (!fits) return undefined;
	const slots = BUCKET_SLOTS * 2 ** b;
	if (oldBuckets === 0) return { count, slots, growing: false };
	const of = (flags & FLAG.sameSizeGrow) !== 0 ? 2 ** b : 2 ** Math.max(0, b - 1);
	const written = (flags & FLAG.hashWriting) !== 0;
	return { count, slots, growing: true, halfGrown: { evacuated: Math.min(evacuated, of), of, written } };
}

/** internal/runtime/maps/table.go: the iterator keeps the map's depth and number of clears from when the loop began. */
function swissIteration(code: ProgramCode, iterator: Uint8Array, header: DataView): Header | undefined {
	const { swissIter, swissMap } = code.binary.layouts;
	const map = swissMap && readSwissMap(header, swissMap);
	if (swissIter === undefined || map === undefined) return undefined;
	const { used, directoryLength, globalDepth, clearSequence } = map;
	const index = u32(iterator, swissIter.dirIdx) | 0;
	const fits =
		u64(iterator, swissIter.clearSeq) === clearSequence &&
		u8(iterator, swissIter.globalDepth) <= globalDepth &&
		// -1: the loop began when the map was one group without a table.
		(directoryLength === 0 ? index === -1 : index >= -1 && index < directoryLength);
	return fits ? { count: used, map } : undefined;
}
