/** Gives every probed instruction of every target its number: the attach cookie and the index of its counters. */
import { GomapgrowError } from "../errors/error.ts";
import { MAX_SITES } from "../kernel/wire.ts";
import type { PlannedProbe } from "../plan/probe-plan.ts";
import type { Target } from "./target.ts";

export interface Site {
	index: number;
	target: Target;
	probe: PlannedProbe;
}

export class SiteTable {
	readonly #sites: Site[] = [];

	/** Throws E-USAGE when the table is full (1,024 sites: more than 60 processes at once). */
	add(target: Target, probe: PlannedProbe): Site {
		if (this.#sites.length >= MAX_SITES) {
			throw new GomapgrowError("E-USAGE", {
				wanted: `at most ${MAX_SITES} probed instructions over all targets`,
				found: "more",
				mend: "watch fewer processes at once",
			});
		}
		const site: Site = { index: this.#sites.length, target, probe };
		this.#sites.push(site);
		return site;
	}

	get(index: number): Site | undefined {
		return this.#sites[index];
	}

	all(): readonly Site[] {
		return this.#sites;
	}
}
