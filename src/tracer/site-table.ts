/** Gives every probed instruction of every target its number: the attach cookie and the index of its counters. */
import { GomapgrowError } from "../errors/error.ts";
import { noCounts, type SiteCounts } from "../kernel/counters.ts";
import type { ExitSite, PlannedProbe } from "../plan/probe-plan.ts";
import type { Target } from "./target.ts";

/** Where a function is entered. */
export interface EntrySite {
	kind: "entry";
	index: number;
	target: Target;
	probe: PlannedProbe;
	/** Whether the duration of its calls is measured. */
	timed: boolean;
	/** Since when its calls' ends are watched without a break, by the monotonic clock; undefined: they are not. */
	timedSinceNs: number | undefined;
	/** What the counters of this number had counted before: numbers are used again. */
	baseline: SiteCounts;
}

/** Where it returns. */
export interface ExitSiteOf {
	kind: "exit";
	index: number;
	target: Target;
	exit: ExitSite;
	baseline: SiteCounts;
}

export type Site = EntrySite | ExitSiteOf;

interface Slot {
	index: number;
	baseline: SiteCounts;
}

export class SiteTable {
	readonly #sites: (Site | undefined)[] = [];
	readonly #ofTarget = new Map<Target, Site[]>();
	readonly #max: number;
	/** Numbers that are free again, with what their counters say. */
	readonly #free: Slot[] = [];
	/** The same of numbers in a row, which stay together. */
	readonly #freeRuns: Slot[][] = [];
	/** Runs of targets, and how many numbers of each have been given. */
	readonly #runs = new Map<Target, { slots: Slot[]; given: number }>();

	/** `max`: size of the kernel's tables. */
	constructor(max: number) {
		this.#max = max;
	}

	/** How many more sites there can be. */
	get room(): number {
		return this.#max - this.#sites.length + this.#free.length;
	}

	/** Whether there are so many in a row. */
	hasRun(count: number): boolean {
		return this.#max - this.#sites.length >= count || this.#freeRuns.some((run) => run.length >= count);
	}

	/**
	 * Takes so many numbers in a row for a target, which gets them in this order; the first one. Throws E-USAGE when
	 * there are not so many.
	 */
	takeRun(target: Target, count: number): number {
		const at = this.#freeRuns.findIndex((run) => run.length >= count);
		const [run] = at < 0 ? [] : this.#freeRuns.splice(at, 1);
		const slots = run ?? Array.from({ length: count }, () => this.#append());
		this.#runs.set(target, { slots, given: 0 });
		return slots[0]?.index ?? 0;
	}

	#take(target: Target): Slot {
		const run = this.#runs.get(target);
		const next = run?.slots[run.given];
		if (run !== undefined && next !== undefined) {
			run.given++;
			return next;
		}
		const free = this.#free.pop();
		return free ?? this.#append();
	}

	#append(): Slot {
		if (this.#sites.length >= this.#max) {
			throw new GomapgrowError("E-USAGE", {
				wanted: `at most ${this.#max} probed instructions over all targets`,
				found: "more",
				advice: "watch fewer processes at once",
			});
		}
		this.#sites.push(undefined);
		return { index: this.#sites.length - 1, baseline: noCounts() };
	}

	/** Throws E-USAGE when the table is full, as the next one does. */
	addEntry(target: Target, probe: PlannedProbe, timed: boolean): EntrySite {
		const { index, baseline } = this.#take(target);
		const site: EntrySite = { kind: "entry", index, target, probe, timed, timedSinceNs: undefined, baseline };
		this.#add(site);
		return site;
	}

	addExit(target: Target, exit: ExitSite): ExitSiteOf {
		const { index, baseline } = this.#take(target);
		const site: ExitSiteOf = { kind: "exit", index, target, exit, baseline };
		this.#add(site);
		return site;
	}

	#add(site: Site): void {
		this.#sites[site.index] = site;
		const own = this.#ofTarget.get(site.target);
		if (own === undefined) this.#ofTarget.set(site.target, [site]);
		else own.push(site);
	}

	entry(index: number): EntrySite | undefined {
		const site = this.#sites[index];
		return site?.kind === "entry" ? site : undefined;
	}

	/** All numbers of sites are below this. */
	get size(): number {
		return this.#sites.length;
	}

	entries(): EntrySite[] {
		return this.#sites.filter((site): site is EntrySite => site?.kind === "entry");
	}

	entriesOf(target: Target): EntrySite[] {
		return (this.#ofTarget.get(target) ?? []).filter((site): site is EntrySite => site.kind === "entry");
	}

	/** Frees the numbers of a target; `counts` reads what their counters say now. Returns the numbers. */
	release(target: Target, counts: (index: number) => SiteCounts): Set<number> {
		const released = new Set<number>();
		const run = this.#runs.get(target);
		for (const { index } of this.#ofTarget.get(target) ?? []) {
			this.#sites[index] = undefined;
			if (run === undefined) this.#free.push({ index, baseline: counts(index) });
			released.add(index);
		}
		this.#ofTarget.delete(target);
		this.#runs.delete(target);
		if (run === undefined) return released;
		// Numbers that it did not need have counted nothing.
		const used = run.slots.slice(0, run.given).map(({ index }) => ({ index, baseline: counts(index) }));
		this.#freeRuns.push([...used, ...run.slots.slice(run.given)]);
		return released;
	}
}
