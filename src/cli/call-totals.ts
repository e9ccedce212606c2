/** Exact calls per function, from the kernel's counters: per window and since the start. */
import type { Counters } from "../session/session.ts";

export class CallTotals {
	#totals: Record<string, number> = {};

	/** Takes a new reading and returns the calls since the previous one; every probed function is in it. */
	update(counters: Counters): Record<string, number> {
		const totals: Record<string, number> = {};
		for (const target of counters.targets) {
			for (const [fn, calls] of target.calls) totals[fn] = (totals[fn] ?? 0) + calls;
		}
		const since = Object.fromEntries(
			Object.entries(totals).map(([fn, calls]) => [fn, calls - (this.#totals[fn] ?? 0)]),
		);
		this.#totals = totals;
		return since;
	}

	totals(): Record<string, number> {
		return this.#totals;
	}
}
