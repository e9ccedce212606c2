/** Reads again what growths have shown: headers of maps, with their tables, as they are now. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import { readClassicMap, readSwissMap, readTableHeader, type SwissMap, type TableHeader } from "../gomap/header.ts";
import { classicState, countTables, type KnownMap, type MapState, swissState } from "../gomap/map-state.ts";
import type { MapStorage } from "../gomap/sizing.ts";
import type { MemoryRange } from "../kernel/process-memory.ts";
import type { MapTypeInfo } from "./decode/type-names.ts";

/** What of a target is needed to read its maps. */
export interface MapSource {
	binary: Pick<GoBinary, "layouts" | "mapImpl" | "version">;
	types: { named(name: string): MapTypeInfo | undefined };
	read(ranges: readonly MemoryRange[]): (Uint8Array | undefined)[];
}

/** Directories are read up to this length, all of one round together: 4 MiB. A map with more has no state. */
const MAX_DIRECTORY_WORDS = 1 << 19;
/** Of a map with more tables so many are looked at, evenly: nearly all have 1,024 slots. */
const MAX_TABLES = 64;
const MAX_TABLES_READ = 8192;

/** In the order of `maps`; undefined: it is not there any more, or cannot be read. */
export function readLiveMaps(source: MapSource, maps: readonly KnownMap[]): (MapState | undefined)[] {
	try {
		return source.binary.mapImpl === "classic" ? classicMaps(source, maps) : swissMaps(source, maps);
	} catch (error) {
		// It has ended, or may not be read: growths are counted all the same.
		if (error instanceof GomapgrowError && /^E-(TARGET|IO)/.test(error.code)) return maps.map(() => undefined);
		throw error;
	}
}

function storageOf({ types }: MapSource, { mapType }: KnownMap): MapStorage | undefined {
	const type = types.named(mapType);
	if (type?.storageBytes === undefined || type.hasPointers === undefined) return undefined;
	return { bytes: type.storageBytes, pointers: type.hasPointers };
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function classicMaps(source: MapSource, maps: readonly KnownMap[]): (MapState | undefined)[] {
	const { hmap } = source.binary.layouts;
	if (hmap === undefined) return maps.map(() => undefined);
	const { minor } = source.binary.version;
	const headers = source.read(maps.map(({ address }) => ({ address, length: hmap.bytes })));
	return maps.map((map, index) => {
		const bytes = headers[index];
		const header = bytes && readClassicMap(viewOf(bytes), hmap);
		if (header === undefined || header.seed !== Number(map.seed)) return undefined;
		return classicState(header, storageOf(source, map), minor);
	});
}

interface Reading {
	map: KnownMap;
	header: SwissMap | undefined;
	/** Tables that are looked at, and how many each of them stands for. */
	tables: number[];
	standsFor: number;
	found: TableHeader[] | undefined;
}

function swissMaps(source: MapSource, maps: readonly KnownMap[]): (MapState | undefined)[] {
	const { swissMap, swissTable } = source.binary.layouts;
	if (swissMap === undefined || swissTable === undefined) return maps.map(() => undefined);
	const headers = source.read(maps.map(({ address }) => ({ address, length: swissMap.bytes })));
	const readings = maps.map((map, index): Reading => {
		const bytes = headers[index];
		const header = bytes && readSwissMap(viewOf(bytes), swissMap);
		const same = header !== undefined && header.seed === BigInt(map.seed);
		return { map, header: same ? header : undefined, tables: [], standsFor: 1, found: undefined };
	});
	readDirectories(source, readings);
	readTables(source, readings, swissTable);
	return readings.map(({ map, header, found, standsFor }) => {
		if (header === undefined || (header.directoryLength > 0 && found === undefined)) return undefined;
		const counts = countTables(found ?? [], standsFor);
		return swissState(header, counts, storageOf(source, map), source.binary.version.minor);
	});
}

function readDirectories(source: MapSource, readings: readonly Reading[]): void {
	let words = 0;
	const asked = readings.filter(({ header }) => {
		if (header === undefined || header.directoryLength === 0) return false;
		words += header.directoryLength;
		return words <= MAX_DIRECTORY_WORDS;
	});
	const directories = source.read(
		asked.map(({ header }) => ({ address: header?.directory ?? 0, length: 8 * (header?.directoryLength ?? 0) })),
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

function readTables(
	source: MapSource,
	readings: readonly Reading[],
	layout: NonNullable<MapSource["binary"]["layouts"]["swissTable"]>,
): void {
	const asked = readings.filter(({ tables }) => tables.length > 0);
	const pieces = source.read(
		asked.flatMap(({ tables }) => tables.map((address) => ({ address, length: layout.bytes }))),
	);
	let from = 0;
	for (const reading of asked) {
		const own = pieces.slice(from, from + reading.tables.length);
		from += own.length;
		const found = own.flatMap((bytes) => (bytes && readTableHeader(viewOf(bytes), layout)) ?? []);
		// One that is no table: the directory was replaced while it was read.
		if (found.length === own.length) reading.found = found;
	}
}
