/**
 * The TypeScript side of bpf/gomapgrow.h: sizes, offsets and constants of everything that crosses the border to the kernel program. A test compiles the
 * header and compares.
 */

export const MAX_SITES = 1024;
export const MAX_FRAMES = 64;
export const WORK_ROWS = 16384;
export const RING_BYTES = 16 << 20;

/** struct gmg_site */
export const SITE = { size: 16, role: 0, goidOffset: 4, argsOnStack: 8, gInRcx: 9, callerDepth: 10 } as const;

/** struct gmg_site_counts: four u64 per CPU. */
export const SITE_COUNTS = { size: 32, lost: 0, fault: 8, diverted: 16, hits: 24 } as const;

/** struct gmg_work_key */
export const WORK_KEY = { size: 24, site: 0, tgid: 4, mapType: 8, caller: 16 } as const;

/** struct address_key of bpf/gomapgrow.bpf.c */
export const ADDRESS_KEY = { size: 16, ip: 0, tgid: 8 } as const;

/** struct gmg_growth */
export const GROWTH = {
	size: 632,
	timeNs: 0,
	goid: 8,
	ip: 16,
	mapType: 24,
	map: 32,
	tgid: 40,
	tid: 44,
	site: 48,
	frameCount: 52,
	truncated: 54,
	fault: 55,
	header: 56,
	headerBytes: 48,
	table: 104,
	tableBytes: 16,
	frames: 120,
} as const;

export const FAULT = { header: 1, table: 2, g: 4 } as const;

/** A u64 as a number: exact below 2^53 (user-space addresses, counts, nanoseconds of uptime); larger values round. */
export function readU64(view: DataView, offset: number): number {
	return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
}

/** One growth as it comes from the ring, without interpretation; the views stay valid only until the next drain. */
export interface RawGrowth {
	timeNs: number;
	goid: number;
	ip: number;
	mapType: number;
	map: number;
	tgid: number;
	tid: number;
	site: number;
	truncated: boolean;
	fault: number;
	header: DataView;
	table: DataView;
	/** Return addresses, innermost first. */
	frames: BigUint64Array;
}

/** Decodes record `index` of a buffer of drained records. */
export function decodeGrowth(buffer: ArrayBuffer, index: number): RawGrowth {
	const base = index * GROWTH.size;
	const view = new DataView(buffer, base, GROWTH.size);
	const count = Math.min(view.getUint16(GROWTH.frameCount, true), MAX_FRAMES);
	return {
		timeNs: readU64(view, GROWTH.timeNs),
		goid: readU64(view, GROWTH.goid),
		ip: readU64(view, GROWTH.ip),
		mapType: readU64(view, GROWTH.mapType),
		map: readU64(view, GROWTH.map),
		tgid: view.getUint32(GROWTH.tgid, true),
		tid: view.getUint32(GROWTH.tid, true),
		site: view.getUint32(GROWTH.site, true),
		truncated: view.getUint8(GROWTH.truncated) !== 0,
		fault: view.getUint8(GROWTH.fault),
		header: new DataView(buffer, base + GROWTH.header, GROWTH.headerBytes),
		table: new DataView(buffer, base + GROWTH.table, GROWTH.tableBytes),
		frames: new BigUint64Array(buffer, base + GROWTH.frames, count),
	};
}
