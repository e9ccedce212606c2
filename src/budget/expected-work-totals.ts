/** Adds up what the growths of a target promise: between how many and how many calls the functions of its work tier have. */

import { promisedCalls } from "../gomap/expected-work.ts";
import type { PlannedProbe } from "../plan/probe-plan.ts";
import type { GrowthRecord } from "../records/records.ts";

/** Calls of a function since the start, as the growths so far tell. */
export interface Promised {
	low: number;
	likely: number;
	high: number;
}

/** A growth as its record tells it. */
export type Promising = Pick<GrowthRecord, "fn" | "impl" | "kind" | "b_before" | "map_type" | "weight">;

/** The work of so many growths, the newest, may not be done yet. */
const NEWEST = 32;
/** Map types whose functions are remembered. Full: the growths of further ones promise nothing. */
const MAX_TYPES = 4096;
const NORMAL95 = 1.96;

interface Sum extends Promised {
	/** Of the likely number, as far as the growths are a sample. */
	variance: number;
	newest: number[];
	next: number;
}

const emptySum = (): Sum => ({ low: 0, likely: 0, high: 0, variance: 0, newest: [], next: 0 });

/**
 * A classic map has one of four variants of each function, by its key; which one is learnt from the calls that were counted. What growths of a type promised before
 * that is kept until then.
 */
export class PromisedWork {
	readonly #probes: readonly PlannedProbe[];
	/** Per map type and role. */
	readonly #sums = new Map<string, Map<string, Sum>>();
	/** Growths that the records so far stand for, by their function; of those that promise something. */
	readonly #growths = new Map<string, number>();
	/** Function by map type and role. */
	readonly #functions = new Map<string, Map<string, string>>();

	/** `probes`: of the work tier. */
	constructor(probes: readonly PlannedProbe[]) {
		this.#probes = probes;
	}

	/** A call of this function was for a map of this type. */
	serves(fn: string, mapType: string): void {
		const role = this.#probes.find((probe) => probe.fn === fn)?.role;
		if (role === undefined) return;
		const known = this.#functions.get(mapType);
		if (known !== undefined) known.set(role, fn);
		else if (this.#functions.size < MAX_TYPES) this.#functions.set(mapType, new Map([[role, fn]]));
	}

	/** The map has grown, or as many as the record's weight says. */
	add(growth: Promising): void {
		let promises = false;
		for (const role of new Set(this.#probes.map((probe) => probe.role))) {
			const calls = promisedCalls(growth.impl, role, growth);
			if (calls === undefined) continue;
			promises = true;
			const type = growth.impl === "swiss" ? "" : growth.map_type;
			let byRole = this.#sums.get(type);
			if (byRole === undefined) {
				if (this.#sums.size >= MAX_TYPES) return;
				byRole = new Map();
				this.#sums.set(type, byRole);
			}
			const sum = byRole.get(role) ?? emptySum();
			byRole.set(role, sum);
			addTo(sum, calls, growth.weight ?? 1);
		}
		if (promises) this.#growths.set(growth.fn, (this.#growths.get(growth.fn) ?? 0) + (growth.weight ?? 1));
	}

	/**
	 * By function; only of those that growths tell something about. `growths`: the calls of the growth functions, which are counted also when their records are lost: those
	 * without a record promise as much as the others; `most`: how many these are at most, where they are estimated.
	 */
	calls(growths: ReadonlyMap<string, number> = new Map(), most = growths): Map<string, Promised> {
		const [scale, mostScale] = [this.#scaleTo(growths), this.#scaleTo(most)];
		const result = new Map<string, Sum>();
		for (const [type, byRole] of this.#sums) {
			for (const [role, sum] of byRole) {
				const fn = this.#functionOf(type, role);
				if (fn === undefined) {
					// Any of them.
					for (const { fn: candidate } of this.#probes.filter((probe) => probe.role === role)) {
						const some = result.get(candidate) ?? emptySum();
						some.high += sum.high;
						result.set(candidate, some);
					}
					continue;
				}
				const all = result.get(fn) ?? emptySum();
				all.low += Math.max(0, sum.low - sum.newest.reduce((total, calls) => total + calls, 0));
				all.likely += sum.likely;
				all.high += sum.high;
				all.variance += sum.variance;
				result.set(fn, all);
			}
		}
		return new Map(
			[...result].map(([fn, { low, likely, high, variance }]) => {
				const spread = likely === 0 ? 0 : (NORMAL95 * Math.sqrt(variance)) / likely;
				return [
					fn,
					{ low: low * Math.max(0, 1 - spread), likely: scale * likely, high: mostScale * high * (1 + spread) },
				];
			}),
		);
	}

	/** How many growths one of the records stands for. */
	#scaleTo(growths: ReadonlyMap<string, number>): number {
		const counts = [...this.#growths];
		const known = counts.reduce((sum, [, count]) => sum + count, 0);
		return known === 0
			? 1
			: counts.reduce((sum, [fn, count]) => sum + Math.max(count, growths.get(fn) ?? 0), 0) / known;
	}

	#functionOf(type: string, role: string): string | undefined {
		// Swiss maps have one function for all types.
		if (type === "") return this.#probes.find((probe) => probe.role === role)?.fn;
		return this.#functions.get(type)?.get(role);
	}
}

function addTo(sum: Sum, { low, likely, high }: Promised, weight: number): void {
	sum.low += weight * low;
	sum.likely += weight * likely;
	sum.high += weight * high;
	// Horvitz and Thompson: each was picked with a chance of 1 in `weight`, independently.
	sum.variance += weight * (weight - 1) * likely * likely;
	sum.newest[sum.next] = weight * low;
	sum.next = (sum.next + 1) % NEWEST;
}
