/**
 * What a map takes from the heap in its life, by the entries that it was made for and those that it got: bytes,
 * growths, copied entries. Entries are only added (what churn does is not in it), and hashes spread them evenly: what
 * depends on them is the mean.
 */
import { allocatedBytes } from "./size-classes.ts";
import {
	BUCKET_SLOTS,
	bucketArray,
	bucketRoom,
	bucketsLog2,
	directoryBytes,
	extraBytes,
	GROUP_SLOTS,
	groupsBytes,
	MAX_TABLE_CAPACITY,
	type MapRelease,
	type MapStorage,
	madeBytes,
	swissTables,
	tableBytes,
	tableRoom,
} from "./sizing.ts";
import { meanExcess, moreThan } from "./tails.ts";

/** Without the header, which every map has. */
export interface MapLife {
	/** Calls of hashGrow; of growToTable and rehash. */
	growths: number;
	/** Bytes that were allocated, garbage included. */
	allocated: number;
	/** Bytes that it holds in the end. */
	held: number;
	/** Entries copied by growths. */
	copied: number;
}

/** A kind of maps: of one release, one type, on the heap or on a goroutine's stack. */
export interface MapKind {
	release: MapRelease;
	storage: MapStorage;
	/** The one bucket or group of a small map is on the stack, too. */
	onStack: boolean;
}

/** `hint`: as given to make; 0 for none. `entries`: the most that it holds. Both whole, from 0 to 2^40. */
export function mapLife(kind: MapKind, hint: number, entries: number): MapLife {
	return kind.release.impl === "classic" ? classicLife(kind, hint, entries) : swissLife(kind, hint, entries);
}

function classicLife({ release, storage, onStack }: MapKind, hint: number, entries: number): MapLife {
	const { minor } = release;
	const first = bucketsLog2(hint, minor);
	const last = Math.max(first, bucketsLog2(entries, minor));
	const life: MapLife = { growths: last - first, allocated: madeBytes(release, hint, storage), held: 0, copied: 0 };
	if (first === 0 && entries > 0 && !onStack) life.allocated += bucketArray(0, storage, minor).bytes;
	let extra = first > 0 && life.allocated > bucketArray(first, storage, minor).bytes;
	for (let b = first; b <= last; b++) {
		const { buckets, bytes } = bucketArray(b, storage, minor);
		const filled = b < last ? bucketRoom(b, minor) : entries;
		const overflow = overflowBytes(b, buckets - 2 ** b, filled, storage, minor);
		life.allocated += overflow + (b > first ? bytes : 0);
		if (b > first && buckets > 2 ** b && !extra) {
			extra = true;
			life.allocated += extraBytes(minor);
		}
		if (b < last) life.copied += filled;
		else life.held = overflow + (b > 0 || (entries > 0 && !onStack) ? bytes : 0) + (extra ? extraBytes(minor) : 0);
	}
	return life;
}

/** The most overflow buckets that one bucket is thought to have. */
const LONGEST_CHAIN = 12;

/**
 * Bytes of the overflow buckets of n entries in 2^b buckets, of which so many come with the array, and of the list of
 * them that a map without pointers keeps (runtime/map.go, newoverflow): the mean.
 */
function overflowBytes(b: number, spare: number, n: number, storage: MapStorage, minor: number): number {
	const buckets = 2 ** b;
	if (b === 0 || n <= BUCKET_SLOTS) return 0;
	// Of one bucket: P(more than 8) + P(more than 16) + …, and the mean square.
	let mean = 0;
	let square = 0;
	for (let chain = 1; chain <= LONGEST_CHAIN; chain++) {
		const p = moreThan(n, 1 / buckets, chain * BUCKET_SLOTS);
		mean += p;
		square += (2 * chain - 1) * p;
		if (p < 1e-12) break;
	}
	const all = mean * buckets;
	// Buckets are nearly independent, but share the n entries.
	const deviation = Math.sqrt(Math.max(0, buckets * (square - mean * mean)));
	const bucketBytes = allocatedBytes(storage.bytes, storage.pointers, minor);
	const own = spare === 0 ? all : meanExcess(all, deviation, spare);
	return own * bucketBytes + (storage.pointers ? 0 : overflowListBytes(all, minor));
}

/**
 * Bytes that a classic map of 2^b buckets allocates from one same-size growth to the next, which comes when it has as
 * many overflow buckets as buckets (runtime/map.go, tooManyOverflowBuckets): array, overflow buckets, and their list.
 */
export function rebuildBytes({ release, storage }: MapKind, b: number): number {
	const { minor } = release;
	const { buckets, bytes } = bucketArray(b, storage, minor);
	const overflow = 2 ** b;
	const own = Math.max(0, overflow - (buckets - 2 ** b)) * allocatedBytes(storage.bytes, storage.pointers, minor);
	return bytes + own + (storage.pointers ? 0 : listBytes(overflow, minor));
}

/** runtime/slice.go, growslice: doubled below this length, a quarter more from there on; 1.18 made it smooth. */
const DOUBLED_BELOW = 256;
const DOUBLED_BELOW_BEFORE_18 = 1024;
const POINTER_BYTES = 8;
/** A slice's header, new([]*bmap). */
const SLICE_BYTES = 24;

/** Bytes that appending so many pointers to a list takes, and its header. The count is a mean: between whole numbers it is in between. */
function overflowListBytes(count: number, minor: number): number {
	const whole = Math.floor(count);
	if (whole === 0) return count * listBytes(1, minor);
	return listBytes(whole, minor);
}

function listBytes(count: number, minor: number): number {
	let bytes = allocatedBytes(SLICE_BYTES, true, minor);
	for (let capacity = 0; capacity < count; ) {
		if (capacity === 0) capacity = 1;
		else if (minor < 18) capacity += capacity < DOUBLED_BELOW_BEFORE_18 ? capacity : Math.floor(capacity / 4);
		else capacity += capacity < DOUBLED_BELOW ? capacity : Math.floor((capacity + 3 * DOUBLED_BELOW) / 4);
		const allocated = allocatedBytes(capacity * POINTER_BYTES, true, minor);
		const header = minor >= 22 && allocated > 512 && allocated <= 32_768 ? POINTER_BYTES : 0;
		capacity = Math.floor((allocated - header) / POINTER_BYTES);
		bytes += allocated;
	}
	return bytes;
}

function swissLife({ release, storage, onStack }: MapKind, hint: number, entries: number): MapLife {
	const { minor } = release;
	let { tables, slots } = swissTables(hint);
	const life: MapLife = { growths: 0, allocated: madeBytes(release, hint, storage), held: 0, copied: 0 };
	if (tables === 0) {
		const group = entries > 0 && !onStack ? groupsBytes(GROUP_SLOTS, storage, minor) : 0;
		life.allocated += group;
		life.held = group;
		if (entries <= GROUP_SLOTS) return life;
		[tables, slots] = [1, 2 * GROUP_SLOTS];
		const bytes = tableBytes(slots, storage, minor) + directoryBytes(1, minor);
		life.growths = 1;
		life.copied = GROUP_SLOTS;
		life.allocated += bytes;
		life.held = bytes;
	} else life.held = life.allocated;
	for (; slots < MAX_TABLE_CAPACITY; slots *= 2) {
		const growing = tables * moreThan(entries, 1 / tables, tableRoom(slots));
		if (growing === 0) return life;
		const bytes = tableBytes(2 * slots, storage, minor);
		life.growths += growing;
		life.copied += growing * tableRoom(slots);
		life.allocated += growing * bytes;
		life.held += growing * (bytes - tableBytes(slots, storage, minor));
	}
	const table = tableBytes(MAX_TABLE_CAPACITY, storage, minor);
	// Of the 2^d tables that there can be at a depth, each is there and splits if it gets more than its room: then so did those before it.
	for (let there = tables; ; there *= 2) {
		const p = moreThan(entries, 1 / there, tableRoom(MAX_TABLE_CAPACITY));
		if (p * there < 1e-9) return life;
		const splits = there * p;
		life.growths += splits;
		life.copied += splits * tableRoom(MAX_TABLE_CAPACITY);
		// The directory is doubled with the first of them.
		const doubled = p >= 1 ? 1 : -Math.expm1(there * Math.log1p(-p));
		life.allocated += splits * 2 * table + doubled * directoryBytes(2 * there, minor);
		life.held += splits * table + doubled * (directoryBytes(2 * there, minor) - directoryBytes(there, minor));
	}
}
