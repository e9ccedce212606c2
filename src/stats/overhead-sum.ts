/** What probing cost the targets over all windows, and the processor time that they used. */

import type { OverheadRow } from "../records/records.ts";

export interface Overhead {
	/** Of the target that it cost most, as it was in the last window. */
	last: OverheadRow;
	/** Mean over the windows of what it cost that target, nanoseconds per second; absent in older recordings. */
	costNsPerSecond?: number;
	/** Highest share of a target's processor time in a window. */
	mostShare: number;
	/** Processor time of all targets; absent where it is not known of each window. */
	targetCpuNs?: number;
}

/** Known of so much of the time, it is taken to be known. */
const NEARLY_ALL = 0.95;

/** The target that probing costs most. */
export function worstOf(rows: readonly OverheadRow[]): OverheadRow | undefined {
	return [...rows].sort(
		(a, b) => (b.cost_ns_per_second ?? 0) - (a.cost_ns_per_second ?? 0) || b.overhead - a.overhead,
	)[0];
}

/** Processor time of the targets, nanoseconds per second: what probing costs by its share. Undefined where it costs nothing. */
export function targetCpuNsPerSecond(rows: readonly OverheadRow[]): number | undefined {
	let sum = 0;
	for (const { overhead, cost_ns_per_second = 0 } of rows) {
		if (overhead <= 0 || cost_ns_per_second <= 0) return undefined;
		sum += cost_ns_per_second / overhead;
	}
	return rows.length === 0 ? undefined : sum;
}

export class OverheadSum {
	#ns = 0;
	#last: OverheadRow | undefined;
	#costs: { sum: number; ns: number } | undefined;
	#cpu = { sum: 0, ns: 0 };
	#mostShare = 0;

	/** The rows of a window. */
	add(rows: readonly OverheadRow[], intervalNs: number): void {
		this.#ns += intervalNs;
		const worst = worstOf(rows);
		if (worst === undefined) return;
		this.#last = worst;
		this.#mostShare = Math.max(this.#mostShare, ...rows.map(({ overhead }) => overhead));
		if (worst.cost_ns_per_second !== undefined) {
			this.#costs ??= { sum: 0, ns: 0 };
			this.#costs.sum += worst.cost_ns_per_second * intervalNs;
			this.#costs.ns += intervalNs;
		}
		const cpu = targetCpuNsPerSecond(rows);
		if (cpu === undefined) return;
		this.#cpu.sum += (cpu / 1e9) * intervalNs;
		this.#cpu.ns += intervalNs;
	}

	/** Undefined where it was not measured. */
	result(): Overhead | undefined {
		const last = this.#last;
		if (last === undefined) return undefined;
		const costs = this.#costs;
		return {
			...{ last, mostShare: this.#mostShare },
			...(costs === undefined || costs.ns <= 0 ? {} : { costNsPerSecond: costs.sum / costs.ns }),
			...(this.#cpu.ns > 0 && this.#cpu.ns >= NEARLY_ALL * this.#ns ? { targetCpuNs: this.#cpu.sum } : {}),
		};
	}
}
