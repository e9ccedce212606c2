/** Rows of the five tables: a statistics row with what it stands for. */

import { type KnownMap, type MapState, slotsAfterAtLeast } from "../gomap/map-state.ts";
import { addMeasured, type Figure } from "../records/figure.ts";
import type { Frame, GoroutineRow, GrowthRecord, MapNow, MapRow, SiteRow, TypeRow } from "../records/records.ts";
import { SAMPLED_FIGURES, type SampledFigure } from "./sampled-sums.ts";
import type { Sampling, Stream } from "./sampling.ts";
import { type RowOf, StatRow } from "./stat-row.ts";
import type { TargetCount } from "./totals.ts";

/** What records are made of. */
export type ReadSpan = "window" | "total";

/** Those that were measured. */
export function measuredFigures(
	row: StatRow,
	span: ReadSpan,
	sampling: Sampling,
	of: RowOf,
): Partial<Record<SampledFigure, Figure>> {
	const figures: Partial<Record<SampledFigure, Figure>> = {};
	for (const name of SAMPLED_FIGURES) {
		const figure = row.read(name, span, sampling, of);
		if (figure !== undefined) figures[name] = figure;
	}
	return figures;
}

/** A call site that makes maps of one type grow. */
export class SiteStats extends StatRow {
	readonly key: string;
	readonly site: Pick<SiteRow, "pid" | "fn" | "file" | "line" | "map_type">;

	/** Of the maps whose last growth was here the one with the most slots, as far as it is still there. */
	#largest: MapStats | undefined;

	/** A site that is not known (no stack) has an empty function name; the row of all the rest is of no process. */
	constructor(key: string, pid: number | undefined, site: Frame | undefined, map_type: string) {
		super();
		this.key = key;
		const { fn = "", file, line } = site ?? {};
		this.site = {
			...(pid === undefined ? {} : { pid }),
			fn,
			...(file === undefined ? {} : { file }),
			...(line === undefined ? {} : { line }),
			map_type,
		};
	}

	/** A map that grew here has been looked at. */
	seeMap(map: MapStats): void {
		const slots = map.state?.slots ?? -1;
		if (slots > (this.largest?.state?.slots ?? -1)) this.#largest = map;
	}

	get largest(): MapStats | undefined {
		const map = this.#largest;
		return map === undefined || map.gone || map.state === undefined ? undefined : map;
	}

	row(span: ReadSpan, sampling: Sampling): SiteRow {
		const { largest } = this;
		const state = largest?.state;
		const row: SiteRow = {
			...this.site,
			...measuredFigures(this, span, sampling, { pid: this.site.pid }),
			max_capacity: this.figure("slots", span),
			...(this.figure("withTime", span) > 0 ? { duration_ns: this.rounded("time", span) } : {}),
			...(largest === undefined || state === undefined ? {} : { now: { map: largest.chain.map, ...nowOf(state) } }),
		};
		if (this.figure("withIterating", span) > 0) row.iterating = this.rounded("iterating", span);
		return row;
	}
}

export class TypeStats extends StatRow {
	readonly pid: number | undefined;
	readonly map_type: string;

	/** The row of all the rest is of no process. */
	constructor(pid: number | undefined, map_type: string) {
		super();
		this.pid = pid;
		this.map_type = map_type;
	}

	row(span: ReadSpan, sampling: Sampling): TypeRow {
		return {
			...(this.pid === undefined ? {} : { pid: this.pid }),
			map_type: this.map_type,
			...measuredFigures(this, span, sampling, { pid: this.pid }),
			max_capacity: this.figure("slots", span),
		};
	}
}

export class ProcessStats extends StatRow {
	/** 0: the processes that have no row of their own. */
	readonly pid: number;

	constructor(pid: number) {
		super();
		this.pid = pid;
	}

	row(span: ReadSpan, sampling: Sampling): TargetCount {
		const { growths, work } = measuredFigures(this, span, sampling, { pid: this.pid === 0 ? undefined : this.pid });
		return { pid: this.pid, ...(growths === undefined ? {} : { growths }), ...(work === undefined ? {} : { work }) };
	}
}

export class GoroutineStats extends StatRow {
	readonly key: string;
	readonly pid: number;
	readonly goid: number;
	createdBy: Frame | undefined;
	startFn: string | undefined;

	constructor(key: string, pid: number, goid: number) {
		super();
		this.key = key;
		this.pid = pid;
		this.goid = goid;
	}

	addOrigin({ created_by, start_fn }: GrowthRecord): void {
		if (created_by !== undefined) this.createdBy = created_by;
		if (start_fn !== undefined) this.startFn = start_fn;
	}

	row(span: ReadSpan): GoroutineRow {
		return {
			pid: this.pid,
			goid: this.goid,
			growths: this.rounded("growths", span),
			bytes: this.rounded("bytes", span),
			duration_ns: this.rounded("time", span),
			...(this.createdBy === undefined ? {} : { created_by: this.createdBy }),
			...(this.startFn === undefined ? {} : { start_fn: this.startFn }),
		};
	}
}

/**
 * One map with the chain of its growths. Of the chain each growth counts alone, also when it stands for others, since
 * those may be of any map.
 */
export class MapStats extends StatRow {
	readonly key: string;
	/** Since it was first seen. */
	readonly #chain: MapRow;
	/** Where the open window found it. */
	#slotsBefore: number;
	#bytesBefore = 0;
	/** Least slots of the whole map by its growths, and by their sum where the first one was of its only table. */
	#slotsAtLeast = 0;
	#slotsSummed: number | undefined;
	/** Where its header was last; undefined: not known. */
	#address: number | undefined;
	#state: MapState | undefined;

	/** `growth`: the first one that is seen of it. */
	constructor(key: string, growth: GrowthRecord) {
		super();
		this.key = key;
		// Tables may stand in several entries of the directory, so this is the most it can have been.
		const slots = growth.capacity_before * (growth.directory_length ?? 1);
		const { pid, map_type, map } = growth;
		this.#chain = { pid, map_type, map, growths: 0, slots_first: slots, slots_last: slots, count: 0, bytes: 0, fn: "" };
		this.#slotsBefore = slots;
		this.#slotsSummed = (growth.directory_length ?? 1) <= 1 ? slots : undefined;
	}

	/** `site`: of the growth. `first`: of the window. */
	addToChain(growth: GrowthRecord, site: Frame | undefined, first: boolean): void {
		const chain = this.#chain;
		if (first) {
			if (chain.growths > 0) this.#slotsBefore = growth.impl === "classic" ? growth.capacity_before : chain.slots_last;
			this.#bytesBefore = chain.bytes;
		}
		chain.growths = Math.max(chain.growths + 1, growth.nth);
		// Of one table the map gets as many slots more; of a whole map growths before this one may not have become records.
		const more = growth.capacity_after - growth.capacity_before;
		if (growth.impl === "classic") chain.slots_last = growth.capacity_after;
		else chain.slots_last += more;
		if (this.#slotsSummed !== undefined) this.#slotsSummed += more;
		this.#slotsAtLeast = Math.max(this.#slotsAtLeast, slotsAfterAtLeast(growth));
		if (growth.address !== undefined) this.#address = Number(growth.address);
		chain.count = growth.count;
		chain.bytes += growth.bytes ?? 0;
		const { fn = "", file, line } = site ?? {};
		chain.fn = fn;
		delete chain.file;
		delete chain.line;
		if (file !== undefined) chain.file = file;
		if (line !== undefined) chain.line = line;
	}

	/** What is needed to look at it again; undefined where that cannot be done. */
	get known(): KnownMap | undefined {
		const { pid, map: seed, map_type: mapType } = this.#chain;
		return this.#address === undefined ? undefined : { pid, address: this.#address, seed, mapType };
	}

	/** As it was when it was looked at last; undefined when it was not there any more. */
	get state(): MapState | undefined {
		return this.#state;
	}

	/** It has been looked at. */
	set state(state: MapState | undefined) {
		this.#state = state;
		// What grows is one table: how many there are, and what has grown unseen, it shows only now.
		if (state !== undefined) this.#chain.slots_last = state.slots;
	}

	/** Slots that the whole map had after its last growth, or more. */
	get slotsAtLeast(): number {
		return Math.max(this.#slotsAtLeast, this.#slotsSummed ?? 0, this.#state?.slots ?? 0);
	}

	/** The chain as it is: do not change it. */
	get chain(): Readonly<MapRow> {
		return this.#chain;
	}

	row(span: ReadSpan): MapRow {
		const chain = this.#state === undefined ? this.#chain : { ...this.#chain, now: nowOf(this.#state) };
		if (span !== "window") return { ...chain };
		return { ...chain, slots_first: this.#slotsBefore, bytes: chain.bytes - this.#bytesBefore };
	}
}

function nowOf({ entries, slots, bytes }: MapState): MapNow {
	return { entries, slots, ...(bytes === undefined ? {} : { bytes }) };
}

/** Of so many processes it is known whether they have a function. */
const MAX_PIDS = 4096;

/** Calls of one function, of all processes. */
export class FunctionStats extends StatRow {
	readonly #stream: Stream | undefined;
	readonly #pids = new Set<number>();

	/** `stream`: with which it is measured; absent: the row of all the rest, which has calls of all kinds. */
	constructor(stream?: Stream) {
		super();
		this.#stream = stream;
	}

	/** This process has the function. */
	addProcess(pid: number): void {
		if (this.#pids.size < MAX_PIDS) this.#pids.add(pid);
	}

	/** Of the processes that have it: how another function of the same tier, or another process, was measured says nothing of it. */
	calls(span: ReadSpan, sampling: Sampling): Figure | undefined {
		const stream = this.#stream;
		if (stream === undefined) {
			return addMeasured((["growths", "work"] as const).map((figure) => this.read(figure, span, sampling)));
		}
		const extents = sampling.extents(undefined, [stream], span);
		const known = this.#pids.size < MAX_PIDS ? extents.filter(({ pid }) => this.#pids.has(pid)) : extents;
		return this.readOver(known, figureOf(stream), span, false);
	}
}

function figureOf(stream: Stream): SampledFigure {
	return stream === "large" || stream === "small" ? "growths" : "work";
}
