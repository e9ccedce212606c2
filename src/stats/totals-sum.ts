/** Totals of several recordings added up. Bounded, whatever they say. */

import { BoundedCounts } from "../lib/bounded-counts.ts";
import { FoldingTable, OTHER } from "../lib/bounded-table.ts";
import { topOf } from "../lib/top-k.ts";
import type { GoroutineRow, GrowthCause, GrowthKind, MapRow, SiteRow, TypeRow } from "../records/records.ts";
import { CallSums } from "./call-sums.ts";
import { LatencySums } from "./latency.ts";
import {
	compareGoroutineRows,
	compareMapRows,
	compareSiteRows,
	compareTypeRows,
	OTHER_SITE_KEY,
	siteKey,
} from "./rows.ts";
import type { Totals } from "./totals.ts";

/** Rows of types and call sites; what is beyond is added to one row. */
const MAX_NAMED_ROWS = 8192;
/** Rows of single maps and goroutines are those of the recordings, side by side; only so many are kept. */
const MAX_ROWS = 1000;
const MAX_KINDS = 64;
const COUNTS = ["growths", "work", "bytes", "growths_with_bytes", "bytes_moved", "growths_with_moved"] as const;

type Counts = Record<(typeof COUNTS)[number], number>;

export class TotalsSum {
	readonly #counts: Counts = {
		...{ growths: 0, work: 0, bytes: 0, growths_with_bytes: 0, bytes_moved: 0, growths_with_moved: 0 },
	};
	readonly #kinds = new BoundedCounts<GrowthKind>(MAX_KINDS);
	readonly #causes = new BoundedCounts<GrowthCause>(MAX_KINDS);
	readonly #calls = new CallSums();
	readonly #latency = new LatencySums();
	readonly #types = new FoldingTable<string, TypeRow>(MAX_NAMED_ROWS, OTHER, () => ({
		...{ map_type: OTHER, growths: 0, work: 0, bytes: 0, max_capacity: 0 },
	}));
	readonly #sites = new FoldingTable<string, SiteRow>(MAX_NAMED_ROWS, OTHER_SITE_KEY, () => ({
		...{ fn: OTHER, map_type: OTHER, growths: 0, work: 0, bytes: 0, max_capacity: 0, duration_ns: 0 },
	}));
	#maps: MapRow[] = [];
	#goroutines: GoroutineRow[] = [];
	#overlaps: number | undefined;

	add(totals: Totals): void {
		for (const name of COUNTS) this.#counts[name] += totals[name];
		this.#kinds.addRecord(totals.kinds);
		this.#causes.addRecord(totals.causes);
		this.#calls.add(totals.calls);
		this.#latency.addAll(totals.latency);
		for (const row of totals.types) {
			const { map_type } = row;
			addRow(
				this.#types.getOrAdd(map_type, () => ({ map_type, growths: 0, work: 0, bytes: 0, max_capacity: 0 })),
				row,
			);
		}
		for (const row of totals.sites) this.#addSite(row);
		this.#maps = topOf([...this.#maps, ...totals.maps], MAX_ROWS, compareMapRows);
		this.#goroutines = topOf([...this.#goroutines, ...totals.goroutines], MAX_ROWS, compareGoroutineRows);
		if (totals.overlaps !== undefined) this.#overlaps = (this.#overlaps ?? 0) + totals.overlaps;
	}

	#addSite(row: SiteRow): void {
		const { iterating, growths: _, work: __, bytes: ___, max_capacity: ____, duration_ns: _____, ...name } = row;
		const sum = this.#sites.getOrAdd(siteKey(row, row.map_type), () => ({
			...{ ...name, growths: 0, work: 0, bytes: 0, max_capacity: 0, duration_ns: 0 },
		}));
		addRow(sum, row);
		sum.duration_ns += row.duration_ns;
		if (iterating !== undefined) sum.iterating = (sum.iterating ?? 0) + iterating;
	}

	result(): Totals {
		const other = this.#sites.other;
		return {
			...this.#counts,
			kinds: this.#kinds.record(),
			causes: this.#causes.record(),
			calls: this.#calls.sums(),
			types: this.#types.values().sort(compareTypeRows),
			sites: this.#sites.values().sort(compareSiteRows),
			latency: this.#latency.rows(),
			maps: this.#maps,
			goroutines: this.#goroutines,
			...(this.#overlaps === undefined ? {} : { overlaps: this.#overlaps }),
			targets: [],
			folded: { growths: other?.growths ?? 0, work: other?.work ?? 0 },
		};
	}
}

function addRow(sum: TypeRow | SiteRow, row: TypeRow | SiteRow): void {
	sum.growths += row.growths;
	sum.work += row.work;
	sum.bytes += row.bytes;
	sum.max_capacity = Math.max(sum.max_capacity, row.max_capacity);
}
