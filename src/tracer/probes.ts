/** The probes of all targets, by target and tier: numbered, configured, attached and detached. */
import { GomapgrowError } from "../errors/error.ts";
import { slotOf } from "../gomap/functions.ts";
import { type BpfObject, CLOSED, type Gate, type ProgramName } from "../kernel/bpf-object.ts";
import type { Follower } from "../kernel/follow.ts";
import { monotonicNs } from "../kernel/libc.ts";
import { type AttachSite, Closings, EVERY_PROCESS, UprobeLink } from "../kernel/uprobe-link.ts";
import { MAX_WRAPPERS, NO_SLOT } from "../kernel/wire.ts";
import type { PlannedProbe } from "../plan/probe-plan.ts";
import { type FileProbes, ProbedFiles } from "./file-probes.ts";
import { entryConfig, exitConfig, exitStream, outerOf } from "./site-config.ts";
import type { EntrySite, ExitSiteOf, SiteTable } from "./site-table.ts";
import { STREAMS, type Stream, streamOf } from "./streams.ts";
import type { Target } from "./target.ts";
import { isTimed, sitesNeeded, type Timing } from "./timed-probes.ts";

const PROGRAM_OF: Record<Stream, ProgramName> = {
	large: "growth",
	small: "growth",
	work: "work",
	iteration: "iterate",
	make: "make",
};

/** The probes of a stream: at the entries of its functions, and where their calls end. */
export type Part = "entries" | "exits";
const PARTS: readonly Part[] = ["exits", "entries"];

/** Of a call that is never timed. */
const NEVER_NS = 2n ** 64n - 1n;
const NEVER: readonly [Gate, Gate] = [CLOSED, CLOSED];

/** Probes that are attached and detached together. */
interface ProbeGroup {
	sites: AttachSite[];
	/** Detaches them; `ended`: because the process has ended. None while the group is detached. */
	detach: ((ended: boolean) => void) | undefined;
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
	/** Of a process that is followed: its probes are those of its file. `base`: its first site. */
	file?: { probes: FileProbes; base: number };
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
	readonly #files = new ProbedFiles(this.closings);
	readonly #follower: Follower | undefined;

	constructor(object: BpfObject, sites: SiteTable, timing: Timing, follower?: Follower) {
		this.#object = object;
		this.#sites = sites;
		this.#timing = timing;
		this.#follower = follower;
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
			entries: { sites: [], detach: undefined },
			exits: { sites: [], detach: undefined },
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
			this.#takeFile(attached);
			this.#configureAll(attached);
			for (const stream of streams) for (const part of PARTS) this.#attachPart(attached, stream, part);
			this.#count(attached);
			target.proveProbes(attachedProbes(attached));
			this.#attached.set(target, attached);
		} catch (error) {
			this.#letGo(attached);
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
		const needed = sitesNeeded(target.plan, this.#timing);
		return this.#isFollowed(target) ? this.#sites.hasRun(needed) : this.#sites.room >= needed;
	}

	#isFollowed({ identity }: Target): boolean {
		return this.#follower !== undefined && identity.member !== undefined;
	}

	#takeFile(attached: Attached): void {
		const { target } = attached;
		if (!this.#isFollowed(target)) return;
		const base = this.#sites.takeRun(target, sitesNeeded(target.plan, this.#timing));
		attached.file = { probes: this.#files.use(target.executable), base };
	}

	/** From now on hits in a process that is followed count: its sites are configured. */
	#count({ target, file }: Attached): void {
		const { pid, member } = target.identity;
		if (file === undefined || member === undefined) return;
		const sites = { base: file.base, file: file.probes.number };
		if (member === "root") this.#follower?.addRoot(pid, { ...sites, expected: target.awaitsProof });
		else this.#follower?.setSites(member, sites);
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

	/** Probes of a file that are attached for other processes are hit in this one, too. */
	#isOff({ entries }: Record<Part, ProbeGroup>, file: Attached["file"]): boolean {
		return file !== undefined && entries.detach === undefined;
	}

	#configureEntry({ target, entries, settings, wrappers, groups, file }: Attached, site: EntrySite): void {
		const { probe } = site;
		const { chance, windows, sinceNs } = settings[streamOf(probe)];
		const timedSinceNs = site.timed ? settings[exitStream(site, entries)].timedSinceNs : undefined;
		site.timedSinceNs = timedSinceNs === undefined ? undefined : Number(timedSinceNs);
		this.#object.configureSite(site.index, {
			...entryConfig(target, probe),
			...{ chance, wrappers, windows: this.#isOff(groups[streamOf(probe)], file) ? NEVER : windows },
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
		const { groups, settings } = attached;
		const group = groups[stream][part];
		if (group.sites.length === 0 || group.detach !== undefined) return;
		// Before, headers may have been made and used again unseen.
		if (stream === "make") {
			settings.make.sinceNs = monotonicNs();
			this.#configureStream(attached, stream);
		}
		group.detach = this.#attachGroup(attached, group.sites, stream, part);
		if (part === "exits") settings[stream].timedSinceNs = monotonicNs();
		if (part === "exits" || attached.file !== undefined) this.#configureStream(attached, stream);
	}

	/** Returns what detaches them. */
	#attachGroup(
		{ target, file }: Attached,
		sites: readonly AttachSite[],
		stream: Stream,
		part: Part,
	): (ended: boolean) => void {
		const { pid, openPath } = target.identity;
		const program = part === "exits" ? "leave" : PROGRAM_OF[stream];
		const attach = (of: number, own: readonly AttachSite[]): UprobeLink =>
			new UprobeLink(this.#object, program, of, openPath, own);
		if (file === undefined) {
			const link = attach(pid, sites);
			return () => link.destroyLater(this.closings);
		}
		const { probes, base } = file;
		const key = `${stream} ${part}`;
		probes.use(key, () =>
			attach(
				EVERY_PROCESS,
				sites.map((site) => fileSite(site, probes.number, base)),
			),
		);
		return (ended) => probes.leave(key, this.closings, ended);
	}

	/**
	 * Attaches or detaches the entries or the exits of a stream. When this returns, no hit comes any more, or hits come, unless the target has ended. Without exits no
	 * call is timed, and one that was under way is counted as withdrawn.
	 */
	setAttached(target: Target, stream: Stream, part: Part, on: boolean): void {
		const attached = this.#attached.get(target);
		if (attached === undefined) return;
		const group = attached.groups[stream][part];
		if (on === (group.detach !== undefined) || group.sites.length === 0) return;
		if (!on) {
			if (part === "exits") {
				attached.settings[stream].timedSinceNs = undefined;
				this.#configureStream(attached, stream);
			}
			detachGroup(group, false);
			if (attached.file !== undefined && part === "entries") this.#configureStream(attached, stream);
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
		this.#letGo(attached);
		this.#attached.delete(target);
		return true;
	}

	#letGo(attached: Attached): void {
		for (const { entries, exits } of Object.values(attached.groups)) {
			detachGroup(entries, true);
			detachGroup(exits, true);
		}
		if (attached.wrappers !== undefined) this.#freeWrappers.push(attached.wrappers);
		if (attached.file !== undefined) this.#files.leave(attached.file.probes);
	}

	/** Detaches all; when this returns no hit comes any more. The targets stay known. */
	detach(): void {
		// Entries first, for good: a call that begins while exits are closed would seem to go on.
		for (const part of ["entries", "exits"] as const) {
			for (const { groups } of this.#attached.values()) {
				for (const group of Object.values(groups)) detachGroup(group[part], false);
			}
			this.#files.closeLinks(part);
			this.closings.reap(true);
		}
		this.#files.close();
	}
}

function detachGroup(group: ProbeGroup, ended: boolean): void {
	group.detach?.(ended);
	group.detach = undefined;
}

/** As a site of its file: its cookie is the file's number in the upper half, and which of the process's sites it is. */
function fileSite({ index, fileOffset }: AttachSite, file: number, base: number): AttachSite {
	return { index: file * 2 ** 32 + index - base, fileOffset };
}

/** Those whose entries are attached. */
function attachedProbes({ entries, groups }: Attached): PlannedProbe[] {
	return entries.flatMap(({ probe }) => (groups[streamOf(probe)].entries.detach === undefined ? [] : [probe]));
}
