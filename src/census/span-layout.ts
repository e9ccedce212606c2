/**
 * runtime.mspan and the heap's bitmaps by release. Offsets: DWARF of 1.15, 1.19 and 1.21 to 1.27; in between as the
 * code's evidence says.
 */

export interface SpanLayout {
	/** sizeof(mspan) */
	readonly bytes: number;
	readonly freeindex: number;
	readonly nelems: number;
	/** freeindex and nelems have 8 bytes, else 2. */
	readonly wide: boolean;
	readonly allocBits: number;
	readonly markBits: number;
	readonly sweepgen: number;
	/** Of the only object of a large span that has pointers (1.22+). */
	readonly largeType?: number;
}

/** startAddr and npages, in all releases. */
export const SPAN_START = 24;
export const SPAN_PAGES = 32;
/** From sweepgen, in all releases. */
export const SPAN_CLASS = 10;
export const SPAN_STATE = 11;
export const SPAN_ELEM_SIZE = 16;
/** runtime.mSpanInUse */
export const STATE_IN_USE = 1;

const WIDE: Omit<SpanLayout, "bytes" | "sweepgen"> = {
	...{ freeindex: 48, nelems: 56, wide: true, allocBits: 72, markBits: 80 },
};

/**
 * The layout for a release and the size that its code says; undefined when they do not go together. 1.16 to 1.18 and
 * 1.20 were not measured: their sizes lie between, and every span in use has to pass its checks.
 */
export function spanLayout(minor: number, bytes: number | undefined): SpanLayout | undefined {
	if (minor >= 22) {
		if (bytes !== undefined && bytes !== 160) return undefined;
		return {
			...{ bytes: 160, freeindex: 48, nelems: 50, wide: false, allocBits: 64, markBits: 72, sweepgen: 88 },
			largeType: 152,
		};
	}
	if (minor === 21) return bytes === undefined || bytes === 168 ? { ...WIDE, bytes: 168, sweepgen: 96 } : undefined;
	if (bytes === undefined) return undefined;
	return bytes >= 136 && bytes <= 160 ? { ...WIDE, bytes, sweepgen: 88 } : undefined;
}

/**
 * Where the bits are that say which words of an object are pointers. "nibbles": in the arena, four words a byte (up
 * to 1.19); "arena-bits": in the arena, one bit a word (1.20, 1.21); "span-bits": at the end of the span, for
 * objects up to 512 bytes (1.22+).
 */
export type PointerBits = "nibbles" | "arena-bits" | "span-bits";

export function pointerBitsOf(minor: number): PointerBits {
	return minor >= 22 ? "span-bits" : minor >= 20 ? "arena-bits" : "nibbles";
}

/** Where runtime.heapArena has the spans of its pages. */
export function arenaSpansOffset(minor: number): number {
	return minor >= 22 ? 0 : minor >= 20 ? 1064960 : 2097152;
}

export const ARENA_BYTES = 64 << 20;

/** Number of the arena that an address is in, in mheap_.arenas[0] (runtime/mheap.go, arenaIndex). */
export function arenaIndex(address: number, arch: "amd64" | "arm64"): number {
	return Math.floor((address + (arch === "amd64" ? 0x800000000000 : 0)) / ARENA_BYTES);
}
