/** Brings what the kernel has counted into the sums: of streams that are measured in full when a window is reported, of others when one of their windows is over. */
import type { Window } from "../budget/window-weight.ts";
import { callSite } from "../gomap/call-site.ts";
import { outerFunctionOf } from "../gomap/functions.ts";
import { Histogram } from "../lib/histogram.ts";
import type { Aggregator } from "../stats/aggregator.ts";
import type { MakeSums } from "../stats/makes.ts";
import type { Sampling, Stream } from "../stats/sampling.ts";
import { GrowthTime, type ProbeOverhead } from "../stats/time-in-growth.ts";
import type { CallDelta, LatencyDelta } from "../tracer/call-deltas.ts";
import type { MadeDelta } from "../tracer/made-maps.ts";
import type { EntrySite } from "../tracer/site-table.ts";
import type { Target } from "../tracer/target.ts";
import type { Governing, Tracer } from "./tracer.ts";

export interface MeasurementSources {
	tracer: Tracer;
	aggregator: Aggregator;
	sampling: Sampling;
	governor: Governing;
	/** Where maps are made; absent when that is not watched. */
	makes?: MakeSums | undefined;
	/** Absent when calls are not timed. */
	overhead: ProbeOverhead | undefined;
}

const STREAMS: readonly Stream[] = ["large", "small", "work", "iteration", "make"];
/** Their calls are counted by function alone, by their sites. */
const STEPS = ["iteration", "make"] as const;

export class Measurements {
	readonly #sources: MeasurementSources;
	readonly #times = new Map<Target, GrowthTime>();
	/** Steps of iterations that were counted by their sites when they were taken last. */
	readonly #steps = new WeakMap<EntrySite, number>();
	/** The program that a process executes now: the one before may be read a little later. */
	readonly #current = new Map<number, Target>();

	constructor(sources: MeasurementSources) {
		this.#sources = sources;
	}

	/** A window of a stream is over, or (undefined) it was measured in full until now and will not be any more. Weight 0: it does not count. */
	take(target: Target, stream: Stream, taken: Window | undefined, gate: 0 | 1, coversNs: number): void {
		const { tracer, aggregator, sampling } = this.#sources;
		const window = taken && sampling.numbered(target.identity.pid, stream, taken);
		const matches = (site: EntrySite): boolean => site.target === target && tracer.streamOf(site) === stream;
		const calls = tracer.takeCalls((site, of) => matches(site) && of === gate);
		const latency = tracer.takeLatency(matches);
		if (window !== undefined && stream === "work" && window.weight > 0) aggregator.addCovered(coversNs);
		this.#add(target, calls, latency, window);
		if (stream === "iteration" || stream === "make") this.#takeSteps(target, stream, window);
		if (stream === "make")
			this.#addMakes(
				tracer.takeMakes((site, of) => matches(site) && of === gate),
				window,
			);
		this.#note(target);
	}

	/** A report window ends: what was measured in full since the last one. `last`: nothing is measured any more. */
	takeFull(targets: readonly Target[], last = false): void {
		const { tracer, governor } = this.#sources;
		const full = new Map(targets.map((target) => [target, this.#fullStreams(target, governor)]));
		const matches = (site: EntrySite): boolean => full.get(site.target)?.has(tracer.streamOf(site)) === true;
		const calls = Map.groupBy(tracer.takeCalls(matches, last), ({ site }) => site.target);
		const latency = Map.groupBy(tracer.takeLatency(matches, last), ({ site }) => site.target);
		if (this.#sources.makes !== undefined) this.#addMakes(tracer.takeMakes(matches, last), undefined);
		for (const target of targets) {
			this.#add(target, calls.get(target) ?? [], latency.get(target) ?? [], undefined);
			for (const stream of STEPS)
				if (full.get(target)?.has(stream) === true) this.#takeSteps(target, stream, undefined);
			this.#note(target);
		}
	}

	#fullStreams(target: Target, governor: Governing): Set<Stream> {
		return new Set(STREAMS.filter((stream) => governor.measured(target, stream)?.full === true));
	}

	/** Tells the sums how the target's streams are measured by now. */
	#note(target: Target): void {
		const { governor, sampling } = this.#sources;
		if (this.#isPast(target)) return;
		for (const stream of STREAMS) {
			const measured = governor.measured(target, stream);
			if (measured !== undefined) sampling.set(target.identity.pid, stream, measured);
		}
	}

	/** The process executes another program by now, whose windows have followed those of this one. */
	#isPast(target: Target): boolean {
		const current = this.#current.get(target.identity.pid);
		return current !== undefined && current !== target;
	}

	#counts(target: Target, window: Window | undefined): boolean {
		return window === undefined || (window.weight > 0 && !this.#isPast(target));
	}

	/** A target was attached: all its functions are known, called or not. */
	attached(target: Target): void {
		const { tracer, aggregator, sampling } = this.#sources;
		const { pid } = target.identity;
		if (this.#isPast(target)) sampling.end(pid, STREAMS);
		this.#current.set(pid, target);
		for (const site of tracer.entriesOf(target)) aggregator.addFunction(site.probe.fn, tracer.streamOf(site), pid);
		this.#note(target);
	}

	/** A target has ended, and its last windows have been taken. */
	released(target: Target): void {
		const { pid } = target.identity;
		this.#note(target);
		this.#times.delete(target);
		if (this.#current.get(pid) !== target) return;
		this.#current.delete(pid);
		this.#sources.sampling.end(pid, STREAMS);
	}

	#timesOf(target: Target): GrowthTime | undefined {
		const { overhead } = this.#sources;
		if (overhead === undefined) return undefined;
		const known = this.#times.get(target) ?? new GrowthTime(overhead);
		this.#times.set(target, known);
		return known;
	}

	#add(
		target: Target,
		calls: readonly CallDelta[],
		latency: readonly LatencyDelta[],
		window: Window | undefined,
	): void {
		if (!this.#counts(target, window)) return;
		const { aggregator } = this.#sources;
		const times = this.#timesOf(target);
		times?.learn(calls);
		/** By function and map type. */
		const net = new Map<string, number>();
		for (const delta of calls) {
			const time_ns = times?.timeOf(delta);
			if (time_ns !== undefined && outerFunctionOf(delta.fn) === undefined) {
				const key = `${delta.fn}\u0000${delta.map_type}`;
				net.set(key, (net.get(key) ?? 0) + time_ns);
			}
			this.#addCalls(delta, time_ns, window);
		}
		for (const { pid, fn, map_type, buckets, sum_ns, max_ns } of latency) {
			const weight = window?.weight ?? 1;
			const durations = Histogram.ofCounts(
				Array.from(buckets, (count) => weight * count),
				weight * sum_ns,
				max_ns,
			);
			const netNs = net.get(`${fn}\u0000${map_type}`);
			aggregator.addLatency({
				...{ pid, fn, map_type, durations },
				...(netNs === undefined ? {} : { net_ns: Math.round(weight * netNs) }),
			});
		}
	}

	#addCalls(
		{ site, pid, fn, map_type, caller, calls, growth }: CallDelta,
		time_ns: number | undefined,
		window: Window | undefined,
	): void {
		if (calls === 0) return;
		this.#sources.aggregator.addCalls({
			...{ pid, fn, map_type, calls, stream: this.#sources.tracer.streamOf(site) },
			site: callSite(caller),
			...(growth === undefined ? {} : { growth }),
			...(time_ns === undefined ? {} : { time_ns }),
			...(window === undefined ? {} : { window }),
		});
	}

	/** What a window that does not count has seen is known of all the same. */
	#addMakes(makes: readonly MadeDelta[], window: Window | undefined): void {
		for (const { site, ...delta } of makes) {
			this.#sources.makes?.add({ ...delta, typed: site.probe.role === "make" }, window);
		}
	}

	#takeSteps(target: Target, stream: (typeof STEPS)[number], window: Window | undefined): void {
		const { tracer, aggregator } = this.#sources;
		for (const site of tracer.entriesOf(target)) {
			if (tracer.streamOf(site) !== stream) continue;
			const { hits } = tracer.countsOf(site);
			const calls = hits - (this.#steps.get(site) ?? 0);
			this.#steps.set(site, hits);
			if (calls === 0 || !this.#counts(target, window)) continue;
			aggregator.addCalls({
				...{ pid: target.identity.pid, fn: site.probe.fn, map_type: "", site: undefined, calls, stream },
				...(window === undefined ? {} : { window }),
			});
		}
	}
}
