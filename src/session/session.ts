/**
 * One observation from attach to detach: loads the programs, attaches them to the targets, drains growths, reads counters and
 * keeps the ledger. It has no timers and prints nothing: its owner calls `drain` and `readCounters` at its own pace.
 */
import { GomapgrowError } from "../errors/error.ts";
import { BpfObject } from "../kernel/bpf-object.ts";
import { SiteCounters, WorkCounters } from "../kernel/counters.ts";
import type { AttachMode } from "../kernel/features.ts";
import { GrowthRing } from "../kernel/growth-ring.ts";
import { type AttachSite, UprobeLink } from "../kernel/uprobe-link.ts";
import type { RawGrowth } from "../kernel/wire.ts";
import { emptyLedger } from "../model/ledger.ts";
import type { Frame, GrowthRecord, Ledger } from "../model/records.ts";
import type { ClockAnchor } from "../model/time.ts";
import { type PlannedProbe, ROLE, type Tier } from "../plan/probe-plan.ts";
import { GrowthDecoder } from "./growth-decoder.ts";
import { SiteTable } from "./site-table.ts";
import { StackDecoder } from "./stack-decoder.ts";
import type { Target } from "./target.ts";
import { UNKNOWN_TYPE } from "./type-names.ts";

/** Calls of one function for maps of one type from one place, since the previous reading. */
export interface WorkDelta {
	pid: number;
	fn: string;
	map_type: string;
	/** Frames of the place that called into the map code, innermost first; empty when it could not be read. */
	caller: Frame[];
	calls: number;
}

export interface TargetCalls {
	pid: number;
	calls: Map<string, number>;
}

/** Totals since the start, and what changed in the work tier since the previous reading. */
export interface Counters {
	/** Per target: function -> calls. */
	targets: TargetCalls[];
	ledger: Ledger;
	work: WorkDelta[];
	/** Passes through a stack check that were sent to morestack and are not calls. */
	diverted: number;
}

const TIERS: readonly Tier[] = ["growth", "work"];

export class Session {
	readonly #object: BpfObject;
	readonly #ring: GrowthRing;
	readonly #siteCounters: SiteCounters;
	readonly #workCounters: WorkCounters;
	readonly #sites = new SiteTable();
	readonly #targets: Target[] = [];
	readonly #links: UprobeLink[] = [];
	readonly #stacks = new StackDecoder();
	readonly #decoder: GrowthDecoder;
	/** Work row -> calls at the previous reading; bounded by the rows of the kernel's table. */
	readonly #workSeen = new Map<string, number>();
	#recorded = 0;
	#dropped = 0;

	/** Throws E-HOST-… when the programs cannot be loaded; nothing is left behind then. */
	constructor(mode: AttachMode, anchor: ClockAnchor) {
		this.#decoder = new GrowthDecoder(anchor, this.#stacks);
		this.#object = new BpfObject(mode);
		try {
			this.#ring = new GrowthRing(this.#object.mapFd("growths"));
			this.#siteCounters = new SiteCounters(this.#object.mapFd("site_counts"));
			this.#workCounters = new WorkCounters(this.#object.mapFd("work_rows"));
		} catch (error) {
			this.#object.close();
			throw error;
		}
	}

	/** Attaches all probes of the target's plan. Throws E-BIN-CHANGED, E-HOST-… or E-TARGET-GONE. The session owns the target from then on. */
	attach(target: Target): void {
		try {
			this.#attach(target);
			this.#targets.push(target);
		} catch (error) {
			target.close();
			throw error;
		}
	}

	#attach(target: Target): void {
		target.checkSites();
		const byTier: Record<Tier, AttachSite[]> = { growth: [], work: [] };
		for (const probe of target.plan.probes) {
			const site = this.#sites.add(target, probe);
			this.#object.configureSite(site.index, {
				role: ROLE[probe.role],
				goidOffset: target.plan.goidOffset,
				argsOnStack: probe.argAbi === "stack",
				gInRcx: probe.gRegister === "rcx",
				callerDepth: probe.callerDepth,
			});
			if (this.#object.mode === "perf-address") this.#mapAddress(target, probe, site.index);
			byTier[probe.tier].push({ index: site.index, fileOffset: probe.site.fileOffset });
		}
		for (const tier of TIERS) {
			if (byTier[tier].length === 0) continue;
			this.#links.push(new UprobeLink(this.#object, tier, target.identity.pid, target.identity.openPath, byTier[tier]));
		}
	}

	#mapAddress(target: Target, probe: PlannedProbe, index: number): void {
		if (target.bias === undefined) {
			throw new GomapgrowError("E-HOST-UPROBE", {
				wanted: "attach cookies (Linux 5.15) to observe a position-independent command from its start",
				found: "a kernel without them",
				mend: `start the command first, then: gomapgrow watch ${target.identity.name}`,
			});
		}
		this.#object.mapAddress(target.identity.pid, probe.site.address + target.bias, index);
	}

	get targets(): readonly Target[] {
		return this.#targets;
	}

	/**
	 * Hands one batch of growths to `take` and returns how many the ring gave; 0: it is empty for now. A growth whose map could not
	 * be read is lost.
	 */
	drain(take: (growth: GrowthRecord) => void): number {
		return this.#ring.drain((raw) => {
			const growth = this.#decode(raw);
			if (growth === undefined) {
				this.#dropped++;
				return;
			}
			this.#recorded++;
			take(growth);
		});
	}

	/** Empties the ring; what was in it is lost, and counted so. Only when nothing is added any more. */
	discard(): void {
		const drop = (): void => {
			this.#dropped++;
		};
		while (this.#ring.drain(drop) > 0);
	}

	#decode(raw: RawGrowth): GrowthRecord | undefined {
		const site = this.#sites.get(raw.site);
		return site && this.#decoder.decode(raw, site);
	}

	/**
	 * Reads all counters. Details are read before the hits that they are part of, so that a difference is always something that is still on its way
	 * (`pending`), and none is left once the probes are detached and the ring is empty.
	 */
	readCounters(): Counters {
		const ledger = emptyLedger();
		ledger.growth.recorded = this.#recorded;
		ledger.growth.lost = this.#dropped;
		const work = this.#readWork(ledger);
		const targets = this.#targets.map((target): TargetCalls => ({ pid: target.identity.pid, calls: new Map() }));
		let diverted = 0;
		for (const site of this.#sites.all()) {
			const counts = this.#siteCounters.read(site.index);
			const tier = ledger[site.probe.tier];
			tier.hits += counts.hits;
			tier.lost += counts.lost;
			diverted += counts.diverted;
			const calls = targets[this.#targets.indexOf(site.target)]?.calls;
			calls?.set(site.probe.fn, counts.hits);
		}
		for (const name of TIERS) {
			const tier = ledger[name];
			const pending = tier.hits - tier.recorded - tier.sampled_out - tier.throttled - tier.lost;
			if (pending > 0 && this.#links.length > 0) tier.pending = pending;
		}
		return { targets, ledger, work, diverted };
	}

	#readWork(ledger: Ledger): WorkDelta[] {
		const deltas: WorkDelta[] = [];
		for (const row of this.#workCounters.rows()) {
			ledger.work.recorded += row.hits;
			const key = `${row.site}:${row.tgid}:${row.mapType}:${row.caller}`;
			const calls = row.hits - (this.#workSeen.get(key) ?? 0);
			if (calls === 0) continue;
			this.#workSeen.set(key, row.hits);
			const site = this.#sites.get(row.site);
			if (site === undefined) continue;
			const { target, probe } = site;
			// Unknown only when not one growth of a command has been recorded yet: addresses mean nothing then.
			const bias = target.bias;
			deltas.push({
				pid: row.tgid,
				fn: probe.fn,
				map_type: ((bias === undefined ? undefined : target.types.at(row.mapType, bias)) ?? UNKNOWN_TYPE).name,
				caller: bias === undefined ? [] : this.#stacks.caller(target, row.caller, bias),
				calls,
			});
		}
		return deltas;
	}

	/** Takes all probes out of the targets; counters and ring can still be read. */
	detach(): void {
		for (const link of this.#links.splice(0)) link.destroy();
	}

	/** Gives everything back, in the order links, ring, object, files. */
	close(): void {
		this.detach();
		this.#ring.close();
		this.#object.close();
		for (const target of this.#targets.splice(0)) target.close();
	}
}
