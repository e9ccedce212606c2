/** Reads what the kernel programs have counted of makes: bpf/makes.h. */
import { MapTable } from "./map-table.ts";
import { MADE, MAKE_KEY, MAKE_ROW, MAKE_WINDOW, readU64 } from "./wire.ts";

/** What a row counts: wire.ts, MADE. */
export type MadeKind = keyof typeof MADE;

export interface MakeRow {
	/** Of the function that made the map; of growths without a make, of the function that grows it. */
	site: number;
	tgid: number;
	/** Run-time address; 0: the make does not tell it. */
	mapType: number;
	/** Return addresses: the call site (0: not known), and the outermost wrapper's or the growth's. */
	caller: number;
	via: number;
	kind: MadeKind;
	/** Which of the site's two windows it was counted in. */
	window: 0 | 1;
	/** Class of hints or entries; log2 of slots. */
	number: number;
	maps: number;
	/** Of the hints or the entries. */
	sum: number;
}

const KINDS = new Map<number, MadeKind>(Object.entries(MADE).map(([kind, code]) => [code, kind as MadeKind]));

export class MakeCounters {
	readonly #table: MapTable;

	constructor(fd: number) {
		this.#table = new MapTable(fd, {
			name: "the makes",
			keyBytes: MAKE_KEY.size,
			valueBytes: MAKE_ROW.size,
			perCpu: false,
		});
	}

	*rows(): Generator<MakeRow> {
		for (const { key, value } of this.#table.rows()) {
			const what = key.getUint32(MAKE_KEY.what, true);
			const kind = KINDS.get(what & ~MAKE_WINDOW);
			if (kind === undefined) continue;
			yield {
				site: key.getUint32(MAKE_KEY.site, true),
				tgid: key.getUint32(MAKE_KEY.tgid, true),
				mapType: readU64(key, MAKE_KEY.mapType),
				caller: readU64(key, MAKE_KEY.caller),
				via: readU64(key, MAKE_KEY.via),
				kind,
				window: (what & MAKE_WINDOW) === 0 ? 0 : 1,
				number: key.getUint32(MAKE_KEY.number, true),
				maps: readU64(value, MAKE_ROW.maps),
				sum: readU64(value, MAKE_ROW.sum),
			};
		}
	}

	/** Forgets the rows of these sites. */
	forget(sites: ReadonlySet<number>): void {
		this.#table.remove((key) => sites.has(key.getUint32(MAKE_KEY.site, true)));
	}
}
