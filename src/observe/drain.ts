/**
 * Reads the ring at the pace that the readers of the output and the target's growths ask for, and hands on what is in
 * it.
 */
import { SampleRate } from "../budget/sample-rate.ts";
import type { Aggregator } from "../stats/aggregator.ts";
import type { EventRecord } from "../tracer/session.ts";
import type { Clock } from "./clock.ts";
import type { Sinks } from "./sinks.ts";
import type { Governing, Tracer } from "./tracer.ts";

/**
 * Pace of reading the ring, which holds 13,000 growths: in a storm of them, and otherwise, when each look costs more
 * than what there is to see; without any for a while each look is all that the tool does. A burst after five quiet
 * seconds is seen after a fifth of a second.
 */
const DRAIN_MS = { storm: 20, calm: 50, idle: 100, asleep: 200 };
const IDLE_NS = 1_000_000_000n;
const ASLEEP_NS = 5_000_000_000n;
/** More records at a time than these are a storm. */
const CALM_RECORDS = 500;
/** Pace while output waits for its reader: a pipe takes no more than its capacity at a time. */
export const FLUSH_MS = 1;
/** How long one drain may take in a storm, so that signals and the screen get their turn. */
const MAX_DRAIN_NS = 15_000_000n;
/** A call of the work tier that takes as long is always a record. */
const SLOW_NS = 1e6;

export interface DrainSources {
	tracer: Tracer;
	sinks: Sinks;
	clock: Clock;
	aggregator: Aggregator;
	governor: Governing;
}

export class Drain {
	readonly #sources: DrainSources;
	readonly #sampleRate = new SampleRate();
	/** When the ring was drained last. */
	#drained: bigint | undefined;
	/** Records are in the ring that the reader of the output had no room for. */
	#behind = false;
	/** Records of the work tier that the sampling probability gave, and records at all, of the latest drain. */
	#samples = 0;
	#read = 0;
	/** When there were records last; undefined before the first drain. */
	#readNs: bigint | undefined;
	#quietNs = 0n;

	constructor(sources: DrainSources) {
		this.#sources = sources;
		sources.tracer.setSampling(this.#sampleRate.chance, SLOW_NS);
	}

	/** Milliseconds until the next drain. */
	get paceMs(): number {
		if (this.#sources.sinks.reader.queued > 0) return FLUSH_MS;
		if (this.#read > CALM_RECORDS) return DRAIN_MS.storm;
		if (this.asleep) return DRAIN_MS.asleep;
		return this.idle ? DRAIN_MS.idle : DRAIN_MS.calm;
	}

	/** There were no records for a while. */
	get idle(): boolean {
		return this.#quietNs >= IDLE_NS;
	}

	/** There were none for longer. */
	get asleep(): boolean {
		return this.#quietNs >= ASLEEP_NS;
	}

	/** Hands on what is in the ring, as far as the readers of the output have room for it and there is time. */
	drain(): void {
		const { tracer, sinks, clock, governor } = this.#sources;
		const start = clock.monotonicNs();
		const until = start + MAX_DRAIN_NS;
		const cpu = clock.cpuNs();
		this.#read = 0;
		let [emptied, stalled] = [false, false];
		while (!emptied) {
			stalled = !sinks.reader.ready;
			if (stalled) break;
			emptied = tracer.drain(this.#take) === 0;
			if (clock.monotonicNs() >= until) break;
			sinks.flush();
		}
		// That a growth has returned may be among what has not been read yet.
		if (emptied && sinks.reader.ready) tracer.expire(Number(start), this.#take);
		governor.addReading(clock.cpuNs() - cpu, this.#read);
		if (this.#read > 0) this.#readNs = start;
		this.#readNs ??= start;
		this.#quietNs = start - this.#readNs;
		this.#adjustSampling(start, emptied, stalled);
	}

	#adjustSampling(start: bigint, emptied: boolean, stalled: boolean): void {
		// What a reader that is behind leaves in the ring would look like calls that do not come, and later like calls
		// that come all at once.
		const behind = stalled || this.#behind;
		this.#behind = behind && !emptied;
		const elapsedNs = this.#drained === undefined ? undefined : Number(start - this.#drained);
		if (!behind && elapsedNs !== undefined && this.#sampleRate.update(this.#samples, elapsedNs)) {
			this.#sources.tracer.setSampling(this.#sampleRate.chance, SLOW_NS);
		}
		this.#samples = 0;
		this.#drained = start;
	}

	/**
	 * Hands on all that is in the ring, however long it takes. Returns false when a reader is behind: the rest is
	 * still there.
	 */
	empty(): boolean {
		const { tracer, sinks } = this.#sources;
		while (sinks.reader.ready && tracer.drain(this.#take) > 0) sinks.flush();
		return sinks.reader.ready;
	}

	/** Once the ring is empty: hands on the growths that have not returned, of all processes at the end, or of these that have ended. */
	flush(pids?: ReadonlySet<number>): void {
		this.#sources.tracer.flush(this.#take, pids);
	}

	/** A batch of these may overfill the output's queue a little. */
	readonly #take = (record: EventRecord): void => {
		const { aggregator, sinks } = this.#sources;
		this.#read++;
		switch (record.type) {
			case "growth":
				aggregator.addGrowth(record);
				break;
			case "work":
				// Slow calls come whatever the sampling probability.
				if (record.slow !== true) this.#samples++;
				break;
			case "overlap":
				aggregator.addOverlap(record);
		}
		sinks.write(record);
	};
}
