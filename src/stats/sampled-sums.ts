/** What was seen of a row in windows, with what its intervals follow from. A row that was always measured in full has none. */
import { WindowedSum } from "../budget/estimate.ts";
import type { Window } from "../budget/window-weight.ts";
import { addFigures, type Figure } from "../records/figure.ts";
import type { Extent, Stream } from "./sampling.ts";

export const SAMPLED_FIGURES = ["growths", "work", "bytes"] as const;
export type SampledFigure = (typeof SAMPLED_FIGURES)[number];

/** By what streams a figure is made of. */
export const STREAMS_OF: Record<SampledFigure, readonly Stream[]> = {
	growths: ["large", "small"],
	bytes: ["large", "small"],
	work: ["work"],
};

const STREAM_NUMBER: Record<Stream, number> = { large: 0, small: 1, work: 2, iteration: 3, make: 4 };
const FIGURE_NUMBER: Record<SampledFigure, number> = { growths: 0, work: 1, bytes: 2 };

/** Names a sum of a row. */
function codeOf(pid: number, stream: Stream, figure: SampledFigure): number {
	return pid * 32 + STREAM_NUMBER[stream] * 4 + FIGURE_NUMBER[figure];
}

class CodedSum extends WindowedSum {
	readonly code: number;
	readonly next: CodedSum | undefined;

	constructor(code: number, start: number, next: CodedSum | undefined) {
		super(start);
		this.code = code;
		this.next = next;
	}
}

/** Above this a list is searched for too long. */
const MAX_LIST = 8;

/**
 * Figures of several processes can be in one row: each process and stream has windows of its own. There are thousands of
 * rows, most of them of one process: these have a list of two or three sums, and no table.
 */
export class SampledSums {
	#first: CodedSum | undefined;
	#count = 0;
	#byCode: Map<number, CodedSum> | undefined;

	#find(code: number): CodedSum | undefined {
		if (this.#byCode !== undefined) return this.#byCode.get(code);
		let sum = this.#first;
		while (sum !== undefined && sum.code !== code) sum = sum.next;
		return sum;
	}

	#add(code: number, start: number): CodedSum {
		const sum = new CodedSum(code, start, this.#first);
		this.#first = sum;
		this.#count++;
		this.#byCode?.set(code, sum);
		if (this.#count === MAX_LIST) {
			this.#byCode = new Map();
			for (let one: CodedSum | undefined = sum; one !== undefined; one = one.next) this.#byCode.set(one.code, one);
		}
		return sum;
	}

	/** `start`: index of the first window that the sum may hold; `each`: what one hit adds. */
	add(
		pid: number,
		stream: Stream,
		figure: SampledFigure,
		window: Window,
		amount: number,
		each: number,
		start: number,
	): void {
		if (amount === 0) return;
		const code = codeOf(pid, stream, figure);
		const sum = this.#find(code) ?? this.#add(code, start);
		sum.window(window, amount, each);
	}

	/**
	 * The figure: `weighted` is all that the row has, the windows with their weights among it. Undefined when none of the
	 * streams was measured.
	 */
	read(figure: SampledFigure, weighted: number, extents: readonly Extent[]): Figure | undefined {
		if (extents.every(({ exact }) => exact)) return Math.round(weighted);
		if (!extents.some(({ measured }) => measured) && weighted === 0) return undefined;
		let estimated = 0;
		const parts: Figure[] = [];
		for (const { pid, stream, windows, missed, exact } of extents) {
			if (exact) continue;
			const sum = this.#find(codeOf(pid, stream, figure));
			if (sum === undefined) {
				parts.push({ at_least: 0 });
				continue;
			}
			estimated += sum.estimate;
			parts.push(sum.read({ windows, missed }));
		}
		return addFigures([Math.round(weighted - estimated), ...parts]);
	}
}

/** Of a row without windows. */
const NO_SUMS = new SampledSums();

export function readFigure(
	sums: SampledSums | undefined,
	figure: SampledFigure,
	weighted: number,
	extents: readonly Extent[],
): Figure | undefined {
	return (sums ?? NO_SUMS).read(figure, weighted, extents);
}
