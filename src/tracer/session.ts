/**
 * One observation from attach to detach: loads the programs, attaches them to the targets, drains records, reads
 * counters and keeps the ledger. It has no timers and prints nothing: its owner calls `drain` and `readCounters` at
 * its own pace.
 */
import type { KnownMap, MapState } from "../gomap/map-state.ts";
import { BpfObject, type Gate, type Sampling, type TableSizes } from "../kernel/bpf-object.ts";
import type { FollowOffsets, TaskOffsets } from "../kernel/btf.ts";
import { CALIBRATION_SITES, Calibration, type HitCosts } from "../kernel/calibration.ts";
import type { SiteCounts } from "../kernel/counters.ts";
import { EventRing } from "../kernel/event-ring.ts";
import type { RawRecord, RawUnknown } from "../kernel/events.ts";
import type { AttachMode } from "../kernel/features.ts";
import { Follower } from "../kernel/follow.ts";
import type { GrowthRecord, OverlapRecord, WorkRecord } from "../records/records.ts";
import type { ClockAnchor } from "../records/time.ts";
import type { CallDelta, LatencyDelta } from "./call-deltas.ts";
import { type Counters, CounterTotals } from "./counters.ts";
import { GrowthDecoder } from "./decode/growth.ts";
import { RecentGrowths } from "./decode/overlaps.ts";
import { PendingGrowths } from "./decode/pending-growths.ts";
import { SampleDecoder } from "./decode/samples.ts";
import { type Decoded, nothingDecoded } from "./ledger.ts";
import type { MadeDelta } from "./made-maps.ts";
import { type Part, Probes } from "./probes.ts";
import { type EntrySite, type ExitSiteOf, type Site, SiteTable } from "./site-table.ts";
import { type Stream, streamOf } from "./streams.ts";
import type { Target } from "./target.ts";

/** What a session gives out one by one. */
export type EventRecord = GrowthRecord | WorkRecord | OverlapRecord;

export interface SessionOptions {
	mode: AttachMode;
	anchor: ClockAnchor;
	/** Measure how long calls take. */
	latency: boolean;
	/** Where the kernel keeps a thread's FS base, for the calls of programs before Go 1.17, and its processor time (kernel/btf.ts). */
	task?: TaskOffsets | undefined;
	/** Watch iterations. The targets must have been planned with them. */
	iterations: boolean;
	/** Watch where maps are made. Likewise. */
	makes?: boolean | undefined;
	/** Follows what processes start: offsets in the kernel's structs, and whether a program is stopped until its probes are attached. */
	follow?: { offsets: FollowOffsets; holds: boolean } | undefined;
	/** How many probed instructions there can be at a time. */
	maxSites: number;
	/** What is attached when a target is; absent: everything. */
	streams?: readonly Stream[] | undefined;
	/** Other sizes of the kernel's tables than the usual ones. */
	sizes?: TableSizes | undefined;
}

/** Samples in the ring at most: a quarter of it. The rest is for growths, however late it is read. */
const SAMPLE_ROOM = 3000;

export class Session {
	readonly #object: BpfObject;
	readonly #options: SessionOptions;
	readonly #ring: EventRing;
	readonly #totals: CounterTotals;
	readonly #sites: SiteTable;
	readonly #probes: Probes;
	/** Absent: what processes start is not followed. */
	readonly follower: Follower | undefined;
	readonly #growths: GrowthDecoder;
	readonly #samples: SampleDecoder;
	readonly #pending = new PendingGrowths();
	readonly #recent = new RecentGrowths();
	#sampling: Sampling = { chance: 0, slowNs: Number.MAX_SAFE_INTEGER, room: SAMPLE_ROOM };
	readonly #decoded: Decoded = nothingDecoded();
	#newest = 0;

	/** Throws E-HOST-… when the programs cannot be loaded; nothing is left behind then. */
	constructor(options: SessionOptions) {
		this.#options = options;
		const { anchor, maxSites, latency, iterations, makes } = options;
		this.#growths = new GrowthDecoder(anchor);
		this.#samples = new SampleDecoder(anchor);
		this.#sites = new SiteTable(maxSites);
		this.#object = new BpfObject({
			...options,
			follow: options.follow?.offsets,
			maxSites: maxSites + CALIBRATION_SITES,
		});
		try {
			this.#ring = new EventRing(this.#object.mapFd("events"), this.#object.ringBytes);
			this.#totals = new CounterTotals(this.#object, this.#sites, { latency, iterations, makes });
			this.follower = options.follow && new Follower(this.#object, options.follow.holds);
			const timing = { latency, fsBase: options.task?.fsBase };
			this.#probes = new Probes(this.#object, this.#sites, timing, this.follower);
		} catch (error) {
			this.#object.close();
			throw error;
		}
	}

	/** Attaches the probes of the target's plan. Throws E-BIN-CHANGED, E-HOST-… or E-TARGET-GONE. The session owns the target from then on. */
	attach(target: Target): void {
		try {
			this.#probes.attach(target, this.#options.streams);
		} catch (error) {
			this.#totals.release(target);
			target.close();
			throw error;
		}
	}

	/** Whether the probes of the target still find room in the kernel's tables. */
	hasRoomFor(target: Target): boolean {
		return this.#probes.hasRoomFor(target);
	}

	/** Proves that probes of commands that were attached before they were executed are in their code. Throws E-BIN-CHANGED. */
	proveStarted(): void {
		this.#probes.proveStarted();
	}

	/** Attaches or detaches a part of a stream. When this returns, no hit comes any more, or hits come, unless the target has ended. */
	setAttached(target: Target, stream: Stream, part: Part, on: boolean): void {
		this.#probes.setAttached(target, stream, part, on);
	}

	/** Hits of the stream's entries count in these windows only; undefined: always. */
	setWindows(target: Target, stream: Stream, windows: readonly [Gate, Gate] | undefined): void {
		this.#probes.setWindows(target, stream, windows);
	}

	/** Growths of a stream of the target become records with this probability. */
	setGrowthChance(target: Target, stream: "large" | "small", chance: number): void {
		this.#probes.setGrowthChance(target, stream, chance);
	}

	/** Entries of the target's functions; of all, or those of a stream. */
	entriesOf(target: Target, stream?: Stream): EntrySite[] {
		return this.#probes.entriesOf(target, stream);
	}

	/** What a function is probed with. */
	streamOf({ probe }: EntrySite): Stream {
		return streamOf(probe);
	}

	/** The exits at which calls are timed that are attached with a stream. */
	exitsOf(target: Target, stream: Stream): ExitSiteOf[] {
		return this.#probes.exitsOf(target, stream);
	}

	/** What the counters of a site say since it was attached. */
	countsOf(site: Site): SiteCounts {
		return this.#totals.countsOf(site);
	}

	/** The same of many, with few calls of the kernel. */
	countsOfAll(sites: readonly Site[]): SiteCounts[] {
		return this.#totals.countsOfAll(sites);
	}

	/** What has changed in the rows of sites that `match` since they were taken before. `last`: also of those whose place is not known. */
	takeCalls(match: (site: EntrySite, window: 0 | 1) => boolean, last?: boolean): CallDelta[] {
		return this.#totals.takeCalls(match, last);
	}

	takeLatency(match: (site: EntrySite) => boolean, last?: boolean): LatencyDelta[] {
		return this.#totals.takeLatency(match, last);
	}

	/** Maps that were made, and what became of them: likewise. */
	takeMakes(match: (site: EntrySite, window: 0 | 1) => boolean, last?: boolean): MadeDelta[] {
		return this.#totals.takeMakes(match, last);
	}

	/** Measures what a hit costs on this machine; some ten milliseconds. */
	calibrate(): HitCosts {
		const { maxSites, latency } = this.#options;
		const costs = new Calibration(this.#object, this.#probes.closings, maxSites).measure(latency);
		this.#probes.closings.reap(true);
		const withinNs = this.#totals.meanNs(maxSites);
		this.#totals.forget(new Set(Array.from({ length: CALIBRATION_SITES }, (_, i) => maxSites + i)));
		return { ...costs, withinNs };
	}

	get targets(): readonly Target[] {
		return this.#probes.targets;
	}

	/**
	 * Calls of the work tier become records with this probability (0 to 1), and always when they take `slowNs` or
	 * longer.
	 */
	setSampling(chance: number, slowNs: number): void {
		this.#sampling = { chance, slowNs, room: SAMPLE_ROOM };
		this.#object.setSampling(this.#sampling);
	}

	/**
	 * Hands one batch of records to `take` and returns how many the ring gave; 0: it is empty for now. A growth comes
	 * when it has been left, or a second after it began. One whose map could not be read is lost.
	 */
	drain(take: (record: EventRecord) => void): number {
		this.#probes.closings.reap();
		const { samples } = this.#decoded;
		const count = this.#ring.drain((raw) => this.#take(raw, take));
		if (this.#decoded.samples > samples) this.#object.setSampling(this.#sampling);
		this.#pending.expire(this.#newest, this.#giver(take));
		return count;
	}

	/**
	 * Gives out the growths that have not been left, as far as they are older than a second at this time of the
	 * monotonic clock.
	 */
	expire(nowNs: number, take: (record: EventRecord) => void): void {
		this.#pending.expire(nowNs, this.#giver(take));
	}

	/** Gives out all growths that have not been left, or those of these processes. */
	flush(take: (record: EventRecord) => void, pids?: ReadonlySet<number>): void {
		this.#pending.flush(this.#giver(take), pids);
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
		if (raw.kind === "unknown") {
			this.#countUnknown(raw);
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
					if (site === undefined) this.#decoded.growthsDropped++;
					else this.#decoded.growthsUnreadable++;
					return;
				}
				if (raw.sequence > 0) this.#recent.add(site.target.image, raw.sequence, record);
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

	/** Growths are the records that matter most: without a site that is known it counts as one of them. */
	#countUnknown({ site }: RawUnknown): void {
		const entry = site === undefined ? undefined : this.#sites.entry(site);
		this.#decoded.unknown[entry?.probe.tier ?? "growth"]++;
	}

	/** Empties the ring; what was in it is lost, and counted so. Only when nothing is added any more. */
	discard(): void {
		const drop = (raw: RawRecord): void => {
			if (raw.kind === "growth") this.#decoded.growthsDropped++;
			if (raw.kind === "work") this.#decoded.samplesDropped++;
			if (raw.kind === "unknown") this.#countUnknown(raw);
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

	/**
	 * Lets go of targets that have ended. Their records must have been drained: their places in the tables go to
	 * others.
	 */
	release(...ended: readonly Target[]): void {
		const targets = ended.filter((target) => this.#probes.release(target));
		if (targets.length === 0) return;
		this.#totals.release(...targets);
		for (const target of targets) target.close();
	}

	/** What these maps are now; undefined where one is not there any more, or cannot be read. */
	readMaps(maps: readonly KnownMap[]): (MapState | undefined)[] {
		const states = new Map<KnownMap, MapState | undefined>();
		for (const [pid, own] of Map.groupBy(maps, (map) => map.pid)) {
			// The last program that the process executes.
			const read = this.targets.findLast(({ identity }) => identity.pid === pid)?.readMaps(own) ?? [];
			own.forEach((map, index) => {
				states.set(map, read[index]);
			});
		}
		return maps.map((map) => states.get(map));
	}

	/** Follows nobody any more and detaches all probes; counters and ring can still be read. */
	detach(): void {
		this.follower?.close();
		this.#probes.detach();
	}

	/** Gives everything back, in the order links, ring, object, files. Can be called twice. */
	close(): void {
		this.detach();
		this.#ring.close();
		this.#object.close();
		for (const target of this.targets) target.close();
	}
}
