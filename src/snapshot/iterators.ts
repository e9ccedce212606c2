/** Which maps a goroutine is looping over, from the iterators in its frames. */
import { u8, u32, u64 } from "../elf/little-endian.ts";
import type { MemoryReader } from "./memory-reader.ts";
import type { ProgramCode } from "./program-code.ts";
import type { IteratorCandidate } from "./stack-notes.ts";

/** Larger than any map. */
const MAX_COUNT = 2 ** 40;
const MAX_B = 48;

/** A loop over a map that has not come to its end: it goes on, or was left by break, return or goto. */
export interface Iteration {
	/** Number of the physical frame, from the innermost. */
	frame: number;
	mapType: string;
	/** Address of the map's header. */
	map: number;
	/** Entries of the map. */
	count: number;
	/** Classic maps: entries still have to be moved to new buckets. */
	growing?: boolean;
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
	flat.forEach(({ owner, candidate }, index) => {
		const header = headers[index];
		const type = code.mapTypeAt(u64(candidate.bytes, layout.type));
		if (header === undefined || type === undefined || u64(candidate.bytes, layout.key) === 0) return;
		const seen = readHeader(code, candidate.bytes, header);
		if (seen === undefined) return;
		found[owner]?.push({ frame: candidate.frame, mapType: type.name, map: u64(candidate.bytes, layout.map), ...seen });
	});
	return found;
}

type Header = Pick<Iteration, "count" | "growing">;

/** runtime/map.go: the iterator keeps the buckets that the map had when the loop began. */
function classicIteration(code: ProgramCode, iterator: Uint8Array, header: Uint8Array): Header | undefined {
	const { hiter, hmap } = code.binary.layouts;
	if (hiter === undefined || hmap === undefined) return undefined;
	const [count, B] = [u64(header, hmap.count), u8(header, hmap.B)];
	const [buckets, old] = [u64(header, hmap.buckets), u64(header, hmap.oldbuckets)];
	const began = u64(iterator, hiter.buckets);
	const fits = began !== 0 && (began === buckets || began === old) && u8(iterator, hiter.B) <= B && B <= MAX_B;
	return fits && count <= MAX_COUNT ? { count, growing: old !== 0 } : undefined;
}

/** internal/runtime/maps/table.go: the iterator keeps the map's depth and number of clears from when the loop began. */
function swissIteration(code: ProgramCode, iterator: Uint8Array, header: Uint8Array): Header | undefined {
	const { swissIter, swissMap } = code.binary.layouts;
	if (swissIter === undefined || swissMap === undefined) return undefined;
	const [count, tables] = [u64(header, swissMap.used), u64(header, swissMap.dirLen)];
	const index = u32(iterator, swissIter.dirIdx) | 0;
	const depth = u8(header, swissMap.globalDepth);
	const fits =
		u64(iterator, swissIter.clearSeq) === u64(header, swissMap.clearSeq) &&
		u8(iterator, swissIter.globalDepth) <= depth &&
		depth <= MAX_B &&
		// -1: the loop began when the map was one group without a table.
		(tables === 0 ? index === -1 : tables === 2 ** depth && index >= -1 && index < tables);
	return fits && count <= MAX_COUNT ? { count } : undefined;
}
