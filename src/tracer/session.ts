/**
 * One observation from attach to detach: loads the programs, attaches them to the targets, drains records, reads counters and
 * keeps the ledger. It has no timers and prints nothing: its owner calls `drain` and `readCounters` at its own pace.
 */
import { GomapgrowError } from "../errors/error.ts";
import { slotOf } from "../gomap/functions.ts";
import { BpfObject, type ProgramName, type Sampling, type SiteConfig, type TableSizes } from "../kernel/bpf-object.ts";
import { CALIBRATION_SITES, Calibration, type HitCosts } from "../kernel/calibration.ts";
import type { SiteCounts } from "../kernel/counters.ts";
import { EventRing } from "../kernel/event-ring.ts";
import type { RawRecord } from "../kernel/events.ts";
import type { AttachMode } from "../kernel/features.ts";
import { monotonicNs } from "../kernel/libc.ts";
import { type AttachSite, Closings, UprobeLink } from "../kernel/uprobe-link.ts";
import { NO_SLOT } from "../kernel/wire.ts";
import { type ExitSite, hasAllArguments, type PlannedProbe, ROLE, type Tier } from "../plan/probe-plan.ts";
import type { GrowthRecord, OverlapRecord, WorkRecord } from "../records/records.ts";
import type { ClockAnchor } from "../records/time.ts";
import { type Counters, CounterTotals, type Decoded } from "./counters.ts";
import { GrowthDecoder } from "./decode/growth.ts";
import { RecentGrowths } from "./decode/overlaps.ts";
import { PendingGrowths } from "./decode/pending-growths.ts";
import { SampleDecoder } from "./decode/samples.ts";
import { StackDecoder } from "./decode/stacks.ts";
import { type EntrySite, SiteTable } from "./site-table.ts";
import type { Target } from "./target.ts";
import { isTimed, sitesNeeded } from "./timed-probes.ts";

/** What a session gives out one by one. */
export type EventRecord = GrowthRecord | WorkRecord | OverlapRecord;

export interface SessionOptions {
	mode: AttachMode;
	anchor: ClockAnchor;
	/** Measure how long calls take. */
	latency: boolean;
	/** For the calls of programs before Go 1.17: where the kernel keeps a thread's FS base (kernel/btf.ts). */
	fsBase?: number | undefined;
	/** Watch iterations. The targets must have been planned with them. */
	iterations: boolean;
	/** How many probed instructions there can be at a time. */
	maxSites: number;
	/** Other sizes of the kernel's tables than the usual ones. */
	sizes?: TableSizes | undefined;
}

/** Samples in the ring at most: a quarter of it. The rest is for growths, however late it is read. */
const SAMPLE_ROOM = 3000;

const TIERS: readonly Tier[] = ["growth", "work", "iteration"];
const PROGRAM_OF: Record<Tier, ProgramName> = { growth: "growth", work: "work", iteration: "iterate" };

/** hmap.hash0 and maps.Map.seed (growth-details.ts). */
const SEED_OFFSET = { classic: 12, swiss: 8 } as const;

/** Probes that are put in and taken out together. */
interface ProbeGroup {
	/** In the order in which they are put in. */
	programs: { name: ProgramName; sites: AttachSite[] }[];
	/** In the order in which they are taken out; none while the group is out. */
	links: UprobeLink[];
}

interface Attached {
	target: Target;
	entries: EntrySite[];
	groups: Record<Tier, ProbeGroup>;
}

export class Session {
	readonly #object: BpfObject;
	readonly #options: SessionOptions;
	readonly #ring: EventRing;
	readonly #totals: CounterTotals;
	readonly #sites: SiteTable;
	readonly #attached = new Map<Target, Attached>();
	readonly #stacks = new StackDecoder();
	readonly #growths: GrowthDecoder;
	readonly #samples: SampleDecoder;
	readonly #pending = new PendingGrowths();
	readonly #recent = new RecentGrowths();
	readonly #closings = new Closings();
	#sampling: Sampling = { chance: 0, slowNs: Number.MAX_SAFE_INTEGER, room: SAMPLE_ROOM };
	readonly #decoded: Decoded = { growths: 0, growthsDropped: 0, samples: 0, samplesDropped: 0 };
	#newest = 0;

	/** Throws E-HOST-… when the programs cannot be loaded; nothing is left behind then. */
	constructor(options: SessionOptions) {
		this.#options = options;
		const { anchor, maxSites, latency, iterations } = options;
		this.#growths = new GrowthDecoder(anchor, this.#stacks);
		this.#samples = new SampleDecoder(anchor, this.#stacks);
		this.#sites = new SiteTable(maxSites);
		this.#object = new BpfObject({ ...options, maxSites: maxSites + CALIBRATION_SITES });
		try {
			this.#ring = new EventRing(this.#object.mapFd("events"), this.#object.ringBytes);
			this.#totals = new CounterTotals(this.#object, this.#sites, this.#stacks, { latency, iterations });
		} catch (error) {
			this.#object.close();
			throw error;
		}
	}

	/** Attaches all probes of the target's plan. Throws E-BIN-CHANGED, E-HOST-… or E-TARGET-GONE. The session owns the target from then on. */
	attach(target: Target): void {
		const group = (): ProbeGroup => ({ programs: [], links: [] });
		const groups: Attached["groups"] = { growth: group(), work: group(), iteration: group() };
		const attached: Attached = { target, entries: [], groups };
		try {
			target.checkSites();
			this.#configureAll(attached);
			for (const tier of TIERS) this.#putIn(attached, tier);
			target.proveProbes();
			this.#attached.set(target, attached);
		} catch (error) {
			for (const { links } of Object.values(groups)) for (const link of links) link.destroy();
			this.#totals.release(target);
			target.close();
			throw error;
		}
	}

	/** Whether the probes of the target still find room in the kernel's tables. */
	hasRoomFor(target: Target): boolean {
		return this.#sites.room >= sitesNeeded(target.plan, this.#options);
	}

	/** Gives all probed instructions their numbers and tells the kernel programs what they mean. */
	#configureAll({ target, entries, groups }: Attached): void {
		const sites = new Map<Tier, { entry: AttachSite[]; exit: AttachSite[] }>(
			TIERS.map((tier) => [tier, { entry: [], exit: [] }]),
		);
		for (const probe of target.plan.probes) {
			const timed = isTimed(target.plan, probe, this.#options);
			const site = this.#sites.addEntry(target, probe, timed);
			entries.push(site);
			this.#configure(site.index, entryConfig(target, probe, timed), target, probe.site.address);
			sites.get(probe.tier)?.entry.push({ index: site.index, fileOffset: probe.site.fileOffset });
		}
		for (const entry of entries) {
			if (!entry.timed) continue;
			const outer = entries.find(({ timed, probe }) => timed && handsOverTo(probe, entry.probe.fn));
			for (const exit of entry.probe.exits) {
				const site = this.#sites.addExit(target, exit);
				this.#configure(site.index, exitConfig(entry, exit, outer), target, exit.address);
				sites.get(entry.probe.tier)?.exit.push({ index: site.index, fileOffset: exit.fileOffset });
			}
		}
		for (const [tier, { entry, exit }] of sites) {
			// Exits come first, so that no call begins whose end would be missed.
			if (exit.length > 0) groups[tier].programs.push({ name: "leave", sites: exit });
			if (entry.length > 0) groups[tier].programs.push({ name: PROGRAM_OF[tier], sites: entry });
		}
	}

	#putIn({ target, groups }: Attached, tier: Tier): void {
		const { pid, openPath } = target.identity;
		const { programs, links } = groups[tier];
		// Taken out in the opposite order.
		for (const { name, sites } of programs) {
			links.unshift(new UprobeLink(this.#object, name, pid, openPath, sites));
		}
	}

	/** Puts the probes of a tier in or takes them out. When this returns, no hit comes any more, or hits come, unless the target has ended. */
	setProbed(target: Target, tier: Tier, on: boolean): void {
		const attached = this.#attached.get(target);
		if (attached === undefined) return;
		const { links } = attached.groups[tier];
		if (!on) {
			for (const link of links.splice(0)) link.destroyLater(this.#closings);
			return;
		}
		if (links.length > 0) return;
		if (tier === "iteration") this.#forgetIterations(attached);
		try {
			this.#putIn(attached, tier);
		} catch (error) {
			// Its end is noticed elsewhere, some time later.
			if (!(error instanceof GomapgrowError && error.code === "E-TARGET-GONE")) throw error;
		}
	}

	/** While the probes were out iterations may have ended: others of the same place would be taken for them. */
	#forgetIterations({ target, entries }: Attached): void {
		const sinceNs = monotonicNs();
		for (const { index, probe, timed } of entries) {
			if (probe.tier !== "iteration") continue;
			this.#object.configureSite(index, { ...entryConfig(target, probe, timed), sinceNs });
		}
	}

	/** Growths of the target become records with this chance (0 to 1). */
	setGrowthChance(target: Target, chance: number): void {
		for (const { index, probe, timed } of this.entriesOf(target, "growth")) {
			this.#object.configureSite(index, { ...entryConfig(target, probe, timed), chance });
		}
	}

	/** Entries of the target's functions of a tier. */
	entriesOf(target: Target, tier: Tier): EntrySite[] {
		return this.#attached.get(target)?.entries.filter(({ probe }) => probe.tier === tier) ?? [];
	}

	/** What the counters of a function's entry say since it was attached. */
	countsOf(site: EntrySite): SiteCounts {
		return this.#totals.countsOf(site);
	}

	/** Measures what a hit costs on this machine; some ten milliseconds. */
	calibrate(): HitCosts {
		const { maxSites, latency } = this.#options;
		const costs = new Calibration(this.#object, this.#closings, maxSites).measure(latency);
		this.#closings.reap(true);
		this.#totals.forget(new Set(Array.from({ length: CALIBRATION_SITES }, (_, i) => maxSites + i)));
		return costs;
	}

	#configure(index: number, config: SiteConfig, target: Target, address: number): void {
		this.#object.configureSite(index, config);
		if (this.#object.mode !== "perf-address") return;
		if (target.bias === undefined) {
			throw new GomapgrowError("E-HOST-UPROBE", {
				wanted: "attach cookies (Linux 5.15) to observe a position-independent command from its start",
				found: "a kernel without them",
				mend: `start the command first, then: gomapgrow watch ${target.identity.name}`,
			});
		}
		this.#object.mapAddress(target.identity.pid, address + target.bias, index);
	}

	get targets(): readonly Target[] {
		return [...this.#attached.keys()];
	}

	/** Share of the ring that is filled, 0 to 1. */
	get ringFill(): number {
		return this.#ring.fill;
	}

	/** Calls of the work tier become records with this chance (0 to 1), and whatever the chance when they take `slowNs` or longer. */
	setSampling(chance: number, slowNs: number): void {
		this.#sampling = { chance, slowNs, room: SAMPLE_ROOM };
		this.#object.setSampling(this.#sampling);
	}

	/**
	 * Hands one batch of records to `take` and returns how many the ring gave; 0: it is empty for now. A growth comes when it has been left, or a second
	 * after it began. One whose map could not be read is lost.
	 */
	drain(take: (record: EventRecord) => void): number {
		this.#closings.reap();
		const { samples } = this.#decoded;
		const count = this.#ring.drain((raw) => this.#take(raw, take));
		if (this.#decoded.samples > samples) this.#object.setSampling(this.#sampling);
		this.#pending.expire(this.#newest, this.#giver(take));
		return count;
	}

	/** Gives out the growths that have not been left, as far as they are older than a second at this time of the monotonic clock. */
	expire(nowNs: number, take: (record: EventRecord) => void): void {
		this.#pending.expire(nowNs, this.#giver(take));
	}

	/** Gives out all growths that have not been left. */
	flush(take: (record: EventRecord) => void): void {
		this.#pending.flush(this.#giver(take));
	}

	#giver(take: (record: EventRecord) => void): (record: GrowthRecord) => void {
		return (record) => {
			this.#decoded.growths++;
			take(record);
		};
	}

	#take(raw: RawRecord, take: (record: EventRecord) => void): void {
		if (raw.kind === "left") {
			this.#pending.left(raw, this.#giver(take));
			return;
		}
		// Our own, of the calibration.
		if (raw.site >= this.#options.maxSites) return;
		this.#newest = Math.max(this.#newest, raw.timeNs);
		const site = this.#sites.entry(raw.site);
		switch (raw.kind) {
			case "growth": {
				const record = site && this.#growths.decode(raw, site);
				if (site === undefined || record === undefined) {
					this.#decoded.growthsDropped++;
					return;
				}
				if (raw.sequence > 0) this.#recent.add(raw.sequence, record);
				if (site.timed) this.#pending.add(raw, record, this.#giver(take));
				else this.#giver(take)(record);
				return;
			}
			case "work":
				if (site === undefined) this.#decoded.samplesDropped++;
				else {
					this.#decoded.samples++;
					take(this.#samples.work(raw, site));
				}
				return;
			case "step":
				if (site !== undefined) for (const record of this.#samples.overlaps(raw, site, this.#recent)) take(record);
		}
	}

	/** Empties the ring; what was in it is lost, and counted so. Only when nothing is added any more. */
	discard(): void {
		const drop = (raw: RawRecord): void => {
			if (raw.kind === "growth") this.#decoded.growthsDropped++;
			if (raw.kind === "work") this.#decoded.samplesDropped++;
		};
		while (this.#ring.drain(drop) > 0);
		this.#decoded.growthsDropped += this.#pending.size;
		this.#pending.flush(() => {});
	}

	/** Totals since the start, and what has changed since the previous reading. */
	readCounters(): Counters {
		return this.#totals.read(this.targets, this.#decoded, false);
	}

	/** The last reading: the probes are out, the ring is empty, no growth waits. */
	readFinalCounters(): Counters {
		return this.#totals.read(this.targets, this.#decoded, true);
	}

	/** Lets go of a target that has ended. Its records must have been drained: its places in the tables go to others. */
	release(target: Target): void {
		const attached = this.#attached.get(target);
		if (attached === undefined) return;
		// The process has ended, and its goroutines with it: nobody hits a probe any more.
		for (const { links } of Object.values(attached.groups)) for (const link of links) link.destroyLater(this.#closings);
		this.#attached.delete(target);
		this.#totals.release(target);
		target.close();
	}

	/** Takes all probes out of the targets; counters and ring can still be read. */
	detach(): void {
		for (const { groups } of this.#attached.values()) {
			for (const { links } of Object.values(groups))
				for (const link of links.splice(0)) link.destroyLater(this.#closings);
		}
		this.#closings.reap(true);
	}

	/** Gives everything back, in the order links, ring, object, files. */
	close(): void {
		this.detach();
		this.#ring.close();
		this.#object.close();
		for (const target of this.#attached.keys()) target.close();
		this.#attached.clear();
	}
}

function handsOverTo(probe: PlannedProbe, fn: string): boolean {
	return probe.exits.some((exit) => exit.handsOverTo === fn);
}

function entryConfig(target: Target, probe: PlannedProbe, timed: boolean): SiteConfig {
	const { plan } = target;
	return {
		role: ROLE[probe.role],
		...plan.goroutine,
		argsOnStack: probe.argAbi === "stack",
		gInRcx: probe.gRegister === "rcx",
		callerDepth: probe.callerDepth,
		slot: timed ? (slotOf(probe.fn) ?? NO_SLOT) : NO_SLOT,
		seed: SEED_OFFSET[plan.impl],
		readsFlags: plan.impl === "classic" && plan.goroutine !== undefined && hasAllArguments(probe),
		mapAt: probe.mapAt ?? 0,
		alwaysEnters: probe.everyPass === true,
		ownStackOnly: plan.ownStackOnly === true,
	};
}

function exitConfig({ index, probe }: EntrySite, exit: ExitSite, outer: EntrySite | undefined): SiteConfig {
	return {
		role: ROLE[probe.role],
		entry: index,
		slot: slotOf(probe.fn) ?? NO_SLOT,
		fsOffset: probe.fsOffset,
		framePointer: exit.entrySp === "frame-pointer",
		handsOver: exit.handsOverTo !== undefined,
		...(exit.leavesWhen === undefined
			? {}
			: { condition: exit.leavesWhen.condition, leavesTaken: exit.leavesWhen.taken }),
		...(outer === undefined ? {} : { outerEntry: outer.index, outerSlot: slotOf(outer.probe.fn) ?? NO_SLOT }),
	};
}
