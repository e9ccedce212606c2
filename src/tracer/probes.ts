/** The probes of all targets, by target and tier: numbered, configured, attached and detached. */
import { GomapgrowError } from "../errors/error.ts";
import { ROLE, slotOf, type Tier } from "../gomap/functions.ts";
import { COPIED_FIELDS } from "../gomap/header.ts";
import type { BpfObject, ProgramName, SiteConfig } from "../kernel/bpf-object.ts";
import { monotonicNs } from "../kernel/libc.ts";
import { type AttachSite, Closings, UprobeLink } from "../kernel/uprobe-link.ts";
import { NO_SLOT } from "../kernel/wire.ts";
import type { ExitSite, PlannedProbe } from "../plan/probe-plan.ts";
import type { EntrySite, SiteTable } from "./site-table.ts";
import type { Target } from "./target.ts";
import { isTimed, sitesNeeded, type Timing } from "./timed-probes.ts";

const TIERS: readonly Tier[] = ["growth", "work", "iteration"];
const PROGRAM_OF: Record<Tier, ProgramName> = { growth: "growth", work: "work", iteration: "iterate" };

const SEED_OFFSET = { classic: COPIED_FIELDS.hmap.hash0, swiss: COPIED_FIELDS.swissMap.seed } as const;

/** Probes that are attached and detached together. */
interface ProbeGroup {
	/** In the order in which they are attached. */
	programs: { name: ProgramName; sites: AttachSite[] }[];
	/** In the order in which they are detached; none while the group is. */
	links: UprobeLink[];
}

interface Attached {
	target: Target;
	entries: EntrySite[];
	groups: Record<Tier, ProbeGroup>;
}

export class Probes {
	readonly #object: BpfObject;
	readonly #sites: SiteTable;
	readonly #timing: Timing;
	readonly #attached = new Map<Target, Attached>();
	/** Links that are being closed. */
	readonly closings = new Closings();

	constructor(object: BpfObject, sites: SiteTable, timing: Timing) {
		this.#object = object;
		this.#sites = sites;
		this.#timing = timing;
	}

	/** Those that are attached. */
	get targets(): readonly Target[] {
		return [...this.#attached.keys()];
	}

	/**
	 * Attaches all probes of the target's plan. Throws E-BIN-CHANGED, E-HOST-… or E-TARGET-GONE; none is attached
	 * then, but its numbers are in use.
	 */
	attach(target: Target): void {
		const group = (): ProbeGroup => ({ programs: [], links: [] });
		const groups: Attached["groups"] = { growth: group(), work: group(), iteration: group() };
		const attached: Attached = { target, entries: [], groups };
		try {
			target.checkSites();
			this.#configureAll(attached);
			for (const tier of TIERS) this.#attachTier(attached, tier);
			this.#attached.set(target, attached);
		} catch (error) {
			for (const { links } of Object.values(groups)) for (const link of links) link.destroy();
			throw error;
		}
	}

	/** Whether the probes of the target still find room in the kernel's tables. */
	hasRoomFor(target: Target): boolean {
		return this.#sites.room >= sitesNeeded(target.plan, this.#timing);
	}

	/** Gives all probed instructions their numbers and tells the kernel programs what they mean. */
	#configureAll({ target, entries, groups }: Attached): void {
		const sites = new Map<Tier, { entry: AttachSite[]; exit: AttachSite[] }>(
			TIERS.map((tier) => [tier, { entry: [], exit: [] }]),
		);
		for (const probe of target.plan.probes) {
			const timed = isTimed(target.plan, probe, this.#timing);
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

	#attachTier({ target, groups }: Attached, tier: Tier): void {
		const { pid, openPath } = target.identity;
		const { programs, links } = groups[tier];
		// Detached in the opposite order.
		for (const { name, sites } of programs) {
			links.unshift(new UprobeLink(this.#object, name, pid, openPath, sites));
		}
	}

	/**
	 * Attaches or detaches the probes of a tier. When this returns, no hit comes any more, or hits come, unless the
	 * target has ended.
	 */
	setProbed(target: Target, tier: Tier, on: boolean): void {
		const attached = this.#attached.get(target);
		if (attached === undefined) return;
		const { links } = attached.groups[tier];
		if (!on) {
			for (const link of links.splice(0)) link.destroyLater(this.closings);
			return;
		}
		if (links.length > 0) return;
		if (tier === "iteration") this.#forgetIterations(attached);
		try {
			this.#attachTier(attached, tier);
		} catch (error) {
			// Its end is noticed elsewhere, some time later.
			if (!(error instanceof GomapgrowError && error.code === "E-TARGET-GONE")) throw error;
		}
	}

	/** While the probes were detached iterations may have ended: others of the same place would be taken for them. */
	#forgetIterations({ target, entries }: Attached): void {
		const sinceNs = monotonicNs();
		for (const { index, probe, timed } of entries) {
			if (probe.tier !== "iteration") continue;
			this.#object.configureSite(index, { ...entryConfig(target, probe, timed), sinceNs });
		}
	}

	/** Growths of the target become records with this probability. */
	setGrowthChance(target: Target, chance: number): void {
		for (const { index, probe, timed } of this.entriesOf(target, "growth")) {
			this.#object.configureSite(index, { ...entryConfig(target, probe, timed), chance });
		}
	}

	/** Entries of the target's functions of a tier. */
	entriesOf(target: Target, tier: Tier): EntrySite[] {
		return this.#attached.get(target)?.entries.filter(({ probe }) => probe.tier === tier) ?? [];
	}

	/**
	 * Forgets a target that has ended: its process and goroutines are gone, so that nobody hits a probe any more.
	 * Returns whether it was there.
	 */
	release(target: Target): boolean {
		const attached = this.#attached.get(target);
		if (attached === undefined) return false;
		this.#detachAll(attached);
		this.#attached.delete(target);
		return true;
	}

	/** Detaches all; when this returns no hit comes any more. The targets stay known. */
	detach(): void {
		for (const attached of this.#attached.values()) this.#detachAll(attached);
		this.closings.reap(true);
	}

	#detachAll({ groups }: Attached): void {
		for (const { links } of Object.values(groups)) for (const link of links.splice(0)) link.destroyLater(this.closings);
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
		readsFlags: plan.impl === "classic" && plan.goroutine !== undefined,
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
