import type { Frame, SiteRow, TypeRow } from "../records/records.ts";

/** Name (of function and type) of the row that holds everything beyond the row limit. */
export const OTHER = "(other)";

const SEPARATOR = "\u0000";

/** What one growth or one batch of work calls adds to a row. */
export interface Increment {
	growths: number;
	work: number;
	bytes: number;
	capacity: number;
	/** Growths that may have met an iterator; absent where it cannot be known (swiss maps). */
	iterating?: number;
	/** Time spent in growths. */
	duration_ns: number;
}

/** Identity of a site row: where and which map type. */
export function siteKey(site: Frame | undefined, mapType: string): string {
	if (site === undefined) return ["", "", "", mapType].join(SEPARATOR);
	return [site.fn, site.file ?? "", site.line ?? "", mapType].join(SEPARATOR);
}

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
		ofTypes.set(mapType, key);
	}
	return key;
}

/** An empty row; a site that is not known (no stack) has an empty function name. */
export function newSiteRow(site: Frame | undefined, mapType: string): SiteRow {
	const row: SiteRow = {
		...{ fn: site?.fn ?? "", map_type: mapType, growths: 0, work: 0, bytes: 0, max_capacity: 0, duration_ns: 0 },
	};
	if (site?.file !== undefined) row.file = site.file;
	if (site?.line !== undefined) row.line = site.line;
	return row;
}

export function newTypeRow(mapType: string): TypeRow {
	return { map_type: mapType, growths: 0, work: 0, bytes: 0, max_capacity: 0 };
}

export function addToTypeRow(row: TypeRow, add: Increment): void {
	row.growths += add.growths;
	row.work += add.work;
	row.bytes += add.bytes;
	row.max_capacity = Math.max(row.max_capacity, add.capacity);
}

export function addToSiteRow(row: SiteRow, add: Increment): void {
	addToTypeRow(row, add);
	row.duration_ns += add.duration_ns;
	if (add.iterating !== undefined) row.iterating = (row.iterating ?? 0) + add.iterating;
}

/** By code unit, so that the order never depends on a locale. */
function compareText(a: string, b: string): number {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}

interface Counted {
	growths: number;
	work: number;
	map_type: string;
}

function compareCounts(a: Counted, b: Counted): number {
	return b.growths - a.growths || b.work - a.work;
}

/** Most growths first, then most work, then by name; "(other)" is always last. */
export function compareTypeRows(a: TypeRow, b: TypeRow): number {
	const other = Number(a.map_type === OTHER) - Number(b.map_type === OTHER);
	return other || compareCounts(a, b) || compareText(a.map_type, b.map_type);
}

/** Most growths first, then most work, then by function, file, line and type; "(other)" is always last. */
export function compareSiteRows(a: SiteRow, b: SiteRow): number {
	return (
		Number(a.fn === OTHER) - Number(b.fn === OTHER) ||
		compareCounts(a, b) ||
		compareText(a.fn, b.fn) ||
		compareText(a.file ?? "", b.file ?? "") ||
		(a.line ?? 0) - (b.line ?? 0) ||
		compareText(a.map_type, b.map_type)
	);
}
