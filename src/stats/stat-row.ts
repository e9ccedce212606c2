/** A row of a table: what it counts, in the window that is open, in the last windows and since the start. */

import type { Window } from "../budget/window-weight.ts";
import { Histogram } from "../lib/histogram.ts";
import { type Figure, inProportion, isAtLeast } from "../records/figure.ts";
import type { GrowthRecord } from "../records/records.ts";
import { readFigure, SAMPLED_FIGURES, type SampledFigure, SampledSums, STREAMS_OF } from "./sampled-sums.ts";
import type { Extent, Sampling, Stream } from "./sampling.ts";

/** Where something was seen. */
export interface SeenIn {
	pid: number;
	stream: Stream;
	window: Window;
	start: number;
}

/** What a row is of. */
export interface RowOf {
	/** Absent: of several processes. */
	pid?: number | undefined;
	/** Of all that these streams see; absent: of a single process. */
	whole?: boolean;
}

/** What was seen in all, and what one call adds to it. */
export interface SeenAmount {
	amount: number;
	each: number;
}

/** What one batch of calls adds, with those that it stands for. */
export class Figures {
	growths = 0;
	/** Calls of the work tier. */
	work = 0;
	/** Part of both that was seen in windows. */
	sampledGrowths = 0;
	sampledWork = 0;
	/** Bytes of new arrays, and the growths that told theirs. */
	bytes = 0;
	withBytes = 0;
	/** Bytes of entries that are copied, and the growths that told theirs. */
	moved = 0;
	withMoved = 0;
	/** Nanoseconds spent in growths and growth work, and the calls of which that is known. */
	time = 0;
	withTime = 0;
	/** Growths that may have met an iterator, and the growths of which that is known (classic maps). */
	iterating = 0;
	withIterating = 0;
	/** Slots of the largest of what grew: no sum. */
	slots = 0;
}

export type FigureName = keyof Figures;

/** ended: since the start, without the open window. total: with it. recent: the last windows that have ended. */
export type Span = "window" | "ended" | "total" | "recent";

/** Those that have rates, and what of them was seen in windows. */
export type RecentFigures = Record<"growths" | "work" | "moved" | "sampledGrowths" | "sampledWork", number>;

const noneRecent = (): RecentFigures => ({ growths: 0, work: 0, moved: 0, sampledGrowths: 0, sampledWork: 0 });

function addRecent(sum: RecentFigures, add: RecentFigures, sign: 1 | -1): void {
	sum.growths += sign * add.growths;
	sum.work += sign * add.work;
	sum.moved += sign * add.moved;
	sum.sampledGrowths += sign * add.sampledGrowths;
	sum.sampledWork += sign * add.sampledWork;
}

const NONE_RECENT = noneRecent();
const isRecentName = (name: FigureName): name is keyof RecentFigures => name in NONE_RECENT;

/** By hand: a loop over the names costs several times as much, and this is done for each growth in five rows. */
function addFigures(sum: Figures, add: Figures, sign: 1 | -1): void {
	sum.growths += sign * add.growths;
	sum.work += sign * add.work;
	sum.sampledGrowths += sign * add.sampledGrowths;
	sum.sampledWork += sign * add.sampledWork;
	sum.bytes += sign * add.bytes;
	sum.withBytes += sign * add.withBytes;
	sum.moved += sign * add.moved;
	sum.withMoved += sign * add.withMoved;
	sum.time += sign * add.time;
	sum.withTime += sign * add.withTime;
	sum.iterating += sign * add.iterating;
	sum.withIterating += sign * add.withIterating;
	if (add.slots > sum.slots) sum.slots = add.slots;
}

/** Of a growth that was recorded: what is seen of a single map or goroutine. */
export function figuresOfGrowth(growth: GrowthRecord): Figures {
	const { bytes, bytes_moved, duration_ns = 0, iterating } = growth;
	const figures = new Figures();
	figures.growths = 1;
	if (bytes !== undefined) {
		figures.bytes = bytes;
		figures.withBytes = 1;
	}
	if (bytes_moved !== undefined) {
		figures.moved = bytes_moved;
		figures.withMoved = 1;
	}
	figures.time = duration_ns;
	if (iterating !== undefined) {
		figures.iterating = iterating ? 1 : 0;
		figures.withIterating = 1;
	}
	figures.slots = growth.capacity_after;
	return figures;
}

/** Additions go to the open window alone; its sums go on to the other spans when it ends. */
export class StatRow {
	#window: Figures | undefined;
	readonly #ended = new Figures();
	#recent: RecentFigures | undefined;
	/** Windows that are in `#recent`. */
	#recentWindows = 0;
	/** What was seen in windows, of the open report window and since the start; absent where nothing was. */
	#sampled: { window: SampledSums | undefined; total: SampledSums } | undefined;
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

	/** Of what `add` has added with its weight: what was seen in a window. `start`: index of the first window that the report window may hold. */
	addSampled({ pid, stream, window, start }: SeenIn, amounts: Partial<Record<SampledFigure, SeenAmount>>): void {
		this.#sampled ??= { window: undefined, total: new SampledSums() };
		this.#sampled.window ??= new SampledSums();
		for (const figure of SAMPLED_FIGURES) {
			const seen = amounts[figure];
			if (seen === undefined) continue;
			this.#sampled.window.add(pid, stream, figure, window, seen.amount, seen.each, start);
			this.#sampled.total.add(pid, stream, figure, window, seen.amount, seen.each, 0);
		}
	}

	/** A figure with what is known of it; undefined where it was not measured. */
	read(figure: SampledFigure, span: "window" | "total", sampling: Sampling, of: RowOf = {}): Figure | undefined {
		const { pid, whole = pid !== undefined } = of;
		return this.readOver(sampling.extents(pid, STREAMS_OF[figure], span), figure, span, whole);
	}

	/** The same where it is known of which streams it is a figure. */
	protected readOver(
		extents: readonly Extent[],
		figure: SampledFigure,
		span: "window" | "total",
		whole: boolean,
	): Figure | undefined {
		return readFigure(this.#sampled?.[span], figure, this.figure(figure, span), extents, whole);
	}

	/** The same of the last windows, as far as a number can be given. */
	readRecent(figure: "growths" | "work", sampling: Sampling, pid?: number): Figure | undefined {
		const amount = this.figure(figure, "recent");
		if (this.figure(figure === "growths" ? "sampledGrowths" : "sampledWork", "recent") > 0) {
			const total = this.read(figure, "total", sampling, { pid });
			if (total === undefined || !isAtLeast(total))
				return total === undefined ? undefined : inProportion(amount, total);
			// Of what is known from below the same part as of the sum.
			return { at_least: (amount * total.at_least) / this.figure(figure, "total") };
		}
		const exact = sampling.extents(pid, STREAMS_OF[figure], "window").every((extent) => extent.exact);
		if (exact) return amount;
		return amount > 0 ? { at_least: amount } : undefined;
	}

	/** One of the maps that grew has, or had, so many slots: not less than what is known of it already. */
	raiseSlots(slots: number): void {
		const figures = this.#window ?? this.#ended;
		figures.slots = Math.max(figures.slots, slots);
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
				return isRecentName(name) ? (this.#recent?.[name] ?? 0) : 0;
		}
	}

	/** The same as a whole number. */
	rounded(name: FigureName, span: Span): number {
		return Math.round(this.figure(name, span));
	}

	get isRecent(): boolean {
		return this.#recentWindows > 0;
	}

	/** Ends the window; returns what of it is recent, for `endRecent`, where `recent` says that it is until then. */
	endWindow(recent: boolean): RecentFigures | undefined {
		const window = this.#window ?? new Figures();
		this.#window = undefined;
		if (this.#sampled !== undefined) this.#sampled.window = undefined;
		addFigures(this.#ended, window, 1);
		if (!recent) return undefined;
		const { growths, work, moved, sampledGrowths, sampledWork } = window;
		const added: RecentFigures = { growths, work, moved, sampledGrowths, sampledWork };
		this.#recent ??= noneRecent();
		this.#recentWindows++;
		addRecent(this.#recent, added, 1);
		return added;
	}

	/** A window's sums are recent no more. */
	endRecent(window: RecentFigures): void {
		this.#recentWindows--;
		// From scratch where that is possible: differences of fractions do not come out even.
		if (this.#recentWindows === 0) this.#recent = undefined;
		else if (this.#recent !== undefined) addRecent(this.#recent, window, -1);
	}

	/** Takes over all sums of a row that leaves its table. */
	absorb(row: StatRow): void {
		addFigures(this.#ended, row.#ended, 1);
		if (row.#window !== undefined) this.add(row.#window);
		if (row.#sampled === undefined) return;
		this.#sampled ??= { window: undefined, total: new SampledSums() };
		this.#sampled.total.absorb(row.#sampled.total);
		if (row.#sampled.window === undefined) return;
		this.#sampled.window ??= new SampledSums();
		this.#sampled.window.absorb(row.#sampled.window);
	}
}
