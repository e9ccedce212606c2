/** Compares readings while they are in memory. */
import type { Census } from "./census.ts";
import { type ComparedHead, type ComparedMap, Comparison } from "./compare.ts";
import type { CensusHead } from "./record.ts";

const STEP = 1 << 16;

export function comparedHead({ pid, start_time, build_id, time }: CensusHead): ComparedHead {
	return { pid, startTime: start_time, buildId: build_id, timeMs: Date.parse(time) };
}

/** A comparison that has its first reading. */
export function compareFrom(census: Census, head: CensusHead, rows: Uint32Array): Comparison {
	const comparison = new Comparison(comparedHead(head));
	eachMap(census, rows, (map) => comparison.addBefore(map));
	return comparison;
}

export function compareTo(comparison: Comparison, census: Census, head: CensusHead, rows: Uint32Array): void {
	comparison.begin(comparedHead(head));
	eachMap(census, rows, (map) => comparison.addAfter(map));
}

function eachMap(
	{ table, typings, holders, onProgress, wasteOf }: Census,
	rows: Uint32Array,
	visit: (map: ComparedMap) => void,
): void {
	for (let i = 0; i < rows.length; i++) {
		if (i % STEP === 0) onProgress();
		const row = rows[i] as number;
		visit({
			address: table.float("address", row),
			type: typings.of(table, row)?.text ?? "?",
			holder: holders.get(holders.of(row)),
			entries: table.word("entries", row),
			bytes: table.word("bytes", row),
			reclaimableBytes: wasteOf(row),
		});
	}
}

/** How far maps that grow were at the last reading, and since when they are there. */
export class GrowthWatch {
	#last = new Map<number, { evacuated: number; since: string }>();
	#readings = 0;

	/** Notes in the census which growths have not moved since an earlier reading. */
	see({ table }: Census, time: string): void {
		const now = new Map<number, { evacuated: number; since: string }>();
		for (const [row, growing] of table.growing) {
			const address = table.float("address", row);
			const before = this.#last.get(address);
			const since = before?.evacuated === growing.evacuated ? before.since : time;
			now.set(address, { evacuated: growing.evacuated, since });
			if (this.#readings > 0) growing.since = since;
		}
		this.#last = now;
		this.#readings++;
	}
}
