/**
 * An observation without a kernel: a tracer, a governor and sinks of plain values, and a clock that goes forward only
 * when it is waited for.
 */
import { GomapgrowError } from "../../../src/errors/error.ts";
import type { KnownMap, MapState } from "../../../src/gomap/map-state.ts";
import { noCounts } from "../../../src/kernel/counters.ts";
import type { Clock } from "../../../src/observe/clock.ts";
import { type ObserveOptions, observe } from "../../../src/observe/observation.ts";
import type { BackPressure, Sink, WindowState } from "../../../src/observe/sink.ts";
import { StopRequest } from "../../../src/observe/stop-request.ts";
import type { Governing, Tracer } from "../../../src/observe/tracer.ts";
import { emptyLedger, emptyTierLedger } from "../../../src/records/ledger.ts";
import type {
	EndReason,
	EndRecord,
	GomapgrowRecord,
	GrowthRecord,
	WindowRecord,
} from "../../../src/records/records.ts";
import type { Measured, Stream } from "../../../src/stats/sampling.ts";
import type { CallDelta, LatencyDelta } from "../../../src/tracer/call-deltas.ts";
import type { Counters } from "../../../src/tracer/counters.ts";
import type { MadeDelta } from "../../../src/tracer/made-maps.ts";
import type { EventRecord } from "../../../src/tracer/session.ts";
import type { EntrySite } from "../../../src/tracer/site-table.ts";
import { streamOf } from "../../../src/tracer/streams.ts";
import type { Target } from "../../../src/tracer/target.ts";
import type { TargetChanges } from "../../../src/tracer/watched-targets.ts";
import { growthRecord } from "../stats/growth-record.ts";
import { plannedProbe, probePlan } from "../tracer/plan-parts.ts";

export const FN = "runtime.hashGrow";
const MS = 1_000_000n;
const START_NS = 5_000_000_000n;
/** Nothing takes longer: a loop that does not end fails. */
const LATEST_NS = START_NS + 600_000n * MS;

/** Time stands still but in `sleep`, which goes through what is planned for later. */
export class ManualClock implements Clock {
	#now = START_NS;
	readonly #planned: { at: bigint; run: () => void }[] = [];

	monotonicNs(): bigint {
		return this.#now;
	}

	cpuNs(): number {
		return 0;
	}

	/** Milliseconds since the start. */
	get ms(): number {
		return Number(this.#now - START_NS) / 1e6;
	}

	/** Something takes so long. */
	pass(ms: number): void {
		this.#now += BigInt(Math.round(ms * 1e6));
	}

	/** Milliseconds after the start. */
	at(ms: number, run: () => void): void {
		this.#planned.push({ at: START_NS + BigInt(Math.round(ms * 1e6)), run });
		this.#planned.sort((a, b) => Number(a.at - b.at));
	}

	/** From one moment to another (milliseconds), so often. */
	every(ms: number, from: number, to: number, run: () => void): void {
		for (let at = from; at < to; at += ms) this.at(at, run);
	}

	async sleep(ms: number, stop?: StopRequest): Promise<void> {
		const until = this.#now + BigInt(Math.round(ms * 1e6));
		if (until > LATEST_NS) throw new Error("the observation does not end");
		for (let next = this.#planned[0]; next !== undefined && next.at <= until; next = this.#planned[0]) {
			this.#planned.shift();
			if (next.at > this.#now) this.#now = next.at;
			next.run();
			if (stop?.reason !== undefined) return;
		}
		if (until > this.#now) this.#now = until;
	}
}

/** A target of one growth function; `closed` counts. */
export function plainTarget(pid: number, name = `p${pid}`): Target & { closes: number } {
	const target = {
		identity: { pid, name, exe: `/bin/${name}`, openPath: `/proc/${pid}/exe` },
		plan: probePlan([plannedProbe(FN, { role: "hashGrow", tier: "growth" })]),
		binary: {
			arch: "amd64",
			pie: false,
			stripped: false,
			buildInfo: { goVersion: "", dependencies: 0, settings: new Map() },
		},
		closes: 0,
		close() {
			target.closes++;
		},
	};
	return target as unknown as Target & { closes: number };
}

/** Records of a drain at most. */
const BATCH = 8;

export class PlainTracer implements Tracer {
	/** What was asked of it, in order, without repetitions. */
	readonly log: string[];
	readonly ring: EventRecord[] = [];
	/** What the ring holds at most. */
	capacity = 1000;
	/** Growths that have not returned. */
	readonly waiting: GrowthRecord[] = [];
	readonly errors = new Map<number, GomapgrowError>();
	room = Number.POSITIVE_INFINITY;
	/** What is thrown when probes are proven. */
	changed: GomapgrowError | undefined;
	closed = 0;
	#targets: Target[] = [];
	readonly #sites = new Map<Target, EntrySite[]>();
	/** What the kernel has counted and nobody has taken. */
	readonly #calls: CallDelta[] = [];
	readonly #durations: LatencyDelta[] = [];
	readonly #makes: MadeDelta[] = [];
	readonly #hitsOf = new Map<EntrySite, number>();
	#hits = 0;
	#recorded = 0;
	#lost = 0;

	constructor(log: string[]) {
		this.log = log;
	}

	get targets(): readonly Target[] {
		return [...this.#targets];
	}

	#note(what: string): void {
		if (this.log.at(-1) !== what) this.log.push(what);
	}

	/** The function of the last program that a process has executed. */
	site(pid: number, fn = FN): EntrySite | undefined {
		const target = this.#targets.findLast(({ identity }) => identity.pid === pid);
		return target && this.#sites.get(target)?.find(({ probe }) => probe.fn === fn);
	}

	/** Calls of a function are counted, in a window. */
	call(pid: number, fields: Partial<CallDelta> = {}): void {
		const site = fields.site ?? this.site(pid, fields.fn);
		if (site === undefined || this.log.includes("detach")) return;
		const { fn, tier } = site.probe;
		this.#hitsOf.set(site, (this.#hitsOf.get(site) ?? 0) + (fields.calls ?? 1));
		// Iterations are counted by their site alone.
		if (tier === "iteration") return;
		this.#calls.push({
			...{ site, pid, fn, tier, map_type: "map[int]int", caller: [{ fn: "main.a", file: "/src/a.go", line: 7 }] },
			...{ calls: 1, window: 0, recorded: 1, timed: 0, elapsed_ns: 0, on_cpu: 0, cpu_ns: 0, ...fields },
		});
	}

	/** Durations are counted. */
	last(durations: LatencyDelta): void {
		this.#durations.push(durations);
	}

	/** A map of the process grows; when nobody is attached, nobody sees it. */
	grow(pid: number, nth = 1): void {
		if (!this.#targets.some(({ identity }) => identity.pid === pid) || this.log.includes("detach")) return;
		this.#hits++;
		this.call(pid);
		if (this.ring.length >= this.capacity) this.#lost++;
		else this.ring.push(growthRecord({ pid, fn: FN, nth }));
	}

	/** One that does not return. */
	growForever(pid: number): void {
		this.#hits++;
		this.call(pid);
		this.waiting.push(growthRecord({ pid, fn: FN }));
	}

	hasRoomFor(): boolean {
		return this.#targets.length < this.room;
	}

	attach(target: Target): void {
		const error = this.errors.get(target.identity.pid);
		this.#note(`attach ${target.identity.name}`);
		if (error !== undefined) {
			target.close();
			throw error;
		}
		this.#targets.push(target);
		this.#sites.set(
			target,
			target.plan.probes.map((probe, at): EntrySite => {
				const index = 100 * this.#sites.size + at;
				return { kind: "entry", index, target, probe, timed: true, timedSinceNs: 0, baseline: noCounts() };
			}),
		);
	}

	proveStarted(): void {
		const error = this.changed;
		if (error !== undefined) throw error;
	}

	release(...ended: readonly Target[]): void {
		this.#note(`release ${ended.map(({ identity }) => identity.name).join(", ")}`);
		this.#targets = this.#targets.filter((each) => !ended.includes(each));
		for (const target of ended) target.close();
	}

	entriesOf(target: Target): readonly EntrySite[] {
		return this.#sites.get(target) ?? [];
	}

	streamOf(site: EntrySite): Stream {
		return streamOf(site.probe);
	}

	countsOf(site: EntrySite): { hits: number } {
		return { hits: this.#hitsOf.get(site) ?? 0 };
	}

	takeCalls(match: (site: EntrySite, window: 0 | 1) => boolean): CallDelta[] {
		return taken(this.#calls, ({ site, window }) => match(site, window));
	}

	takeMakes(match: (site: EntrySite, window: 0 | 1) => boolean): MadeDelta[] {
		return taken(this.#makes, ({ site }) => match(site, 0) || match(site, 1));
	}

	/** The kernel has counted makes. */
	made(delta: MadeDelta): void {
		this.#makes.push(delta);
	}

	takeLatency(match: (site: EntrySite) => boolean): LatencyDelta[] {
		return taken(this.#durations, ({ site }) => match(site));
	}

	setSampling(): void {}

	drain(take: (record: EventRecord) => void): number {
		this.#note("drain");
		const batch = this.ring.splice(0, BATCH);
		this.#recorded += batch.length;
		for (const record of batch) take(record);
		return batch.length;
	}

	expire(): void {}

	flush(take: (record: EventRecord) => void): void {
		this.#note("flush");
		this.#recorded += this.waiting.length;
		for (const record of this.waiting.splice(0)) take(record);
	}

	discard(): void {
		this.#note("discard");
		this.#lost += this.ring.splice(0).length + this.waiting.splice(0).length;
	}

	/** What maps are now, by their seeds. */
	readonly maps = new Map<string, MapState>();

	readMaps(maps: readonly KnownMap[]): (MapState | undefined)[] {
		return maps.map(({ seed }) => this.maps.get(seed));
	}

	readCounters(): Counters {
		this.#note("counters");
		return this.#counters();
	}

	readFinalCounters(): Counters {
		this.#note("final counters");
		return this.#counters();
	}

	#counters(): Counters {
		const pending = this.ring.length + this.waiting.length;
		const growth = { ...emptyTierLedger(), hits: this.#hits, recorded: this.#recorded, lost: this.#lost };
		return {
			targets: [],
			calls: new Map([[FN, this.#hits]]),
			ledger: { ...emptyLedger(), growth: pending === 0 ? growth : { ...growth, pending } },
			...{ undecoded: [], diverted: 0 },
		};
	}

	detach(): void {
		this.#note("detach");
	}

	close(): void {
		this.closed++;
	}
}

/** Takes those that match out. */
function taken<Delta>(deltas: Delta[], match: (delta: Delta) => boolean): Delta[] {
	const matching = deltas.filter(match);
	deltas.splice(0, deltas.length, ...deltas.filter((delta) => !matching.includes(delta)));
	return matching;
}

export const FULL: Measured = { windows: 0, missed: 0, full: true, sampled: false };

/** Holds nothing back. */
export class PlainGovernor implements Governing {
	readonly released: number[] = [];
	readonly finished: string[] = [];
	readonly changes: ReturnType<Governing["tick"]>[number][] = [];
	/** How streams are measured, by "PID stream"; absent: in full. */
	readonly measures = new Map<string, Measured>();

	tick(): ReturnType<Governing["tick"]> {
		return this.changes.splice(0);
	}
	untilNext(_nowNs: number, most: number): number {
		return most;
	}
	addReading(): void {}
	report(): [] {
		return [];
	}
	measured(target: Target, stream: Stream): Measured | undefined {
		if (!target.plan.probes.some((probe) => streamOf(probe) === stream)) return undefined;
		return this.measures.get(`${target.identity.pid} ${stream}`) ?? FULL;
	}
	finish(_nowNs: number, target?: Target): void {
		this.finished.push(target === undefined ? "all" : target.identity.name);
	}
	release({ identity }: Target): void {
		this.released.push(identity.pid);
	}
}

/** Keeps all records. */
export class MemorySink implements Sink {
	readonly records: GomapgrowRecord[] = [];
	readonly #log: string[];
	readonly #name: string;
	closes = 0;

	constructor(log: string[] = [], name = "sink") {
		this.#log = log;
		this.#name = name;
	}

	write(record: GomapgrowRecord): void {
		this.records.push(record);
		if (record.type === "window" || record.type === "end") this.#log.push(`${this.#name}: ${record.type}`);
	}
	flush(): void {}
	close(): void {
		this.closes++;
		this.#log.push(`${this.#name}: close`);
	}
	of<T extends GomapgrowRecord["type"]>(type: T): Extract<GomapgrowRecord, { type: T }>[] {
		return this.records.filter((record): record is Extract<GomapgrowRecord, { type: T }> => record.type === type);
	}
	get end(): EndRecord {
		const [end] = this.of("end");
		if (end === undefined) throw new Error("no end record");
		return end;
	}
}

/** Asks for the state of each window, and for what `use` asks of it. */
export class StateSink extends MemorySink {
	readonly states: WindowState[] = [];
	use: (state: WindowState) => void = () => {};

	window(_record: WindowRecord, state: WindowState): void {
		this.states.push(state);
		this.use(state);
	}
}

/** Has a reader who takes so many records at each flush. */
export class PipeSink extends MemorySink {
	takes: number;
	readonly reader: { -readonly [Name in keyof BackPressure]: BackPressure[Name] };
	readonly #room: number;

	/** More records than `room` are too many for the reader. */
	constructor(room: number, takes: number, log: string[] = [], name = "pipe") {
		super(log, name);
		this.takes = takes;
		this.#room = room;
		this.reader = { ready: true, queued: 0, closed: false, failure: undefined };
	}

	override write(record: GomapgrowRecord): void {
		super.write(record);
		this.#queue(this.reader.queued + 1);
	}
	override flush(): void {
		this.#queue(Math.max(0, this.reader.queued - this.takes));
	}
	/** The reader goes away: nothing waits for it any more. */
	leave(failure?: string): void {
		Object.assign(this.reader, { closed: true, failure });
		this.#queue(0);
	}
	#queue(queued: number): void {
		this.reader.queued = this.reader.closed ? 0 : queued;
		this.reader.ready = this.reader.queued < this.#room;
	}
}

export const NO_CHANGE: TargetChanges = { ended: [], started: [], exits: [], over: false };

/** An observation of two processes, 1 and 2, with windows of a second. */
export class Plain {
	/** What tracer and sinks did, in order. */
	readonly log: string[] = [];
	readonly clock = new ManualClock();
	readonly tracer = new PlainTracer(this.log);
	readonly governor = new PlainGovernor();
	readonly stop = new StopRequest();
	readonly dropped: number[] = [];
	readonly polls: number[] = [];
	targets = [plainTarget(1), plainTarget(2)];
	/** What the next poll tells. */
	changes: TargetChanges = NO_CHANGE;

	async observe(sinks: readonly Sink[], options: Partial<ObserveOptions> = {}): Promise<EndReason> {
		return await observe({
			tracer: this.tracer,
			govern: () => ({ governor: this.governor }),
			clock: this.clock,
			anchor: { wallNs: 0n, monotonicNs: START_NS },
			timing: { latency: false },
			host: { host: "h", kernel: "6.1", arch: "amd64" },
			sinks,
			targets: this.targets,
			poll: () => {
				this.polls.push(this.clock.ms);
				const { changes } = this;
				this.changes = NO_CHANGE;
				return changes;
			},
			drop: ({ identity }) => this.dropped.push(identity.pid),
			...{ intervalMs: 1000, stop: this.stop, command: ["watch"] },
			...options,
		});
	}
}

export const gone = (): GomapgrowError => new GomapgrowError("E-TARGET-GONE", { wanted: "a process", found: "none" });
