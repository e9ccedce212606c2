/** Maps that were made, as the kernel programs count them: what has been added since they were taken before. */
import type { BpfObject } from "../kernel/bpf-object.ts";
import { type MadeKind, MakeCounters, type MakeRow } from "../kernel/make-counters.ts";
import type { Frame } from "../records/records.ts";
import type { MapTypeInfo } from "./decode/type-names.ts";
import { SeenRows } from "./seen-rows.ts";
import type { EntrySite, SiteTable } from "./site-table.ts";
import type { Target } from "./target.ts";

export interface MadeDelta {
	site: EntrySite;
	pid: number;
	kind: MadeKind;
	/** Absent where the make does not tell it, and for types made at run time. */
	type?: MapTypeInfo;
	/** The first frames outside the map code, innermost first; empty when they could not be read. */
	caller: Frame[];
	/** Makes: frames of the outermost wrapper, of those that were called through one. Growths: the call site of the growth. */
	via: Frame[];
	/** Class of hints or entries; log2 of slots. */
	number: number;
	maps: number;
	/** Of the hints or the entries. */
	sum: number;
}

const isMake = ({ kind }: Pick<MakeRow, "kind">): boolean => kind === "made" || kind === "onStack";

export class MadeMaps {
	readonly #counters: MakeCounters;
	readonly #sites: SiteTable;
	readonly #seen = new SeenRows<{ maps: number; sum: number }>();
	/** Maps of targets that have been released. */
	#ended = 0;

	constructor(object: BpfObject, sites: SiteTable) {
		this.#counters = new MakeCounters(object.mapFd("make_rows"));
		this.#sites = sites;
	}

	/** All that are in rows. */
	get total(): number {
		let total = this.#ended;
		for (const row of this.#counters.rows()) {
			if (isMake(row) && this.#sites.entry(row.site) !== undefined) total += row.maps;
		}
		return total;
	}

	/**
	 * What has been added to the rows that `match` since they were taken before. Those of a program whose place is not known yet wait, unless this is
	 * the `last` time. What becomes of maps is in no window: it comes with the first one.
	 */
	take(match: (site: EntrySite, window: 0 | 1) => boolean, last = false): MadeDelta[] {
		const deltas: MadeDelta[] = [];
		for (const row of this.#counters.rows()) {
			const site = this.#sites.entry(row.site);
			if (site === undefined || (site.target.bias === undefined && !last)) continue;
			if (isMake(row) ? !match(site, row.window) : !match(site, 0) && !match(site, 1)) continue;
			const key = `${row.kind}:${row.window}:${row.mapType}:${row.caller}:${row.via}:${row.number}`;
			const before = this.#seen.get(row.site, key);
			const maps = row.maps - (before?.maps ?? 0);
			if (maps === 0) continue;
			const sum = row.sum - (before?.sum ?? 0);
			this.#seen.set(row.site, key, { maps: row.maps, sum: row.sum });
			deltas.push({ ...this.#named(site, row), maps, sum });
		}
		return deltas;
	}

	#named(site: EntrySite, { tgid, kind, mapType, caller, via, number }: MakeRow): Omit<MadeDelta, "maps" | "sum"> {
		const { target } = site;
		const { bias } = target;
		const frames = (address: number): Frame[] => (bias === undefined ? [] : target.stacks.caller(address, bias));
		const type = mapType === 0 || bias === undefined ? undefined : target.types.at(mapType, bias);
		return {
			...{ site, pid: tgid, kind, number, caller: frames(caller), via: frames(via) },
			...(type === undefined ? {} : { type }),
		};
	}

	/** Targets have ended, and their rows have been taken: keeps how many maps they made, and frees their places. */
	release(targets: readonly Target[]): void {
		const released = new Set(targets.flatMap((target) => this.#sites.entriesOf(target).map(({ index }) => index)));
		for (const row of this.#counters.rows()) if (released.has(row.site) && isMake(row)) this.#ended += row.maps;
		this.#counters.forget(released);
		for (const index of released) this.#seen.forget(index);
	}
}
