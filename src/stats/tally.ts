import type {
	Frame,
	GoroutineRow,
	GrowthCause,
	GrowthKind,
	GrowthRecord,
	LatencyRow,
	MapRow,
	SiteRow,
	TypeRow,
} from "../records/records.ts";
import { type LatencyCount, LatencyTally } from "./latency.ts";
import { GoroutineRows, MapRows } from "./map-and-goroutine-rows.ts";
import {
	addToSiteRow,
	addToTypeRow,
	compareSiteRows,
	compareTypeRows,
	type Increment,
	newSiteRow,
	newTypeRow,
	OTHER,
	siteKey,
} from "./rows.ts";

/** Growths and work calls that have no row of their own because the row limit was reached. */
export interface Folded {
	growths: number;
	work: number;
}

export interface TargetCount {
	pid: number;
	growths: number;
	work: number;
}

/** Sums over one window or since the start. Values, not views: later events don't change them. */
export interface Tally {
	growths: number;
	/** Calls of the work tier. */
	work: number;
	/** Bytes of the new arrays of all growths that told their size. */
	bytes: number;
	/** Growths that told their size; fewer than `growths` means that `bytes` is a lower bound. */
	growths_with_bytes: number;
	/** Bytes of the entries that growths copy, at once (swiss) or step by step (classic). */
	bytes_moved: number;
	/** Growths that told how much they move. */
	growths_with_moved: number;
	kinds: Partial<Record<GrowthKind, number>>;
	causes: Partial<Record<GrowthCause, number>>;
	/** Function -> calls. */
	calls: Record<string, number>;
	types: TypeRow[];
	sites: SiteRow[];
	/** Durations per function and map type, most time first; empty when none were measured. */
	latency: LatencyRow[];
	/** The longest chains of growths, and the goroutines with most growths; only so many. */
	maps: MapRow[];
	goroutines: GoroutineRow[];
	/** Growths that overlapped an iteration, one for each iteration. */
	overlaps: number;
	targets: TargetCount[];
	folded: Folded;
}

/** Where something has happened, and for which type of map. */
export interface Where {
	mapType: string;
	/** Undefined when the stack could not be read. */
	site: Frame | undefined;
	/** Of both (`siteKey`). */
	key: string;
	/** Use the "(other)" site row. */
	fold: boolean;
}

const OTHER_KEY = siteKey({ fn: OTHER }, OTHER);

/** Rows of maps and goroutines that a tally shows, and those that it keeps to choose from. */
const TOP_ROWS = 100;
const KEPT_ROWS = 8192;

/** Adds up one window or a whole run. At most `maxRows` rows of each table; the rest goes to a row named "(other)". */
export class TallyBuilder {
	readonly #maxRows: number;
	readonly #types = new Map<string, TypeRow>();
	readonly #sites = new Map<string, SiteRow>();
	readonly #calls = new Map<string, number>();
	readonly #targets = new Map<number, TargetCount>();
	readonly #kinds = new Map<GrowthKind, number>();
	readonly #causes = new Map<GrowthCause, number>();
	readonly #folded: Folded = { growths: 0, work: 0 };
	readonly #latency = new LatencyTally();
	readonly #maps = new MapRows(KEPT_ROWS);
	readonly #goroutines = new GoroutineRows(KEPT_ROWS);
	#overlaps = 0;
	#growths = 0;
	#work = 0;
	#bytes = 0;
	#growthsWithBytes = 0;
	#moved = 0;
	#growthsWithMoved = 0;

	constructor(maxRows: number) {
		this.#maxRows = maxRows;
	}

	/** Whether this site and type have, or still can get, a row of their own. */
	accepts(key: string): boolean {
		return this.#sites.has(key) || this.#sites.size < this.#maxRows;
	}

	/** Counts a growth's kind, cause and size, its map and goroutine, beside its row. */
	addGrowth(growth: GrowthRecord): void {
		const { kind, cause, bytes, bytes_moved, weight = 1 } = growth;
		this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + weight);
		this.#causes.set(cause, (this.#causes.get(cause) ?? 0) + weight);
		if (bytes !== undefined) this.#growthsWithBytes += weight;
		if (bytes_moved !== undefined) {
			this.#moved += weight * bytes_moved;
			this.#growthsWithMoved += weight;
		}
		this.#maps.add(growth);
		this.#goroutines.add(growth);
	}

	addLatency(count: LatencyCount): void {
		this.#latency.add(count);
	}

	addOverlap(): void {
		this.#overlaps++;
	}

	/** Adds to the totals and to the rows of type, site, function and process. */
	add(pid: number, fn: string, where: Where, add: Increment): void {
		const { mapType } = where;
		this.#growths += add.growths;
		this.#work += add.work;
		this.#bytes += add.bytes;
		this.#addSite(where, add);
		const type = this.#types.has(mapType) || this.#types.size < this.#maxRows ? mapType : OTHER;
		addToTypeRow(
			getOrAdd(this.#types, type, () => newTypeRow(type)),
			add,
		);
		const function_ = this.#calls.has(fn) || this.#calls.size < this.#maxRows ? fn : OTHER;
		this.#calls.set(function_, (this.#calls.get(function_) ?? 0) + add.growths + add.work);
		if (!this.#targets.has(pid) && this.#targets.size >= this.#maxRows) return;
		const target = getOrAdd(this.#targets, pid, () => ({ pid, growths: 0, work: 0 }));
		target.growths += add.growths;
		target.work += add.work;
	}

	#addSite({ mapType, site, key, fold }: Where, add: Increment): void {
		if (fold) {
			this.#folded.growths += add.growths;
			this.#folded.work += add.work;
		}
		const row = fold
			? getOrAdd(this.#sites, OTHER_KEY, () => newSiteRow({ fn: OTHER }, OTHER))
			: getOrAdd(this.#sites, key, () => newSiteRow(site, mapType));
		addToSiteRow(row, add);
	}

	/** The sums so far, rows sorted. Estimates are rounded only here. */
	build(): Tally {
		const rounded = <Row extends TypeRow | TargetCount>(rows: Map<unknown, Row>): Row[] =>
			Array.from(rows.values(), (row) => roundFields({ ...row }));
		const counts = <Name extends string>(map: Map<Name, number>): Partial<Record<Name, number>> =>
			roundFields(Object.fromEntries(map) as Partial<Record<Name, number>>);
		return {
			growths: Math.round(this.#growths),
			work: Math.round(this.#work),
			bytes: Math.round(this.#bytes),
			growths_with_bytes: Math.round(this.#growthsWithBytes),
			bytes_moved: Math.round(this.#moved),
			growths_with_moved: Math.round(this.#growthsWithMoved),
			kinds: counts(this.#kinds),
			causes: counts(this.#causes),
			calls: roundFields(Object.fromEntries(this.#calls)),
			types: rounded(this.#types).sort(compareTypeRows),
			sites: rounded(this.#sites).sort(compareSiteRows),
			latency: this.#latency.rows(),
			maps: this.#maps.top(TOP_ROWS),
			goroutines: this.#goroutines.top(TOP_ROWS),
			overlaps: this.#overlaps,
			targets: rounded(this.#targets).sort((a, b) => a.pid - b.pid),
			folded: roundFields({ ...this.#folded }),
		};
	}
}

/** Rounds all numbers of a fresh object. */
function roundFields<T extends object>(row: T): T {
	for (const [name, value] of Object.entries(row)) {
		if (typeof value === "number" && !Number.isInteger(value))
			(row as Record<string, unknown>)[name] = Math.round(value);
	}
	return row;
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	const found = map.get(key);
	if (found !== undefined) return found;
	const made = make();
	map.set(key, made);
	return made;
}
