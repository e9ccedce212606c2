/** Rows of the five tables: a statistics row with what it stands for. */

import { addMeasured, type Figure } from "../records/figure.ts";
import type { Frame, GoroutineRow, GrowthRecord, MapRow, SiteRow, TypeRow } from "../records/records.ts";
import { SAMPLED_FIGURES, type SampledFigure } from "./sampled-sums.ts";
import type { Sampling, Stream } from "./sampling.ts";
import { StatRow } from "./stat-row.ts";
import type { TargetCount } from "./totals.ts";

/** What records are made of. */
export type ReadSpan = "window" | "total";

/** Those that were measured. */
export function measuredFigures(
	row: StatRow,
	span: ReadSpan,
	sampling: Sampling,
	pid: number | undefined,
): Partial<Record<SampledFigure, Figure>> {
	const figures: Partial<Record<SampledFigure, Figure>> = {};
	for (const name of SAMPLED_FIGURES) {
		const figure = row.read(name, span, sampling, pid);
		if (figure !== undefined) figures[name] = figure;
	}
	return figures;
}

/** A call site that makes maps of one type grow. */
export class SiteStats extends StatRow {
	readonly key: string;
	readonly site: Pick<SiteRow, "pid" | "fn" | "file" | "line" | "map_type">;

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

	row(span: ReadSpan, sampling: Sampling): SiteRow {
		const row: SiteRow = {
			...this.site,
			...measuredFigures(this, span, sampling, this.site.pid),
			max_capacity: this.figure("slots", span),
			...(this.figure("withTime", span) > 0 ? { duration_ns: this.rounded("time", span) } : {}),
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
			...measuredFigures(this, span, sampling, this.pid),
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
		const { growths, work } = measuredFigures(this, span, sampling, this.pid === 0 ? undefined : this.pid);
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

	/** `growth`: the first one that is seen of it. */
	constructor(key: string, growth: GrowthRecord) {
		super();
		this.key = key;
		// Tables may stand in several entries of the directory, so this is the most it can have been.
		const slots = growth.capacity_before * (growth.directory_length ?? 1);
		const { pid, map_type, map } = growth;
		this.#chain = { pid, map_type, map, growths: 0, slots_first: slots, slots_last: slots, count: 0, bytes: 0, fn: "" };
		this.#slotsBefore = slots;
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
		if (growth.impl === "classic") chain.slots_last = growth.capacity_after;
		else chain.slots_last += growth.capacity_after - growth.capacity_before;
		chain.count = growth.count;
		chain.bytes += growth.bytes ?? 0;
		const { fn = "", file, line } = site ?? {};
		chain.fn = fn;
		delete chain.file;
		delete chain.line;
		if (file !== undefined) chain.file = file;
		if (line !== undefined) chain.line = line;
	}

	/** The chain as it is: do not change it. */
	get chain(): Readonly<MapRow> {
		return this.#chain;
	}

	row(span: ReadSpan): MapRow {
		const chain = this.#chain;
		if (span !== "window") return { ...chain };
		return { ...chain, slots_first: this.#slotsBefore, bytes: chain.bytes - this.#bytesBefore };
	}
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
		return this.readOver(known, stream === "large" || stream === "small" ? "growths" : "work", span);
	}
}
