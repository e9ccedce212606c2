/** Identity and order of rows. */
import { OTHER } from "../lib/bounded-table.ts";
import { compareText } from "../lib/compare.ts";
import type { Frame, GoroutineRow, MapRow, SiteRow, TypeRow } from "../records/records.ts";

const SEPARATOR = "\u0000";

/** Identity of a site row: where and which map type. */
export function siteKey(site: Frame | undefined, mapType: string): string {
	if (site === undefined) return ["", "", "", mapType].join(SEPARATOR);
	return [site.fn, site.file ?? "", site.line ?? "", mapType].join(SEPARATOR);
}

/** Of the row that holds what is beyond the limit. */
export const OTHER_SITE_KEY = siteKey({ fn: OTHER }, OTHER);

/** Types whose key is remembered of one frame: a place in the source has few. */
const MAX_TYPES_OF_FRAME = 64;
const keys = new WeakMap<Frame, Map<string, string>>();

/** The same for a frame that comes again and again: spelling and hashing its key is much of the work of adding a growth. */
export function frameSiteKey(site: Frame | undefined, mapType: string): string {
	if (site === undefined) return siteKey(site, mapType);
	let ofTypes = keys.get(site);
	if (ofTypes === undefined) {
		ofTypes = new Map();
		keys.set(site, ofTypes);
	}
	let key = ofTypes.get(mapType);
	if (key === undefined) {
		key = siteKey(site, mapType);
		if (ofTypes.size >= MAX_TYPES_OF_FRAME) ofTypes.clear();
		ofTypes.set(mapType, key);
	}
	return key;
}

interface Counted {
	growths: number;
	work: number;
}

function compareCounts(a: Counted, b: Counted): number {
	return b.growths - a.growths || b.work - a.work;
}

/** Most growths first, then most work, then by name; "(other)" is always last. */
export function compareTypeRows(a: TypeRow, b: TypeRow): number {
	const other = Number(a.map_type === OTHER) - Number(b.map_type === OTHER);
	return other || compareCounts(a, b) || compareText(a.map_type, b.map_type);
}

type SiteName = Pick<SiteRow, "fn" | "file" | "line" | "map_type">;

/** By function, file, line and type. */
export function compareSiteNames(a: SiteName, b: SiteName): number {
	return (
		compareText(a.fn, b.fn) ||
		compareText(a.file ?? "", b.file ?? "") ||
		(a.line ?? 0) - (b.line ?? 0) ||
		compareText(a.map_type, b.map_type)
	);
}

/** Most growths first, then most work, then by name; "(other)" is always last. */
export function compareSiteRows(a: SiteRow, b: SiteRow): number {
	return Number(a.fn === OTHER) - Number(b.fn === OTHER) || compareCounts(a, b) || compareSiteNames(a, b);
}

/** The longest chains first, then the largest maps, then by identity. */
export function compareMapRows(a: MapRow, b: MapRow): number {
	return (
		b.growths - a.growths ||
		b.slots_last - a.slots_last ||
		compareText(a.map, b.map) ||
		a.pid - b.pid ||
		compareText(a.map_type, b.map_type)
	);
}

/** Most growths first, then most bytes, then by number. */
export function compareGoroutineRows(a: GoroutineRow, b: GoroutineRow): number {
	return b.growths - a.growths || b.bytes - a.bytes || a.goid - b.goid || a.pid - b.pid;
}
