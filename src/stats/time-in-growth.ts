/**
 * How long growths took: processor time of the goroutine's thread from the beginning to the end of a call, net of what the probes inside cost. Where the kernel does not tell
 * processor time, elapsed time takes its place.
 */
import { isInnerCall, outerFunctionOf } from "../gomap/functions.ts";

/** What probes cost while a call is measured. */
export interface ProbeOverhead {
	/** Of a call's own probes: what of them lies between the two moments. */
	ownNs: number;
	/** Of a call inside, which is watched, too: all of its probes. */
	innerNs: number;
	/** Of the record of a growth. */
	recordNs: number;
}

/** Calls of one function; those of a row. */
export interface TimedCalls {
	fn: string;
	calls: number;
	/** Calls whose end was seen, and how long they took in all. */
	timed: number;
	elapsed_ns: number;
	/** Of those: calls whose processor time is known, and that. */
	on_cpu: number;
	cpu_ns: number;
	/** Part of the calls that became records. */
	recorded?: number;
}

/** Means of a function over all rows of a process. */
interface Mean {
	timed: number;
	sumNs: number;
	calls: number;
}

/** Functions of a process; the runtime has some twenty. */
const MAX_FUNCTIONS = 256;

/** The time of one process's calls. */
export class GrowthTime {
	readonly #overhead: ProbeOverhead;
	readonly #means = new Map<string, Mean>();

	constructor(overhead: ProbeOverhead) {
		this.#overhead = overhead;
	}

	/** Takes what is known of the calls of some rows: first all rows of a reading, then `timeOf` each. */
	learn(rows: Iterable<TimedCalls>): void {
		for (const { fn, calls, timed, elapsed_ns, on_cpu, cpu_ns } of rows) {
			const mean = this.#means.get(fn) ?? { timed: 0, sumNs: 0, calls: 0 };
			if (!this.#means.has(fn)) {
				if (this.#means.size >= MAX_FUNCTIONS) continue;
				this.#means.set(fn, mean);
			}
			mean.calls += calls;
			mean.timed += on_cpu > 0 ? on_cpu : timed;
			mean.sumNs += on_cpu > 0 ? cpu_ns : elapsed_ns;
		}
	}

	/**
	 * Nanoseconds that the calls of a row took; 0 of a function that runs inside another one, whose time contains it; undefined when no call of the function has been
	 * timed so far. Calls whose end was not seen are taken to have lasted as long as those of the row whose end was, or as those of the function.
	 */
	timeOf({ fn, calls, timed, elapsed_ns, on_cpu, cpu_ns, recorded = 0 }: TimedCalls): number | undefined {
		if (isInnerCall(fn)) return 0;
		if (calls === 0) return 0;
		const mean = this.#means.get(fn);
		const measured = on_cpu > 0 ? cpu_ns / on_cpu : timed > 0 ? elapsed_ns / timed : undefined;
		const each = measured ?? (mean !== undefined && mean.timed > 0 ? mean.sumNs / mean.timed : undefined);
		if (each === undefined) return undefined;
		const { ownNs, innerNs, recordNs } = this.#overhead;
		return calls * Math.max(0, each - ownNs - this.#innerCalls(fn) * innerNs - recorded * recordNs);
	}

	/** Calls of functions inside, per call. */
	#innerCalls(fn: string): number {
		const outer = this.#means.get(fn);
		if (outer === undefined || outer.calls === 0) return 0;
		let inner = 0;
		for (const [name, { calls }] of this.#means) if (outerFunctionOf(name) === fn) inner += calls;
		return inner / outer.calls;
	}
}
