/** Records as the kernel programs write them (bpf/gomapgrow.h), for the decoders' tests. Offsets are written out here: wire.test.ts compares them with the header. */

/** What gmg_event_head has for all kinds. */
export interface HeadFields {
	site?: number;
	timeNs?: bigint;
	g?: bigint;
	goid?: bigint;
	ip?: bigint;
	mapType?: bigint;
	tgid?: number;
	tid?: number;
	/** Absent: as many as there are frames. */
	frameCount?: number;
	truncated?: number;
	fault?: number;
	slow?: number;
	iterating?: number;
	frames?: readonly bigint[];
}

export interface GrowthFields extends HeadFields {
	parentGoid?: bigint;
	gopc?: bigint;
	startpc?: bigint;
	map?: bigint;
	sequence?: number;
	/** Of 2^32. */
	chance?: number;
	header?: Uint8Array;
	table?: Uint8Array;
	madeNs?: bigint;
	madeBy?: bigint;
	madeHint?: bigint;
	onStack?: number;
}

const HEAD_BYTES = 192;
/** struct gmg_event has room for so many frames; a short record ends after the 24th. */
const SHORT_FRAMES = 24;
const MAX_FRAMES = 127;

/** `at`: bytes in front of the record in its buffer. */
function event(kind: number, fields: HeadFields, at: number, room?: number): DataView {
	const frames = fields.frames ?? [];
	const places = room ?? (frames.length <= SHORT_FRAMES ? SHORT_FRAMES : MAX_FRAMES);
	const view = new DataView(new ArrayBuffer(at + HEAD_BYTES + 8 * places), at);
	view.setUint32(0, kind, true);
	view.setUint32(4, fields.site ?? 0, true);
	[fields.timeNs, fields.g, fields.goid, fields.ip, fields.mapType].forEach((value, i) => {
		view.setBigUint64(8 + 8 * i, value ?? 0n, true);
	});
	view.setUint32(48, fields.tgid ?? 0, true);
	view.setUint32(52, fields.tid ?? 0, true);
	view.setUint16(56, fields.frameCount ?? frames.length, true);
	[fields.truncated, fields.fault, fields.slow, fields.iterating].forEach((value, i) => {
		view.setUint8(58 + i, value ?? 0);
	});
	frames.slice(0, places).forEach((address, i) => {
		view.setBigUint64(HEAD_BYTES + 8 * i, address, true);
	});
	return view;
}

export function rawGrowth(fields: GrowthFields = {}, at = 8): DataView {
	const view = event(1, fields, at);
	[fields.parentGoid, fields.gopc, fields.startpc, fields.map].forEach((value, i) => {
		view.setBigUint64(64 + 8 * i, value ?? 0n, true);
	});
	view.setUint32(96, fields.sequence ?? 0, true);
	view.setUint32(100, fields.chance ?? 0xffffffff, true);
	const bytes = new Uint8Array(view.buffer, at);
	bytes.set((fields.header ?? new Uint8Array(0)).subarray(0, 48), 104);
	bytes.set((fields.table ?? new Uint8Array(0)).subarray(0, 16), 152);
	[fields.madeNs, fields.madeBy, fields.madeHint].forEach((value, i) => {
		view.setBigUint64(168 + 8 * i, value ?? 0n, true);
	});
	view.setUint8(62, fields.onStack ?? 0);
	return view;
}

/** `chance`: of 2^32. */
export function rawWork(fields: HeadFields & { durationNs?: bigint; chance?: bigint } = {}, at = 8): DataView {
	const view = event(3, fields, at);
	view.setBigUint64(64, fields.durationNs ?? 0n, true);
	view.setBigUint64(72, fields.chance ?? 0n, true);
	return view;
}

export function rawStep(
	fields: HeadFields & { seed?: bigint; begunNs?: bigint; seen?: bigint; sequence?: bigint } = {},
	at = 8,
): DataView {
	const view = event(4, fields, at);
	[fields.seed, fields.begunNs, fields.seen, fields.sequence].forEach((value, i) => {
		view.setBigUint64(64 + 8 * i, value ?? 0n, true);
	});
	return view;
}

export function rawLeft(
	fields: { site?: number; tgid?: number; g?: bigint; begunNs?: bigint; durationNs?: bigint } = {},
	at = 8,
): DataView {
	const view = new DataView(new ArrayBuffer(at + 40), at);
	view.setUint32(0, 2, true);
	view.setUint32(4, fields.tgid ?? 0, true);
	[fields.g, fields.begunNs, fields.durationNs].forEach((value, i) => {
		view.setBigUint64(8 + 8 * i, value ?? 0n, true);
	});
	view.setUint32(32, fields.site ?? 0, true);
	return view;
}

/** The first bytes of runtime.hmap (Go 1.15 to 1.25). */
export function hmapBytes(fields: {
	count: number;
	flags?: number;
	b: number;
	overflow?: number;
	seed?: number;
}): Uint8Array {
	const view = new DataView(new ArrayBuffer(48));
	view.setBigUint64(0, BigInt(fields.count), true);
	view.setUint8(8, fields.flags ?? 0);
	view.setUint8(9, fields.b);
	view.setUint16(10, fields.overflow ?? 0, true);
	view.setUint32(12, fields.seed ?? 0x1234, true);
	return new Uint8Array(view.buffer);
}

/** The first bytes of internal/runtime/maps.Map. */
export function swissMapBytes(fields: {
	used: number;
	seed?: bigint;
	directoryLength?: number;
	globalDepth?: number;
}): Uint8Array {
	const view = new DataView(new ArrayBuffer(48));
	view.setBigUint64(0, BigInt(fields.used), true);
	view.setBigUint64(8, fields.seed ?? 0xdeadbeefn, true);
	const depth = fields.globalDepth ?? 0;
	view.setBigUint64(24, BigInt(fields.directoryLength ?? 2 ** depth), true);
	view.setUint8(32, depth);
	return new Uint8Array(view.buffer);
}

/** The first bytes of internal/runtime/maps.table. */
export function swissTableBytes(fields: {
	used: number;
	capacity: number;
	growthLeft?: number;
	localDepth?: number;
}): Uint8Array {
	const view = new DataView(new ArrayBuffer(16));
	view.setUint16(0, fields.used, true);
	view.setUint16(2, fields.capacity, true);
	view.setUint16(4, fields.growthLeft ?? 0, true);
	view.setUint8(6, fields.localDepth ?? 0);
	return new Uint8Array(view.buffer);
}

export function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
