/** The records of the ring buffer as the kernel programs wrote them, without interpretation. */
import { CERTAIN, EVENT, LEFT, MAX_FRAMES, RECORD, readU64 } from "./wire.ts";

/** What all records with a stack have. */
interface RawEvent {
	/** Site of the function's entry. */
	site: number;
	/** Monotonic clock. */
	timeNs: number;
	/** Run-time address of the goroutine's runtime.g. */
	g: number;
	goid: number;
	/** Run-time address of the probed instruction. */
	ip: number;
	mapType: number;
	tgid: number;
	tid: number;
	truncated: boolean;
	/** FAULT bits. */
	fault: number;
	/** Return addresses, innermost first; valid only until the next drain. */
	frames: BigUint64Array;
}

/** A growth begins. The views stay valid only until the next drain. */
export interface RawGrowth extends RawEvent {
	kind: "growth";
	/** 0 where it is not known, as for the next three. */
	parentGoid: number;
	gopc: number;
	startpc: number;
	/** Run-time address of the map's header. */
	map: number;
	/** Which growth of the map it is, when iterations are watched; else 0. */
	sequence: number;
	/** How many growths this one stands for. */
	weight: number;
	/** When, where and with what hint its map was made; 0: that was not seen. */
	madeNs: number;
	madeBy: number;
	madeHint: number;
	/** The map's header lies on the goroutine's stack. */
	onStack: boolean;
	/** The map header and the table that grows. */
	header: DataView;
	table: DataView;
}

/** A growth has been left. */
export interface RawLeft {
	kind: "left";
	site: number;
	tgid: number;
	g: number;
	/** timeNs of the growth. */
	begunNs: number;
	durationNs: number;
}

/** A sampled or slow call of the work tier. */
export interface RawWork extends RawEvent {
	kind: "work";
	/** 0: not measured. */
	durationNs: number;
	/** How many calls this one stands for. */
	weight: number;
	slow: boolean;
	iterating: boolean;
}

/** An iterator takes a step after its map has grown. */
export interface RawStep extends RawEvent {
	kind: "step";
	/** The map's hash seed. */
	seed: bigint;
	/** When the iteration began. */
	begunNs: number;
	/** Growths of the map at the previous step, and now. */
	seen: number;
	sequence: number;
}

/** Of a kind that the decoder does not know, or too short for its kind: programs and decoder do not belong together. */
export interface RawUnknown {
	kind: "unknown";
	/** Undefined when the record is too short to say. */
	site: number | undefined;
}

export type RawRecord = RawGrowth | RawLeft | RawWork | RawStep | RawUnknown;

/** A call that was picked with a chance of one in ten stands for ten. */
function weightOf(chance: number): number {
	return chance === CERTAIN || chance === 0 ? 1 : Math.round((2 ** 32 / chance) * 1e4) / 1e4;
}

function common(view: DataView): RawEvent {
	const count = Math.min(
		view.getUint16(EVENT.frameCount, true),
		MAX_FRAMES,
		Math.floor((view.byteLength - EVENT.frames) / 8),
	);
	return {
		site: view.getUint32(EVENT.site, true),
		timeNs: readU64(view, EVENT.timeNs),
		g: readU64(view, EVENT.g),
		goid: readU64(view, EVENT.goid),
		ip: readU64(view, EVENT.ip),
		mapType: readU64(view, EVENT.mapType),
		tgid: view.getUint32(EVENT.tgid, true),
		tid: view.getUint32(EVENT.tid, true),
		truncated: view.getUint8(EVENT.truncated) !== 0,
		fault: view.getUint8(EVENT.fault),
		frames: new BigUint64Array(view.buffer, view.byteOffset + EVENT.frames, count),
	};
}

function unknown(view: DataView): RawUnknown {
	return { kind: "unknown", site: view.byteLength < EVENT.site + 4 ? undefined : view.getUint32(EVENT.site, true) };
}

/** One record of the ring. */
export function decodeRecord(view: DataView): RawRecord {
	const kind = view.byteLength >= LEFT.size ? view.getUint32(0, true) : 0;
	if (kind === RECORD.left) {
		return {
			kind: "left",
			site: view.getUint32(LEFT.site, true),
			tgid: view.getUint32(LEFT.tgid, true),
			g: readU64(view, LEFT.g),
			begunNs: readU64(view, LEFT.begunNs),
			durationNs: readU64(view, LEFT.durationNs),
		};
	}
	if (view.byteLength < EVENT.frames) return unknown(view);
	switch (kind) {
		case RECORD.growth:
			return {
				kind: "growth",
				...common(view),
				parentGoid: readU64(view, EVENT.parentGoid),
				gopc: readU64(view, EVENT.gopc),
				startpc: readU64(view, EVENT.startpc),
				map: readU64(view, EVENT.map),
				sequence: view.getUint32(EVENT.sequence, true),
				weight: weightOf(view.getUint32(EVENT.growthChance, true)),
				madeNs: readU64(view, EVENT.madeNs),
				madeBy: readU64(view, EVENT.madeBy),
				madeHint: readU64(view, EVENT.madeHint),
				onStack: view.getUint8(EVENT.onStack) !== 0,
				header: new DataView(view.buffer, view.byteOffset + EVENT.header, EVENT.headerBytes),
				table: new DataView(view.buffer, view.byteOffset + EVENT.table, EVENT.tableBytes),
			};
		case RECORD.work:
			return {
				kind: "work",
				...common(view),
				durationNs: readU64(view, EVENT.durationNs),
				weight: weightOf(readU64(view, EVENT.chance)),
				slow: view.getUint8(EVENT.slow) !== 0,
				iterating: view.getUint8(EVENT.iterating) !== 0,
			};
		case RECORD.step:
			return {
				kind: "step",
				...common(view),
				seed: view.getBigUint64(EVENT.seed, true),
				begunNs: readU64(view, EVENT.begunNs),
				seen: readU64(view, EVENT.seen),
				sequence: readU64(view, EVENT.stepSequence),
			};
		default:
			return unknown(view);
	}
}
