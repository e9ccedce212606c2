/** Reads again what growths have shown: headers of maps, with their tables, as they are now. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import { readClassicMap, readSwissMap } from "../gomap/header.ts";
import { classicState, type KnownMap, type MapState, swissState } from "../gomap/map-state.ts";
import type { MapStorage } from "../gomap/sizing.ts";
import { readTables, viewOf } from "../gomap/swiss-tables.ts";
import type { MemoryRange } from "../kernel/process-memory.ts";
import type { MapTypeInfo } from "./decode/type-names.ts";

/** What of a target is needed to read its maps. */
export interface MapSource {
	binary: Pick<GoBinary, "layouts" | "mapImpl" | "version">;
	types: { named(name: string): MapTypeInfo | undefined };
	read(ranges: readonly MemoryRange[]): (Uint8Array | undefined)[];
}

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

function swissMaps(source: MapSource, maps: readonly KnownMap[]): (MapState | undefined)[] {
	const { swissMap, swissTable } = source.binary.layouts;
	if (swissMap === undefined || swissTable === undefined) return maps.map(() => undefined);
	const pieces = source.read(maps.map(({ address }) => ({ address, length: swissMap.bytes })));
	const headers = maps.map((map, index) => {
		const bytes = pieces[index];
		const header = bytes && readSwissMap(viewOf(bytes), swissMap);
		return header !== undefined && header.seed === BigInt(map.seed) ? header : undefined;
	});
	const tables = readTables((ranges) => source.read(ranges), swissTable, headers);
	return maps.map((map, index) => {
		const [header, own] = [headers[index], tables[index]];
		if (header === undefined || own === undefined) return undefined;
		return swissState(header, own, storageOf(source, map), source.binary.version.minor);
	});
}
