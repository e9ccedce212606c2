/** Finds the growths that an iterator's step tells of: those of its map since its previous step. */

import { BoundedTable } from "../../lib/bounded-table.ts";
import type { GrowthRecord } from "../../records/records.ts";

/** Maps whose growths are remembered, and how many of each: more than happen between two steps. */
const MAX_MAPS = 4096;
const MAX_GROWTHS = 64;

interface NumberedGrowth {
	sequence: number;
	record: GrowthRecord;
}

const keyOf = (image: number, map: string): string => `${image}:${map}`;

export class RecentGrowths {
	readonly #maps = new BoundedTable<string, NumberedGrowth[]>(MAX_MAPS);

	/**
	 * `image`: the process image that the map is in (Target.image); `sequence`: which growth of the map it is, as the
	 * kernel counts.
	 */
	add(image: number, sequence: number, record: GrowthRecord): void {
		const key = keyOf(image, record.map);
		const growths = this.#maps.get(key) ?? [];
		growths.push({ sequence, record });
		if (growths.length > MAX_GROWTHS) growths.shift();
		this.#maps.set(key, growths);
	}

	/** The growths of the map behind number `seen` up to number `last`; fewer when some were lost. */
	between(image: number, map: string, seen: number, last: number): GrowthRecord[] {
		return (this.#maps.get(keyOf(image, map)) ?? [])
			.filter(({ sequence }) => sequence > seen && sequence <= last)
			.map(({ record }) => record);
	}
}
