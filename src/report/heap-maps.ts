/** The maps that are in the heaps of the observed processes, as a census finds them beside the observation. */
import type { CensusRecord, HolderRecord, MapRecord } from "../census/record.ts";
import { sanitize } from "../lib/sanitize.ts";
import { shortFunction } from "../text/go-names.ts";
import { formatBytes, formatCount, formatShare, plural } from "../text/units.ts";

/** Of one process. */
export type HeapMaps =
	| { pid: number; state: "reading" }
	/** `why`: for people; `onKey`: a key reads them all the same. */
	| { pid: number; state: "not read"; why: string; onKey: boolean }
	| { pid: number; state: "read"; census: CensusRecord };

/** What a growth does not show, whatever is watched. */
export const UNSEEN =
	"growths do not show maps that were made with their size, have up to 8 entries or are clones, nor sync.Map from Go 1.24 on";

/** "3 entries in 65,536 slots" */
export function entriesText(entries: number, slots: number): string {
	return `${entries === 1 ? "1 entry" : `${formatCount(entries)} entries`} in ${formatCount(slots)} slots`;
}

/** Who holds a map, without the paths of packages. */
export function holderText({ holder, referenced }: Pick<MapRecord, "holder" | "referenced">): string {
	if (holder !== undefined) return pathText(holder);
	return referenced === false ? "nothing (garbage)" : "an object";
}

function pathText({ path }: HolderRecord): string {
	const short = (step: string): string => (/[/]/.test(step) && !step.includes(" ") ? shortFunction(step) : step);
	return path.split(" <- ").map(short).join(" <- ");
}

/** "1,234 maps hold 56 MB of 80 MB in use; the largest: …" */
function readText({ maps_total, maps_bytes, heap_bytes, maps: all = [] }: CensusRecord): string {
	const [largest] = all;
	const hold = `${plural(maps_total, "map")} ${maps_total === 1 ? "holds" : "hold"} ${formatBytes(maps_bytes)}`;
	const share = `${hold} of the ${formatBytes(heap_bytes)} in use (${formatShare(maps_bytes, heap_bytes)})`;
	if (largest === undefined) return share;
	const { entries, slots, bytes, type = "a map" } = largest;
	const size = `${entriesText(entries, slots)}, ${formatBytes(bytes)}`;
	return `${share}; the largest: ${size}, ${sanitize(type)}, held by ${sanitize(holderText(largest))}`;
}

/** A sentence about each process. `several`: they have to be told apart. */
export function heapTexts(heaps: readonly HeapMaps[], several: boolean): string[] {
	return heaps.map((heap) => `${several ? `process ${heap.pid}: ` : ""}${heapText(heap)}`);
}

function heapText(heap: HeapMaps): string {
	switch (heap.state) {
		case "reading":
			return "the maps in the heap are being read …";
		case "not read":
			return `the maps in the heap are not read: ${sanitize(heap.why)}`;
		case "read":
			return readText(heap.census);
	}
}
