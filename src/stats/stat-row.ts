/** A row of a table: what it counts, in the window that is open, in the last windows and since the start. */

import { Histogram } from "../lib/histogram.ts";
import type { GrowthRecord } from "../records/records.ts";

/** What one growth, with those that it stands for, or one batch of work calls adds. */
export class Figures {
	growths = 0;
	/** Calls of the work tier. */
	work = 0;
	/** Bytes of new arrays, and the growths that told theirs. */
	bytes = 0;
	withBytes = 0;
	/** Bytes of entries that are copied, and the growths that told theirs. */
	moved = 0;
	withMoved = 0;
	/** Nanoseconds spent in growths. */
	time = 0;
	/** Growths that may have met an iterator, and the growths of which that is known (classic maps). */
	iterating = 0;
	withIterating = 0;
	/** Slots of the largest of what grew: no sum. */
	slots = 0;
}

export type FigureName = keyof Figures;

/** ended: since the start, without the open window. total: with it. recent: the last windows that have ended. */
export type Span = "window" | "ended" | "total" | "recent";

/** By hand: a loop over the names costs several times as much, and this is done for each growth in five rows. */
function addFigures(sum: Figures, add: Figures, sign: 1 | -1): void {
	sum.growths += sign * add.growths;
	sum.work += sign * add.work;
	sum.bytes += sign * add.bytes;
	sum.withBytes += sign * add.withBytes;
	sum.moved += sign * add.moved;
	sum.withMoved += sign * add.withMoved;
	sum.time += sign * add.time;
	sum.iterating += sign * add.iterating;
	sum.withIterating += sign * add.withIterating;
	if (add.slots > sum.slots) sum.slots = add.slots;
}

export function figuresOfGrowth(growth: GrowthRecord): Figures {
	const { weight = 1, bytes, bytes_moved, duration_ns = 0, iterating } = growth;
	const figures = new Figures();
	figures.growths = weight;
	if (bytes !== undefined) {
		figures.bytes = weight * bytes;
		figures.withBytes = weight;
	}
	if (bytes_moved !== undefined) {
		figures.moved = weight * bytes_moved;
		figures.withMoved = weight;
	}
	figures.time = weight * duration_ns;
	if (iterating !== undefined) {
		figures.iterating = iterating ? weight : 0;
		figures.withIterating = weight;
	}
	figures.slots = growth.capacity_after;
	return figures;
}

export function figuresOfWork(calls: number): Figures {
	const figures = new Figures();
	figures.work = calls;
	return figures;
}

/** Additions go to the open window alone; its sums go on to the other spans when it ends. */
export class StatRow {
	#window: Figures | undefined;
	readonly #ended = new Figures();
	#recent: Figures | undefined;
	/** Windows that are in `#recent`. */
	#recentWindows = 0;
	/** Growths that overlapped an iteration. */
	overlaps = 0;
	/** Of the newest growth and of all growths; only where details are kept. */
	newest: GrowthRecord | undefined;
	durations: Histogram | undefined;
	#gone = false;

	/** It is in its table no more. */
	get gone(): boolean {
		return this.#gone;
	}

	/** Leaves its table; what is large is given up at once. */
	leave(): void {
		this.#gone = true;
		this.newest = undefined;
		this.durations = undefined;
	}

	/** The one way in. Returns whether it is the first addition of the window. */
	add(figures: Figures): boolean {
		const first = this.#window === undefined;
		this.#window ??= new Figures();
		addFigures(this.#window, figures, 1);
		return first;
	}

	/** What only the screen shows of its growths. */
	addDetails(growth: GrowthRecord): void {
		this.newest = growth;
		if (growth.duration_ns === undefined) return;
		this.durations ??= new Histogram();
		this.durations.add(growth.duration_ns);
	}

	/** The one way out: a figure of a span, not rounded. */
	figure(name: FigureName, span: Span): number {
		const window = this.#window?.[name] ?? 0;
		switch (span) {
			case "window":
				return window;
			case "ended":
				return this.#ended[name];
			case "total":
				return name === "slots" ? Math.max(this.#ended[name], window) : this.#ended[name] + window;
			case "recent":
				return this.#recent?.[name] ?? 0;
		}
	}

	/** The same as a whole number. */
	rounded(name: FigureName, span: Span): number {
		return Math.round(this.figure(name, span));
	}

	get isRecent(): boolean {
		return this.#recentWindows > 0;
	}

	/** Ends the window; returns its sums, for `endRecent`. `recent`: they are part of what is recent until then. */
	endWindow(recent: boolean): Figures {
		const window = this.#window ?? new Figures();
		this.#window = undefined;
		addFigures(this.#ended, window, 1);
		if (recent) {
			this.#recent ??= new Figures();
			this.#recentWindows++;
			addFigures(this.#recent, window, 1);
		}
		return window;
	}

	/** A window's sums are recent no more. */
	endRecent(window: Figures): void {
		this.#recentWindows--;
		// From scratch where that is possible: differences of fractions do not come out even.
		if (this.#recentWindows === 0) this.#recent = undefined;
		else if (this.#recent !== undefined) addFigures(this.#recent, window, -1);
	}

	/** Takes over all sums of a row that leaves its table. */
	absorb(row: StatRow): void {
		addFigures(this.#ended, row.#ended, 1);
		if (row.#window !== undefined) this.add(row.#window);
	}
}
