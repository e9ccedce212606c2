import type { Frame, GrowthCause, GrowthKind, SiteRow, TypeRow } from "../model/records.ts";
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
	kinds: Partial<Record<GrowthKind, number>>;
	causes: Partial<Record<GrowthCause, number>>;
	/** Function -> calls. */
	calls: Record<string, number>;
	types: TypeRow[];
	sites: SiteRow[];
	targets: TargetCount[];
	folded: Folded;
}

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
	#growths = 0;
	#work = 0;
	#bytes = 0;
	#growthsWithBytes = 0;

	constructor(maxRows: number) {
		this.#maxRows = maxRows;
	}

	/** Whether this site and type have, or still can get, a row of their own. */
	accepts(key: string): boolean {
		return this.#sites.has(key) || this.#sites.size < this.#maxRows;
	}

	/** Counts a growth's kind, cause and size beside its row. */
	addGrowth(kind: GrowthKind, cause: GrowthCause, hasBytes: boolean): void {
		this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
		this.#causes.set(cause, (this.#causes.get(cause) ?? 0) + 1);
		if (hasBytes) this.#growthsWithBytes++;
	}

	/** Adds to the totals and to the rows of type, site, function and process. `fold`: use the "(other)" site row. */
	add(pid: number, fn: string, mapType: string, site: Frame | undefined, add: Increment, fold: boolean): void {
		this.#growths += add.growths;
		this.#work += add.work;
		this.#bytes += add.bytes;
		this.#addSite(mapType, site, add, fold);
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

	#addSite(mapType: string, site: Frame | undefined, add: Increment, fold: boolean): void {
		if (fold) {
			this.#folded.growths += add.growths;
			this.#folded.work += add.work;
		}
		const frame = fold ? { fn: OTHER } : site;
		const type = fold ? OTHER : mapType;
		addToSiteRow(
			getOrAdd(this.#sites, siteKey(frame, type), () => newSiteRow(frame, type)),
			add,
		);
	}

	/** The sums so far, rows sorted. */
	build(): Tally {
		return {
			growths: this.#growths,
			work: this.#work,
			bytes: this.#bytes,
			growths_with_bytes: this.#growthsWithBytes,
			kinds: Object.fromEntries(this.#kinds),
			causes: Object.fromEntries(this.#causes),
			calls: Object.fromEntries(this.#calls),
			types: Array.from(this.#types.values(), (row) => ({ ...row })).sort(compareTypeRows),
			sites: Array.from(this.#sites.values(), (row) => ({ ...row })).sort(compareSiteRows),
			targets: Array.from(this.#targets.values(), (row) => ({ ...row })).sort((a, b) => a.pid - b.pid),
			folded: { ...this.#folded },
		};
	}
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	const found = map.get(key);
	if (found !== undefined) return found;
	const made = make();
	map.set(key, made);
	return made;
}
