/** How many slots swiss maps have: their directories are read, and as many of their tables as that takes. */
import { readTableHeader, type SwissMap, type TableHeader, type TableHeaderLayout } from "./header.ts";
import { countTables } from "./map-state.ts";

/** Bytes of each range; undefined for one that is not wholly mapped. */
export type ReadRanges = (
	ranges: readonly { readonly address: number; readonly length: number }[],
) => readonly (Uint8Array | undefined)[];

/** Directories are read up to this length, all of one round together: 4 MiB. A map with more has no tables here. */
const MAX_DIRECTORY_WORDS = 1 << 19;
/** Of a map with more tables so many are looked at, evenly: nearly all have 1,024 slots. */
const MAX_TABLES = 64;
const MAX_TABLES_READ = 8192;

interface Reading {
	map: SwissMap | undefined;
	/** Tables that are looked at, and how many each of them stands for. */
	tables: number[];
	standsFor: number;
	found: TableHeader[] | undefined;
}

/**
 * How many tables of each capacity each map has; none for one that is a single group, undefined where they cannot be
 * read. Two reads for all.
 */
export function readTables(
	read: ReadRanges,
	layout: TableHeaderLayout & { readonly bytes: number },
	maps: readonly (SwissMap | undefined)[],
): (Map<number, number> | undefined)[] {
	const readings = maps.map((map): Reading => ({ map, tables: [], standsFor: 1, found: undefined }));
	readDirectories(read, readings);
	readHeaders(read, readings, layout);
	return readings.map(({ map, found, standsFor }) => {
		if (map === undefined) return undefined;
		if (map.directoryLength === 0) return new Map();
		return found && countTables(found, standsFor);
	});
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
	return new DataView(buffer, byteOffset, byteLength);
}

function readDirectories(read: ReadRanges, readings: readonly Reading[]): void {
	let words = 0;
	const asked = readings.filter(({ map }) => {
		if (map === undefined || map.directoryLength === 0) return false;
		words += map.directoryLength;
		return words <= MAX_DIRECTORY_WORDS;
	});
	const directories = read(
		asked.map(({ map }) => ({ address: map?.directory ?? 0, length: 8 * (map?.directoryLength ?? 0) })),
	);
	let room = MAX_TABLES_READ;
	asked.forEach((reading, index) => {
		const bytes = directories[index];
		const distinct = bytes === undefined ? [] : tablesIn(viewOf(bytes));
		const step = Math.max(1, Math.ceil(distinct.length / MAX_TABLES));
		const chosen = distinct.filter((_, at) => at % step === 0);
		room -= chosen.length;
		if (room < 0) return;
		reading.tables = chosen;
		reading.standsFor = distinct.length / Math.max(1, chosen.length);
	});
}

/** A table stands there as often as its depth is less than the map's, in a row. */
function tablesIn(directory: DataView): number[] {
	const tables: number[] = [];
	let last = 0;
	for (let at = 0; at + 8 <= directory.byteLength; at += 8) {
		const table = directory.getUint32(at, true) + directory.getUint32(at + 4, true) * 2 ** 32;
		if (table !== last && table !== 0) tables.push(table);
		last = table;
	}
	return tables;
}

function readHeaders(
	read: ReadRanges,
	readings: readonly Reading[],
	layout: TableHeaderLayout & { readonly bytes: number },
): void {
	const asked = readings.filter(({ tables }) => tables.length > 0);
	const pieces = read(asked.flatMap(({ tables }) => tables.map((address) => ({ address, length: layout.bytes }))));
	let from = 0;
	for (const reading of asked) {
		const own = pieces.slice(from, from + reading.tables.length);
		from += own.length;
		const found = own.flatMap((bytes) => (bytes && readTableHeader(viewOf(bytes), layout)) ?? []);
		// One that is no table: the directory was replaced while it was read.
		if (found.length === own.length) reading.found = found;
	}
}
