/** How the streams of each process were measured: all the time, in windows, or not at all. What figures are follows from it. */
import type { Stream } from "../budget/retreat.ts";
import { BoundedTable } from "../lib/bounded-table.ts";

export type { Stream };

/** As the governor has it, since the start. */
export interface Measured {
	/** Windows that are over, and periods that were missed. */
	windows: number;
	missed: number;
	/** All the time, now. */
	full: boolean;
	/** Not all the time, now or earlier. */
	sampled: boolean;
}

/** Of one stream in a span. */
export interface Extent {
	pid: number;
	stream: Stream;
	/** Index of the first window of the span, and of the first one after it. */
	firstWindow: number;
	windows: number;
	missed: number;
	/** Measured in full from beginning to end. */
	exact: boolean;
	/** Measured at all. */
	measured: boolean;
}

interface State {
	now: Measured;
	/** When the open report window began. */
	began: Measured;
}

const NOTHING: Measured = { windows: 0, missed: 0, full: true, sampled: false };
/** Processes and their streams; those that were heard of longest ago are forgotten, and what is read of them is a lower bound. */
const MAX_STATES = 16_384;

export class Sampling {
	readonly #states = new BoundedTable<string, State & { pid: number; stream: Stream }>(MAX_STATES);
	/** States of a process were forgotten: what is known of it is a lower bound. */
	#forgotten = false;
	/** What was asked for since the last change: thousands of rows of one process ask for the same. */
	readonly #asked = { window: new Map<string, readonly Extent[]>(), total: new Map<string, readonly Extent[]>() };

	/** How a stream is measured by now. */
	set(pid: number, stream: Stream, now: Measured): void {
		this.#forgetAsked();
		const key = `${pid}:${stream}`;
		const known = this.#states.get(key);
		if (known !== undefined) known.now = now;
		else {
			// At its beginning it is not known to have been measured in full, unless it is now.
			const began = now.full && !now.sampled ? NOTHING : { ...NOTHING, full: false };
			this.#forgotten ||= this.#states.size >= MAX_STATES;
			this.#states.set(key, { pid, stream, now, began });
		}
	}

	/** The report window ends, and the next one begins. */
	nextWindow(): void {
		this.#forgetAsked();
		for (const state of this.#states.values()) state.began = state.now;
	}

	/** The first window that the open report window may hold. */
	firstWindow(pid: number, stream: Stream): number {
		return this.#states.peek(`${pid}:${stream}`)?.began.windows ?? 0;
	}

	#forgetAsked(): void {
		this.#asked.window.clear();
		this.#asked.total.clear();
	}

	/** Streams of one process, or of all. Valid until the next change. */
	extents(pid: number | undefined, streams: readonly Stream[], span: "window" | "total"): readonly Extent[] {
		const key = `${pid}:${streams.join()}`;
		const known = this.#asked[span].get(key);
		if (known !== undefined) return known;
		const extents: Extent[] = [];
		for (const state of pid === undefined ? this.#states.values() : this.#of(pid, streams)) {
			if (!streams.includes(state.stream)) continue;
			extents.push(extentOf(state, span));
		}
		this.#asked[span].set(key, extents);
		return extents;
	}

	get forgotten(): boolean {
		return this.#forgotten;
	}

	*#of(pid: number, streams: readonly Stream[]): Generator<State & { pid: number; stream: Stream }> {
		for (const stream of streams) {
			const state = this.#states.peek(`${pid}:${stream}`);
			if (state !== undefined) yield state;
		}
	}
}

function extentOf(
	{ pid, stream, now, began }: State & { pid: number; stream: Stream },
	span: "window" | "total",
): Extent {
	if (span === "total") {
		const exact = now.full && !now.sampled;
		return {
			...{ pid, stream, firstWindow: 0, windows: now.windows, missed: now.missed, exact },
			measured: exact || now.windows > 0 || now.full,
		};
	}
	const windows = now.windows - began.windows;
	const exact = now.full && began.full && windows === 0 && now.missed === began.missed;
	return {
		...{ pid, stream, firstWindow: began.windows, windows: now.windows, missed: now.missed - began.missed, exact },
		measured: exact || windows > 0 || now.full || began.full,
	};
}
