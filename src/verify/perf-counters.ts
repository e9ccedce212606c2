/** Counts the sites of one target twice at the same time: by the BPF programs of a session, and by the kernel's perf events without any program. */
import { onlineCpus, UprobeCounters } from "../kernel/uprobe-counters.ts";
import type { PlannedProbe } from "../plan/probe-plan.ts";
import type { Session } from "../tracer/session.ts";
import type { EntrySite } from "../tracer/site-table.ts";
import type { Target } from "../tracer/target.ts";

/**
 * Where perf counts. On processors each has an event and a uprobe of its own, and the kernel calls them one after another at each pass: a thread that moves to another processor in the middle of
 * that is counted by none of them, or by two. In threads, one by one, it misses what a new thread does until that is counted too. */
export type PerfScope = { cpus: true } | { tids: readonly number[] };

export class DoubleCount {
	readonly #session: Session;
	readonly #sites: readonly EntrySite[];
	readonly #perf: UprobeCounters;

	/** The target is attached to the session already, and stays so. Throws E-HOST-…, E-TARGET-GONE; nothing of perf is left then. */
	constructor(session: Session, target: Target, scope: PerfScope) {
		this.#session = session;
		this.#sites = (["large", "small", "work"] as const).flatMap((stream) => session.entriesOf(target, stream));
		const offsets = this.#sites.map(({ probe }) => probe.site.fileOffset);
		this.#perf = new UprobeCounters(target.identity.openPath, offsets);
		try {
			if ("cpus" in scope) for (const cpu of onlineCpus()) this.#perf.countCpu(cpu);
			else for (const tid of scope.tids) this.#perf.countThread(tid);
		} catch (error) {
			this.#perf.close();
			throw error;
		}
	}

	get probes(): readonly PlannedProbe[] {
		return this.#sites.map(({ probe }) => probe);
	}

	/** One more thread; nothing happens when it has ended. */
	addThread(tid: number): void {
		this.#perf.countThread(tid);
	}

	/** From now on counts how often this thread, and those that it starts, move to another processor. */
	countMigrations(tid: number): void {
		this.#perf.countMigrations(tid);
	}

	get migrations(): number {
		return this.#perf.migrations;
	}

	/** Passes of a site since perf counts it. */
	perfPasses(index: number): number {
		return this.#perf.read(index);
	}

	/** Passes of a site since it is attached: calls, and passes that were sent to morestack. */
	ourPasses(index: number): { calls: number; restarts: number } {
		const site = this.#sites[index];
		if (site === undefined) throw new RangeError(`no site ${index}`);
		const { hits, diverted } = this.#session.countsOf(site);
		return { calls: hits, restarts: diverted };
	}

	/** Takes the perf events out; the session is its owner's. */
	close(): void {
		this.#perf.close();
	}
}
