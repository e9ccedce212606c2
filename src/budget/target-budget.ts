/** What probing one target costs, and what of it is probed how: measures, asks the ladder, and carries out what it decides. */
import type { HitCosts } from "../kernel/calibration.ts";
import { Ladder, type LadderTick } from "./ladder.ts";
import type { Shape } from "./periods.ts";
import { commandLimit, type TargetNeeds, targetLimit } from "./promise.ts";
import { fullCost, type Loads, type Probing, type Stream } from "./retreat.ts";
import { cheapestWindowNs } from "./shape.ts";
import { costOf, difference, type SiteReading, type StreamCounts, streamCounts, unitCosts } from "./stream-load.ts";
import { type ProbeControl, StreamProbes } from "./stream-probes.ts";
import type { Window } from "./window-weight.ts";

/** One stream of a target as the tracer has it. */
export interface StreamControl extends Omit<ProbeControl, "costNs" | "cpuNs"> {
	entries(): SiteReading[];
	exits(): SiteReading[];
}

export interface TargetBudgetOptions {
	pid: number;
	/** Those of its plan. */
	streams: ReadonlyMap<Stream, StreamControl>;
	costs: HitCosts;
	/** Part of a processor; undefined: everything is probed all the time. */
	rate: number | undefined;
	/** A command that is started in order to be observed: everything is attached already and stays so while it fits. Otherwise only growths are. */
	whole: boolean;
	cpuNs: () => number | undefined;
	clockNs: () => number;
	holdNs: (ns: number) => void;
	intervalNs: number;
	originNs: number;
	random: () => number;
	/** Takes what was counted of a stream: measured in full (undefined), or in this window, of the gate with this number. */
	take: (stream: Stream, window: Window | undefined, gate: 0 | 1, periodNs: number) => void;
	/** Growths of a stream become records with this probability. */
	setChance: (stream: Stream, chance: number) => void;
}

/** A stream is probed otherwise than before. */
export interface StreamChange {
	stream: Stream | "records" | "durations";
	/** Part of the time, or of the growths. */
	from: number;
	to: number;
}

interface StreamState {
	control: StreamControl;
	probes: StreamProbes;
	counts: StreamCounts;
	/** At the previous tick. */
	ticked: StreamCounts;
	attachedNs: number;
	/** What timing a call costs. */
	timingNs: number;
	/** Since the previous tick all calls have been timed. */
	allTimed: boolean;
	shape: Shape;
}

/** Fewer calls say nothing of what timing one costs; one passes so many exits at most. */
const TELLING_CALLS = 20;
const MOST_PASSES = 2;
/** Without a hit for so long a target is looked at more rarely, until records come. */
const CALM_NS = 1e9;
const CALM_TICK_NS = 200e6;
/** And without one for longer. */
const ASLEEP_NS = 5e9;
const ASLEEP_TICK_NS = 390e6;
/** So long a command is taken to begin. */
const COMMAND_BEGINS_NS = 2e9;
/** Time over which the processors that a target uses are averaged. */
const USE_NS = 2e9;

function partOf(probing: Probing | undefined): number {
	if (probing === undefined || probing === "full") return 1;
	return probing === "off" ? 0 : 1 / probing.n;
}

export class TargetBudget {
	readonly #options: TargetBudgetOptions;
	readonly #ladder: Ladder | undefined;
	readonly #streams = new Map<Stream, StreamState>();
	readonly #beganNs: number;
	#tickedNs: number;
	#nextTickNs: number;
	#accountedNs: number;
	#cpuNs: number;
	readonly #chances = { large: 1, small: 1 };
	#parts = new Map<StreamChange["stream"], number>();
	/** Processors that the target uses, on average. */
	#used = 0;
	#loads: Loads = {};
	#lastCostNs = 0;
	#glanced = false;
	/** Since when there was no hit. */
	#quietNs: number;
	/** Since the previous report. */
	#reported = { costNs: 0, cpuNs: 0, sinceNs: 0 };

	constructor(options: TargetBudgetOptions) {
		this.#options = options;
		const { clockNs, rate, whole } = options;
		const now = clockNs();
		this.#ladder = rate === undefined ? undefined : new Ladder(whole);
		this.#beganNs = this.#tickedNs = this.#nextTickNs = this.#accountedNs = this.#quietNs = now;
		this.#cpuNs = options.cpuNs() ?? 0;
		this.#reported.sinceNs = now;
		for (const [stream, control] of options.streams) this.#streams.set(stream, this.#newStream(stream, control));
	}

	#newStream(stream: Stream, control: StreamControl): StreamState {
		const { costs, cpuNs, whole, rate, take } = this.#options;
		const unit = unitCosts(stream, costs);
		const read = (): StreamCounts => streamCounts(stream, control.entries(), control.exits());
		const counts = read();
		const state: StreamState = {
			...{
				control,
				counts,
				ticked: counts,
				attachedNs: 0,
				timingNs: unit.beginNs + unit.exitNs,
				allTimed: false,
				shape: { periodNs: this.#options.intervalNs, n: 2 },
			},
			probes: new StreamProbes(
				{
					...this.#options,
					control: {
						setAttached: (part, on) => control.setAttached(part, on),
						setGates: (gates) => control.setGates(gates),
						underWay: () => control.underWay(),
						costNs: () => costOf(read(), unit),
						cpuNs,
					},
					take: (window, gate, periodNs) => take(stream, window, gate, periodNs),
					nextShape: () => state.shape,
				},
				whole || rate === undefined || stream === "large" || stream === "small",
			),
		};
		return state;
	}

	/** Windows of a stream so far, and periods that were missed; whether it is probed all the time now, and always was. */
	windowsOf(stream: Stream): { windows: number; missed: number; full: boolean; sampled: boolean } | undefined {
		const probes = this.#streams.get(stream)?.probes;
		if (probes === undefined) return undefined;
		return { ...probes.windows, full: probes.mode === "full", sampled: probes.mode !== "full" || probes.everSampled };
	}

	/** What its share of the promise depends on. `allowed`: processors that its cgroup allows. */
	needs(allowed: number | undefined): TargetNeeds {
		const { pid, whole, rate = 1 } = this.#options;
		const quotaNs = allowed === undefined ? undefined : allowed * 1e9;
		const limitNs = (whole ? commandLimit : targetLimit)(rate, { usedNs: this.#used * 1e9, quotaNs });
		const fullNs = fullCost(this.#loads);
		// Its growths alone: growth work has no windows where they would take all.
		const { large, small } = this.#loads;
		const growths = fullCost({ ...(large && { large }), ...(small && { small }) });
		return { pid, limitNs, fullNs, windowNs: cheapestWindowNs(growths, this.#aroundNs) };
	}

	/** Time around a window. */
	get #aroundNs(): number {
		return Math.max(0, ...[...this.#streams.values()].map(({ probes }) => probes.aroundNs));
	}

	/** What probing cost lately, nanoseconds per second. */
	get lastCostNs(): number {
		return this.#lastCostNs;
	}

	/** Growths per second, as far as is known. */
	get growthsPerSecond(): number {
		return (this.#loads.large?.perSecond ?? 0) + (this.#loads.small?.perSecond ?? 0);
	}

	/** Opens and closes windows; every `nextNs`. */
	advance(nowNs: number): void {
		for (const { probes } of this.#streams.values()) this.#accounted(nowNs, () => probes.advance(nowNs));
	}

	/** Attached time is added up around everything that may change it. */
	#accounted(nowNs: number, change: () => void): void {
		for (const state of this.#streams.values()) {
			if (state.probes.attached) state.attachedNs += Math.max(0, nowNs - this.#accountedNs);
		}
		this.#accountedNs = Math.max(this.#accountedNs, nowNs);
		const before = [...this.#streams.values()].filter(({ probes }) => probes.attached);
		change();
		// Attaching takes tens of milliseconds, in which few hits of these probes come, but all of others: for what is being attached that time is not counted.
		const after = Math.max(this.#accountedNs, this.#options.clockNs());
		for (const state of before) if (state.probes.attached) state.attachedNs += after - this.#accountedNs;
		this.#accountedNs = after;
	}

	/** When `advance` or `tick` is due. */
	nextNs(nowNs: number): number {
		const tick = this.#ladder === undefined ? Number.POSITIVE_INFINITY : this.#nextTickNs;
		return Math.min(tick, ...[...this.#streams.values()].map(({ probes }) => probes.nextNs(nowNs)));
	}

	/** `hurry`: growths were recorded, of this target or another one. */
	tickDue(nowNs: number, hurry: boolean): boolean {
		return nowNs >= this.#nextTickNs || (hurry && this.#isCalm(nowNs));
	}

	/** Nothing is hit, and nothing is to be done at a certain moment. */
	#isCalm(nowNs: number): boolean {
		if (nowNs - this.#quietNs < CALM_NS) return false;
		return [...this.#streams.values()].every(({ probes }) => probes.nextNs(nowNs) === Number.POSITIVE_INFINITY);
	}

	/** What is not probed yet is looked at for a moment, so that its first window is not too long. */
	#glance(): void {
		this.#glanced = true;
		const all = [...this.#streams.values()];
		for (const state of all) if (state.probes.mode === "off") state.attachedNs += state.probes.glance();
		// Those that were attached all the time take about as long.
		const took = all.flatMap(({ probes }) => probes.took ?? [])[0];
		if (took !== undefined) for (const { probes } of all) probes.assume(took);
	}

	/** Measures and decides. `limitNs`: what probing may cost, per second; `recordsPerSecond`: growths that the tool has time to read. */
	tick(limitNs: number, recordsPerSecond: number): StreamChange[] {
		const { costs, intervalNs, cpuNs, clockNs } = this.#options;
		this.#accounted(clockNs(), () => {
			if (this.#ladder !== undefined && !this.#glanced) this.#glance();
		});
		// What is read below is as of now: attaching may have taken a while.
		const nowNs = this.#accountedNs;
		const elapsedNs = Math.max(1, nowNs - this.#tickedNs);
		this.#tickedNs = nowNs;
		const cpu = cpuNs() ?? this.#cpuNs;
		const usedNs = Math.max(0, cpu - this.#cpuNs);
		this.#cpuNs = cpu;
		// A command has used nothing before.
		const knownNs = this.#options.whole ? Math.min(USE_NS, nowNs - this.#beganNs) : USE_NS;
		this.#used += Math.min(1, elapsedNs / Math.max(1, knownNs)) * (usedNs / elapsedNs - this.#used);
		this.#reported.cpuNs += usedNs;
		const streams: LadderTick["streams"] = {};
		let spentNs = 0;
		for (const [stream, state] of this.#streams) {
			const unit = unitCosts(stream, costs);
			const now = streamCounts(stream, state.control.entries(), state.control.exits());
			const since = difference(now, state.ticked);
			state.ticked = now;
			const costNs = costOf(since, unit);
			spentNs += costNs;
			if (costNs > 0) this.#quietNs = nowNs;
			const calls = since.hits + since.outside;
			if (state.allTimed && calls >= TELLING_CALLS && since.exits > 0) {
				// Exits are attached before the entries and detached after them: passes without a call are not counted.
				const passes = Math.min(1, (MOST_PASSES * calls) / since.exits);
				const passesNs = passes * (since.exits * unit.exitNs + since.steppedExits * unit.steppedNs);
				state.timingNs = unit.beginNs + passesNs / calls;
			}
			streams[stream] = {
				hits: since.hits + since.outside,
				attachedNs: state.attachedNs,
				costNs,
				cost: { countNs: unit.countNs, exitNs: state.timingNs, recordNs: unit.recordNs },
			};
			state.attachedNs = 0;
		}
		this.#reported.costNs += spentNs;
		this.#lastCostNs = (spentNs / elapsedNs) * 1e9;
		if (this.#ladder === undefined) {
			this.#nextTickNs = nowNs + 1e8;
			return [];
		}
		const aroundNs = this.#aroundNs;
		const earnedNs = this.#earned(limitNs, elapsedNs, usedNs - spentNs);
		const decision = this.#ladder.tick({ nowNs, limitNs, earnedNs, streams, aroundNs, intervalNs });
		this.#loads = decision.loads;
		this.#nextTickNs = decision.nextTickNs;
		const changes: StreamChange[] = [];
		const note = (stream: StreamChange["stream"], to: number): void => {
			const from = this.#parts.get(stream) ?? 1;
			this.#parts.set(stream, to);
			if (from !== to && (from === 1 || to === 1 || to < 0.4 * from || to > 2.5 * from))
				changes.push({ stream, from, to });
		};
		const { probed } = decision;
		for (const [stream, state] of this.#streams) {
			const wanted = probed.streams[stream] ?? "full";
			const growth = stream === "large" || stream === "small";
			state.probes.setTiming(nowNs, growth ? probed.exits : probed.workDetails || wanted !== "full" ? "full" : "off");
			this.#probe(state, wanted, nowNs, decision.overdrawn);
			state.allTimed = state.probes.mode === "windows" || state.probes.timing === "full";
			note(stream, partOf(wanted));
		}
		if (this.#isCalm(nowNs))
			this.#nextTickNs = nowNs + (nowNs - this.#quietNs < ASLEEP_NS ? CALM_TICK_NS : ASLEEP_TICK_NS);
		note("durations", partOf(probed.exits));
		// The first burst of a command says little of what there will be to read, and the ring holds thousands.
		const early = this.#options.whole && nowNs - this.#beganNs < COMMAND_BEGINS_NS;
		const readable = early || this.growthsPerSecond === 0 ? 1 : recordsPerSecond / this.growthsPerSecond;
		for (const stream of ["large", "small"] as const) {
			this.#setChance(stream, Math.min(probed.recordChance[stream], Math.min(1, readable)), note);
		}
		return changes;
	}

	/** What a command has earned by what it used without the hits, nanoseconds; others earn by the time that passes. */
	#earned(limitNs: number, elapsedNs: number, usedNs: number): number | undefined {
		const { whole, rate = 0 } = this.#options;
		if (!whole || limitNs === 0) return undefined;
		return Math.max(rate * usedNs, (Math.min(limitNs, commandLimit(rate, { usedNs: 0 })) * elapsedNs) / 1e9);
	}

	#probe(state: StreamState, wanted: Probing, nowNs: number, overdrawn: boolean): void {
		const { probes } = state;
		if (wanted === "full") probes.full(nowNs);
		// No window until what they have cost too much is paid: until then periods are missed.
		else if (wanted === "off" || overdrawn) probes.off(nowNs);
		else {
			state.shape = wanted;
			probes.sample(nowNs, wanted);
		}
	}

	#setChance(stream: "large" | "small", chance: number, note: (stream: "records", to: number) => void): void {
		const before = this.#chances[stream];
		if (chance === before || (chance < 1 && before < 1 && chance > 0.8 * before && chance < 1.25 * before)) return;
		this.#chances[stream] = chance;
		this.#options.setChance(stream, chance);
		note("records", this.#chance);
	}

	/** With which probability a growth of any size becomes a record. */
	get #chance(): number {
		const watched = (["large", "small"] as const).filter((stream) => this.#streams.has(stream));
		return Math.min(1, ...watched.map((stream) => this.#chances[stream]));
	}

	/** Share of growths that become records, and of the time in which streams are probed. */
	get parts(): { chance: number; streams: ReadonlyMap<StreamChange["stream"], number> } {
		return { chance: this.#chance, streams: this.#parts };
	}

	/** What probing cost since the previous report, nanoseconds per second, and as a share of the processor time that the target used. */
	report(nowNs: number): { costNsPerSecond: number; share: number } {
		const { costNs, cpuNs, sinceNs } = this.#reported;
		this.#reported = { costNs: 0, cpuNs: 0, sinceNs: nowNs };
		return {
			costNsPerSecond: nowNs > sinceNs ? (costNs / (nowNs - sinceNs)) * 1e9 : 0,
			share: costNs === 0 ? 0 : costNs / Math.max(cpuNs, costNs),
		};
	}

	/** The end: windows that are over are given out; what is probed all the time is left attached. */
	finish(nowNs: number): void {
		for (const { probes } of this.#streams.values()) if (probes.mode === "windows") probes.off(nowNs);
	}
}
