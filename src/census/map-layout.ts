/**
 * Headers of Go maps from their bytes, and what must hold of one. Sources: runtime/map.go (Go 1.15 to 1.25),
 * internal/runtime/maps (1.24 to 1.27).
 */
import type { HmapLayout, SwissMapLayout, SwissTableLayout } from "../gobin/layouts/struct-layouts.ts";

const TWO_32 = 4294967296;
const BUCKET_SLOTS = 8;
/** hmap.flags */
const MAX_FLAGS = 15;
const SAME_SIZE_GROW = 8;
const MAX_LOG2 = 40;
const MAX_COUNT = 2 ** 40;
/** internal/runtime/maps.maxTableCapacity */
const MAX_TABLE = 1024;
/** Smallest tophash of an entry (runtime/map.go, minTopHash). */
const MIN_TOP_HASH = 5;

/** Words of a buffer that holds structures at multiples of 8. */
export interface Words {
	bytes: Uint8Array;
	words: Uint32Array;
}

function word({ words }: Words, at: number): number {
	return (words[at >>> 2] as number) + (words[(at >>> 2) + 1] as number) * TWO_32;
}

export interface ClassicHeader {
	count: number;
	log2: number;
	overflow: number;
	seed: number;
	buckets: number;
	oldBuckets: number;
	evacuated: number;
	extra: number;
	sameSize: boolean;
}

/** Undefined when the bytes at `at` cannot be a runtime.hmap. */
export function classicHeader(memory: Words, at: number, layout: HmapLayout): ClassicHeader | undefined {
	const { bytes } = memory;
	const count = word(memory, at + layout.count);
	const flags = bytes[at + layout.flags] as number;
	const log2 = bytes[at + layout.B] as number;
	if (flags > MAX_FLAGS || log2 > MAX_LOG2 || count >= MAX_COUNT) return undefined;
	const buckets = 2 ** log2;
	// A growth of the same size allows up to 2^B inserts above the load factor (golang/go#69110), and so has a clone.
	if (count > Math.max(BUCKET_SLOTS, 7.5 * buckets + 1)) return undefined;
	const evacuated = word(memory, at + layout.nevacuate);
	if (evacuated > buckets) return undefined;
	const sameSize = (flags & SAME_SIZE_GROW) !== 0;
	const header: ClassicHeader = {
		count,
		log2,
		evacuated,
		sameSize,
		overflow: (bytes[at + layout.noverflow] as number) + (bytes[at + layout.noverflow + 1] as number) * 256,
		seed: memory.words[(at + layout.hash0) >>> 2] as number,
		buckets: word(memory, at + layout.buckets),
		oldBuckets: word(memory, at + layout.oldbuckets),
		extra: word(memory, at + layout.extra),
	};
	if (header.buckets !== 0) return header.oldBuckets !== 0 && log2 === 0 && !sameSize ? undefined : header;
	const empty =
		count === 0 &&
		log2 === 0 &&
		header.oldBuckets === 0 &&
		evacuated === 0 &&
		header.overflow === 0 &&
		header.seed !== 0 &&
		!sameSize;
	return empty ? header : undefined;
}

/** Buckets of a classic map, estimated from 2^16 buckets on (runtime/map.go, incrnoverflow). */
export function overflowBuckets({ overflow, log2 }: ClassicHeader): number {
	return log2 < 16 ? overflow : overflow * 2 ** (log2 - 15);
}

/** Entries of a bucket or of a group, by its first eight bytes. */
export function fullSlots(bytes: Uint8Array, at: number, swiss: boolean): number {
	let full = 0;
	for (let slot = 0; slot < 8; slot++) {
		const control = bytes[at + slot] as number;
		if (swiss ? control < 128 : control >= MIN_TOP_HASH) full++;
	}
	return full;
}

export interface SwissHeader {
	count: number;
	seedIsZero: boolean;
	/** Of the directory, or of the only group. */
	directory: number;
	/** 0: one group. */
	directoryLength: number;
	depth: number;
}

/** Undefined when the bytes at `at` cannot be a maps.Map. `minor`: of the Go release. */
export function swissHeader(memory: Words, at: number, layout: SwissMapLayout, minor: number): SwissHeader | undefined {
	const { bytes, words } = memory;
	const count = word(memory, at + layout.used);
	const directoryLength = word(memory, at + layout.dirLen);
	const [depth, shift] = [bytes[at + layout.globalDepth] as number, bytes[at + layout.globalShift] as number];
	const writing = bytes[at + layout.writing] as number;
	const tombstones = bytes[at + layout.writing + 1] as number;
	if (count >= MAX_COUNT || directoryLength >= MAX_COUNT || writing > 1 || tombstones > Number(minor >= 25))
		return undefined;
	// The word of these four bytes ends in padding.
	const small = at + layout.globalDepth;
	for (let pad = small + 4; pad < at + layout.clearSeq; pad++) if (bytes[pad] !== 0) return undefined;
	if (word(memory, at + layout.clearSeq) >= MAX_COUNT) return undefined;
	const directory = word(memory, at + layout.dirPtr);
	const seedIsZero = words[(at + layout.seed) >>> 2] === 0 && words[((at + layout.seed) >>> 2) + 1] === 0;
	const header = { count, seedIsZero, directory, directoryLength, depth };
	if (directoryLength === 0) {
		if (depth !== 0 || shift !== 0 || count > BUCKET_SLOTS) return undefined;
		return directory === 0 && (count !== 0 || seedIsZero) ? undefined : header;
	}
	return depth <= MAX_LOG2 && directoryLength === 2 ** depth && shift === 64 - depth ? header : undefined;
}

export interface SwissTable {
	used: number;
	capacity: number;
	/** Slots of deleted entries that cannot be used. */
	tombstones: number;
	groups: number;
}

/** Undefined when the bytes at `at` cannot be a table of this map. */
export function swissTable(
	memory: Words,
	at: number,
	layout: SwissTableLayout,
	map: SwissHeader,
): SwissTable | undefined {
	const { bytes } = memory;
	const short = (field: number): number => (bytes[at + field] as number) + (bytes[at + field + 1] as number) * 256;
	const [used, capacity, growthLeft] = [short(layout.used), short(layout.capacity), short(layout.growthLeft)];
	if (capacity < BUCKET_SLOTS || capacity > MAX_TABLE || (capacity & (capacity - 1)) !== 0) return undefined;
	// maps/table.go, maxGrowthLeft and maxAvgGroupLoad
	const most = capacity > BUCKET_SLOTS ? (capacity / 8) * 7 : BUCKET_SLOTS - 1;
	if (used + growthLeft > most || (bytes[at + layout.localDepth] as number) > map.depth) return undefined;
	if (word(memory, at + layout.index) >= map.directoryLength) return undefined;
	if (word(memory, at + layout.groupsLengthMask) !== capacity / 8 - 1) return undefined;
	return { used, capacity, tombstones: most - used - growthLeft, groups: word(memory, at + layout.groupsData) };
}
