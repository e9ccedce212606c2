/** Growths wait here until they have been left, so that their records have a duration. */
import type { RawGrowth, RawLeft } from "../../kernel/events.ts";
import type { GrowthRecord } from "../../records/records.ts";

/** How long a growth may take until its record is given out without a duration. */
const PATIENCE_NS = 1e9;
/** A goroutine is in one growth at a time, so these are goroutines that grow maps at the same moment. */
const MAX_PENDING = 4096;

const keyOf = (tgid: number, g: number, begunNs: number): string => `${tgid}:${g}:${begunNs}`;

export class PendingGrowths {
	/** In the order in which they began. */
	readonly #pending = new Map<string, { record: GrowthRecord; begunNs: number }>();

	/** Takes a growth that has just begun; `give` gets an older one when there are too many. */
	add(raw: RawGrowth, record: GrowthRecord, give: (record: GrowthRecord) => void): void {
		this.#pending.set(keyOf(raw.tgid, raw.g, raw.timeNs), { record, begunNs: raw.timeNs });
		if (this.#pending.size > MAX_PENDING) this.#giveOldest(give);
	}

	/** A growth has been left: gives it out with its duration. One that is not waiting has been given out already, or was lost. */
	left(raw: RawLeft, give: (record: GrowthRecord) => void): void {
		const key = keyOf(raw.tgid, raw.g, raw.begunNs);
		const found = this.#pending.get(key);
		if (found === undefined) return;
		this.#pending.delete(key);
		found.record.duration_ns = raw.durationNs;
		give(found.record);
	}

	/** Gives out what has waited too long at the time `nowNs` of the monotonic clock. */
	expire(nowNs: number, give: (record: GrowthRecord) => void): void {
		for (const { begunNs } of this.#pending.values()) {
			if (nowNs - begunNs < PATIENCE_NS) return;
			this.#giveOldest(give);
		}
	}

	/** Gives out everything, or what is of these processes. */
	flush(give: (record: GrowthRecord) => void, pids?: ReadonlySet<number>): void {
		for (const [key, { record }] of this.#pending) {
			if (pids !== undefined && !pids.has(record.pid)) continue;
			this.#pending.delete(key);
			give(record);
		}
	}

	get size(): number {
		return this.#pending.size;
	}

	#giveOldest(give: (record: GrowthRecord) => void): void {
		for (const [key, { record }] of this.#pending) {
			this.#pending.delete(key);
			give(record);
			return;
		}
	}
}
