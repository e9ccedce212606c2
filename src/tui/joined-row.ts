/** A place or a type in one process or in several: rows of statistics that are shown as one. */

import { type Histogram, mergedHistogram } from "../lib/histogram.ts";
import { addMeasured, type Figure, inProportion, isExact, scaleFigure } from "../records/figure.ts";
import type { GrowthRecord } from "../records/records.ts";
import type { SampledFigure } from "../stats/sampled-sums.ts";
import type { Sampling } from "../stats/sampling.ts";
import type { FigureName, Span, StatRow } from "../stats/stat-row.ts";
import { copiedBytes, timeInGrowth } from "../stats/total-figures.ts";
import { perSecond } from "../text/units.ts";

interface Part {
	row: StatRow;
	pid: number | undefined;
}

type FigureKey = SampledFigure | "recent growths" | "recent work";

/** As it is when it is read first. */
export class JoinedRow {
	readonly #sampling: Sampling;
	readonly #parts: Part[] = [];
	/** Figures that were read already. */
	readonly #known: Partial<Record<FigureKey, { figure: Figure | undefined }>> = {};

	/** `pid`: the process that the row is of; undefined: of all. */
	constructor(sampling: Sampling, row: StatRow, pid: number | undefined) {
		this.#sampling = sampling;
		this.add(row, pid);
	}

	add(row: StatRow, pid: number | undefined): void {
		this.#parts.push({ row, pid });
	}

	/** Not rounded, and without what is known of it: to sort by. */
	figure(name: FigureName, span: Span): number {
		let sum = 0;
		for (const { row } of this.#parts) {
			const figure = row.figure(name, span);
			sum = name === "slots" ? Math.max(sum, figure) : sum + figure;
		}
		return sum;
	}

	/** In windows that have ended; undefined where it was not measured. */
	read(name: SampledFigure): Figure | undefined {
		return this.#once(name, ({ row, pid }) => {
			const figure = row.read(name, "total", this.#sampling, { pid });
			// What the open window holds so far is not shown, where it can be told.
			return figure !== undefined && isExact(figure) ? row.rounded(name, "ended") : figure;
		});
	}

	/** Per second, over the last windows. */
	rate(name: "growths" | "work", recentNs: number): Figure | undefined {
		const recent = this.#once(`recent ${name}`, ({ row, pid }) => row.readRecent(name, this.#sampling, pid));
		return recent === undefined ? undefined : scaleFigure(recent, perSecond(1, recentNs));
	}

	/** Several columns show the same figure. */
	#once(key: FigureKey, read: (part: Part) => Figure | undefined): Figure | undefined {
		const known = this.#known[key];
		if (known !== undefined) return known.figure;
		const [first, ...others] = this.#parts;
		const figure =
			first !== undefined && others.length === 0 ? read(first) : addMeasured(this.#parts.map((part) => read(part)));
		this.#known[key] = { figure };
		return figure;
	}

	copiedRate(recentNs: number): Figure | undefined {
		if (this.figure("withMoved", "total") === 0) return undefined;
		const growths = this.rate("growths", recentNs);
		const copied = perSecond(this.figure("moved", "recent"), recentNs);
		if (growths === 0) return copied;
		return growths === undefined ? undefined : inProportion(copied, growths);
	}

	copied(): Figure | undefined {
		if (this.figure("withMoved", "total") === 0) return undefined;
		const growths = this.read("growths");
		return copiedBytes({
			...(growths === undefined ? {} : { growths }),
			bytes_moved: Math.round(this.figure("moved", "total")),
			growths_with_moved: this.figure("withMoved", "total"),
		});
	}

	timeNs(): Figure | undefined {
		if (this.figure("withTime", "total") === 0) return undefined;
		const growths = this.read("growths");
		const work = this.read("work");
		return timeInGrowth({
			time_ns: Math.round(this.figure("time", "total")),
			...(growths === undefined ? {} : { growths }),
			...(work === undefined ? {} : { work }),
		});
	}

	get isRecent(): boolean {
		return this.#parts.some(({ row }) => row.isRecent);
	}

	get overlaps(): number {
		return this.#parts.reduce((sum, { row }) => sum + row.overlaps, 0);
	}

	get newest(): GrowthRecord | undefined {
		let newest: GrowthRecord | undefined;
		for (const { row } of this.#parts) {
			if (row.newest !== undefined && row.newest.elapsed_ns >= (newest?.elapsed_ns ?? 0)) newest = row.newest;
		}
		return newest;
	}

	get durations(): Histogram | undefined {
		const [only, ...others] = this.#parts.flatMap(({ row }) => (row.durations === undefined ? [] : [row.durations]));
		return only === undefined || others.length === 0 ? only : mergedHistogram([only, ...others]);
	}
}
