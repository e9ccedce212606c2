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

/** Figures of several processes can be in one row: each process and stream has windows of its own. */
export class SampledSums {
	readonly #sums = new Map<string, WindowedSum>();

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
		const key = `${pid}:${stream}:${figure}`;
		let sum = this.#sums.get(key);
		if (sum === undefined) {
			sum = new WindowedSum(start);
			this.#sums.set(key, sum);
		}
		sum.window(window, amount, each);
	}

	/**
	 * The figure: `weighted` is all that the row has, the windows with their weights among it. Undefined when none of the streams was measured.
	 */
	read(figure: SampledFigure, weighted: number, extents: readonly Extent[]): Figure | undefined {
		const sampled = extents.filter(({ exact }) => !exact);
		if (sampled.length === 0) return Math.round(weighted);
		if (!extents.some(({ measured }) => measured) && weighted === 0) return undefined;
		let estimated = 0;
		const parts: Figure[] = [];
		for (const { pid, stream, windows, missed } of sampled) {
			const sum = this.#sums.get(`${pid}:${stream}:${figure}`);
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
