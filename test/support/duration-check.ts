/**
 * Compares a tracer's durations with those that the program's own runtime has measured around the calls. The runtime's two readings of the clock
 * enclose the tracer's: each of its durations must lie within that of the same call, whatever the machine does meanwhile. How much
 * shorter it may be is what the probes at the entry and at the exit cost, which the caller has measured.
 */
import type { EndRecord, GrowthRecord, WorkRecord } from "../../src/records/records.ts";

/** What the program says (test/programs/timed): nanoseconds, points in time of the monotonic clock. */
export interface Truth {
	functions: Record<string, { calls: number; sum: number; first: [begin: number, end: number][] }>;
	wall: number;
	cpu: number;
}

/** A call as the tracer recorded it. */
export interface TimedCall {
	fn: string;
	elapsed_ns: number;
	duration_ns: number;
	/** How many calls it stands for. */
	weight: number;
	/** Which call of its function it is, from 0 on, where all are recorded. */
	nth?: number;
}

export interface Measured {
	/** Durations of all calls, by function. */
	totals: Record<string, { count: number; sum_ns: number }>;
	/** Functions of which every call is in `calls`. */
	complete: string[];
	/** Single calls in the order of their beginning. */
	calls: TimedCall[];
}

/** What is told of durations in a trace. */
export function measuredOf(trace: { end: EndRecord; growths: GrowthRecord[]; work: WorkRecord[] }): Measured {
	const totals: Measured["totals"] = {};
	for (const { fn, count, sum_ns } of trace.end.latency) {
		const known = totals[fn] ?? { count: 0, sum_ns: 0 };
		totals[fn] = { count: known.count + count, sum_ns: known.sum_ns + sum_ns };
	}
	const begun = new Map<string, number>();
	const growths = trace.growths
		.toSorted((a, b) => a.elapsed_ns - b.elapsed_ns)
		.map((growth) => {
			const nth = begun.get(growth.fn) ?? 0;
			begun.set(growth.fn, nth + 1);
			return { ...growth, weight: 1, nth };
		});
	// One that took very long is recorded without its duration.
	const calls = [...growths, ...trace.work].flatMap(({ fn, elapsed_ns, duration_ns, weight, ...rest }): TimedCall[] =>
		duration_ns === undefined
			? []
			: [{ fn, elapsed_ns, duration_ns, weight, ...("nth" in rest ? { nth: rest.nth } : {}) }],
	);
	const complete = [...new Set(trace.growths.map(({ fn }) => fn))];
	return { totals, complete, calls: calls.sort((a, b) => a.elapsed_ns - b.elapsed_ns) };
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Slow calls are recorded whatever the sampling, and stand for themselves alone. */
function weightedMedian(calls: readonly TimedCall[]): number {
	const sorted = [...calls].sort((a, b) => a.duration_ns - b.duration_ns);
	let rest = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2;
	for (const { duration_ns, weight } of sorted) {
		rest -= weight;
		if (rest <= 0) return duration_ns;
	}
	return Number.NaN;
}

const lengths = (calls: readonly Interval[]): number[] => calls.map(([begin, end]) => end - begin);

export function medianOf(truth: Truth, fn: string): number {
	return median(lengths(truth.functions[fn]?.first ?? []));
}

/** What the probes of each function cost a call, those in the functions that it calls included: how much longer it takes than without. */
export function probeCosts(bare: Truth, probed: Truth): Record<string, number> {
	const functions = Object.keys(bare.functions);
	const called = functions.filter((fn) => (bare.functions[fn]?.first.length ?? 0) > 20);
	const added = (fn: string) => medianOf(probed, fn) - medianOf(bare, fn);
	// Nothing can be cheaper than the two hits of the shortest function, where hardly anything else takes time.
	const [shortest = ""] = called.sort((a, b) => medianOf(bare, a) - medianOf(bare, b));
	const least = added(shortest) + medianOf(bare, shortest);
	return Object.fromEntries(functions.map((fn) => [fn, called.includes(fn) ? Math.max(least, added(fn)) : least]));
}

/** What is to be added to the tracer's times to get the runtime's: an interval. */
interface Offset {
	low: number;
	high: number;
}

type Interval = readonly [begin: number, end: number];

function narrow(offset: Offset, [begin, end]: Interval, call: TimedCall): void {
	offset.low = Math.max(offset.low, begin - call.elapsed_ns);
	offset.high = Math.min(offset.high, end - call.elapsed_ns - call.duration_ns);
}

/** The runtime's calls that the tracer's may be, with any of the possible offsets. */
function candidates(calls: readonly Interval[], call: TimedCall, { low, high }: Offset): Interval[] {
	// The first that ends late enough.
	let [from, to] = [0, calls.length];
	while (from < to) {
		const middle = (from + to) >> 1;
		if ((calls[middle]?.[1] ?? 0) < call.elapsed_ns + call.duration_ns + low) from = middle + 1;
		else to = middle;
	}
	const found: Interval[] = [];
	for (let i = from; (calls[i]?.[0] ?? Number.POSITIVE_INFINITY) <= call.elapsed_ns + high; i++) {
		const one: Interval = calls[i] ?? [0, 0];
		const offset = { low, high };
		narrow(offset, one, call);
		if (offset.low <= offset.high) found.push(one);
	}
	return found;
}

/** What is wrong with the tracer's durations. */
export interface Faults {
	/** What cannot be, whatever the machine does meanwhile. */
	impossible: string[];
	/** More than the probes cost, which is known from two runs, and a machine that has other things to do makes them differ. */
	dear: string[];
}

/** Compares the tracer's durations with those of the runtime. */
export function durationFaults(truth: Truth, measured: Measured, costs: Readonly<Record<string, number>>): Faults {
	const faults: Faults = { impossible: [], dear: [] };
	const alone = (fault: string): Faults => ({ impossible: [fault], dear: [] });
	const offset: Offset = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
	// Of a function whose calls are all there the nth call is the runtime's nth: this tells how the clocks differ.
	for (const fn of measured.complete) {
		const theirs = truth.functions[fn]?.first;
		if (theirs === undefined) continue;
		for (const call of measured.calls) {
			if (call.fn === fn && call.nth !== undefined) narrow(offset, theirs[call.nth] ?? [0, 0], call);
		}
	}
	if (!(offset.low <= offset.high)) {
		return alone(`no clock offset puts every growth within its call: ${offset.low} to ${offset.high}`);
	}
	const known = measured.calls.filter(({ fn }) => truth.functions[fn] !== undefined);
	const possible = (call: TimedCall) => candidates(truth.functions[call.fn]?.first ?? [], call, offset);
	// Calls of which there is no doubt tell more about the clocks, and that leaves less doubt about others.
	for (let width = Number.POSITIVE_INFINITY; offset.high - offset.low < width; ) {
		width = offset.high - offset.low;
		for (const call of known) {
			const found = possible(call);
			if (found.length === 1 && found[0] !== undefined) narrow(offset, found[0], call);
			if (found.length === 0)
				return alone(`${call.fn}: ${call.duration_ns} ns at ${call.elapsed_ns} are not within any call`);
		}
	}
	for (const [fn, { calls, sum, first }] of Object.entries(truth.functions)) {
		const total = measured.totals[fn] ?? { count: 0, sum_ns: 0 };
		if (total.count !== calls) faults.impossible.push(`${fn}: ${total.count} durations of ${calls} calls`);
		if (calls === 0) continue;
		const probesNs = costs[fn] ?? 0;
		const ours = known.filter((call) => call.fn === fn);
		const shorter = ours.map((call) => {
			const [begin, end] = possible(call)[0] ?? [0, 0];
			return end - begin - call.duration_ns;
		});
		// Of the others only some are recorded: slow ones, and recording itself takes time that most calls do not take.
		if (measured.complete.includes(fn) && median(shorter) > probesNs) {
			faults.dear.push(`${fn}: ${median(shorter)} ns shorter than the call, where its probes cost ${probesNs} ns`);
		}
		const difference = median(lengths(first)) - weightedMedian(ours);
		if (ours.length > 100 && Math.abs(difference) > probesNs) {
			faults.dear.push(`${fn}: the medians differ by ${difference} ns, where its probes cost ${probesNs} ns`);
		}
		// Time in which the thread did not run may have passed in the probes as well as in the function.
		const most = calls * probesNs + (truth.wall - truth.cpu);
		if (total.sum_ns > sum) faults.impossible.push(`${fn}: ${total.sum_ns} ns in all, of ${sum} ns`);
		if (sum - total.sum_ns > most) {
			faults.dear.push(`${fn}: ${total.sum_ns} ns in all, of ${sum} ns, which is less by more than ${most} ns`);
		}
	}
	return faults;
}
