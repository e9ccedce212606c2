/** Calls per function, exact or estimated: per window and since the start. */

import type { Missing } from "../budget/call-estimator.ts";
import { callsOf } from "../budget/governor.ts";
import type { Calls } from "../records/records.ts";
import type { Counters } from "../tracer/counters.ts";

interface Total {
	counted: number;
	missing: Missing | undefined;
}

export class CallTotals {
	#totals = new Map<string, Total>();
	/** What the windows so far say is missing. */
	readonly #reported = new Map<string, Missing>();

	/** Takes a new reading and returns the calls since the previous one; every probed function is in it. */
	update(counters: Counters, missing: ReadonlyMap<string, Missing>): Calls {
		const totals = new Map(
			[...counters.calls].map(([fn, counted]): [string, Total] => [fn, { counted, missing: missing.get(fn) }]),
		);
		const since: Calls = {};
		for (const [fn, { counted, missing: now }] of totals) {
			const before = this.#totals.get(fn);
			const more = now && moreMissing(now, this.#reported.get(fn));
			if (now !== undefined && more !== undefined) this.#reported.set(fn, now);
			since[fn] = callsOf(counted - (before?.counted ?? 0), more);
		}
		this.#totals = totals;
		return since;
	}

	totals(): Calls {
		return Object.fromEntries([...this.#totals].map(([fn, { counted, missing }]) => [fn, callsOf(counted, missing)]));
	}
}

/**
 * What is missing in addition; undefined when nothing is. An estimate that has become lower takes nothing back: the
 * next ones are less.
 */
function moreMissing(now: Missing, before: Missing | undefined): Missing | undefined {
	const calls = now.calls - (before?.calls ?? 0);
	if (calls <= 0) return undefined;
	// The spread of the rates is that of the whole run, for the time of this window.
	const squaredOff = Math.max(0, now.squaredOff - (before?.squaredOff ?? 0));
	const share = now.squaredOff > 0 ? Math.sqrt(squaredOff / now.squaredOff) : 0;
	const low = Math.max(0, calls - (now.calls - now.low) * share);
	return { ...now, calls, low, high: calls + (now.high - now.calls) * share, squaredOff };
}
