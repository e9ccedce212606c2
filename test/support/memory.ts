/** What memory something keeps, for tests of bounds. */
import { heapStats } from "bun:jsc";

function heapBytes(): number {
	Bun.gc(true);
	return heapStats().heapSize;
}

/** Bytes of the heap that what `make` returns keeps. */
export function keptBytes<T>(make: () => T): { value: T; bytes: number } {
	const before = heapBytes();
	const value = make();
	return { value, bytes: heapBytes() - before };
}
