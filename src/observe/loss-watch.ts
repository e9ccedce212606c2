import { measuredTiersOf } from "../records/ledger.ts";
/** Makes loss records: at most one per stage and window, and none while nothing new is lost. */
import type { Ledger, LossRecord, TierName } from "../records/records.ts";

const RING_HINT =
	"growths came faster than they could be read: use the table instead of --json, or give the reader a faster disk or pipe";

const STAGES: Record<TierName, { stage: LossRecord["stage"]; hint: string }> = {
	growth: { stage: "ring", hint: RING_HINT },
	work: {
		stage: "site-table",
		hint: "the table of call sites is full: calls stay exact in `calls`, their call sites are incomplete",
	},
	sample: { stage: "ring", hint: RING_HINT },
	latency: { stage: "ring", hint: RING_HINT },
	iteration: { stage: "ring", hint: RING_HINT },
};

export class LossWatch {
	readonly #latest = new Map<TierName, LossRecord>();

	/** Records for what was lost since the previous call. */
	update(ledger: Ledger, time: string): LossRecord[] {
		const records: LossRecord[] = [];
		for (const [tier, { lost: total }] of measuredTiersOf(ledger)) {
			const lost = total - (this.#latest.get(tier)?.total ?? 0);
			if (lost <= 0) continue;
			const record: LossRecord = { type: "loss", time, ...STAGES[tier], tier, lost, total };
			this.#latest.set(tier, record);
			records.push(record);
		}
		return records;
	}

	/** The last record of each tier. */
	get latest(): readonly LossRecord[] {
		return [...this.#latest.values()];
	}
}
