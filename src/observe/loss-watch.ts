/** Makes loss records: at most one per tier, stage and window, and none while nothing new is lost. */
import { measuredTiersOf } from "../records/ledger.ts";
import type { LossRecord, TierName } from "../records/records.ts";
import type { Counters } from "../tracer/counters.ts";

const HINTS: Record<LossRecord["stage"], string> = {
	ring: "growths came faster than they could be read: use the table instead of --json, or give the reader a faster disk or pipe",
	"site-table": "the table of call sites is full: calls stay exact in `calls`, their call sites are incomplete",
	unreadable:
		"the headers of their maps could not be read, or made no sense: these growths are only counted, in `calls`",
	"unknown-record": "the kernel programs wrote records of a kind that this version does not know: please report this",
};

/** Where a tier loses what the reader of the ring did not see. */
const STAGES: Record<TierName, LossRecord["stage"]> = {
	growth: "ring",
	work: "site-table",
	sample: "ring",
	latency: "ring",
	iteration: "ring",
	make: "site-table",
};

export class LossWatch {
	/** By tier and stage: all of them are known words. */
	readonly #latest = new Map<string, LossRecord>();

	/** Records for what was lost since the previous call. */
	update({ ledger, undecoded }: Pick<Counters, "ledger" | "undecoded">, time: string): LossRecord[] {
		const records: LossRecord[] = [];
		for (const [tier, { lost }] of measuredTiersOf(ledger)) {
			const own = undecoded.filter((part) => part.tier === tier);
			const rest = lost - own.reduce((sum, { count }) => sum + count, 0);
			for (const { stage, count } of [{ stage: STAGES[tier], count: rest }, ...own]) {
				const record = this.#newlyLost(tier, stage, count, time);
				if (record !== undefined) records.push(record);
			}
		}
		return records;
	}

	#newlyLost(tier: TierName, stage: LossRecord["stage"], total: number, time: string): LossRecord | undefined {
		const key = `${tier} ${stage}`;
		const lost = total - (this.#latest.get(key)?.total ?? 0);
		if (lost <= 0) return undefined;
		const record: LossRecord = { type: "loss", time, stage, hint: HINTS[stage], tier, lost, total };
		this.#latest.set(key, record);
		return record;
	}

	/** The last record of each tier and stage. */
	get latest(): readonly LossRecord[] {
		return [...this.#latest.values()];
	}
}
