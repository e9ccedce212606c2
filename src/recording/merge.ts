/** Several recordings added up. */

import { BoundedTable } from "../lib/bounded-table.ts";
import { emptyTierLedger, TIERS } from "../records/ledger.ts";
import type { Ledger, LossRecord, TierLedger } from "../records/records.ts";
import type { Totals } from "../stats/totals.ts";
import { TotalsSum } from "../stats/totals-sum.ts";
import { MAX_LOSSES, type Recording } from "./summarize.ts";

/** Recordings of which more than the sums is kept, and processes of all of them together. */
const MAX_RECORDINGS = 1000;
const MAX_TARGETS = 4096;

export interface MergedRecordings {
	/** Without their tables; the first so many. */
	recordings: Recording[];
	count: number;
	/** Of all recordings together. */
	elapsedNs: number;
	sums: Totals;
	ledger?: Ledger;
	/** By stage and tier, added up. */
	losses: LossRecord[];
}

function addCounts<K extends string>(sum: Partial<Record<K, number>>, counts: Partial<Record<K, number>>): void {
	for (const [key, count] of Object.entries(counts) as [K, number][]) sum[key] = (sum[key] ?? 0) + count;
}

function addLedger(sum: Ledger, ledger: Ledger): void {
	for (const name of TIERS) {
		const tier = ledger[name];
		if (tier === undefined) continue;
		const total: TierLedger = sum[name] ?? emptyTierLedger();
		sum[name] = total;
		for (const key of ["hits", "recorded", "sampled_out", "throttled", "lost"] as const) total[key] += tier[key];
		if (tier.pending !== undefined) total.pending = (total.pending ?? 0) + tier.pending;
		if (tier.unpaired === undefined) continue;
		total.unpaired = { ...total.unpaired };
		addCounts(total.unpaired, tier.unpaired);
	}
}

/** Adds up recordings one by one, so that their number does not matter: all but a line of each is dropped. */
export class RecordingSum {
	readonly #recordings: Recording[] = [];
	readonly #sums = new TotalsSum();
	readonly #losses = new BoundedTable<string, LossRecord>(MAX_LOSSES);
	#count = 0;
	#targets = 0;
	#elapsedNs = 0;
	#ledger: Ledger | undefined;

	add(recording: Recording): void {
		const { elapsedNs, sums, ledger, losses, targets, ...line } = recording;
		this.#count++;
		this.#elapsedNs += elapsedNs;
		this.#sums.add(sums);
		if (this.#recordings.length < MAX_RECORDINGS) {
			const kept = targets.slice(0, MAX_TARGETS - this.#targets);
			this.#targets += kept.length;
			this.#recordings.push({ ...line, targets: kept, elapsedNs, sums: withoutRows(sums), losses: [] });
		}
		for (const loss of losses) this.#addLoss(loss);
		if (ledger === undefined) return;
		if (this.#ledger === undefined) this.#ledger = structuredClone(ledger);
		else addLedger(this.#ledger, ledger);
	}

	/** `loss`: the last of its stage and tier in a recording, with its total. Other recordings' are added to it. */
	#addLoss(loss: LossRecord): void {
		const key = `${loss.stage} ${loss.tier}`;
		const sum = this.#losses.getOrAdd(key, () => ({ ...loss, lost: 0, total: 0 }));
		sum.time = loss.time;
		sum.lost += loss.lost;
		sum.total += loss.total;
	}

	/** Undefined when there was none. */
	result(): MergedRecordings | undefined {
		if (this.#count === 0) return undefined;
		return {
			recordings: this.#recordings,
			count: this.#count,
			elapsedNs: this.#elapsedNs,
			sums: this.#sums.result(),
			...(this.#ledger === undefined ? {} : { ledger: this.#ledger }),
			losses: this.#losses.values(),
		};
	}
}

function withoutRows(sums: Totals): Totals {
	return { ...sums, calls: {}, types: [], sites: [], latency: [], maps: [], goroutines: [] };
}
