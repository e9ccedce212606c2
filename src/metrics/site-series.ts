/** The counters of one call site and map type of a target. */
import { amountOf } from "../records/figure.ts";
import type { GrowthRecord, SiteRow } from "../records/records.ts";

export interface SiteLabels {
	site: string;
	map_type: string;
}

export interface Combination {
	kind: string;
	cause: string;
	growths: number;
}

const UNKNOWN = "unknown\nunknown";

/**
 * Rows of windows have the count, records have kind and cause: what a row has is shared out by the records, so that the sum over kinds
 * and causes is the count. Nothing ever goes down.
 */
export class SiteSeries {
	readonly labels: SiteLabels;
	bytes = 0;
	copied = 0;
	maxCapacity = 0;
	readonly #combinations = new Map<string, number>();
	/** Weights of records that no row has counted yet, and of all. */
	readonly #waiting = new Map<string, number>();
	readonly #seen = new Map<string, number>();

	constructor(labels: SiteLabels) {
		this.labels = labels;
	}

	/** Kind and cause are few, whatever a recording says: unknown ones are one. */
	addRecord({ kind, cause, weight = 1, bytes_moved = 0 }: GrowthRecord, known: boolean): void {
		const key = known ? `${kind}\n${cause}` : UNKNOWN;
		this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + weight);
		this.#seen.set(key, (this.#seen.get(key) ?? 0) + weight);
		this.copied += bytes_moved * weight;
	}

	addRow({ growths, bytes, max_capacity }: SiteRow): void {
		this.bytes += amountOf(bytes);
		this.maxCapacity = Math.max(this.maxCapacity, max_capacity);
		this.#share(amountOf(growths));
	}

	#share(count: number): void {
		if (count <= 0) return;
		const weights = this.#waiting.size > 0 ? this.#waiting : this.#seen;
		const sum = [...weights.values()].reduce((total, weight) => total + weight, 0);
		if (sum === 0) {
			this.#add(UNKNOWN, count);
			return;
		}
		let left = count;
		const entries = [...weights].sort((a, b) => a[1] - b[1]);
		for (const [index, [key, weight]] of entries.entries()) {
			const whole = Number.isInteger(count);
			const part = index === entries.length - 1 ? left : (count * weight) / sum;
			const share = Math.min(left, whole ? Math.round(part) : part);
			left -= share;
			this.#add(key, share);
		}
		// Records that came before their row's window ended are of this row, and those that exceed it of the next.
		for (const [key, weight] of this.#waiting) {
			const rest = weight - (count * weight) / sum;
			if (rest > 0.5) this.#waiting.set(key, rest);
			else this.#waiting.delete(key);
		}
	}

	#add(key: string, count: number): void {
		if (count > 0) this.#combinations.set(key, (this.#combinations.get(key) ?? 0) + count);
	}

	combinations(): Combination[] {
		return Array.from(this.#combinations, ([key, growths]) => {
			const [kind = "", cause = ""] = key.split("\n");
			return { kind, cause, growths };
		});
	}
}
