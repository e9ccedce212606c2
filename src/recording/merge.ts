/** Several recordings added up. */
import { emptyTierLedger, TIERS } from "../records/ledger.ts";
import type { Ledger, LossRecord, SiteRow, TierLedger, TypeRow } from "../records/records.ts";
import { CallSums } from "../stats/call-sums.ts";
import { LatencySums } from "../stats/latency-rows.ts";
import { compareSiteRows, compareTypeRows, newSiteRow, newTypeRow, OTHER, siteKey } from "../stats/rows.ts";
import { MAX_LOSSES, type Recording, type RecordingSums } from "./summarize.ts";

/** Rows of single maps and goroutines are those of the recordings, side by side; only so many are kept. */
const MAX_ROWS = 1000;
/** Rows of types and call sites; what is beyond is added to one row. */
const MAX_NAMED_ROWS = 8192;
/** Recordings of which more than the sums is kept. */
const MAX_RECORDINGS = 1000;
export interface MergedRecordings {
	/** Without their tables; the first so many. */
	recordings: Recording[];
	count: number;
	/** Of all recordings together. */
	elapsedNs: number;
	sums: RecordingSums;
	ledger?: Ledger;
	/** By stage and tier, added up. */
	losses: LossRecord[];
}

function addCounts<K extends string>(sum: Partial<Record<K, number>>, counts: Partial<Record<K, number>>): void {
	for (const [key, count] of Object.entries(counts) as [K, number][]) sum[key] = (sum[key] ?? 0) + count;
}

/** `other`: the row that gets what is beyond the limit. */
function mergeRows<Row extends TypeRow | SiteRow>(
	rows: readonly Row[],
	keyOf: (row: Row) => string,
	other: Row,
): Row[] {
	const merged = new Map<string, Row>();
	for (const row of rows) {
		const own = keyOf(row);
		const fold = !merged.has(own) && merged.size >= MAX_NAMED_ROWS;
		const key = fold ? keyOf(other) : own;
		let sum = merged.get(key);
		if (sum === undefined) {
			sum = fold ? { ...other } : { ...row };
			merged.set(key, sum);
			if (!fold) continue;
		}
		sum.growths += row.growths;
		sum.work += row.work;
		sum.bytes += row.bytes;
		sum.max_capacity = Math.max(sum.max_capacity, row.max_capacity);
		if ("duration_ns" in sum && "duration_ns" in row) sum.duration_ns += row.duration_ns;
		if ("iterating" in row && row.iterating !== undefined && "fn" in sum)
			sum.iterating = (sum.iterating ?? 0) + row.iterating;
	}
	return [...merged.values()];
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
	readonly #latency = new LatencySums();
	#merged: MergedRecordings | undefined;
	#count = 0;
	readonly #losses = new Map<string, LossRecord>();

	add(recording: Recording): void {
		const { elapsedNs, sums, ledger, losses, ...line } = recording;
		this.#count++;
		if (this.#recordings.length < MAX_RECORDINGS)
			this.#recordings.push({ ...line, elapsedNs, sums: withoutRows(sums), losses: [] });
		this.#latency.add(sums.latency);
		for (const loss of losses) this.#addLoss(loss);
		// The first one is taken as it is, so that the report on one recording is what its end record says.
		if (this.#merged === undefined) {
			this.#merged = { recordings: [], count: 1, elapsedNs, sums: structuredClone(sums), losses: [] };
			if (ledger !== undefined) this.#merged.ledger = structuredClone(ledger);
			return;
		}
		const merged = this.#merged;
		merged.elapsedNs += elapsedNs;
		addSums(merged.sums, sums);
		if (ledger === undefined) return;
		if (merged.ledger === undefined) merged.ledger = structuredClone(ledger);
		else addLedger(merged.ledger, ledger);
	}

	/** `losses`: the last of each stage and tier of a recording, with its total. Other recordings' are added to it. */
	#addLoss(loss: LossRecord): void {
		const key = `${loss.stage} ${loss.tier}`;
		const sum = this.#losses.get(key);
		if (sum !== undefined) {
			this.#losses.set(key, { ...loss, lost: sum.lost + loss.lost, total: sum.total + loss.total });
		} else if (this.#losses.size < MAX_LOSSES) this.#losses.set(key, loss);
	}

	/** Undefined when there was none. */
	result(): MergedRecordings | undefined {
		if (this.#merged === undefined) return undefined;
		const latency = this.#count === 1 ? this.#merged.sums.latency : this.#latency.rows();
		return {
			...this.#merged,
			recordings: this.#recordings,
			count: this.#count,
			sums: { ...this.#merged.sums, latency },
			losses: [...this.#losses.values()],
		};
	}
}

function withoutRows(sums: RecordingSums): RecordingSums {
	return { ...sums, calls: {}, types: [], sites: [], latency: [], maps: [], goroutines: [] };
}

const COUNTS = ["growths", "work", "bytes", "growths_with_bytes", "bytes_moved", "growths_with_moved"] as const;

function addSums(sum: RecordingSums, sums: RecordingSums): void {
	for (const key of COUNTS) sum[key] += sums[key];
	addCounts(sum.kinds, sums.kinds);
	addCounts(sum.causes, sums.causes);
	const calls = new CallSums();
	for (const part of [sum.calls, sums.calls]) calls.add(part);
	sum.calls = calls.sums();
	sum.types = mergeRows([...sum.types, ...sums.types], (row) => row.map_type, newTypeRow(OTHER)).sort(compareTypeRows);
	const otherSite = newSiteRow({ fn: OTHER }, OTHER);
	sum.sites = mergeRows([...sum.sites, ...sums.sites], (row) => siteKey(row, row.map_type), otherSite).sort(
		compareSiteRows,
	);
	sum.maps = [...sum.maps, ...sums.maps]
		.sort((a, b) => b.growths - a.growths || b.slots_last - a.slots_last)
		.slice(0, MAX_ROWS);
	sum.goroutines = [...sum.goroutines, ...sums.goroutines]
		.sort((a, b) => b.growths - a.growths || b.bytes - a.bytes)
		.slice(0, MAX_ROWS);
	if (sums.overlaps !== undefined) sum.overlaps = (sum.overlaps ?? 0) + sums.overlaps;
}
