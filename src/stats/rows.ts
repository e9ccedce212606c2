/** Identity and order of rows. */

import { OTHER } from "../lib/bounded-table.ts";
import { compareText } from "../lib/compare.ts";
import { amountOf, type Figure } from "../records/figure.ts";
import type { Frame, GoroutineRow, MapRow, SiteRow, TypeRow } from "../records/records.ts";

const SEPARATOR = "\u0000";

/** Identity of a site row: where and which map type, in a process. */
export function siteKey(site: Frame | undefined, mapType: string, pid?: number): string {
	const process = pid === undefined ? "" : `${pid}`;
	if (site === undefined) return [process, "", "", "", mapType].join(SEPARATOR);
	return [process, site.fn, site.file ?? "", site.line ?? "", mapType].join(SEPARATOR);
}

/** Identity of a type's row in a process. */
export function typeKey(mapType: string, pid?: number): string {
	return pid === undefined ? mapType : `${pid}${SEPARATOR}${mapType}`;
}

/** Of the row that holds what is beyond the limit. */
export const OTHER_SITE_KEY = siteKey({ fn: OTHER }, OTHER);

interface Counted {
	growths?: Figure;
	work?: Figure;
}

function compareCounts(a: Counted, b: Counted): number {
	return amountOf(b.growths) - amountOf(a.growths) || amountOf(b.work) - amountOf(a.work);
}

/** Most growths first, then most work, then by name; "(other)" is always last. */
export function compareTypeRows(a: TypeRow, b: TypeRow): number {
	const other = Number(a.map_type === OTHER) - Number(b.map_type === OTHER);
	return other || compareCounts(a, b) || compareText(a.map_type, b.map_type) || (a.pid ?? 0) - (b.pid ?? 0);
}

type SiteName = Pick<SiteRow, "fn" | "file" | "line" | "map_type" | "pid">;

/** By function, file, line, type and process. */
export function compareSiteNames(a: SiteName, b: SiteName): number {
	return (
		compareText(a.fn, b.fn) ||
		compareText(a.file ?? "", b.file ?? "") ||
		(a.line ?? 0) - (b.line ?? 0) ||
		compareText(a.map_type, b.map_type) ||
		(a.pid ?? 0) - (b.pid ?? 0)
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
