/** The probes of all targets, by target and tier: numbered, configured, attached and detached. */
import { GomapgrowError } from "../errors/error.ts";
import { mapFunction, ROLE, slotOf } from "../gomap/functions.ts";
import { COPIED_FIELDS } from "../gomap/header.ts";
import { loadFactorNumerator } from "../gomap/sizing.ts";
import type { BpfObject, Gate, ProgramName, SiteConfig } from "../kernel/bpf-object.ts";
import { monotonicNs } from "../kernel/libc.ts";
import { type AttachSite, Closings, UprobeLink } from "../kernel/uprobe-link.ts";
import { MAX_WRAPPERS, NO_MAP, NO_SLOT } from "../kernel/wire.ts";
import { type ExitSite, hasAllArguments, type PlannedProbe } from "../plan/probe-plan.ts";
import type { EntrySite, ExitSiteOf, SiteTable } from "./site-table.ts";
import type { Target } from "./target.ts";
import { isTimed, sitesNeeded, type Timing } from "./timed-probes.ts";

/** Probes that are attached and detached together: growths of large maps and of small ones, where different functions begin them, growth work, iterations, makes. */
export const STREAMS = ["large", "small", "work", "iteration", "make"] as const;
export type Stream = (typeof STREAMS)[number];
const PROGRAM_OF: Record<Stream, ProgramName> = {
	large: "growth",
	small: "growth",
	work: "work",
	iteration: "iterate",
	make: "make",
};

/** A map of up to eight entries grows by growToTable, a larger one by rehash; classic maps have one function for both. */
export function streamOf({ tier, fn }: Pick<PlannedProbe, "tier" | "fn">): Stream {
	if (tier !== "growth") return tier;
	return mapFunction(fn)?.role === "growToTable" ? "small" : "large";
}

const SEED_OFFSET = { classic: COPIED_FIELDS.hmap.hash0, swiss: COPIED_FIELDS.swissMap.seed } as const;

/** The probes of a stream: at the entries of its functions, and where their calls end. */
export type Part = "entries" | "exits";
const PARTS: readonly Part[] = ["exits", "entries"];

/** Of a call that is never timed, and of one that always is. */
const NEVER_NS = 2n ** 64n - 1n;

/** Probes that are attached and detached together. */
interface ProbeGroup {
	sites: AttachSite[];
	/** None while the group is detached. */
	link: UprobeLink | undefined;
}

/** What the entries of a stream are told while they are attached. */
interface StreamSettings {
	/** With which probability a growth becomes a record. */
	chance: number;
	/** Absent: always open. */
	windows?: readonly [Gate, Gate];
	/** Since when the exits are attached; undefined: they are not. */
	timedSinceNs: bigint | undefined;
	/** Since when iterations, and makes, are watched without a break. */
	sinceNs: bigint;
}

interface Attached {
	target: Target;
	entries: EntrySite[];
	exits: { site: ExitSiteOf; stream: Stream }[];
	groups: Record<Stream, Record<Part, ProbeGroup>>;
	settings: Record<Stream, StreamSettings>;
	/** Number of its ranges of wrappers. */
	wrappers: number | undefined;
}

export class Probes {
	readonly #object: BpfObject;
	readonly #sites: SiteTable;
	readonly #timing: Timing;
	readonly #attached = new Map<Target, Attached>();
	/** Numbers of wrapper ranges that nobody uses. */
	readonly #freeWrappers = Array.from({ length: MAX_WRAPPERS }, (_, i) => MAX_WRAPPERS - 1 - i);
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
	 * Takes a target, attaches the probes of these streams, with their exits, and proves that they are in its code. Throws E-BIN-CHANGED, E-HOST-… or E-TARGET-GONE; none is attached then, but its
	 * numbers are in use.
	 */
	attach(target: Target, streams: readonly Stream[] = STREAMS): void {
		const group = (): Record<Part, ProbeGroup> => ({
			entries: { sites: [], link: undefined },
			exits: { sites: [], link: undefined },
		});
		const settings = (): StreamSettings => ({ chance: 1, timedSinceNs: undefined, sinceNs: 0n });
		const attached: Attached = {
			...{ target, entries: [], exits: [], wrappers: undefined },
			groups: { large: group(), small: group(), work: group(), iteration: group(), make: group() },
			settings: {
				...{ large: settings(), small: settings(), work: settings(), iteration: settings() },
				make: settings(),
			},
		};
		try {
			target.checkSites();
			attached.wrappers = this.#takeWrappers(target);
			this.#configureAll(attached);
			for (const stream of streams) for (const part of PARTS) this.#attachPart(attached, stream, part);
			target.proveProbes(attachedProbes(attached));
			this.#attached.set(target, attached);
		} catch (error) {
			this.#detachAll(attached);
			if (attached.wrappers !== undefined) this.#freeWrappers.push(attached.wrappers);
			throw error;
		}
	}

	/** Proves the probes of commands that have been executed since they were attached. Throws E-BIN-CHANGED. */
	proveStarted(): void {
		for (const [target, attached] of this.#attached) {
			if (!target.awaitsProof) continue;
			try {
				target.proveProbes(attachedProbes(attached));
			} catch (error) {
				// Its end is noticed elsewhere, some time later.
				if (!(error instanceof GomapgrowError && error.code === "E-TARGET-GONE")) throw error;
			}
		}
	}

	/** Whether the probes of the target still find room in the kernel's tables. */
	hasRoomFor(target: Target): boolean {
		return this.#sites.room >= sitesNeeded(target.plan, this.#timing);
	}

	/** With more targets at once than there are numbers, the wrappers of the last ones are taken for call sites. */
	#takeWrappers(target: Target): number | undefined {
		const ranges = target.wrappers;
		if (ranges.length === 0) return undefined;
		const number = this.#freeWrappers.pop();
		if (number !== undefined) this.#object.setWrappers(number, ranges);
		return number;
	}

	/** Gives all probed instructions their numbers and tells the kernel programs what they mean. */
	#configureAll(attached: Attached): void {
		const { target, entries, exits, groups } = attached;
		for (const probe of target.plan.probes) {
			const site = this.#sites.addEntry(target, probe, isTimed(target.plan, probe, this.#timing));
			entries.push(site);
			groups[streamOf(probe)].entries.sites.push({ index: site.index, fileOffset: probe.site.fileOffset });
		}
		for (const entry of entries) {
			this.#configureEntry(attached, entry);
			this.#mapAddress(entry.index, target, entry.probe.site.address);
			if (!entry.timed) continue;
			const outer = outerOf(entry, entries);
			for (const exit of entry.probe.exits) {
				const site = this.#sites.addExit(target, exit);
				const stream = exitStream(entry, entries);
				exits.push({ site, stream });
				this.#object.configureSite(site.index, exitConfig(entry, exit, outer));
				this.#mapAddress(site.index, target, exit.address);
				groups[stream].exits.sites.push({ index: site.index, fileOffset: exit.fileOffset });
			}
		}
	}

	#configureEntry({ target, entries, settings, wrappers }: Attached, site: EntrySite): void {
		const { probe } = site;
		const { chance, windows, sinceNs } = settings[streamOf(probe)];
		const timedSinceNs = site.timed ? settings[exitStream(site, entries)].timedSinceNs : undefined;
		site.timedSinceNs = timedSinceNs === undefined ? undefined : Number(timedSinceNs);
		this.#object.configureSite(site.index, {
			...entryConfig(target, probe),
			...{ chance, windows, wrappers },
			slot: timedSinceNs === undefined ? NO_SLOT : (slotOf(probe.fn) ?? NO_SLOT),
			sinceNs: probe.tier === "iteration" || probe.tier === "make" ? sinceNs : (timedSinceNs ?? NEVER_NS),
		});
	}

	/** Tells all entries whose calls end at exits of this stream, and those of the stream itself. */
	#configureStream(attached: Attached, stream: Stream): void {
		for (const site of attached.entries) {
			if (streamOf(site.probe) === stream || exitStream(site, attached.entries) === stream)
				this.#configureEntry(attached, site);
		}
	}

	#mapAddress(index: number, target: Target, address: number): void {
		if (this.#object.mode !== "perf-address") return;
		if (target.bias === undefined) {
			throw new GomapgrowError("E-HOST-UPROBE", {
				wanted: "attach cookies (Linux 5.15) to observe a position-independent command from its start",
				found: "a kernel without them",
				advice: `start the command first, then: gomapgrow watch ${target.identity.name}`,
			});
		}
		this.#object.mapAddress(target.identity.pid, address + target.bias, index);
	}

	/** Exits are attached before the entries, so that no call is timed whose end would be missed. */
	#attachPart(attached: Attached, stream: Stream, part: Part): void {
		const { target, groups, settings } = attached;
		const group = groups[stream][part];
		if (group.sites.length === 0 || group.link !== undefined) return;
		// Before, headers may have been made and used again unseen.
		if (stream === "make") {
			settings.make.sinceNs = monotonicNs();
			this.#configureStream(attached, stream);
		}
		const { pid, openPath } = target.identity;
		group.link = new UprobeLink(
			this.#object,
			part === "exits" ? "leave" : PROGRAM_OF[stream],
			pid,
			openPath,
			group.sites,
		);
		if (part === "exits") {
			settings[stream].timedSinceNs = monotonicNs();
			this.#configureStream(attached, stream);
		}
	}

	/**
	 * Attaches or detaches the entries or the exits of a stream. When this returns, no hit comes any more, or hits come, unless the target has ended. Without exits no
	 * call is timed, and one that was under way is counted as withdrawn.
	 */
	setAttached(target: Target, stream: Stream, part: Part, on: boolean): void {
		const attached = this.#attached.get(target);
		if (attached === undefined) return;
		const group = attached.groups[stream][part];
		if (on === (group.link !== undefined) || group.sites.length === 0) return;
		if (!on) {
			if (part === "exits") {
				attached.settings[stream].timedSinceNs = undefined;
				this.#configureStream(attached, stream);
			}
			closeLink(group, this.closings);
			return;
		}
		if (stream === "iteration" && part === "entries") {
			// While the probes were detached iterations may have ended: others of the same place would be taken for them.
			attached.settings.iteration.sinceNs = monotonicNs();
			this.#configureStream(attached, stream);
		}
		try {
			this.#attachPart(attached, stream, part);
		} catch (error) {
			// Its end is noticed elsewhere, some time later.
			if (!(error instanceof GomapgrowError && error.code === "E-TARGET-GONE")) throw error;
		}
	}

	/** From now on hits of the stream's entries count in these windows only; undefined: always. */
	setWindows(target: Target, stream: Stream, windows: readonly [Gate, Gate] | undefined): void {
		const attached = this.#attached.get(target);
		if (attached === undefined) return;
		if (windows === undefined) delete attached.settings[stream].windows;
		else attached.settings[stream].windows = windows;
		this.#configureStream(attached, stream);
	}

	/** Growths of a stream of the target become records with this probability. */
	setGrowthChance(target: Target, stream: "large" | "small", chance: number): void {
		const attached = this.#attached.get(target);
		if (attached === undefined) return;
		attached.settings[stream].chance = chance;
		this.#configureStream(attached, stream);
	}

	/** The exits at which calls are timed that belong to a stream. */
	exitsOf(target: Target, stream: Stream): ExitSiteOf[] {
		return this.#attached.get(target)?.exits.flatMap((exit) => (exit.stream === stream ? [exit.site] : [])) ?? [];
	}

	/** Entries of the target's functions of a stream. */
	entriesOf(target: Target, stream?: Stream): EntrySite[] {
		const entries = this.#attached.get(target)?.entries ?? [];
		return entries.filter(({ probe }) => stream === undefined || streamOf(probe) === stream);
	}

	/**
	 * Forgets a target that has ended: its process and goroutines are gone, so that nobody hits a probe any more.
	 * Returns whether it was there.
	 */
	release(target: Target): boolean {
		const attached = this.#attached.get(target);
		if (attached === undefined) return false;
		this.#detachAll(attached);
		if (attached.wrappers !== undefined) this.#freeWrappers.push(attached.wrappers);
		this.#attached.delete(target);
		return true;
	}

	/** Detaches all; when this returns no hit comes any more. The targets stay known. */
	detach(): void {
		// Entries first, for good: a call that begins while exits are closed would seem to go on.
		for (const part of ["entries", "exits"] as const) {
			for (const { groups } of this.#attached.values()) {
				for (const group of Object.values(groups)) closeLink(group[part], this.closings);
			}
			this.closings.reap(true);
		}
	}

	#detachAll({ groups }: Attached): void {
		for (const { entries, exits } of Object.values(groups)) {
			closeLink(entries, this.closings);
			closeLink(exits, this.closings);
		}
	}
}

function closeLink(group: { link: UprobeLink | undefined }, closings: Closings): void {
	group.link?.destroyLater(closings);
	group.link = undefined;
}

/** Those whose entries are attached. */
function attachedProbes({ entries, groups }: Attached): PlannedProbe[] {
	return entries.flatMap(({ probe }) => (groups[streamOf(probe)].entries.link === undefined ? [] : [probe]));
}

function handsOverTo(probe: PlannedProbe, fn: string): boolean {
	return probe.exits.some((exit) => exit.handsOverTo === fn);
}

/** The function whose calls end with those of this one. */
function outerOf(entry: EntrySite, entries: readonly EntrySite[]): EntrySite | undefined {
	return entries.find(({ timed, probe }) => timed && handsOverTo(probe, entry.probe.fn));
}

/**
 * With which stream the exits of a function are attached: growths whose calls end with this function's (rehash with grow and split) are timed whether or not its own
 * calls are watched.
 */
function exitStream(entry: EntrySite, entries: readonly EntrySite[]): Stream {
	const outer = outerOf(entry, entries);
	return streamOf(outer?.probe.tier === "growth" ? outer.probe : entry.probe);
}

function entryConfig(target: Target, probe: PlannedProbe): SiteConfig {
	const { plan, binary } = target;
	return {
		role: ROLE[probe.role],
		...plan.goroutine,
		argsOnStack: probe.argAbi === "stack",
		gInRcx: probe.gRegister === "rcx",
		callerDepth: probe.callerDepth,
		loadFactor: loadFactorNumerator(binary.version.minor),
		address: probe.site.address,
		seed: SEED_OFFSET[plan.impl],
		readsFlags: plan.impl === "classic" && plan.goroutine !== undefined && hasAllArguments(probe),
		mapAt: probe.mapAt === "unknown" ? NO_MAP : (probe.mapAt ?? 0),
		...makeConfig(probe),
		alwaysEnters: probe.everyPass === true,
		ownStackOnly: plan.ownStackOnly === true,
	};
}

/** Where a function that makes maps has what it knows. */
function makeConfig({ make }: PlannedProbe): Partial<SiteConfig> {
	if (make === undefined) return {};
	const { framed = false, headerAt = 0, hintAt = 0, typeAt = 0 } = make;
	return { framePointer: framed, mapAt: headerAt, hintAt, typeAt };
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
